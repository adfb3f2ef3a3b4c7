/*
 * select.c - finds the columns of a list, and takes the others out of rows that were read.
 */
#include "data/select.h"

#include <inttypes.h>

#include "base/parse_number.h"
#include "base/text_file.h"
#include "data/csv_line.h"

typedef struct list {
    const char *path, *option; /* "--ignore" */
    const char *const *names;
    int64_t count;
} list;

static bool is_named(const char *name, fr_csv_field item) {
    size_t length = (size_t)(item.end - item.begin);
    return strlen(name) == length && memcmp(name, item.begin, length) == 0;
}

static fr_status find(const list *l, fr_csv_field item, int64_t *column, fr_error *error) {
    char shown[FR_SHOWN_SIZE];
    int64_t found = 0, number;
    for (int64_t i = 0; l->names && i < l->count; i++)
        if (is_named(l->names[i], item)) found++, *column = i;
    if (found == 1) return FR_OK;
    fr_text_show(shown, item.begin, item.end);
    if (found > 1)
        return fr_fail(error, FR_ERROR_USAGE, "%s: %s %s: %" PRId64 " columns have this name; give a number", l->path,
                       l->option, shown, found);
    bool number_given = fr_parse_int64(item.begin, item.end, &number);
    if (!number_given || number == 0 || number > l->count || number < -l->count)
        return fr_fail(error, FR_ERROR_USAGE, "%s: %s %s: no such column; expected %s1 to %" PRId64, l->path, l->option,
                       shown, l->names ? "a name of the header, or " : "", l->count);
    *column = number > 0 ? number - 1 : l->count + number;
    return FR_OK;
}

fr_status fr_select(const char *path, const fr_read_options *options, const char *const *names, int64_t count,
                    bool *selected, fr_error *error) {
    const list l = {path, options->columns ? "--columns" : "--ignore", names, count};
    const char *at = options->columns ? options->columns : options->ignore;
    for (int64_t i = 0; i < count; i++) selected[i] = !options->columns;
    if (!at) return FR_OK;
    const char *end = at + strlen(at);
    while (at) {
        fr_csv_field item;
        int64_t column = 0;
        at = fr_csv_cut(',', at, end, &item);
        FR_TRY(find(&l, item, &column, error));
        selected[column] = options->columns != NULL;
    }
    return FR_OK;
}

fr_status fr_select_begin(const char *path, const fr_read_options *options, int64_t columns, fr_missing *missing,
                          fr_error *error) {
    if (!fr_selects(options)) return FR_OK;
    FR_TRY(fr_allocate((void **)&missing->selected, columns, sizeof *missing->selected, "the columns", error));
    missing->columns = columns;
    return fr_select(path, options, NULL, columns, missing->selected, error);
}

fr_status fr_select_features(fr_dataset *set, const bool *selected, fr_error *error) {
    size_t size = fr_precision_bytes(set->precision);
    int64_t kept = 0, d = set->features;
    for (int64_t j = 0; j < d; j++) kept += selected[j];
    if (kept == 0) return fr_fail(error, FR_ERROR_USAGE, "%s: no feature is left", set->source);
    char *from = set->rows, *to = set->rows;
    for (int64_t i = 0; i < set->local_rows; i++) {
        for (int64_t j = 0; j < d; j++, from += size) {
            if (!selected[j]) continue;
            memmove(to, from, size);
            to += size;
        }
    }
    for (int64_t j = 0, at = 0; set->planted && j < d; j++)
        if (selected[j]) set->planted[at++] = set->planted[j];
    set->features = set->stride = kept;
    return FR_OK;
}
