/*
 * csv_name.c - the names that a table gives a data set.
 */
#include "data/csv/csv_columns.h"

#include <stdio.h>

#include "data/names.h"

/* Bytes of the names of all features, their ends included. */
static size_t bytes_of(const fr_csv_head *head, const fr_csv_columns *columns) {
    size_t bytes = 0;
    for (int64_t i = 0; i < head->columns; i++) {
        const fr_csv_category *words = fr_csv_category_of(columns, i);
        size_t name = strlen(head->names[i]);
        if (columns->feature[i] >= 0) bytes += name + 1;
        for (int64_t k = 0; words && k < words->count; k++) bytes += name + strlen(words->words[k]) + 2;
    }
    return bytes;
}

/* "color", or "color=red". */
static char *write_name(char *to, const char *name, const char *word) {
    to = stpcpy(to, name);
    if (word) *to++ = '=', to = stpcpy(to, word);
    return to + 1;
}

static fr_status make_names(const fr_csv_head *head, const fr_csv_columns *columns, char ***names, fr_error *error) {
    char *text;
    FR_TRY(fr_names_allocate(columns->features, bytes_of(head, columns), names, &text, error));
    for (int64_t i = 0; i < head->columns; i++) {
        const fr_csv_category *words = fr_csv_category_of(columns, i);
        if (columns->feature[i] >= 0) {
            (*names)[columns->feature[i]] = text;
            text = write_name(text, head->names[i], NULL);
        }
        for (int64_t k = 0; words && k < words->count; k++) {
            (*names)[words->feature[k]] = text;
            text = write_name(text, head->names[i], words->words[k]);
        }
    }
    return FR_OK;
}

/* The first name that two features have, or a feature and the label; NULL: none. */
static fr_status find_twice(const char *const *names, int64_t count, const char *label, const char **twice,
                            fr_error *error) {
    FR_OWNED int64_t *sorted = NULL;
    *twice = NULL;
    FR_TRY(fr_allocate((void **)&sorted, count, sizeof *sorted, "the columns", error));
    fr_names_sort(names, count, sorted);
    for (int64_t i = 1; !*twice && i < count; i++)
        if (strcmp(names[sorted[i - 1]], names[sorted[i]]) == 0) *twice = names[sorted[i]];
    if (!*twice && label && fr_names_find(names, count, sorted, label) < count) *twice = label;
    return FR_OK;
}

static fr_status name_passed(const fr_csv_head *head, const fr_csv_columns *columns, fr_dataset *set, fr_error *error) {
    FR_OWNED const char **passed = NULL;
    int64_t count = 0;
    FR_TRY(fr_allocate((void **)&passed, head->columns, sizeof *passed, "the names of columns", error));
    for (int64_t i = 0; i < head->columns; i++)
        if (columns->feature[i] == FR_CSV_PASSED || columns->feature[i] == FR_CSV_WEIGHT) passed[count++] = head->names[i];
    if (count == 0) return FR_OK;
    set->passed_count = count;
    return fr_names_copy(passed, count, &set->passed, error);
}

fr_status fr_csv_columns_name(const fr_read_options *options, const fr_csv_head *head, const fr_csv_columns *columns,
                              fr_dataset *set, fr_error *error) {
    FR_OWNED char **names = NULL;
    const char *twice, *label = columns->label < 0 || !head->names ? NULL : head->names[columns->label];
    if (!head->names) return FR_OK;
    FR_TRY(make_names(head, columns, &names, error));
    FR_TRY(find_twice((const char *const *)names, columns->features, label, &twice, error));
    if (twice && options->features == 0)
        fr_remark(options, "%s: two columns are named %s; the names are not kept", set->source, twice);
    if (twice) return FR_OK;
    if (label && !(set->label_name = strdup(label))) return fr_fail(error, FR_ERROR, "%s: out of memory", set->source);
    set->names = names;
    names = NULL; /* the set's */
    return name_passed(head, columns, set, error);
}
