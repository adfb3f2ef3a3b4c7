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

#include "fit/condition.h"

/* Rows at a time, of the data and of the matrix of products; the share of a column's second moment, scaled to 1,
 * below which rounding is all that is left. */
enum { BLOCK_ROWS = 256, PRODUCT_ROWS = 64 };
static const double DEPENDENT = 1e-10;

/* The rows of this rank, worker by worker, and how its sums become those over all rows. */
typedef struct shard {
    const fr_dataset *set;
    const fr_plan *plan;
    fr_world *world;
    int first, own; /* workers */
    int *owns;      /* of each rank */
} shard;

static fr_status make_shard(shard *s, const fr_dataset *set, const fr_plan *plan, fr_world *world, fr_error *error) {
    int ranks = fr_world_size(world), rank = fr_world_rank(world);
    fr_range own = fr_workers_of_rank(plan, ranks, rank);
    *s = (shard){set, plan, world, (int)own.first, (int)own.count, NULL};
    FR_TRY(fr_allocate((void **)&s->owns, ranks, sizeof *s->owns, "the ranks", error));
    for (int r = 0; r < ranks; r++) s->owns[r] = (int)fr_workers_of_rank(plan, ranks, r).count;
    return FR_OK;
}

/* The first row of own worker k among the rows held. */
static int64_t worker_start(const shard *s, int k) {
    return fr_split_start(s->set->samples, s->plan->workers, s->first + k) - s->set->first_row;
}

/* sum (count) <- over all workers, in their order; parts: own x count. */
static fr_status add_workers(const shard *s, const double *parts, int64_t count, double *sum, fr_error *error) {
    return fr_world_sum(s->world, s->owns, parts, count, sum, error);
}

/* parts: own x d, for use here. */
static fr_status column_moments(const shard *s, double *parts, double *mean, double *variance, fr_error *error) {
    const fr_dataset *set = s->set;
    int64_t d = set->features;
    double n = (double)set->samples;
    for (int k = 0; k < s->own; k++)
        for (int64_t i = worker_start(s, k); i < worker_start(s, k + 1); i++)
            for (int64_t j = 0; j < d; j++) parts[k * d + j] += fr_dataset_value(set, i, j) / n;
    fr_status status = add_workers(s, parts, d, mean, error);
    if (status != FR_OK) return status;
    memset(parts, 0, (size_t)(s->own * d) * sizeof *parts);
    for (int k = 0; k < s->own; k++)
        for (int64_t i = worker_start(s, k); i < worker_start(s, k + 1); i++)
            for (int64_t j = 0; j < d; j++) {
                double off = fr_dataset_value(set, i, j) - mean[j];
                parts[k * d + j] += off * off / n;
            }
    return add_workers(s, parts, d, variance, error);
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
    double n = (double)set->samples, d = (double)set->features;
    return d > 1 && n >= 2 * d && n * d * d <= 2e10;
}

/* x' of one row as doubles. */
static void scaled_row(const fr_dataset *set, int64_t row, double *out) {
    for (int64_t j = 0; j < set->features; j++)
        out[j] = (fr_dataset_value(set, row, j) - set->shift[j]) / set->scale[j];
}

/* Rows first .. last - 1 of the upper triangle of (1/n) X'^T X', summed over the rows of each own worker, into parts
 * (own x (last - first) x d). Each entry is one thread's, summed over rows in order, so that their number changes
 * nothing; threads scale the rows each for itself, which costs less than waiting for each other. */
static void multiply_columns(const shard *s, int64_t first, int64_t last, double *blocks, int threads, double *parts) {
    const fr_dataset *set = s->set;
    int64_t d = set->features;
#pragma omp parallel for schedule(static, 1) num_threads(threads)
    for (int t = 0; t < threads; t++) {
        double *block = blocks + t * BLOCK_ROWS * d;
        for (int k = 0; k < s->own; k++) {
            double *part = parts + k * (last - first) * d;
            int64_t end = worker_start(s, k + 1);
            for (int64_t from = worker_start(s, k); from < end; from += BLOCK_ROWS) {
                int64_t count = end - from < BLOCK_ROWS ? end - from : BLOCK_ROWS;
                for (int64_t i = 0; i < count; i++) scaled_row(set, from + i, block + i * d);
                for (int64_t j = first + t; j < last; j += threads)
                    for (int64_t i = 0; i < count; i++) {
                        const double *x = block + i * d;
                        double factor = x[j] / (double)set->samples, *row = part + (j - first) * d;
                        for (int64_t l = j; factor != 0 && l < d; l++) row[l] += factor * x[l];
                    }
            }
        }
    }
}

/* mix <- the upper triangle of (1/n) X'^T X', PRODUCT_ROWS rows of it at a time, so that the sums of many workers
 * need little memory. */
static fr_status add_products(const shard *s, double *blocks, int threads, double *mix, fr_error *error) {
    int64_t d = s->set->features;
    double *parts = NULL;
    fr_status status =
        fr_allocate((void **)&parts, s->own * PRODUCT_ROWS * d, sizeof *parts, "products of columns", error);
    for (int64_t first = 0; status == FR_OK && first < d; first += PRODUCT_ROWS) {
        int64_t last = first + PRODUCT_ROWS < d ? first + PRODUCT_ROWS : d;
        memset(parts, 0, (size_t)(s->own * (last - first) * d) * sizeof *parts);
        multiply_columns(s, first, last, blocks, threads, parts);
        status = add_workers(s, parts, (last - first) * d, mix + first * d, error);
    }
    free(parts);
    return status;
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

static bool is_conditioned(const fr_dataset *set, fr_conditioning how) {
    return set->shift && how.center == set->centered && how.scale == set->scaled && how.intercept == set->intercept &&
           (how.decorrelate || !set->mix);
}

/* What a conditioning needs beside the set. */
typedef struct workspace {
    double *mean, *variance, *parts, *blocks;
    int threads;
} workspace;

static fr_status make_workspace(workspace *k, fr_dataset *set, bool decorrelate, int own, fr_error *error) {
    int64_t d = set->features;
    k->threads = set->local_rows * d < 100000 ? 1 : omp_get_max_threads();
    const struct {
        double **memory;
        int64_t count;
        const char *what;
    } needs[] = {{&k->mean, d, "column means"},
                 {&k->variance, d, "column variances"},
                 {&k->parts, own * d, "sums of columns"},
                 {&k->blocks, k->threads * BLOCK_ROWS * d, "blocks of rows"},
                 {&set->shift, d, "column shifts"},
                 {&set->scale, d, "column scales"},
                 {&set->mix, decorrelate ? d * d : 0, "products of columns"}};
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
        if (needs[i].count == 0) continue;
        fr_status status = fr_allocate((void **)needs[i].memory, needs[i].count, sizeof(double), needs[i].what, error);
        if (status != FR_OK) return status;
    }
    return FR_OK;
}

static fr_status change_columns(fr_dataset *set, fr_conditioning how, const shard *s, workspace *k, fr_error *error) {
    fr_status status = column_moments(s, k->parts, k->mean, k->variance, error);
    if (status != FR_OK) return status;
    choose_columns(set, how, k->mean, k->variance);
    if (set->mix) {
        status = add_products(s, k->blocks, k->threads, set->mix, error);
        if (status != FR_OK) return status;
        factorize(set->mix, set->features);
    }
    replace_rows(set, k->blocks, k->threads);
    set->centered = how.center;
    set->scaled = how.scale;
    return how.intercept ? append_ones(set, error) : FR_OK;
}

fr_status fr_dataset_condition(fr_dataset *set, fr_conditioning how, const fr_plan *plan, fr_world *world,
                               fr_error *error) {
    shard s = {0};
    workspace k = {0};
    if (is_conditioned(set, how)) return FR_OK;
    if (set->shift) return fr_fail(error, FR_ERROR_USAGE, "this data set was prepared for another kind of fit already");
    if (!how.center && !how.scale && !how.intercept) return FR_OK;
    fr_status status = make_shard(&s, set, plan, world, error);
    if (status == FR_OK) status = make_workspace(&k, set, how.decorrelate && can_decorrelate(set), s.own, error);
    status = fr_world_agree(world, status, error); /* before any rank waits for another's sums */
    if (status == FR_OK) status = change_columns(set, how, &s, &k, error);
    free(k.mean);
    free(k.variance);
    free(k.parts);
    free(k.blocks);
    free(s.owns);
    return status;
}

/* ---------------------------------------------------------------------------------------- long rows */

static double row_square(const fr_dataset *set, int64_t row) {
    double square = 0;
    for (int64_t j = 0; j < set->features; j++) square += fr_dataset_value(set, row, j) * fr_dataset_value(set, row, j);
    return square;
}

/* Second moments of the columns, plain and weighted by ||x||^2, into moments (2 d); longest: the longest row held. */
static fr_status weigh_columns(const shard *s, double *parts, double *moments, int64_t *longest, fr_error *error) {
    int64_t d = s->set->features;
    double record = -1;
    for (int k = 0; k < s->own; k++)
        for (int64_t i = worker_start(s, k); i < worker_start(s, k + 1); i++) {
            double square = row_square(s->set, i), *part = parts + k * 2 * d;
            for (int64_t j = 0; j < d; j++) {
                double x = fr_dataset_value(s->set, i, j);
                part[j] += x * x;
                part[d + j] += square * x * x;
            }
            if (square > record) record = square, *longest = i;
        }
    return add_workers(s, parts, 2 * d, moments, error);
}

/* row (d) <- the longest row of all ranks, the first of them where several are as long. */
static fr_status broadcast_longest(const shard *s, int64_t longest, double *row, fr_error *error) {
    int ranks = fr_world_size(s->world), rank = fr_world_rank(s->world), winner = 0;
    double record = longest < 0 ? -1 : row_square(s->set, longest), *all = NULL, *mine = NULL;
    int *ones = NULL;
    int64_t d = s->set->features;
    fr_status status = fr_allocate((void **)&all, ranks, sizeof *all, "the longest row", error);
    if (status == FR_OK) status = fr_allocate((void **)&mine, d, sizeof *mine, "the longest row", error);
    if (status == FR_OK) status = fr_allocate((void **)&ones, ranks, sizeof *ones, "the longest row", error);
    if (status == FR_OK) status = fr_world_gather(s->world, &record, sizeof record, all, error);
    if (status == FR_OK) {
        for (int r = 0; r < ranks; r++) {
            if (all[r] > all[winner]) winner = r;
            ones[r] = 1;
        }
        for (int64_t j = 0; rank == winner && longest >= 0 && j < d; j++) mine[j] = fr_dataset_value(s->set, longest, j);
        status = fr_world_sum(s->world, ones, mine, d, row, error);
    }
    free(all);
    free(mine);
    free(ones);
    return status;
}

/* mean(<v, x>^2) and mean(||x||^2 <v, x>^2), times n, over all rows. */
static fr_status weigh_along(const shard *s, const double *v, double *parts, double along[2], fr_error *error) {
    int64_t d = s->set->features;
    memset(parts, 0, (size_t)(2 * s->own) * sizeof *parts);
    for (int k = 0; k < s->own; k++)
        for (int64_t i = worker_start(s, k); i < worker_start(s, k + 1); i++) {
            double square = row_square(s->set, i), product = 0;
            for (int64_t j = 0; j < d; j++) product += fr_dataset_value(s->set, i, j) * v[j];
            parts[2 * k] += product * product;
            parts[2 * k + 1] += square * product * product;
        }
    return add_workers(s, parts, 2, along, error);
}

fr_status fr_dataset_long_rows(const fr_dataset *set, const fr_plan *plan, fr_world *world, double *weighted,
                               fr_error *error) {
    int64_t d = set->features, longest = -1;
    double *moments = NULL, *parts = NULL, *row = NULL, along[2] = {0, 0};
    shard s = {0};
    fr_status status = make_shard(&s, set, plan, world, error);
    if (status == FR_OK) status = fr_allocate((void **)&moments, 2 * d, sizeof *moments, "column moments", error);
    if (status == FR_OK) status = fr_allocate((void **)&row, d, sizeof *row, "the longest row", error);
    if (status == FR_OK) status = fr_allocate((void **)&parts, s.own * 2 * d, sizeof *parts, "column moments", error);
    status = fr_world_agree(world, status, error);
    if (status == FR_OK) status = weigh_columns(&s, parts, moments, &longest, error);
    if (status == FR_OK) status = broadcast_longest(&s, longest, row, error);
    if (status == FR_OK) status = weigh_along(&s, row, parts, along, error);
    if (status == FR_OK) {
        *weighted = along[0] > 0 ? along[1] / along[0] : 0;
        for (int64_t j = 0; j < d; j++)
            if (moments[j] > 0) *weighted = fmax(*weighted, moments[d + j] / moments[j]);
    }
    free(moments);
    free(parts);
    free(row);
    free(s.owns);
    return status;
}

/* ------------------------------------------------------------------------------------------ weights */

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
