/*
 * arrays.c - a data set from arrays in memory, and the weights of its rows.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/parse_number.h"
#include "data/fingerprint.h"
#include "data/limits.h"

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

static fr_status fill(fr_dataset *set, const double *rows, const double *labels, fr_error *error) {
    int64_t d = set->features;
    for (int64_t i = 0; i < set->samples; i++) {
        for (int64_t j = 0; j < d; j++) {
            if (!fr_fits(rows[i * d + j], set->precision)) return refuse_value(set, false, i, j, rows[i * d + j], error);
            fr_dataset_put(set, i, j, rows[i * d + j]);
        }
        if (!labels) continue;
        if (!fr_fits(labels[i], set->precision)) return refuse_value(set, true, i, 0, labels[i], error);
        fr_dataset_put_label(set, i, labels[i]);
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
