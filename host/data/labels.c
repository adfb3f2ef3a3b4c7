/*
 * labels.c - labels, or weights of rows, from a file of their own: an NPY vector, or text with one number a line.
 *
 * The first line of a text may be a name, which is what such a file has that was written from one column of a table.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/parse_number.h"
#include "data/npy.h"
#include "data/parse.h"

/* What one of the two is called, as an array and in messages, and where its values go. */
typedef struct column {
    const char *array, *one, *many;
    bool weighs;
} column;

static const column labels_column = {"y", "label", "labels", false}, weights_column = {"u", "weight", "weights", true};

static bool column_takes(const column *c, double value, fr_precision precision) {
    return c->weighs ? fr_is_weight(value) : fr_fits(value, precision);
}

static fr_status is_npy(const fr_text *file, bool *npy, fr_error *error) {
    FR_OWNED_STREAM fr_stream *stream = NULL;
    char magic[6];
    size_t got;
    FR_TRY(fr_stream_open(file, &stream, error));
    FR_TRY(fr_stream_read(stream, magic, sizeof magic, &got, error));
    *npy =
        (got == sizeof magic && memcmp(magic, FR_NPY_MAGIC, sizeof magic) == 0) || fr_path_ends(file->path, ".npy");
    return FR_OK;
}

/* ---------------------------------------------------------------------------------------------- text */

static bool is_name(const fr_lines *line) {
    double value;
    const char *begin = line->begin, *end = line->end;
    while (begin < end && fr_is_blank(*begin)) begin++;
    while (end > begin && fr_is_blank(end[-1])) end--;
    return !fr_parse_double(begin, end, &value) && !fr_is_missing_word(begin, end);
}

/* The next value; a name in the first line is passed over. Comments end where the values begin. */
static bool next_value(fr_lines *line, const fr_read_options *options) {
    bool first = !line->data_only;
    if (!fr_lines_next_content(line)) return false;
    line->data_only = true;
    bool name = first && (options->header == FR_HEADER_YES || (options->header == FR_HEADER_AUTO && is_name(line)));
    return name ? fr_lines_next_content(line) : true;
}

/* NaN where it is missing; false where it is neither that nor a number. */
static bool parse_value(const fr_lines *line, double *value) {
    const char *begin = line->begin, *end = line->end;
    if (fr_parse_double(begin, end, value)) return true;
    while (begin < end && fr_is_blank(*begin)) begin++;
    while (end > begin && fr_is_blank(end[-1])) end--;
    *value = NAN;
    return fr_is_missing_word(begin, end);
}

static fr_status look_in_text(const fr_text *file, const fr_read_options *options, fr_missing *missing,
                              fr_error *error) {
    FR_OWNED_LINES fr_lines line = {0};
    double value;
    FR_TRY(fr_lines_open(file, &line, error));
    for (int64_t row = 0; next_value(&line, options); row++)
        if (parse_value(&line, &value) && isnan(value)) FR_TRY(fr_missing_drop(missing, row, error));
    return line.status;
}

static fr_status bad_value(const column *c, const fr_text *file, const fr_lines *line, fr_precision precision,
                           fr_error *error) {
    char shown[FR_SHOWN_SIZE], one[64];
    double value;
    const char *expected = one;
    bool number = parse_value(line, &value), missing = number && isnan(value);
    snprintf(one, sizeof one, "expected one %s, a %s", c->one, missing ? "finite number (or --missing drop)" : "number");
    if (number && !missing) expected = c->weighs ? FR_WEIGHT_EXPECTED : fr_misfit(value, precision);
    return fr_fail(error, FR_ERROR_DATA, "%s:%" PRId64 ": found %s, %s", file->path, line->number,
                   fr_text_show(shown, line->begin, line->end), expected);
}

/* Lines of rows that are not held are only counted. */
static fr_status read_text(const column *c, const fr_text *file, const fr_read_options *options,
                           const fr_missing *missing, fr_dataset *set, fr_error *error) {
    FR_OWNED_LINES fr_lines line = {0};
    int64_t found = 0, dropped = 0;
    FR_TRY(fr_lines_open(file, &line, error));
    for (; next_value(&line, options); found++) {
        double value;
        if (dropped < missing->count && missing->rows[dropped] == found) {
            dropped++;
            continue;
        }
        int64_t row = found - dropped - set->first_row;
        if (row < 0 || row >= set->local_rows) continue;
        if (!parse_value(&line, &value) || !column_takes(c, value, set->precision))
            return bad_value(c, file, &line, set->precision, error);
        if (c->weighs) set->weights[row] = value;
        else fr_dataset_put_label(set, row, value);
    }
    FR_TRY(line.status);
    if (found == set->samples + missing->count) return FR_OK;
    return fr_fail(error, FR_ERROR_DATA, "%s has %" PRId64 " %s, expected %" PRId64 " for the rows of %s",
                   file->path, found, c->many, set->samples + missing->count, set->source);
}

/* ----------------------------------------------------------------------------------------------- NPY */

static fr_status look_in_npy(const column *c, const fr_text *file, fr_missing *missing, fr_error *error) {
    FR_OWNED_STREAM fr_stream *stream = NULL;
    fr_missing found = {.rule = FR_MISSING_DROP};
    fr_npy y;
    FR_TRY(fr_npy_open(file, c->array, &y, &stream, error));
    FR_TRY(fr_npy_check_vector(&y, y.shape[0], "rows of X", error));
    FR_TRY(fr_npy_check_file(file, &y, error));
    if (!fr_npy_may_lack(&y)) return FR_OK;
    fr_status status = fr_npy_look(&y, fr_npy_file_source(stream), &found, error);
    for (int64_t i = 0; status == FR_OK && i < found.count; i++)
        status = fr_missing_drop(missing, found.rows[i], error);
    fr_missing_free(&found);
    return status;
}

/* NPY arrays of weights are checked here, where their rows are known by number. */
static fr_status check_weights(const fr_text *file, const fr_missing *missing, const fr_dataset *set,
                               fr_error *error) {
    for (int64_t i = 0; i < set->local_rows; i++)
        if (!fr_is_weight(set->weights[i]))
            return fr_fail(error, FR_ERROR_DATA, "%s: u[%" PRId64 "] is %g, " FR_WEIGHT_EXPECTED, file->path,
                           fr_missing_file_row(missing, set->first_row + i), set->weights[i]);
    return FR_OK;
}

static fr_status read_npy(const column *c, const fr_text *file, const fr_missing *missing, fr_dataset *set,
                          fr_error *error) {
    FR_OWNED_STREAM fr_stream *stream = NULL;
    fr_missing left_out = *missing; /* its rows, but no means */
    fr_npy y;
    left_out.rule = FR_MISSING_DROP;
    left_out.selected = NULL;
    FR_TRY(fr_npy_open(file, c->array, &y, &stream, error));
    FR_TRY(fr_npy_check_vector(&y, set->samples + missing->count, "rows of X", error));
    FR_TRY(fr_npy_check_file(file, &y, error));
    FR_TRY(fr_npy_read(&y, fr_npy_file_source(stream), &left_out, fr_dataset_range(set),
                       c->weighs ? FR_F64 : set->precision, c->weighs ? set->weights : set->labels, error));
    return c->weighs ? check_weights(file, missing, set, error) : FR_OK;
}

/* ---------------------------------------------------------------------------------------------- both */

static fr_status look(const column *c, const fr_text *file, const fr_read_options *options, fr_missing *missing,
                      fr_error *error) {
    bool npy;
    FR_TRY(is_npy(file, &npy, error));
    return npy ? look_in_npy(c, file, missing, error) : look_in_text(file, options, missing, error);
}

static fr_status read_column(const column *c, const fr_text *file, const fr_read_options *options,
                             const fr_missing *missing, fr_dataset *set, fr_error *error) {
    bool npy;
    FR_TRY(is_npy(file, &npy, error));
    return npy ? read_npy(c, file, missing, set, error) : read_text(c, file, options, missing, set, error);
}

fr_status fr_labels_look(const fr_text *file, const fr_read_options *options, fr_missing *missing, fr_error *error) {
    return look(&labels_column, file, options, missing, error);
}

fr_status fr_labels_read(const fr_text *file, const fr_read_options *options, const fr_missing *missing,
                         fr_dataset *set, fr_error *error) {
    return read_column(&labels_column, file, options, missing, set, error);
}

fr_status fr_weights_look(const fr_text *file, const fr_read_options *options, fr_missing *missing, fr_error *error) {
    return look(&weights_column, file, options, missing, error);
}

fr_status fr_weights_read(const fr_text *file, const fr_read_options *options, const fr_missing *missing,
                          fr_dataset *set, fr_error *error) {
    FR_TRY(fr_dataset_take_weights(set, error));
    return read_column(&weights_column, file, options, missing, set, error);
}
