/*
 * labels.c - labels from a file of their own: an NPY vector, or text with one number a line.
 *
 * The first line of a text may be a name, which is what such a file has that was written from one column of a table.
 */
#include <inttypes.h>

#include "base/parse_number.h"
#include "data/npy.h"
#include "data/parse.h"

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

/* The next label; a name in the first line is passed over. Comments end where the labels begin. */
static bool next_label(fr_lines *line, const fr_read_options *options) {
    bool first = !line->data_only;
    if (!fr_lines_next_content(line)) return false;
    line->data_only = true;
    bool name = first && (options->header == FR_HEADER_YES || (options->header == FR_HEADER_AUTO && is_name(line)));
    return name ? fr_lines_next_content(line) : true;
}

/* NaN where it is missing; false where it is neither that nor a number. */
static bool parse_label(const fr_lines *line, double *value) {
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
    for (int64_t row = 0; next_label(&line, options); row++)
        if (parse_label(&line, &value) && isnan(value)) FR_TRY(fr_missing_drop(missing, row, error));
    return line.status;
}

static fr_status bad_label(const fr_text *file, const fr_lines *line, fr_precision precision, fr_error *error) {
    char shown[FR_SHOWN_SIZE];
    double value;
    const char *expected = "expected one label, a number";
    if (parse_label(line, &value))
        expected =
            isnan(value) ? "expected one label, a finite number (or --missing drop)" : fr_misfit(value, precision);
    return fr_fail(error, FR_ERROR_DATA, "%s:%" PRId64 ": found %s, %s", file->path, line->number,
                   fr_text_show(shown, line->begin, line->end), expected);
}

/* Lines of rows that are not held are only counted. */
static fr_status read_text(const fr_text *file, const fr_read_options *options, const fr_missing *missing,
                           fr_dataset *set, fr_error *error) {
    FR_OWNED_LINES fr_lines line = {0};
    int64_t found = 0, dropped = 0;
    FR_TRY(fr_lines_open(file, &line, error));
    for (; next_label(&line, options); found++) {
        double value;
        if (dropped < missing->count && missing->rows[dropped] == found) {
            dropped++;
            continue;
        }
        int64_t row = found - dropped - set->first_row;
        if (row < 0 || row >= set->local_rows) continue;
        if (!parse_label(&line, &value) || !fr_fits(value, set->precision))
            return bad_label(file, &line, set->precision, error);
        fr_dataset_put_label(set, row, value);
    }
    FR_TRY(line.status);
    if (found == set->samples + missing->count) return FR_OK;
    return fr_fail(error, FR_ERROR_DATA, "%s has %" PRId64 " labels, expected %" PRId64 " for the rows of %s",
                   file->path, found, set->samples + missing->count, set->source);
}

/* ----------------------------------------------------------------------------------------------- NPY */

static fr_status look_in_npy(const fr_text *file, fr_missing *missing, fr_error *error) {
    FR_OWNED_STREAM fr_stream *stream = NULL;
    fr_missing found = {.rule = FR_MISSING_DROP};
    fr_npy y;
    FR_TRY(fr_npy_open(file, "y", &y, &stream, error));
    FR_TRY(fr_npy_check_vector(&y, y.shape[0], "rows of X", error));
    FR_TRY(fr_npy_check_file(file, &y, error));
    if (!fr_npy_may_lack(&y)) return FR_OK;
    fr_status status = fr_npy_look(&y, fr_npy_file_source(stream), &found, error);
    for (int64_t i = 0; status == FR_OK && i < found.count; i++)
        status = fr_missing_drop(missing, found.rows[i], error);
    fr_missing_free(&found);
    return status;
}

static fr_status read_npy(const fr_text *file, const fr_missing *missing, fr_dataset *set, fr_error *error) {
    FR_OWNED_STREAM fr_stream *stream = NULL;
    fr_missing left_out = *missing; /* its rows, but no means */
    fr_npy y;
    left_out.rule = FR_MISSING_DROP;
    left_out.selected = NULL;
    FR_TRY(fr_npy_open(file, "y", &y, &stream, error));
    FR_TRY(fr_npy_check_vector(&y, set->samples + missing->count, "rows of X", error));
    FR_TRY(fr_npy_check_file(file, &y, error));
    return fr_npy_read(&y, fr_npy_file_source(stream), &left_out, fr_dataset_range(set), set->precision, set->labels,
                       error);
}

/* ---------------------------------------------------------------------------------------------- both */

fr_status fr_labels_look(const fr_text *file, const fr_read_options *options, fr_missing *missing, fr_error *error) {
    bool npy;
    FR_TRY(is_npy(file, &npy, error));
    return npy ? look_in_npy(file, missing, error) : look_in_text(file, options, missing, error);
}

fr_status fr_labels_read(const fr_text *file, const fr_read_options *options, const fr_missing *missing,
                         fr_dataset *set, fr_error *error) {
    bool npy;
    FR_TRY(is_npy(file, &npy, error));
    return npy ? read_npy(file, missing, set, error) : read_text(file, options, missing, set, error);
}
