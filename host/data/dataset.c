/*
 * dataset.c - the data set object: made, filled from arrays, checked, asked and freed.
 *
 * Files are read in data/read.c and the dataset_*.c beside it, and written in data/write.c.
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "data/dataset.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse_number.h"
#include "data/limits.h"

fr_status fr_dataset_allocate(int64_t samples, int64_t features, fr_range kept, bool labels, fr_precision precision,
                              const char *source, fr_dataset **dataset, fr_error *error) {
    *dataset = NULL;
    if (samples < 1 || features < 1)
        return fr_fail(error, FR_ERROR_DATA,
                       "%s: found %" PRId64 " rows of %" PRId64 " features, expected at least 1 of 1", source,
                       samples, features);
    int64_t values;
    if (__builtin_mul_overflow(samples, features, &values))
        return fr_fail(error, FR_ERROR_DATA,
                       "%s: %" PRId64 " rows of %" PRId64 " features are more than can be counted", source, samples,
                       features);
    fr_dataset *set = calloc(1, sizeof *set);
    if (!set) return fr_fail(error, FR_ERROR, "%s: out of memory", source);
    *set = (fr_dataset){.samples = samples,
                        .features = features,
                        .first_row = kept.first,
                        .local_rows = kept.count,
                        .precision = precision};
    size_t bytes = fr_precision_bytes(precision);
    fr_status status = FR_ERROR;
    set->source = strdup(source);
    if (!set->source) fr_fail(error, FR_ERROR, "%s: out of memory", source);
    else status = fr_allocate(&set->rows, kept.count * features, bytes, "rows of X", error);
    if (status == FR_OK && labels) status = fr_allocate(&set->labels, kept.count, bytes, "labels", error);
    if (status == FR_OK) *dataset = set;
    else fr_dataset_free(set);
    return status;
}

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

fr_status fr_dataset_from_arrays(int64_t samples, int64_t features, const double *rows, const double *labels,
                                 fr_precision precision, fr_dataset **dataset, fr_error *error) {
    fr_dataset *set = NULL;
    *dataset = NULL;
    if (!rows) return fr_fail(error, FR_ERROR_USAGE, "arrays: rows is NULL, expected samples x features values");
    fr_status status = fr_dataset_allocate(samples, features, (fr_range){0, samples}, labels != NULL, precision,
                                           "arrays", &set, error);
    for (int64_t i = 0; status == FR_OK && i < samples; i++) {
        for (int64_t j = 0; status == FR_OK && j < features; j++) {
            double value = rows[i * features + j];
            if (fr_fits(value, precision)) fr_dataset_put(set, i, j, value);
            else status = refuse_value(set, false, i, j, value, error);
        }
        if (status != FR_OK || !labels) continue;
        if (fr_fits(labels[i], precision)) fr_dataset_put_label(set, i, labels[i]);
        else status = refuse_value(set, true, i, 0, labels[i], error);
    }
    if (status == FR_OK) *dataset = set;
    else fr_dataset_free(set);
    return status;
}

/* ------------------------------------------------------------------------------------------ weights */

fr_status fr_dataset_take_weights(fr_dataset *set, fr_error *error) {
    FR_TRY(fr_allocate((void **)&set->weights, set->local_rows, sizeof *set->weights, "weights of rows", error));
    for (int64_t i = 0; i < set->local_rows; i++) set->weights[i] = 1;
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
    if (!weights) return FR_OK;
    FR_TRY(fr_dataset_take_weights(dataset, error));
    memcpy(dataset->weights, weights, (size_t)dataset->local_rows * sizeof *weights);
    return FR_OK;
}

/* -------------------------------------------------------------------------------------------- asked */

fr_status fr_dataset_holds(const fr_dataset *set, fr_range needed, fr_error *error) {
    int64_t from = needed.first - set->first_row;
    if (needed.count == 0 || (from >= 0 && from + needed.count <= set->local_rows)) return FR_OK;
    return fr_fail(error, FR_ERROR,
                   "%s: %" PRId64 " of %" PRId64 " rows are held here, from row %" PRId64 " on; %" PRId64
                   " from row %" PRId64 " on are needed",
                   set->source, set->local_rows, set->samples, set->first_row, needed.count, needed.first);
}

void fr_dataset_watch(fr_dataset *dataset, fr_rows_function watch, void *user) {
    dataset->watch = watch;
    dataset->watch_user = user;
}

int64_t fr_dataset_samples(const fr_dataset *dataset) { return dataset->samples; }

int64_t fr_dataset_features(const fr_dataset *dataset) { return dataset->features; }

fr_left_out fr_dataset_left_out(const fr_dataset *dataset, int64_t column) {
    int64_t features = dataset->features - (dataset->intercept ? 1 : 0);
    if (!dataset->left_out || column < 0 || column >= features) return FR_COLUMN_USED;
    return (fr_left_out)dataset->left_out[column];
}

const char *const *fr_dataset_names(const fr_dataset *dataset) { return (const char *const *)dataset->names; }

const char *fr_dataset_label_name(const fr_dataset *dataset) { return dataset->label_name; }

const double *fr_dataset_planted(const fr_dataset *dataset) { return dataset->planted; }

void fr_dataset_free(fr_dataset *dataset) {
    if (!dataset) return;
    free(dataset->rows);
    free(dataset->labels);
    free(dataset->weights);
    free(dataset->planted);
    free(dataset->source);
    free(dataset->names);
    free(dataset->label_name);
    free(dataset->shift);
    free(dataset->scale);
    free(dataset->mix);
    free(dataset->left_out);
    free(dataset);
}
