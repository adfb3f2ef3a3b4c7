/*
 * csv_head.c - decides on delimiter and header.
 *
 * A first line without a number is a header, and one of numbers and missing values is a row. Where numbers and other
 * words are mixed, the rows below decide: words over columns of numbers speak for a header, numbers for a row, and the
 * greater number wins. pandas writes 0,1,2,... over columns without names; that is a header if there are three columns
 * or more and no other row reads so. Names that are expected (of a model's features) are a header wherever they stand.
 */
#include "data/csv/csv_head.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/parse_number.h"
#include "data/names.h"

enum { LINES_FOR_DELIMITER = 10, ROWS_LOOKED_AT = 100, LEAST_NUMBERED = 3 };
static const char delimiters[] = ";\t, "; /* the order in which equals are preferred: 1,5;2,5 has semicolons */

typedef enum word { NUMBER, MISSING, OTHER } word;

static word kind_of(fr_csv_field f) {
    double value;
    if (fr_is_missing_word(f.begin, f.end)) return MISSING;
    return fr_parse_double(f.begin, f.end, &value) ? NUMBER : OTHER;
}

/* --------------------------------------------------------------------------------------- first line */

static fr_status keep_line(fr_csv_head *head, const fr_lines *lines, fr_error *error) {
    size_t length = (size_t)(lines->end - lines->begin);
    head->line = malloc(length + 1);
    if (!head->line) return fr_fail(error, FR_ERROR, "%s: out of memory", lines->path);
    memcpy(head->line, lines->begin, length);
    head->line[length] = '\0';
    head->end = head->line + length;
    head->number = lines->number;
    return FR_OK;
}

/* The first line, and the delimiter that most of the first lines have; a comma where there is none at all. */
static fr_status read_first(const fr_text *file, fr_csv_head *head, fr_error *error) {
    FR_OWNED_LINES fr_lines lines = {0};
    int with[sizeof delimiters] = {0}, best = 0;
    FR_TRY(fr_lines_open(file, &lines, error));
    for (int i = 0; i < LINES_FOR_DELIMITER && fr_lines_next_content(&lines); i++) {
        if (i == 0) FR_TRY(keep_line(head, &lines, error));
        for (int k = 0; delimiters[k]; k++) with[k] += fr_csv_has(delimiters[k], lines.begin, lines.end);
    }
    FR_TRY(lines.status);
    if (!head->line) return fr_fail(error, FR_ERROR_DATA, "%s is empty, expected rows of numbers", file->path);
    head->delimiter = ',';
    for (int k = 0; delimiters[k]; k++)
        if (with[k] > best) best = with[k], head->delimiter = delimiters[k];
    head->columns = fr_csv_count(head->delimiter, head->line, head->end);
    return FR_OK;
}

/* ------------------------------------------------------------------------------------------- header */

/* Columns of which the rows below hold numbers, and nothing else but missing values. numeric: columns, zeroed. */
static fr_status look_below(const fr_text *file, const fr_csv_head *head, bool *numeric, fr_error *error) {
    FR_OWNED_LINES fr_lines lines = {0};
    FR_OWNED bool *other = NULL;
    FR_TRY(fr_allocate((void **)&other, head->columns, sizeof *other, "the columns", error));
    FR_TRY(fr_lines_open(file, &lines, error));
    fr_lines_next_content(&lines);
    for (int i = 0; i < ROWS_LOOKED_AT && fr_csv_next_row(&lines); i++) {
        const char *at = lines.begin;
        for (int64_t j = 0; at && j < head->columns; j++) {
            fr_csv_field cut;
            at = fr_csv_cut(head->delimiter, at, lines.end, &cut);
            word kind = kind_of(cut);
            numeric[j] |= kind == NUMBER;
            other[j] |= kind == OTHER;
        }
    }
    for (int64_t j = 0; j < head->columns; j++) numeric[j] &= !other[j];
    return lines.status;
}

/* True for 0,1,2,... and nothing else. */
static bool is_numbered(const fr_csv_head *head, const char *begin, const char *end) {
    char expected[24];
    int64_t j = 0;
    for (const char *at = begin; at; j++) {
        fr_csv_field cut;
        at = fr_csv_cut(head->delimiter, at, end, &cut);
        int length = snprintf(expected, sizeof expected, "%" PRId64, j);
        if (cut.end - cut.begin != length || memcmp(cut.begin, expected, (size_t)length) != 0) return false;
    }
    return j == head->columns;
}

/* Whether the first line, which is numbered, is the only one so, and there are others. */
static fr_status is_the_only_numbered(const fr_text *file, fr_csv_head *head, fr_error *error) {
    FR_OWNED_LINES fr_lines lines = {0};
    int64_t rows = 0, numbered = 0;
    FR_TRY(fr_lines_open(file, &lines, error));
    while (numbered < 2 && fr_csv_next_row(&lines)) rows++, numbered += is_numbered(head, lines.begin, lines.end);
    head->header = numbered == 1 && rows > 1;
    snprintf(head->doubt, sizeof head->doubt,
             head->header
                 ? "line %" PRId64 " is 0, 1, 2, ... and taken for numbers of columns (--header no: for a row)"
                 : "line %" PRId64 " is 0, 1, 2, ... and taken for a row (--header yes: for numbers of columns)",
             head->number);
    return lines.status;
}

/* Numbers and other words side by side in the first line. */
static fr_status weigh(const fr_text *file, fr_csv_head *head, int64_t numbers, fr_error *error) {
    FR_OWNED bool *numeric = NULL;
    int64_t names = 0;
    FR_TRY(fr_allocate((void **)&numeric, head->columns, sizeof *numeric, "the columns", error));
    FR_TRY(look_below(file, head, numeric, error));
    const char *at = head->line;
    for (int64_t j = 0; at; j++) {
        fr_csv_field cut;
        at = fr_csv_cut(head->delimiter, at, head->end, &cut);
        names += numeric[j] && kind_of(cut) == OTHER;
    }
    head->header = names > numbers;
    snprintf(head->doubt, sizeof head->doubt,
             head->header
                 ? "line %" PRId64 " is taken for names of columns, though it has numbers (--header no: for a row)"
                 : "line %" PRId64 " is taken for a row, though it has words (--header yes: for names of columns)",
             head->number);
    return FR_OK;
}

static fr_status find_header(const fr_text *file, fr_csv_head *head, fr_error *error) {
    int64_t counts[3] = {0};
    const char *at = head->line;
    while (at) {
        fr_csv_field cut;
        at = fr_csv_cut(head->delimiter, at, head->end, &cut);
        counts[kind_of(cut)]++;
    }
    head->header = counts[OTHER] > 0;
    if (counts[OTHER] > 0 && counts[NUMBER] > 0) return weigh(file, head, counts[NUMBER], error);
    if (head->columns >= LEAST_NUMBERED && is_numbered(head, head->line, head->end))
        return is_the_only_numbered(file, head, error);
    return FR_OK;
}

/* --------------------------------------------------------------------------------------------- names */

/* The name that a field holds, with "" inside quotes as one quote, to `to`; returns the byte after its end. */
static char *copy_name(const char *line, fr_csv_field cut, char *to) {
    bool quoted = cut.begin > line && cut.begin[-1] == '"';
    for (const char *at = cut.begin; at < cut.end; at++) {
        *to++ = *at;
        if (quoted && *at == '"' && at + 1 < cut.end && at[1] == '"') at++;
    }
    *to++ = '\0';
    return to;
}

/* The fields of the first line as names. */
static fr_status cut_names(const fr_csv_head *head, char ***names, fr_error *error) {
    char *text;
    const char *at = head->line;
    FR_TRY(fr_names_allocate(head->columns, (size_t)(head->end - head->line) + (size_t)head->columns, names, &text, error));
    for (int64_t j = 0; at && j < head->columns; j++) {
        fr_csv_field cut;
        at = fr_csv_cut(head->delimiter, at, head->end, &cut);
        (*names)[j] = text;
        text = copy_name(head->line, cut, text);
    }
    return FR_OK;
}

/* Whether the first line holds each expected name, whatever else. */
static fr_status holds_names(const fr_csv_head *head, const fr_read_options *options, bool *holds, fr_error *error) {
    FR_OWNED char **names = NULL;
    FR_OWNED int64_t *sorted = NULL;
    *holds = false;
    if (!options->names || head->columns < options->features) return FR_OK;
    FR_TRY(cut_names(head, &names, error));
    FR_TRY(fr_allocate((void **)&sorted, head->columns, sizeof *sorted, "the columns", error));
    fr_names_sort((const char *const *)names, head->columns, sorted);
    *holds = true;
    for (int64_t j = 0; *holds && j < options->features; j++)
        *holds = fr_names_find((const char *const *)names, head->columns, sorted, options->names[j]) < head->columns;
    return FR_OK;
}

fr_status fr_csv_look(const fr_text *file, const fr_read_options *options, fr_csv_head *head, fr_error *error) {
    *head = (fr_csv_head){0};
    FR_TRY(read_first(file, head, error));
    head->header = options->header == FR_HEADER_YES;
    if (options->header == FR_HEADER_AUTO) FR_TRY(holds_names(head, options, &head->header, error));
    if (options->header == FR_HEADER_AUTO && !head->header) FR_TRY(find_header(file, head, error));
    return head->header ? cut_names(head, &head->names, error) : FR_OK;
}

void fr_csv_head_free(fr_csv_head *head) {
    free(head->line);
    free(head->names);
    head->line = NULL;
    head->names = NULL;
}

fr_status fr_csv_rows(const fr_text *file, const fr_csv_head *head, fr_lines *lines, fr_error *error) {
    FR_TRY(fr_lines_open(file, lines, error));
    if (head->header) fr_lines_next_content(lines);
    return lines->status;
}
