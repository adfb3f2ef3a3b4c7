/*
 * csv_category.c - the words of columns, kept sorted.
 */
#include "data/csv/csv_category.h"

#include <inttypes.h>

#include "base/parse_number.h"
#include "data/missing.h"

enum { ROWS_LOOKED_AT = 100 };

/* ----------------------------------------------------------------------------------------- which columns */

/* "1,5" is a number to people who write it so, and is refused as such. */
static bool is_decimal_comma(fr_csv_field f) {
    for (const char *at = f.begin; at < f.end; at++)
        if (!strchr("+-.,0123456789eE", *at)) return false;
    return memchr(f.begin, ',', (size_t)(f.end - f.begin)) != NULL;
}

fr_status fr_csv_find_text(const fr_text *file, const fr_csv_head *head, const bool *wanted, char **texts,
                           fr_error *error) {
    FR_OWNED_LINES fr_lines lines = {0};
    FR_OWNED bool *numeric = NULL;
    FR_TRY(fr_allocate((void **)&numeric, head->columns, sizeof *numeric, "the columns", error));
    FR_TRY(fr_csv_rows(file, head, &lines, error));
    for (int i = 0; i < ROWS_LOOKED_AT && fr_csv_next_row(&lines); i++) {
        const char *at = lines.begin;
        for (int64_t j = 0; at && j < head->columns; j++) {
            fr_csv_field cut;
            double value;
            at = fr_csv_cut(head->delimiter, at, lines.end, &cut);
            if (!wanted[j] || fr_is_missing_word(cut.begin, cut.end)) continue;
            numeric[j] |= fr_parse_double(cut.begin, cut.end, &value) || is_decimal_comma(cut);
            if (numeric[j] || texts[j]) continue;
            texts[j] = strndup(cut.begin, (size_t)(cut.end - cut.begin));
            if (!texts[j]) return fr_fail(error, FR_ERROR, "%s: out of memory", file->path);
        }
    }
    for (int64_t j = 0; j < head->columns; j++) {
        if (!numeric[j]) continue;
        free(texts[j]);
        texts[j] = NULL;
    }
    return lines.status;
}

/* ------------------------------------------------------------------------------------------------ words */

/* Where a word is, or belongs. */
static int64_t place_of(const fr_csv_category *c, const char *begin, size_t length, bool *found) {
    int64_t low = 0, high = c->count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        int order = strncmp(c->words[middle], begin, length);
        if (order == 0 && c->words[middle][length] != '\0') order = 1;
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    *found = low < c->count && strncmp(c->words[low], begin, length) == 0 && c->words[low][length] == '\0';
    return low;
}

int64_t fr_csv_find_word(const fr_csv_category *category, fr_csv_field word) {
    bool found;
    int64_t place = place_of(category, word.begin, (size_t)(word.end - word.begin), &found);
    return found ? place : -1;
}

/* Room is doubled whenever a power of two of words is full. */
static fr_status make_room(fr_csv_category *c, fr_error *error) {
    size_t wanted = c->count ? 2 * (size_t)c->count : 1;
    if (c->count & (c->count - 1)) return FR_OK;
    char **words = realloc(c->words, wanted * sizeof *words);
    if (words) c->words = words;
    int64_t *feature = realloc(c->feature, wanted * sizeof *feature);
    if (feature) c->feature = feature;
    return words && feature ? FR_OK : fr_fail(error, FR_ERROR, "out of memory for the words of a column");
}

fr_status fr_csv_add_word(fr_csv_category *c, const char *begin, const char *end, int64_t feature, fr_error *error) {
    bool found;
    int64_t place = place_of(c, begin, (size_t)(end - begin), &found);
    if (found) return FR_OK;
    FR_TRY(make_room(c, error));
    char *word = strndup(begin, (size_t)(end - begin));
    if (!word) return fr_fail(error, FR_ERROR, "out of memory for the words of a column");
    size_t after = (size_t)(c->count - place);
    memmove(c->words + place + 1, c->words + place, after * sizeof *c->words);
    memmove(c->feature + place + 1, c->feature + place, after * sizeof *c->feature);
    c->words[place] = word;
    c->feature[place] = feature;
    c->count++;
    return FR_OK;
}

static fr_status too_many(const fr_text *file, const fr_csv_head *head, int64_t column, fr_error *error) {
    const char *name = head->names[column];
    char shown[FR_SHOWN_SIZE];
    return fr_fail(error, FR_ERROR_DATA, "%s: column %s has more than %d different words; leave it out (--ignore)",
                   file->path, fr_text_show(shown, name, name + strlen(name)), FR_CSV_MOST_WORDS);
}

fr_status fr_csv_collect_words(const fr_text *file, const fr_csv_head *head, fr_csv_category *categories, int64_t count,
                               fr_error *error) {
    FR_OWNED_LINES fr_lines lines = {0};
    FR_TRY(fr_csv_rows(file, head, &lines, error));
    while (count > 0 && fr_csv_next_row(&lines)) {
        const char *at = lines.begin;
        int64_t next = 0; /* categories are in the order of columns */
        for (int64_t j = 0; at && next < count; j++) {
            fr_csv_field cut;
            at = fr_csv_cut(head->delimiter, at, lines.end, &cut);
            if (j != categories[next].column) continue;
            fr_csv_category *c = &categories[next++];
            if (fr_is_missing_word(cut.begin, cut.end)) continue;
            FR_TRY(fr_csv_add_word(c, cut.begin, cut.end, 0, error));
            if (c->count > FR_CSV_MOST_WORDS) return too_many(file, head, j, error);
        }
    }
    return lines.status;
}

void fr_csv_category_free(fr_csv_category *c) {
    for (int64_t i = 0; i < c->count; i++) free(c->words[i]);
    free(c->words);
    free(c->feature);
    *c = (fr_csv_category){0};
}
