/*
 * csv.c - reads tables of numbers: comma, semicolon, tab or blanks between the fields.
 *
 * Delimiter, header and columns are told from the first lines (data/csv/csv_head.c, data/csv/csv_columns.c). Then two passes go
 * over the file: one counts the rows, so that the matrix is allocated once and a table too large for the memory is refused
 * at once, and where missing values are allowed for, it finds them; the other parses the rows that are kept straight into
 * the matrix. It leaves its fast path only for words and to say what is wrong with a field.
 *
 * Blank lines are skipped everywhere, and lines that start with # before the first row. Fields may be quoted; a quoted
 * field ends on its line.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/parse_number.h"
#include "data/csv/csv_columns.h"

typedef struct table {
    const fr_text *file;
    const fr_read_options *options;
    fr_missing *missing;
    fr_csv_head head;
    fr_csv_columns columns;
    double *nothing; /* NaN for each feature, where there are columns of words */
    double *row;     /* room for a row, where there are */
    int64_t rows;    /* of the file, those left out included */
} table;

/* ------------------------------------------------------------------------------------------ refusals */

static fr_status bad_count(const table *t, const fr_lines *line, fr_error *error) {
    if (*line->begin == '#')
        return fr_fail(error, FR_ERROR_DATA,
                       "%s:%" PRId64 ": a line that starts with #, expected a row; comments are "
                       "allowed before the first row only",
                       t->file->path, line->number);
    return fr_fail(error, FR_ERROR_DATA,
                   "%s:%" PRId64 ": found %" PRId64 " columns, expected %" PRId64 " as in line %" PRId64,
                   t->file->path, line->number, fr_csv_count(t->head.delimiter, line->begin, line->end),
                   t->head.columns, t->head.number);
}

/* What was expected of a field that is refused. */
static const char *expected_of(const table *t, const fr_lines *line, int64_t column, fr_csv_field cut) {
    double value;
    bool absent = fr_is_missing_word(cut.begin, cut.end), number = fr_parse_double(cut.begin, cut.end, &value);
    if (fr_csv_category_of(&t->columns, column) && !absent)
        return t->options->names ? "expected a word that the model knows" : "expected one of the words of this column";
    if (number && !isnan(value) && column == t->columns.weight) return FR_WEIGHT_EXPECTED;
    if (number) return fr_misfit(value, t->options->precision);
    if (absent)
        return fr_csv_category_of(&t->columns, column) ? "expected a word (or --missing drop or mean)"
                                                       : "expected a number (or --missing drop or mean)";
    if (memchr(cut.begin, ',', (size_t)(cut.end - cut.begin))) return "expected a number with a decimal point";
    if (line->number == t->head.number && t->options->header == FR_HEADER_AUTO)
        return "expected a number; other fields of this line are numbers, so that it is taken for a row (or --header "
               "yes, where it names the columns)";
    return "expected a number";
}

static fr_status bad_field(const table *t, const fr_lines *line, int64_t column, fr_error *error) {
    const fr_csv_head *head = &t->head;
    char shown[FR_SHOWN_SIZE], name[FR_SHOWN_SIZE] = "";
    if (fr_csv_count(head->delimiter, line->begin, line->end) != head->columns) return bad_count(t, line, error);
    fr_csv_field cut = fr_csv_field_at(head->delimiter, line->begin, line->end, column);
    if (head->header) {
        fr_csv_field title = fr_csv_field_at(head->delimiter, head->line, head->end, column);
        fr_text_show(name, title.begin, title.end);
    }
    return fr_fail(error, FR_ERROR_DATA, "%s:%" PRId64 ": column %" PRId64 "%s%s%s: found %s, %s", t->file->path,
                   line->number, column + 1, head->header ? " (" : "", name, head->header ? ")" : "",
                   fr_text_show(shown, cut.begin, cut.end), expected_of(t, line, column, cut));
}

/* -------------------------------------------------------------------------------------------- fields */

/* Parses one field; returns where the line goes on (a delimiter, the next field where blanks delimit, or the end), or
 * NULL where the field is no number. */
static const char *parse_number(char delimiter, const char *at, const char *end, double *value) {
    at = fr_csv_skip_padding(delimiter, at, end);
    if (at < end && *at == '"') {
        const char *quote = fr_csv_closing_quote(at, end);
        if (quote == end || !fr_parse_double(at + 1, quote, value)) return NULL;
        at = quote + 1;
    } else {
        at = fr_parse_double_prefix(at, end, value);
    }
    if (!at || at == end || *at == delimiter)
        return at && delimiter == ' ' ? fr_csv_skip_padding(delimiter, at, end) : at;
    if (!fr_csv_is_padding(delimiter, *at)) return NULL;
    at = fr_csv_skip_padding(delimiter, at, end);
    return at == end || *at == delimiter || delimiter == ' ' ? at : NULL;
}

/* Passes over a field, whatever it holds; returns what parse_number returns. */
static const char *skip_field(char delimiter, const char *at, const char *end, fr_csv_field *cut) {
    const char *next = fr_csv_cut(delimiter, at, end, cut);
    if (!next) return end;
    return delimiter == ' ' ? next : next - 1;
}

/* The same as parse_number, with NaN as the value of a missing one. */
static const char *parse_field(const table *t, const char *at, const char *end, double *value) {
    const char *after = parse_number(t->head.delimiter, at, end, value);
    if (after) return after;
    fr_csv_field cut;
    after = skip_field(t->head.delimiter, at, end, &cut);
    *value = NAN;
    return fr_is_missing_word(cut.begin, cut.end) ? after : NULL;
}

/* ---------------------------------------------------------------------------------------- first pass */

/* 1 for the word that a field is, 0 for the others, or what `missing` has for each where the field is a missing value and
 * missing is not NULL. False where it is no such word. */
static bool put_words(const fr_csv_category *words, fr_csv_field cut, const double *missing, double *values) {
    bool absent = fr_is_missing_word(cut.begin, cut.end);
    int64_t word = absent ? -1 : fr_csv_find_word(words, cut);
    if (absent ? !missing : word < 0) return false;
    for (int64_t k = 0; k < words->count; k++) {
        int64_t feature = words->feature[k];
        values[feature] = absent ? missing[feature] : k == word;
    }
    return true;
}

/* What one line holds: whether it is a row without fault, and whether something is missing. */
typedef struct row_state {
    bool sound, label_missing, feature_missing; /* a missing weight is like a missing label */
} row_state;

static bool field_fits(const table *t, int64_t feature, double value) {
    return feature == FR_CSV_WEIGHT ? fr_is_weight(value) : fr_fits(value, t->options->precision);
}

/* values: features, NaN where one is missing. */
static row_state read_values(const table *t, const fr_lines *line, double *values) {
    const char *at = line->begin, *end = line->end;
    row_state state = {true, false, false};
    for (int64_t column = 0; column < t->head.columns; column++) {
        double value = 0;
        fr_csv_field cut;
        int64_t feature = t->columns.feature[column];
        const fr_csv_category *words = fr_csv_category_of(&t->columns, column);
        bool ignored = feature == FR_CSV_PASSED || words ||
                       (feature == FR_CSV_LABEL && (!t->columns.keep_label || t->columns.label_optional));
        at = ignored ? skip_field(t->head.delimiter, at, end, &cut) : parse_field(t, at, end, &value);
        bool missing = at && (words ? fr_is_missing_word(cut.begin, cut.end) : isnan(value));
        if (words && !put_words(words, cut, t->nothing, values)) return (row_state){0};
        if (!at || (!missing && !field_fits(t, feature, value))) return (row_state){0};
        if ((at == end) != (column == t->head.columns - 1)) return (row_state){0};
        if (t->head.delimiter != ' ') at++;
        bool aside = feature == FR_CSV_LABEL || feature == FR_CSV_WEIGHT;
        if (feature >= 0) values[feature] = value;
        if (aside) state.label_missing |= missing;
        else state.feature_missing |= missing;
    }
    return state;
}

/* Leaves the row out, or takes its values into the means. A row with a fault is left to the second pass, which says
 * what is wrong with it. */
static fr_status look_at_row(const table *t, const fr_lines *line, int64_t row, double *values, fr_error *error) {
    fr_missing *m = t->missing;
    row_state state = read_values(t, line, values);
    if (!state.sound) return FR_OK;
    if (state.label_missing || (state.feature_missing && m->rule == FR_MISSING_DROP))
        return fr_missing_drop(m, row, error);
    if (fr_missing_holds_out(m, row)) return FR_OK;
    for (int64_t j = 0; j < m->features; j++) {
        if (isnan(values[j])) m->absent[j]++;
        else m->sum[j] += values[j], m->present[j]++;
    }
    return FR_OK;
}

static fr_status count_rows(table *t, fr_error *error) {
    FR_OWNED double *values = NULL;
    FR_OWNED_LINES fr_lines line = {0};
    fr_missing *m = t->missing;
    const int64_t without_label = m->count; /* known from a file of labels */
    int64_t next = 0;
    FR_TRY(fr_allocate((void **)&values, t->columns.features, sizeof *values, "a row", error));
    FR_TRY(fr_missing_begin(m, t->columns.features, error));
    FR_TRY(fr_csv_rows(t->file, &t->head, &line, error));
    for (; fr_csv_next_row(&line); t->rows++) {
        bool known = next < without_label && m->rows[next] == t->rows;
        if (known) next++;
        else if (fr_missing_looks(m)) FR_TRY(look_at_row(t, &line, t->rows, values, error));
    }
    FR_TRY(line.status);
    if (t->rows == 0)
        return fr_fail(error, FR_ERROR_DATA, "%s has a header and no rows, expected rows of numbers", t->file->path);
    return FR_OK;
}

/* --------------------------------------------------------------------------------------- second pass */

static fr_status parse_label(const table *t, const fr_lines *line, const char **at, int64_t row, fr_dataset *set,
                             fr_error *error) {
    double value;
    fr_csv_field cut;
    const char *from = *at;
    *at = t->columns.keep_label && set->labels ? parse_number(t->head.delimiter, from, line->end, &value) : NULL;
    if (*at && fr_fits(value, set->precision)) {
        fr_dataset_put_label(set, row, value);
        return FR_OK;
    }
    if (t->columns.keep_label && set->labels && !t->columns.label_optional) return bad_field(t, line, t->columns.label, error);
    *at = skip_field(t->head.delimiter, from, line->end, &cut);
    if (!t->columns.keep_label || !set->labels) return FR_OK;
    char shown[FR_SHOWN_SIZE];
    fr_drop_labels(set);
    fr_remark(t->options, "%s: labels are left aside, since line %" PRId64 " has %s for one", t->file->path,
              line->number, fr_text_show(shown, cut.begin, cut.end));
    return FR_OK;
}

/* The field at *at of a column of words, which is moved past it. */
static fr_status parse_word(const table *t, const fr_lines *line, int64_t column, const char **at, int64_t row,
                            fr_dataset *set, fr_error *error) {
    const fr_csv_category *words = fr_csv_category_of(&t->columns, column);
    fr_csv_field cut;
    *at = skip_field(t->head.delimiter, *at, line->end, &cut);
    if (!put_words(words, cut, t->missing->rule == FR_MISSING_MEAN ? t->missing->sum : NULL, t->row))
        return bad_field(t, line, column, error);
    for (int64_t k = 0; k < words->count; k++) fr_dataset_put(set, row, words->feature[k], t->row[words->feature[k]]);
    return FR_OK;
}

static fr_status parse_row(const table *t, const fr_lines *line, int64_t row, fr_dataset *set, fr_error *error) {
    const char *at = line->begin, *end = line->end;
    const char delimiter = t->head.delimiter;
    const bool fills = t->missing->rule == FR_MISSING_MEAN;
    for (int64_t column = 0; column < t->head.columns; column++) {
        double value;
        fr_csv_field cut;
        int64_t feature = t->columns.feature[column];
        if (feature == FR_CSV_LABEL) {
            FR_TRY(parse_label(t, line, &at, row, set, error));
        } else if (feature <= FR_CSV_CATEGORY) {
            FR_TRY(parse_word(t, line, column, &at, row, set, error));
        } else if (feature == FR_CSV_PASSED) {
            at = skip_field(delimiter, at, end, &cut);
        } else {
            at = fills ? parse_field(t, at, end, &value) : parse_number(delimiter, at, end, &value);
            if (at && fills && isnan(value) && feature >= 0) value = t->missing->sum[feature];
            if (!at || !field_fits(t, feature, value)) return bad_field(t, line, column, error);
            if (feature == FR_CSV_WEIGHT) set->weights[row] = value;
            else fr_dataset_put(set, row, feature, value);
        }
        if ((at == end) != (column == t->head.columns - 1)) return bad_count(t, line, error);
        if (delimiter != ' ') at++;
    }
    return FR_OK;
}

/* Rows of the file are walked; those left out are not counted, and of the others the kept ones are parsed. */
static fr_status read_rows(const table *t, fr_dataset *set, fr_error *error) {
    FR_OWNED_LINES fr_lines line = {0};
    const fr_missing *m = t->missing;
    int64_t row = -set->first_row, dropped = 0;
    if (set->local_rows == 0) return FR_OK;
    FR_TRY(fr_csv_rows(t->file, &t->head, &line, error));
    for (int64_t i = 0; row < set->local_rows && fr_csv_next_row(&line); i++) {
        if (dropped < m->count && m->rows[dropped] == i) dropped++;
        else if (row++ >= 0) FR_TRY(parse_row(t, &line, row - 1, set, error));
    }
    FR_TRY(line.status);
    if (row >= set->local_rows) return FR_OK;
    return fr_fail(error, FR_ERROR_DATA, "%s changed while it was read: rows are gone", t->file->path);
}

/* For the values of columns of words. */
static fr_status make_room(table *t, fr_error *error) {
    int64_t d = t->columns.features;
    FR_TRY(fr_allocate((void **)&t->nothing, d, sizeof *t->nothing, "a row", error));
    FR_TRY(fr_allocate((void **)&t->row, d, sizeof *t->row, "a row", error));
    for (int64_t j = 0; j < d; j++) t->nothing[j] = NAN;
    return FR_OK;
}

static fr_status parse_table(table *t, fr_dataset **set, fr_error *error) {
    FR_TRY(fr_csv_look(t->file, t->options, &t->head, error));
    FR_TRY(fr_csv_columns_choose(t->file, t->options, &t->head, &t->columns, error));
    if (t->columns.category_count > 0) FR_TRY(make_room(t, error));
    FR_TRY(count_rows(t, error));
    int64_t samples = t->rows;
    FR_TRY(fr_missing_settle(t->missing, t->file->path, &samples, error));
    bool labels = t->columns.keep_label || (fr_wants_labels(t->options) && t->options->labels);
    FR_TRY(fr_dataset_allocate(samples, t->columns.features, fr_kept_rows(t->options, samples), labels, t->options->precision,
                               t->file->path, set, error));
    if (t->columns.weight >= 0) FR_TRY(fr_dataset_take_weights(*set, error));
    FR_TRY(fr_csv_columns_name(t->options, &t->head, &t->columns, *set, error));
    FR_TRY(read_rows(t, *set, error));
    if (t->head.doubt[0]) fr_remark(t->options, "%s: %s", t->file->path, t->head.doubt);
    return FR_OK;
}

fr_status fr_dataset_parse_csv(const fr_text *file, const fr_read_options *options, fr_missing *missing,
                               fr_dataset **set, fr_error *error) {
    table t = {.file = file, .options = options, .missing = missing};
    *set = NULL;
    fr_status status = parse_table(&t, set, error);
    fr_csv_head_free(&t.head);
    fr_csv_columns_free(&t.columns);
    free(t.nothing);
    free(t.row);
    if (status == FR_OK) return FR_OK;
    fr_dataset_free(*set);
    *set = NULL;
    return status;
}
