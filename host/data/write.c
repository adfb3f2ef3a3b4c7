/*
 * write.c - what leaves a data set: files for NumPy and for fitrelu itself, and rows in memory.
 *
 * PATH.npz becomes one archive of X, y and w_star; any other name becomes NPY files: PATH with X, and beside it
 * -labels.npy and -planted.npy, which appear together or not at all. X and y keep the precision of the set, w_star
 * is float64.
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/npy.h"
#include "data/parse.h"
#include "base/output_file.h"
#include "data/planted.h"

enum { ARRAYS = 3 };

fr_npy_output fr_npy_describe(const char *name, const void *values, int64_t rows, int64_t columns,
                              fr_precision precision) {
    fr_npy_output array = {.name = name, .values = values};
    array.bytes = rows * (columns ? columns : 1) * (int64_t)fr_precision_bytes(precision);
    /* Magic, version 1.0, the length of the rest, which blanks fill so that the values start at a multiple of 64. */
    memcpy(array.header, FR_NPY_MAGIC "\x01\x00\x76\x00", 10);
    char text[118 + 1], size[32] = "";
    if (columns) snprintf(size, sizeof size, " %" PRId64, columns);
    int length = snprintf(text, sizeof text, "{'descr': '<f%d', 'fortran_order': False, 'shape': (%" PRId64 ",%s), }",
                          (int)fr_precision_bytes(precision), rows, size);
    memset(array.header + 10, ' ', 118);
    memcpy(array.header + 10, text, (size_t)length);
    array.header[127] = '\n';
    return array;
}

/* -------------------------------------------------------------------------------------- NPY files */

/* PATH-without-.npy followed by ending. */
static char *beside(const char *path, const char *ending) {
    size_t stem = strlen(path);
    if (fr_path_ends(path, ".npy")) stem -= 4;
    char *name = malloc(stem + strlen(ending) + 1);
    if (!name) return NULL;
    memcpy(name, path, stem);
    strcpy(name + stem, ending);
    return name;
}

static fr_status open_beside(const char *path, const fr_npy_output *array, fr_output **output, fr_error *error) {
    const char *ending = strcmp(array->name, "y") == 0 ? "-labels.npy" : "-planted.npy";
    FR_OWNED char *name = strcmp(array->name, "X") == 0 ? strdup(path) : beside(path, ending);
    if (!name) return fr_fail(error, FR_ERROR, "cannot write %s: out of memory", path);
    return fr_output_open(name, output, error);
}

/* All are opened before the first is written: what cannot be written is told at once. */
static fr_status write_arrays(const char *path, const fr_npy_output *arrays, int count, fr_output **outputs,
                              fr_error *error) {
    for (int i = 0; i < count; i++) FR_TRY(open_beside(path, &arrays[i], &outputs[i], error));
    for (int i = 0; i < count; i++) {
        fr_output_write(outputs[i], arrays[i].header, sizeof arrays[i].header);
        fr_output_write(outputs[i], arrays[i].values, (size_t)arrays[i].bytes);
        FR_TRY(fr_output_finish(outputs[i], error));
    }
    return fr_output_commit_all(outputs, count, error);
}

static fr_status write_npy(const char *path, const fr_npy_output *arrays, int count, fr_error *error) {
    fr_output *outputs[ARRAYS] = {NULL};
    fr_status status = write_arrays(path, arrays, count, outputs, error);
    for (int i = 0; i < count; i++) fr_output_discard(outputs[i]);
    return status;
}

/* -------------------------------------------------------------------------------------- any format */

static fr_status check_writable(const fr_dataset *set, const char *path, fr_error *error) {
    const char *others[] = {".csv", ".tsv", ".txt", ".dat", ".svm", ".libsvm", ".svmlight"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (fr_path_ends(path, others[i]))
            return fr_fail(error, FR_ERROR_USAGE, "%s: data sets are written as .npy or .npz, found the ending %s",
                           path, others[i]);
    }
    if (set->shift || set->scale || set->intercept)
        return fr_fail(error, FR_ERROR, "cannot write %s: the data set was standardized for a fit, write it before",
                       path);
    return FR_OK;
}

static fr_status write_set(const fr_dataset *set, const char *path, fr_error *error) {
    fr_npy_output arrays[ARRAYS];
    int count = 0;
    if (set->local_rows != set->samples)
        return fr_fail(error, FR_ERROR, "cannot write %s: only %" PRId64 " of %" PRId64 " rows are held here", path,
                       set->local_rows, set->samples);
    arrays[count++] = fr_npy_describe("X", set->rows, set->samples, set->features, set->precision);
    if (set->labels) arrays[count++] = fr_npy_describe("y", set->labels, set->samples, 0, set->precision);
    if (set->planted) arrays[count++] = fr_npy_describe("w_star", set->planted, set->features, 0, FR_F64);
    if (fr_path_ends(path, ".npz")) return fr_npz_write(path, arrays, count, error);
    return write_npy(path, arrays, count, error);
}

/* Rows may have gaps between them, where files have none. */
static fr_status write_borrowed(const fr_dataset *set, const char *path, fr_error *error) {
    fr_dataset *copy = NULL;
    if (set->stride == set->features) return write_set(set, path, error);
    fr_status status = fr_dataset_copy(set, &copy, error);
    if (status == FR_OK) status = write_set(copy, path, error);
    fr_dataset_free(copy);
    return status;
}

fr_status fr_dataset_write(const fr_dataset *dataset, const char *path, fr_error *error) {
    fr_status status = check_writable(dataset, path, error);
    if (status != FR_OK) return status;
    if (dataset->borrowed) return write_borrowed(dataset, path, error);
    if (!dataset->is_planted || (dataset->rows && dataset->local_rows == dataset->samples))
        return write_set(dataset, path, error);
    /* The caller's set stays as it is: a shallow copy without rows makes them all, and they are freed here. */
    fr_dataset made = *dataset;
    made.rows = made.labels = NULL;
    made.first_row = made.local_rows = 0;
    status = fr_dataset_materialize(&made, 0, made.samples, error);
    if (status == FR_OK) status = write_set(&made, path, error);
    free(made.rows);
    free(made.labels);
    return status;
}

/* ------------------------------------------------------------------------------------------ in memory */

static fr_status check_range(const fr_dataset *set, fr_range these, bool labels, fr_error *error) {
    if (these.first < 0 || these.count < 0 || these.first > set->samples - these.count)
        return fr_fail(error, FR_ERROR_USAGE, "%s: rows %" PRId64 " to %" PRId64 " were asked for, of %" PRId64,
                       set->source, these.first, these.first + these.count - 1, set->samples);
    if (set->shift || set->intercept)
        return fr_fail(error, FR_ERROR_USAGE, "%s: a fit has changed the columns", set->source);
    if (labels && !set->labels && !set->is_planted)
        return fr_fail(error, FR_ERROR_USAGE, "%s holds no labels", set->source);
    return FR_OK;
}

static fr_status plant(const fr_dataset *set, fr_range these, void *rows, void *labels, fr_error *error) {
    FR_OWNED void *own = NULL;
    if (!labels) FR_TRY(fr_allocate_unset(&own, these.count, fr_precision_bytes(set->precision), "labels", error));
    return fr_planted_rows(set, these, rows, labels ? labels : own, error);
}

fr_status fr_dataset_rows(const fr_dataset *set, int64_t first, int64_t count, void *rows, void *labels, fr_error *error) {
    const fr_range these = {first, count};
    size_t value = fr_precision_bytes(set->precision), row = (size_t)set->features * value;
    FR_TRY(check_range(set, these, labels != NULL, error));
    if (set->is_planted) return plant(set, these, rows, labels, error);
    FR_TRY(fr_dataset_holds(set, these, error));
    int64_t at = first - set->first_row;
    for (int64_t i = 0; i < count; i++) memcpy((char *)rows + (size_t)i * row, fr_dataset_at(set, at + i), row);
    if (labels) memcpy(labels, (const char *)set->labels + (size_t)at * value, (size_t)count * value);
    return FR_OK;
}
