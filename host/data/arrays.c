/*
 * arrays.c - a data set from arrays in memory, copied or borrowed; the names of its columns and the weights of its rows.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse_number.h"
#include "base/threads.h"
#include "data/fingerprint.h"
#include "data/limits.h"
#include "data/names.h"

/* Row and column are counted from 0, as in NumPy. */
static fr_status refuse_value(const fr_dataset *set, bool label, int64_t row, int64_t column, double value,
                              fr_error *error) {
    char number[FR_NUMBER_SIZE], place[64];
    fr_format_double(number, sizeof number, value);
    if (label) snprintf(place, sizeof place, "y[%" PRId64 "]", row);
    else snprintf(place, sizeof place, "X[%" PRId64 ",%" PRId64 "]", row, column);
    return fr_fail(error, FR_ERROR_DATA, "%s: %s is %s, %s", set->source, place, number,
                   fr_misfit(value, set->precision));
}

static fr_status take_label(fr_dataset *set, int64_t row, double label, fr_error *error) {
    if (!fr_fits(label, set->precision)) return refuse_value(set, true, row, 0, label, error);
    fr_dataset_put_label(set, row, label);
    return FR_OK;
}

static fr_status fill(fr_dataset *set, const double *rows, const double *labels, fr_error *error) {
    int64_t d = set->features;
    for (int64_t i = 0; i < set->samples; i++) {
        for (int64_t j = 0; j < d; j++) {
            if (!fr_fits(rows[i * d + j], set->precision)) return refuse_value(set, false, i, j, rows[i * d + j], error);
            fr_dataset_put(set, i, j, rows[i * d + j]);
        }
        if (labels) FR_TRY(take_label(set, i, labels[i], error));
    }
    if (labels) set->held = fr_dataset_row_print(set);
    return FR_OK;
}

fr_status fr_dataset_from_arrays(int64_t samples, int64_t features, const double *rows, const double *labels,
                                 fr_precision precision, fr_dataset **dataset, fr_error *error) {
    *dataset = NULL;
    if (!rows) return fr_fail(error, FR_ERROR_USAGE, "arrays: rows is NULL, expected samples x features values");
    FR_TRY(fr_dataset_allocate(samples, features, (fr_range){0, samples}, labels != NULL, precision, "arrays", dataset,
                               error));
    fr_status status = fill(*dataset, rows, labels, error);
    if (status == FR_OK) return FR_OK;
    fr_dataset_free(*dataset);
    *dataset = NULL;
    return status;
}

/* ------------------------------------------------------------------------------------------ borrowed */

/* The first place whose value cannot be kept, counted along the rows; the number of all values where there is none. */
static int64_t find_misfit(const fr_dataset *set) {
    int64_t d = set->features, found = set->samples * d;
#pragma omp parallel for schedule(static) reduction(min : found) num_threads(fr_loop_threads()) if (found > 100000)
    for (int64_t i = 0; i < set->samples; i++)
        for (int64_t j = 0; j < d && i * d + j < found; j++)
            if (!fr_fits(fr_dataset_value(set, i, j), set->precision)) found = i * d + j;
    return found;
}

/* The set has no rows of its own. */
static fr_status borrow(fr_dataset *set, const void *rows, int64_t stride, const double *labels, fr_error *error) {
    int64_t d = set->features;
    free(set->rows);
    set->rows = (void *)(uintptr_t)rows; /* never written: borrowed */
    set->stride = stride;
    set->borrowed = true;
    set->local_rows = set->samples;
    int64_t misfit = find_misfit(set);
    if (misfit < set->samples * d)
        return refuse_value(set, false, misfit / d, misfit % d, fr_dataset_value(set, misfit / d, misfit % d), error);
    if (!labels) return FR_OK;
    free(set->labels);
    set->labels = NULL;
    FR_TRY(fr_allocate(&set->labels, set->samples, fr_precision_bytes(set->precision), "labels", error));
    for (int64_t i = 0; i < set->samples; i++) FR_TRY(take_label(set, i, labels[i], error));
    set->held = fr_dataset_row_print(set);
    return FR_OK;
}

fr_status fr_dataset_borrow(int64_t samples, int64_t features, const void *rows, int64_t stride,
                            fr_precision precision, const double *labels, fr_dataset **dataset, fr_error *error) {
    *dataset = NULL;
    if (!rows || (uintptr_t)rows % fr_precision_bytes(precision) != 0)
        return fr_fail(error, FR_ERROR_USAGE, "arrays: rows is NULL or lies across its values, expected aligned values");
    if (stride < features)
        return fr_fail(error, FR_ERROR_USAGE, "arrays: stride is %" PRId64 ", expected at least the %" PRId64 " features",
                       stride, features);
    FR_TRY(fr_dataset_allocate(samples, features, (fr_range){0, 0}, labels != NULL, precision, "arrays", dataset, error));
    fr_status status = borrow(*dataset, rows, stride, labels, error);
    if (status == FR_OK) return FR_OK;
    fr_dataset_free(*dataset);
    *dataset = NULL;
    return status;
}

/* ---------------------------------------------------------------------------------- names and weights */

fr_status fr_dataset_set_names(fr_dataset *dataset, const char *const *names, const char *label_name, fr_error *error) {
    if (dataset->names || dataset->shift)
        return fr_fail(error, FR_ERROR_USAGE, "%s: names are given once, before the first fit", dataset->source);
    FR_TRY(fr_names_copy(names, dataset->features, &dataset->names, error));
    if (label_name && !(dataset->label_name = strdup(label_name)))
        return fr_fail(error, FR_ERROR, "out of memory for the names of columns");
    return FR_OK;
}

fr_status fr_dataset_set_weights(fr_dataset *dataset, const double *weights, fr_error *error) {
    if (dataset->is_planted || dataset->shift || dataset->counted > 0)
        return fr_fail(error, FR_ERROR_USAGE, "%s: weights are for rows of one's own, before their first fit",
                       dataset->source);
    for (int64_t i = 0; weights && i < dataset->local_rows; i++) {
        char number[FR_NUMBER_SIZE];
        if (fr_is_weight(weights[i])) continue;
        fr_format_double(number, sizeof number, weights[i]);
        return fr_fail(error, FR_ERROR_DATA, "%s: u[%" PRId64 "] is %s, " FR_WEIGHT_EXPECTED, dataset->source,
                       dataset->first_row + i, number);
    }
    free(dataset->weights);
    dataset->weights = NULL;
    if (weights) FR_TRY(fr_dataset_take_weights(dataset, error));
    if (weights) memcpy(dataset->weights, weights, (size_t)dataset->local_rows * sizeof *weights);
    if (dataset->labels) dataset->held = fr_dataset_row_print(dataset);
    dataset->next = (fr_row_print){{0, 0}, 0};
    return FR_OK;
}
