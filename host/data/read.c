/*
 * read.c - opens a data file, finds out what it is, and adds labels that lie in a file of their own.
 *
 * A file is told by its content first: NPY and ZIP have magic bytes, and LIBSVM has colons. Its ending decides what
 * the content leaves open, so that a damaged .npy is reported as such rather than as a strange CSV.
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include <inttypes.h>
#include <string.h>

#include "base/checksum.h"
#include "data/fingerprint.h"
#include "data/npy.h"
#include "data/parse.h"
#include "base/parse_number.h"

enum { BYTES_LOOKED_AT = 4096 };

static bool starts_with(const fr_text *file, const char *magic, size_t length) {
    return file->size >= length && memcmp(file->data, magic, length) == 0;
}

/* ------------------------------------------------------------------------------------ labels apart */

static fr_status labels_from_npy(const fr_text *file, fr_dataset *set, fr_error *error) {
    fr_npy y;
    fr_status status = fr_npy_parse_header(file->path, "y", file->data, file->size, &y, error);
    if (status == FR_OK) status = fr_npy_check_vector(&y, set->samples, "rows of X", error);
    if (status == FR_OK) status = fr_npy_check_size(&y, (int64_t)file->size - y.header_bytes, error);
    if (status == FR_OK)
        status = fr_npy_convert(&y, file->data + y.header_bytes, 0, y.count, fr_dataset_range(set), set->precision,
                                set->labels, error);
    return status;
}

/* One number a line; blank lines and comments are skipped. Lines of rows that are not held are only counted. */
static fr_status labels_from_text(const fr_text *file, fr_dataset *set, fr_error *error) {
    char shown[FR_SHOWN_SIZE];
    int64_t found = 0;
    fr_lines lines = fr_lines_start(file);
    for (; fr_lines_next_content(&lines); found++) {
        double value;
        int64_t row = found - set->first_row;
        if (row < 0 || row >= set->local_rows) continue;
        bool number = fr_parse_double(lines.begin, lines.end, &value);
        if (!number || !fr_fits(value, set->precision))
            return fr_fail(error, FR_ERROR_DATA, "%s:%" PRId64 ": found %s, %s", file->path, lines.number,
                           fr_text_show(shown, lines.begin, lines.end),
                           number ? fr_misfit(value, set->precision) : "expected one label, a number");
        fr_dataset_put_label(set, row, value);
    }
    if (found == set->samples) return FR_OK;
    return fr_fail(error, FR_ERROR_DATA, "%s has %" PRId64 " labels, expected %" PRId64 " for the rows of %s",
                   file->path, found, set->samples, set->source);
}

static fr_status read_labels(const fr_text *file, fr_dataset *set, fr_error *error) {
    bool npy = starts_with(file, FR_NPY_MAGIC, 6) || fr_path_ends(file->path, ".npy");
    return npy ? labels_from_npy(file, set, error) : labels_from_text(file, set, error);
}

/* ------------------------------------------------------------------------------------- data files */

/* Refuses workers that there are not; a count of workers that overflows is among them. */
static fr_status check_workers(const char *path, const fr_read_options *options, fr_error *error) {
    int all = options->all_workers, first = options->first_worker, count = options->worker_count;
    if (all >= 0 && first >= 0 && count >= 0 && first <= all && count <= all - first) return FR_OK;
    return fr_fail(error, FR_ERROR_USAGE,
                   "%s: the rows of %d workers from worker %d on were asked for, found %d workers in all", path,
                   count, first, all);
}

/* Refuses options that cannot apply to this kind of file. */
static fr_status check_options(fr_dataset_parser *parser, const char *path, const fr_read_options *options,
                               fr_error *error) {
    fr_status status = check_workers(path, options, error);
    if (status != FR_OK || !options->label_column) return status;
    if (options->labels)
        return fr_fail(error, FR_ERROR_USAGE, "--labels %s and --label-column %s contradict each other",
                       options->labels, options->label_column);
    if (parser != fr_dataset_parse_csv)
        return fr_fail(error, FR_ERROR_USAGE, "%s is no CSV file: --label-column %s does not apply to it", path,
                       options->label_column);
    return FR_OK;
}

/* Where data come from. */
typedef struct source {
    fr_dataset_parser *parser;
    const fr_text *file, *labels; /* labels: a file of their own, or NULL */
} source;

/* The rows that the options keep, and their labels. On failure *set is NULL. */
static fr_status read_rows(const source *from, const fr_read_options *options, fr_dataset **set, fr_error *error) {
    FR_TRY(from->parser(from->file, options, set, error));
    fr_status status = from->labels ? read_labels(from->labels, *set, error) : FR_OK;
    if (status == FR_OK) return FR_OK;
    fr_dataset_free(*set);
    *set = NULL;
    return status;
}

/* Reads, only to hash them, the rows that the next rank keeps; after the last rank comes the first that keeps any. */
static fr_status print_next(const source *from, const fr_read_options *options, fr_row_print *next, fr_error *error) {
    fr_read_options other = *options;
    fr_dataset *set = NULL;
    other.first_worker = (options->first_worker + options->worker_count) % options->all_workers;
    if (other.worker_count > other.all_workers - other.first_worker)
        other.worker_count = other.all_workers - other.first_worker;
    FR_TRY(read_rows(from, &other, &set, error));
    *next = fr_dataset_row_print(set);
    fr_dataset_free(set);
    return FR_OK;
}

static uint64_t fingerprint_of(const source *from, const fr_dataset *set) {
    const char *column = set->label_column ? set->label_column : "";
    uint64_t parts[4] = {fr_file_fingerprint(from->file), from->labels ? fr_file_fingerprint(from->labels) : 0,
                         fr_checksum(column, strlen(column)), fr_dataset_content(set, 0)};
    return fr_checksum(parts, sizeof parts);
}

/* Before the rows that are kept come those of the next rank, so that memory holds one rank's rows at a time. */
static fr_status read_source(const source *from, const fr_read_options *options, fr_dataset **set, fr_error *error) {
    bool whole = fr_is_hashed_whole(from->file) && (!from->labels || fr_is_hashed_whole(from->labels));
    bool shares = options->worker_count > 0 && options->worker_count < options->all_workers;
    fr_row_print next = {{0, 0}, 0};
    char *column = NULL;
    if (!whole && shares && fr_wants_labels(options)) FR_TRY(print_next(from, options, &next, error));
    if (options->label_column && !(column = strdup(options->label_column)))
        return fr_fail(error, FR_ERROR, "%s: out of memory", from->file->path);
    fr_status status = read_rows(from, options, set, error);
    if (status != FR_OK) {
        free(column);
        return status;
    }
    fr_dataset *made = *set;
    made->label_column = column;
    if (!fr_wants_labels(options)) return FR_OK; /* for predictions, which nobody compares */
    made->fingerprint = fingerprint_of(from, made);
    made->held = fr_dataset_row_print(made);
    made->next = next;
    return FR_OK;
}

static fr_status parse(fr_dataset_parser *parser, const fr_text *file, const fr_read_options *options,
                       fr_dataset **set, fr_error *error) {
    source from = {parser, file, NULL};
    fr_text labels;
    FR_TRY(check_options(parser, file->path, options, error));
    if (!fr_wants_labels(options) || !options->labels) return read_source(&from, options, set, error);
    FR_TRY(fr_text_open(options->labels, &labels, error));
    from.labels = &labels;
    fr_status status = read_source(&from, options, set, error);
    fr_text_close(&labels);
    return status;
}

static fr_status find_parser(const fr_text *file, fr_dataset_parser **parser, fr_error *error) {
    const char *endings[] = {".libsvm", ".svm", ".svmlight"};
    *parser = fr_dataset_parse_csv;
    if (file->size == 0) return fr_fail(error, FR_ERROR_DATA, "%s is empty, expected rows of numbers", file->path);
    if (starts_with(file, FR_NPY_MAGIC, 6) || fr_path_ends(file->path, ".npy")) *parser = fr_dataset_parse_npy;
    else if (starts_with(file, "PK\3\4", 4) || starts_with(file, "PK\5\6", 4) || fr_path_ends(file->path, ".npz"))
        *parser = fr_dataset_parse_npz;
    else if (memchr(file->data, '\0', file->size < BYTES_LOOKED_AT ? file->size : BYTES_LOOKED_AT))
        return fr_fail(error, FR_ERROR_DATA,
                       "%s holds binary data of an unknown kind%s; expected NPY, NPZ, CSV or LIBSVM", file->path,
                       starts_with(file, "\xff\xfe", 2) ? " (UTF-16 text?)" : "");
    else if (fr_looks_like_libsvm(file)) *parser = fr_dataset_parse_libsvm;
    else {
        for (int i = 0; i < 3; i++) {
            if (fr_path_ends(file->path, endings[i])) *parser = fr_dataset_parse_libsvm;
        }
    }
    return FR_OK;
}

fr_status fr_dataset_read(const char *path, const fr_read_options *options, fr_dataset **dataset, fr_error *error) {
    const fr_read_options defaults = {0};
    fr_text file;
    fr_dataset_parser *parser;
    *dataset = NULL;
    fr_status status = fr_text_open(path, &file, error);
    if (status != FR_OK) return status;
    status = find_parser(&file, &parser, error);
    if (status == FR_OK) status = parse(parser, &file, options ? options : &defaults, dataset, error);
    fr_text_close(&file);
    return status;
}
