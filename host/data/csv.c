/*
 * csv.c - reads tables of numbers: comma, semicolon, tab or blanks between the fields.
 *
 * Delimiter, header and columns are told from the first lines. Then two passes go over the mapped file: one counts
 * the rows, so that the matrix is allocated once and a table too large for the memory is refused at once; the other
 * parses the rows that are kept straight into the matrix. The second pass leaves its fast path only to say what is
 * wrong with a field.
 *
 * Blank lines and lines that start with # are skipped. Fields may be quoted; a quoted field ends on its line.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "data/parse.h"
#include "base/parse_number.h"

enum { LINES_LOOKED_AT = 10 };
static const char delimiters[] = ";\t, "; /* the order in which equals are preferred: 1,5;2,5 has semicolons */

typedef struct table {
    const fr_text *file;
    const fr_read_options *options;
    char delimiter; /* a blank stands for any run of blanks and tabs */
    bool header;
    fr_lines first; /* the first line with content: the header, if there is one */
    int64_t columns;
    int64_t rows;
    int64_t label;   /* column of the labels, counted from 0, or -1 */
    bool keep_label; /* false where that column is to be ignored */
} table;

typedef struct field {
    const char *begin, *end; /* without quotes and blanks around it */
} field;

/* ------------------------------------------------------------------------------------------- fields */

static bool is_padding(const table *t, char c) { return c == ' ' || (c == '\t' && t->delimiter != '\t'); }

static const char *skip_padding(const table *t, const char *at, const char *end) {
    while (at < end && is_padding(t, *at)) at++;
    return at;
}

static bool is_delimiter(const table *t, char c) { return c == t->delimiter || (t->delimiter == ' ' && c == '\t'); }

/* The closing quote of a field that opens at `at`; two quotes inside stand for one. End where there is none. */
static const char *closing_quote(const char *at, const char *end) {
    for (at++; at < end; at++) {
        if (*at != '"') continue;
        if (at + 1 == end || at[1] != '"') return at;
        at++;
    }
    return end;
}

/* Cuts the field that starts at `at`; returns the start of the next one, or NULL where it was the last. */
static const char *cut_field(const table *t, const char *at, const char *end, field *cut) {
    at = skip_padding(t, at, end);
    bool quoted = at < end && *at == '"' && closing_quote(at, end) < end;
    const char *from = at;
    const char *to = quoted ? closing_quote(at, end) : at;
    const char *stop = quoted ? to + 1 : to;
    while (stop < end && !is_delimiter(t, *stop)) stop++;
    if (!quoted) to = stop;
    if (quoted) from++;
    while (!quoted && to > from && is_padding(t, to[-1])) to--;
    *cut = (field){from, to};
    if (t->delimiter == ' ') stop = skip_padding(t, stop, end);
    if (stop == end) return NULL;
    return t->delimiter == ' ' ? stop : stop + 1;
}

static int64_t count_fields(const table *t, const fr_lines *line) {
    int64_t count = 0;
    field cut;
    for (const char *at = line->begin; at; count++) at = cut_field(t, at, line->end, &cut);
    return count;
}

/* Field number column of a line that has as many. */
static field field_at(const table *t, const fr_lines *line, int64_t column) {
    field cut = {line->end, line->end};
    const char *at = line->begin;
    for (int64_t i = 0; at && i <= column; i++) at = cut_field(t, at, line->end, &cut);
    return cut;
}

static bool is_number(field f) {
    double value;
    return fr_parse_double(f.begin, f.end, &value);
}

/* Words that stand for a missing number. They do not make a header of a first row of numbers. */
static bool is_missing(field f) {
    const char *words[] = {"", "NA", "N/A", "na", "n/a", "NULL", "null", "None", "none", "?", "-", "."};
    size_t length = (size_t)(f.end - f.begin);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strlen(words[i]) == length && memcmp(words[i], f.begin, length) == 0) return true;
    }
    return false;
}

/* --------------------------------------------------------------------------------- delimiter, header */

static bool line_has(const fr_lines *line, char delimiter) {
    table t = {.delimiter = delimiter};
    const char *end = line->end;
    while (end > line->begin && fr_is_blank(end[-1]) && delimiter == ' ') end--;
    for (const char *at = skip_padding(&t, line->begin, end); at < end; at++) {
        if (*at == '"') at = closing_quote(at, end);
        if (at < end && is_delimiter(&t, *at)) return true;
    }
    return false;
}

/* The one that most of the first lines have; a comma where there is none at all. */
static char find_delimiter(const fr_text *file) {
    int best = 0;
    char found = ',';
    for (int i = 0; delimiters[i]; i++) {
        int lines_with = 0;
        fr_lines line = fr_lines_start(file);
        for (int j = 0; j < LINES_LOOKED_AT && fr_lines_next_content(&line); j++)
            lines_with += line_has(&line, delimiters[i]);
        if (lines_with > best) best = lines_with, found = delimiters[i];
    }
    return found;
}

/* A first line is a header where a field is neither a number nor a missing one. */
static bool is_header(const table *t) {
    const char *at = t->first.begin;
    while (at) {
        field cut;
        at = cut_field(t, at, t->first.end, &cut);
        if (!is_number(cut) && !is_missing(cut)) return true;
    }
    return false;
}

/* --------------------------------------------------------------------------------------- the columns */

/* The header as it stands, for a message. */
static fr_status no_such_column(const table *t, fr_error *error) {
    const char *name = t->options->label_column;
    if (!t->header)
        return fr_fail(error, FR_ERROR_USAGE,
                       "%s has %" PRId64 " columns and no header: --label-column %s, expected 1 to %" PRId64,
                       t->file->path, t->columns, name, t->columns);
    return fr_fail(error, FR_ERROR_USAGE,
                   "%s: --label-column %s, expected 1 to %" PRId64 " or a name of the header: %.*s", t->file->path,
                   name, t->columns, (int)(t->first.end - t->first.begin < 200 ? t->first.end - t->first.begin : 200),
                   t->first.begin);
}

/* label_column as a name of the header, or else as a number from 1, or from -1 for the last. */
static fr_status find_label_column(table *t, fr_error *error) {
    const char *name = t->options->label_column;
    t->label = t->columns - 1;
    if (!name) return FR_OK;
    int64_t found = 0, number;
    const char *at = t->header ? t->first.begin : NULL;
    for (int64_t i = 0; at; i++) {
        field cut;
        at = cut_field(t, at, t->first.end, &cut);
        if ((size_t)(cut.end - cut.begin) != strlen(name) || memcmp(cut.begin, name, strlen(name)) != 0) continue;
        t->label = i;
        found++;
    }
    if (found == 1) return FR_OK;
    if (found > 1)
        return fr_fail(error, FR_ERROR_USAGE, "%s: %" PRId64 " columns are named %s, expected one; give its number",
                       t->file->path, found, name);
    if (!fr_parse_int64(name, name + strlen(name), &number) || number == 0 || number > t->columns ||
        number < -t->columns)
        return no_such_column(t, error);
    t->label = number > 0 ? number - 1 : t->columns + number;
    return FR_OK;
}

/* Decides which column holds labels, whether they are kept, and how many features remain. */
static fr_status choose_columns(table *t, int64_t *features, fr_error *error) {
    const fr_read_options *options = t->options;
    int64_t expected = options->features;
    bool inside = fr_wants_own_labels(options);
    if (options->without_labels) inside = expected > 0 ? t->columns == expected + 1 : options->label_column != NULL;
    t->label = -1;
    t->keep_label = fr_wants_own_labels(options);
    fr_status status = inside ? find_label_column(t, error) : FR_OK;
    *features = t->columns - inside;
    if (status == FR_OK && *features < 1)
        return fr_fail(error, FR_ERROR_DATA, "%s has 1 column, expected at least one feature and the label",
                       t->file->path);
    if (status == FR_OK && expected > 0 && *features != expected)
        return fr_fail(error, FR_ERROR_DATA,
                       "%s:%" PRId64 ": found %" PRId64 " columns, expected %" PRId64 " features%s", t->file->path,
                       t->first.number, t->columns, expected,
                       options->without_labels ? " (and at most a label)"
                       : inside                ? " and a label"
                                               : "");
    return status;
}

/* ----------------------------------------------------------------------------------------- the rows */

static fr_status bad_count(const table *t, const fr_lines *line, fr_error *error) {
    return fr_fail(error, FR_ERROR_DATA,
                   "%s:%" PRId64 ": found %" PRId64 " columns, expected %" PRId64 " as in line %" PRId64,
                   t->file->path, line->number, count_fields(t, line), t->columns, t->first.number);
}

static fr_status bad_field(const table *t, const fr_lines *line, int64_t column, fr_error *error) {
    char shown[FR_SHOWN_SIZE], name[FR_SHOWN_SIZE] = "";
    if (count_fields(t, line) != t->columns) return bad_count(t, line, error);
    field cut = field_at(t, line, column);
    double value;
    const char *expected = "expected a number";
    if (fr_parse_double(cut.begin, cut.end, &value)) expected = fr_misfit(value, t->options->precision);
    else if (memchr(cut.begin, ',', (size_t)(cut.end - cut.begin)))
        expected = "expected a number with a decimal point";
    if (t->header) {
        field title = field_at(t, &t->first, column);
        fr_text_show(name, title.begin, title.end);
    }
    return fr_fail(error, FR_ERROR_DATA, "%s:%" PRId64 ": column %" PRId64 "%s%s%s: found %s, %s", t->file->path,
                   line->number, column + 1, t->header ? " (" : "", name, t->header ? ")" : "",
                   fr_text_show(shown, cut.begin, cut.end), expected);
}

/* Parses one field; returns where the line goes on (a delimiter, the next field where blanks delimit, or the end), or
 * NULL where the field is no number. */
static const char *parse_field(const table *t, const char *at, const char *end, double *value) {
    at = skip_padding(t, at, end);
    if (at < end && *at == '"') {
        const char *quote = closing_quote(at, end);
        if (quote == end || !fr_parse_double(at + 1, quote, value)) return NULL;
        at = quote + 1;
    } else {
        at = fr_parse_double_prefix(at, end, value);
    }
    if (!at || at == end || *at == t->delimiter) return at && t->delimiter == ' ' ? skip_padding(t, at, end) : at;
    if (!is_padding(t, *at)) return NULL;
    at = skip_padding(t, at, end);
    return at == end || *at == t->delimiter || t->delimiter == ' ' ? at : NULL;
}

/* Passes over a field that is not wanted, whatever it holds; returns what parse_field returns. */
static const char *skip_field(const table *t, const char *at, const char *end) {
    field cut;
    const char *next = cut_field(t, at, end, &cut);
    if (!next) return end;
    return t->delimiter == ' ' ? next : next - 1;
}

static fr_status parse_row(const table *t, const fr_lines *line, int64_t row, fr_dataset *set, fr_error *error) {
    const char *at = line->begin, *end = line->end;
    int64_t feature = 0;
    for (int64_t column = 0; column < t->columns; column++) {
        double value;
        if (column == t->label && !t->keep_label) {
            at = skip_field(t, at, end);
        } else {
            at = parse_field(t, at, end, &value);
            if (!at || !fr_fits(value, set->precision)) return bad_field(t, line, column, error);
            if (column == t->label) fr_dataset_put_label(set, row, value);
            else fr_dataset_put(set, row, feature++, value);
        }
        if ((at == end) != (column == t->columns - 1)) return bad_count(t, line, error);
        if (t->delimiter != ' ') at++;
    }
    return FR_OK;
}

/* Where the walk over the rows starts: before the first. */
static fr_lines before_rows(const table *t) { return t->header ? t->first : fr_lines_start(t->file); }

static fr_status describe(table *t, const fr_text *file, const fr_read_options *options, fr_error *error) {
    *t = (table){.file = file, .options = options, .delimiter = find_delimiter(file), .first = fr_lines_start(file)};
    if (!fr_lines_next_content(&t->first))
        return fr_fail(error, FR_ERROR_DATA, "%s is empty, expected rows of numbers", file->path);
    t->header = is_header(t);
    t->columns = count_fields(t, &t->first);
    fr_lines line = before_rows(t);
    while (fr_lines_next_content(&line)) t->rows++;
    if (t->rows == 0)
        return fr_fail(error, FR_ERROR_DATA, "%s has a header and no rows, expected rows of numbers", file->path);
    return FR_OK;
}

fr_status fr_dataset_parse_csv(const fr_text *file, const fr_read_options *options, fr_dataset **set,
                               fr_error *error) {
    table t;
    int64_t features;
    fr_dataset *made = NULL;
    fr_status status = describe(&t, file, options, error);
    if (status == FR_OK) status = choose_columns(&t, &features, error);
    if (status == FR_OK)
        status = fr_dataset_allocate(t.rows, features, fr_kept_rows(options, t.rows), fr_wants_labels(options),
                                     options->precision, file->path, &made, error);
    if (status != FR_OK) return status;
    fr_lines line = before_rows(&t);
    for (int64_t row = -made->first_row; status == FR_OK && row < made->local_rows; row++) {
        fr_lines_next_content(&line);
        if (row >= 0) status = parse_row(&t, &line, row, made, error);
    }
    if (status == FR_OK) *set = made;
    else fr_dataset_free(made);
    return status;
}
