/*
 * condition.c - columns of mean 0 and variance 1, and the column of ones; and the way back for the weights.
 *
 * One step size suits features of one scale. So data from a file are scaled (and, where an intercept absorbs the
 * shift, centered) before a fit with the automatic step size; the unit max(0, <w, x> + b) that can be reached stays
 * the same, and the model is given in the user's own units.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "problem.h"

static void column_moments(const fr_dataset *set, double *mean, double *variance) {
    int64_t n = set->local_rows, d = set->features;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < d; j++) mean[j] += fr_dataset_value(set, i, j) / (double)n;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < d; j++) {
            double off = fr_dataset_value(set, i, j) - mean[j];
            variance[j] += off * off / (double)n;
        }
}

static void choose_columns(fr_dataset *set, fr_conditioning how, const double *mean, const double *variance) {
    for (int64_t j = 0; j < set->features; j++) {
        double spread = sqrt(how.center ? variance[j] : variance[j] + mean[j] * mean[j]);
        /* A column that is constant but for rounding carries nothing once it is centered. */
        bool constant = !(spread > 1e-12 * fabs(mean[j])) || !isfinite(1 / spread);
        set->shift[j] = how.center ? mean[j] : 0;
        set->scale[j] = how.scale && !constant ? spread : 1;
    }
}

/* Widens rows by one column, from the last row to the first, in the reallocated memory. */
static fr_status append_ones(fr_dataset *set, fr_error *error) {
    int64_t n = set->local_rows, d = set->features;
    size_t size = fr_precision_bytes(set->precision), cells = (size_t)n * (size_t)(d + 1);
    void *wider = NULL;
    fr_status status = fr_allocate(&wider, (int64_t)cells, size, "the rows with a column of ones", error);
    if (status != FR_OK) return status;
    for (int64_t i = 0; i < n; i++)
        memcpy((char *)wider + (size_t)i * (size_t)(d + 1) * size, (char *)set->rows + (size_t)(i * d) * size,
               (size_t)d * size);
    free(set->rows);
    set->rows = wider;
    set->features = d + 1;
    for (int64_t i = 0; i < n; i++) fr_dataset_put(set, i, d, 1);
    set->intercept = true;
    return FR_OK;
}

fr_status fr_dataset_condition(fr_dataset *set, fr_conditioning how, fr_error *error) {
    int64_t d = set->features;
    double *mean = NULL, *variance = NULL;
    fr_status status = FR_OK;
    if (set->shift && how.center == set->centered && how.scale == set->scaled && how.intercept == set->intercept)
        return FR_OK;
    if (set->shift) return fr_fail(error, FR_ERROR_USAGE, "this data set was prepared for another kind of fit already");
    if (!how.center && !how.scale && !how.intercept) return FR_OK;
    if ((status = fr_allocate((void **)&mean, d, sizeof(double), "column means", error)) != FR_OK) goto done;
    if ((status = fr_allocate((void **)&variance, d, sizeof(double), "column variances", error)) != FR_OK) goto done;
    if ((status = fr_allocate((void **)&set->shift, d, sizeof(double), "column shifts", error)) != FR_OK) goto done;
    if ((status = fr_allocate((void **)&set->scale, d, sizeof(double), "column scales", error)) != FR_OK) goto done;
    column_moments(set, mean, variance);
    choose_columns(set, how, mean, variance);
    for (int64_t i = 0; i < set->local_rows; i++)
        for (int64_t j = 0; j < d; j++)
            fr_dataset_put(set, i, j, (fr_dataset_value(set, i, j) - set->shift[j]) / set->scale[j]);
    set->centered = how.center;
    set->scaled = how.scale;
    if (how.intercept) status = append_ones(set, error);
done:
    free(mean);
    free(variance);
    return status;
}

void fr_unfold_weights(const fr_dataset *set, const double *fitted, double *raw, double *intercept) {
    int64_t d = fr_raw_features(set);
    *intercept = set->intercept ? fitted[d] : 0;
    for (int64_t j = 0; j < d; j++) {
        raw[j] = set->scale ? fitted[j] / set->scale[j] : fitted[j];
        if (set->shift) *intercept -= raw[j] * set->shift[j];
    }
}

void fr_fold_weights(const fr_dataset *set, const double *raw, double intercept, double *fitted) {
    int64_t d = fr_raw_features(set);
    for (int64_t j = 0; j < d; j++) {
        fitted[j] = set->scale ? raw[j] * set->scale[j] : raw[j];
        if (set->shift) intercept += raw[j] * set->shift[j];
    }
    if (set->intercept) fitted[d] = intercept;
}
