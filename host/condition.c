/*
 * condition.c - columns of mean 0 and variance 1, uncorrelated, and the column of ones; and the way back for weights.
 *
 * One step size suits features of one scale. So data from a file are scaled (and, where an intercept absorbs the
 * shift, centered) before a fit with the automatic step size; the unit max(0, <w, x> + b) that can be reached stays
 * the same, and the model is given in the user's own units.
 *
 * Scaling alone leaves correlations, and ordinary data are full of them: powers of one feature, or two columns far
 * from zero without an intercept, give (1/n) X^T X a condition number of 10^5 and more, and as many steps of SGD.
 * Hence x'' = R^-T x', with (1/n) X'^T X' = R^T R by Cholesky: rows whose second moment is the identity, as in the
 * paper's own model, at n d^2 multiplications once. The quantizer gains as well: its noise is even in all directions.
 */
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "problem.h"

/* Rows at a time; the share of a column's second moment, scaled to 1, below which rounding is all that is left. */
enum { BLOCK_ROWS = 256 };
static const double DEPENDENT = 1e-10;

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

/* Rows that tell the directions apart, and work of a few seconds at most; else scaling has to do. */
static bool can_decorrelate(const fr_dataset *set) {
    double n = (double)set->local_rows, d = (double)set->features;
    return d > 1 && n >= 2 * d && n * d * d <= 2e10;
}

/* x' of one row as doubles. */
static void scaled_row(const fr_dataset *set, int64_t row, double *out) {
    for (int64_t j = 0; j < set->features; j++)
        out[j] = (fr_dataset_value(set, row, j) - set->shift[j]) / set->scale[j];
}

/* The upper triangle of (1/n) X'^T X' into mix. Each entry is one thread's, summed over rows in order, so that their
 * number changes nothing; threads scale the rows each for itself, which costs less than waiting for each other. */
static void add_products(const fr_dataset *set, double *blocks, int threads, double *mix) {
    int64_t n = set->local_rows, d = set->features;
#pragma omp parallel for schedule(static, 1) num_threads(threads)
    for (int t = 0; t < threads; t++) {
        double *block = blocks + t * BLOCK_ROWS * d;
        for (int64_t first = 0; first < n; first += BLOCK_ROWS) {
            int64_t count = n - first < BLOCK_ROWS ? n - first : BLOCK_ROWS;
            for (int64_t i = 0; i < count; i++) scaled_row(set, first + i, block + i * d);
            for (int64_t j = t; j < d; j += threads)
                for (int64_t i = 0; i < count; i++) {
                    const double *x = block + i * d;
                    double factor = x[j] / (double)n;
                    for (int64_t l = j; factor != 0 && l < d; l++) mix[j * d + l] += factor * x[l];
                }
        }
    }
}

/* mix <- R. A column that is a combination of earlier ones but for rounding (a constant one beside all levels of a
 * category) adds no unit that could not be reached without it: its row of R becomes zero, its weight stays zero. */
static void factorize(double *mix, int64_t d) {
    for (int64_t j = 0; j < d; j++) {
        double *row = mix + j * d, pivot = row[j] > DEPENDENT ? sqrt(row[j]) : 0;
        for (int64_t l = j; l < d; l++) row[l] = pivot > 0 ? row[l] / pivot : 0;
        for (int64_t i = j + 1; i < d; i++)
            for (int64_t l = i; row[i] != 0 && l < d; l++) mix[i * d + l] -= row[i] * row[l];
    }
}

/* x <- R^-T x, forward substitution. */
static void mix_row(const double *mix, int64_t d, double *x) {
    for (int64_t j = 0; j < d; j++) {
        const double *row = mix + j * d;
        x[j] = row[j] > 0 ? x[j] / row[j] : 0;
        for (int64_t l = j + 1; x[j] != 0 && l < d; l++) x[l] -= row[l] * x[j];
    }
}

/* Every row to x' or x'', in double until it is stored. */
static void replace_rows(fr_dataset *set, double *blocks, int threads) {
    int64_t n = set->local_rows, d = set->features;
#pragma omp parallel for schedule(static, 1) num_threads(threads)
    for (int t = 0; t < threads; t++) {
        double *x = blocks + t * BLOCK_ROWS * d;
        for (int64_t i = n * t / threads; i < n * (t + 1) / threads; i++) {
            scaled_row(set, i, x);
            if (set->mix) mix_row(set->mix, d, x);
            for (int64_t j = 0; j < d; j++) fr_dataset_put(set, i, j, x[j]);
        }
    }
}

fr_status fr_dataset_condition(fr_dataset *set, fr_conditioning how, fr_error *error) {
    int64_t d = set->features;
    double *mean = NULL, *variance = NULL, *blocks = NULL;
    int threads = set->local_rows * d < 100000 ? 1 : omp_get_max_threads();
    fr_status status = FR_OK;
    if (set->shift && how.center == set->centered && how.scale == set->scaled && how.intercept == set->intercept &&
        (how.decorrelate || !set->mix))
        return FR_OK;
    if (set->shift) return fr_fail(error, FR_ERROR_USAGE, "this data set was prepared for another kind of fit already");
    if (!how.center && !how.scale && !how.intercept) return FR_OK;
    if ((status = fr_allocate((void **)&mean, d, sizeof(double), "column means", error)) != FR_OK) goto done;
    if ((status = fr_allocate((void **)&variance, d, sizeof(double), "column variances", error)) != FR_OK) goto done;
    status = fr_allocate((void **)&blocks, threads * BLOCK_ROWS * d, sizeof(double), "blocks of rows", error);
    if (status != FR_OK) goto done;
    if ((status = fr_allocate((void **)&set->shift, d, sizeof(double), "column shifts", error)) != FR_OK) goto done;
    if ((status = fr_allocate((void **)&set->scale, d, sizeof(double), "column scales", error)) != FR_OK) goto done;
    column_moments(set, mean, variance);
    choose_columns(set, how, mean, variance);
    if (how.decorrelate && can_decorrelate(set)) {
        status = fr_allocate((void **)&set->mix, d * d, sizeof(double), "products of columns", error);
        if (status != FR_OK) goto done;
        add_products(set, blocks, threads, set->mix);
        factorize(set->mix, d);
    }
    replace_rows(set, blocks, threads);
    set->centered = how.center;
    set->scaled = how.scale;
    if (how.intercept) status = append_ones(set, error);
done:
    free(mean);
    free(variance);
    free(blocks);
    return status;
}

fr_status fr_dataset_long_rows(const fr_dataset *set, double *weighted, fr_error *error) {
    int64_t n = set->local_rows, d = set->features, longest = 0;
    double *moments = NULL, along = 0, along_weighted = 0, record = -1;
    fr_status status = fr_allocate((void **)&moments, 2 * d, sizeof *moments, "column moments", error);
    if (status != FR_OK) return status;
    for (int64_t i = 0; i < n; i++) {
        double square = 0;
        for (int64_t j = 0; j < d; j++) square += fr_dataset_value(set, i, j) * fr_dataset_value(set, i, j);
        for (int64_t j = 0; j < d; j++) {
            double x = fr_dataset_value(set, i, j);
            moments[j] += x * x;
            moments[d + j] += square * x * x;
        }
        if (square > record) record = square, longest = i;
    }
    for (int64_t i = 0; i < n; i++) {
        double square = 0, product = 0;
        for (int64_t j = 0; j < d; j++) {
            double x = fr_dataset_value(set, i, j);
            square += x * x;
            product += x * fr_dataset_value(set, longest, j);
        }
        along += product * product;
        along_weighted += square * product * product;
    }
    *weighted = along > 0 ? along_weighted / along : 0;
    for (int64_t j = 0; j < d; j++)
        if (moments[j] > 0) *weighted = fmax(*weighted, moments[d + j] / moments[j]);
    free(moments);
    return FR_OK;
}

void fr_unfold_weights(const fr_dataset *set, const double *fitted, double *raw, double *intercept) {
    int64_t d = fr_raw_features(set);
    *intercept = set->intercept ? fitted[d] : 0;
    for (int64_t j = d - 1; j >= 0; j--) { /* back substitution: raw holds w' from j on */
        double sum = fitted[j];
        for (int64_t l = j + 1; set->mix && l < d; l++) sum -= set->mix[j * d + l] * raw[l];
        raw[j] = !set->mix ? sum : set->mix[j * d + j] > 0 ? sum / set->mix[j * d + j] : 0;
    }
    for (int64_t j = 0; j < d; j++) {
        if (set->scale) raw[j] /= set->scale[j];
        if (set->shift) *intercept -= raw[j] * set->shift[j];
    }
}

void fr_fold_weights(const fr_dataset *set, const double *raw, double intercept, double *fitted) {
    int64_t d = fr_raw_features(set);
    for (int64_t j = 0; j < d; j++) {
        fitted[j] = set->scale ? raw[j] * set->scale[j] : raw[j];
        if (set->shift) intercept += raw[j] * set->shift[j];
    }
    for (int64_t j = 0; set->mix && j < d; j++) { /* w'' = R w', from the top down in place */
        double sum = 0;
        for (int64_t l = j; l < d; l++) sum += set->mix[j * d + l] * fitted[l];
        fitted[j] = sum;
    }
    if (set->intercept) fitted[d] = intercept;
}
