/*
 * long_rows.c - how much of the second moment along a direction sits in long rows. Rows are times the roots of their
 * weights by then, so that a row of large weight is a long one: the noise of a draw is that of u x x^T.
 */
#include <math.h>

#include "columns/condition.h"
#include "columns/shard.h"

static double row_square(int64_t d, const double *x) {
    double square = 0;
    for (int64_t j = 0; j < d; j++) square += x[j] * x[j];
    return square;
}

/* Second moments of the columns, plain (d) and weighted by ||x||^2 (d). */
static void weigh_columns(const void *context, int64_t d, double u, double *x, double *sums) {
    double square = row_square(d, x);
    (void)context, (void)u;
    for (int64_t j = 0; j < d; j++) {
        sums[j] += x[j] * x[j];
        sums[d + j] += square * x[j] * x[j];
    }
}

/* <v, x>^2 and ||x||^2 <v, x>^2. */
static void weigh_along(const void *context, int64_t d, double u, double *x, double *sums) {
    const double *v = context;
    (void)u;
    double square = row_square(d, x), product = 0;
    for (int64_t j = 0; j < d; j++) product += x[j] * v[j];
    sums[0] += product * product;
    sums[1] += square * product * product;
}

/* The longest row held, the first of them where several are as long; -1 where none is held. x: d doubles of scratch. */
static int64_t find_longest(const fr_shard *s, double *x, double *record) {
    int64_t longest = -1;
    *record = -1;
    for (int k = 0; k < s->own; k++) {
        fr_range rows = fr_shard_rows(s, k);
        for (int64_t i = rows.first; i < rows.first + rows.count; i++) {
            fr_dataset_row(s->set, i, x);
            double square = row_square(s->set->features, x);
            if (square > *record) *record = square, longest = i;
        }
    }
    return longest;
}

/* row (d) <- the longest row of all ranks, the first of them where several are as long. */
static fr_status broadcast_longest(const fr_shard *s, double *row, fr_error *error) {
    int ranks = fr_world_size(s->world), winner = 0;
    double record;
    FR_OWNED double *all = NULL;
    int64_t longest = find_longest(s, row, &record);
    fr_status status = fr_allocate((void **)&all, ranks, sizeof *all, "the longest row", error);
    FR_TRY(fr_world_agree(s->world, status, error));
    FR_TRY(fr_world_gather(s->world, &record, sizeof record, all, error));
    for (int r = 0; r < ranks; r++)
        if (all[r] > all[winner]) winner = r;
    return fr_shard_tell_row(s, fr_world_rank(s->world) == winner ? longest : -1, row, error);
}

static fr_status weigh(const fr_shard *s, double *weighted, fr_error *error) {
    int64_t d = s->set->features;
    double along[2] = {0, 0};
    FR_OWNED double *moments = NULL;
    FR_OWNED double *row = NULL;
    fr_status status = fr_allocate((void **)&moments, 2 * d, sizeof *moments, "column moments", error);
    if (status == FR_OK) status = fr_allocate((void **)&row, d, sizeof *row, "the longest row", error);
    FR_TRY(fr_world_agree(s->world, status, error));
    FR_TRY(fr_shard_sum(s, weigh_columns, NULL, 1, 2 * d, moments, error));
    FR_TRY(broadcast_longest(s, row, error));
    FR_TRY(fr_shard_sum(s, weigh_along, row, 1, 2, along, error));
    *weighted = along[0] > 0 ? along[1] / along[0] : 0;
    for (int64_t j = 0; j < d; j++)
        if (moments[j] > 0) *weighted = fmax(*weighted, moments[d + j] / moments[j]);
    return FR_OK;
}

fr_status fr_dataset_long_rows(const fr_dataset *set, const fr_plan *plan, int threads, fr_world *world,
                               double *weighted, fr_error *error) {
    fr_shard s;
    fr_status status = fr_shard_make(&s, set, plan, threads, world, error);
    if (status == FR_OK) status = weigh(&s, weighted, error);
    fr_shard_free(&s);
    return status;
}
