/*
 * dataset.c - the data set object: made, checked, asked and freed.
 *
 * It is filled in data/arrays.c, data/read.c and data/planted.c, and written in data/write.c.
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "data/dataset.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"

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
                        .stride = features,
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

/* ---------------------------------------------------------------------------------------------- rows */

/* rows <- those of the set, one each `stride` values. */
static void copy_rows(const fr_dataset *set, int64_t stride, void *rows) {
    size_t bytes = fr_precision_bytes(set->precision), row = (size_t)set->features * bytes;
#pragma omp parallel for schedule(static) num_threads(fr_loop_threads()) if (set->local_rows * set->features > 100000)
    for (int64_t i = 0; i < set->local_rows; i++)
        memcpy((char *)rows + (size_t)(i * stride) * bytes, fr_dataset_at(set, i), row);
}

fr_status fr_dataset_own_rows(fr_dataset *set, int64_t more, fr_error *error) {
    int64_t stride = set->features + more, values;
    void *own = NULL;
    if (!set->borrowed && set->stride >= stride) return FR_OK;
    if (__builtin_mul_overflow(set->local_rows, stride, &values)) values = INT64_MAX;
    FR_TRY(fr_allocate_unset(&own, values, fr_precision_bytes(set->precision), "a copy of the rows", error));
    copy_rows(set, stride, own);
    if (!set->borrowed) free(set->rows);
    set->rows = own;
    set->stride = stride;
    set->borrowed = false;
    return FR_OK;
}

void fr_dataset_row(const fr_dataset *set, int64_t row, double *x) {
    int64_t d = set->features;
    const float *floats = fr_dataset_at(set, row);
    if (set->precision == FR_F64) memcpy(x, floats, (size_t)d * sizeof *x);
    else
        for (int64_t j = 0; j < d; j++) x[j] = (double)floats[j];
}

bool fr_dataset_borrows(const fr_dataset *dataset) { return dataset->borrowed; }

/* ------------------------------------------------------------------------------------------ weights */

fr_status fr_dataset_take_weights(fr_dataset *set, fr_error *error) {
    FR_TRY(fr_allocate((void **)&set->weights, set->local_rows, sizeof *set->weights, "weights of rows", error));
    for (int64_t i = 0; i < set->local_rows; i++) set->weights[i] = 1;
    return FR_OK;
}

fr_status fr_dataset_copy(const fr_dataset *set, fr_dataset **copy, fr_error *error) {
    size_t bytes = fr_precision_bytes(set->precision), rows = (size_t)set->local_rows;
    FR_TRY(fr_dataset_allocate(set->samples, set->features, fr_dataset_range(set), set->labels != NULL, set->precision,
                               set->source, copy, error));
    copy_rows(set, set->features, (*copy)->rows);
    if (set->labels) memcpy((*copy)->labels, set->labels, rows * bytes);
    if (set->weights) {
        FR_TRY(fr_dataset_take_weights(*copy, error));
        memcpy((*copy)->weights, set->weights, rows * sizeof *set->weights);
    }
    (*copy)->fingerprint = set->fingerprint;
    (*copy)->held = set->held;
    (*copy)->next = set->next;
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

const fr_dataset *fr_dataset_held_out(const fr_dataset *dataset) { return dataset->held_out; }

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
    if (!dataset->borrowed) free(dataset->rows);
    free(dataset->labels);
    free(dataset->weights);
    free(dataset->planted);
    free(dataset->source);
    free(dataset->names);
    free(dataset->passed);
    free(dataset->means);
    fr_dataset_free(dataset->held_out);
    free(dataset->label_name);
    free(dataset->label_column);
    free(dataset->weight_column);
    free(dataset->shift);
    free(dataset->scale);
    free(dataset->mix);
    free(dataset->left_out);
    free(dataset);
}
