/*
 * shard.h - the rows of this rank, worker by worker, and sums over the rows of all ranks.
 *
 * Every sum over rows that changes the columns of a data set goes this way: a worker's rows are cut into parts by
 * their number in the worker, each part is added up by one thread, then parts in their order, then workers in theirs.
 * So the sum has the same bits for any number of threads and ranks (with K fixed).
 */
#ifndef FR_SHARD_H
#define FR_SHARD_H

#include "base/team.h"
#include "plan/plan.h"
#include "ranks/world.h"

typedef struct fr_shard {
    const fr_dataset *set;
    const double *weights; /* u of the rows held while rows are not times sqrt(u) yet; NULL: 1 each */
    const fr_plan *plan;
    fr_world *world;
    int first, own; /* this rank's workers: the first, and how many */
    int *owns;      /* how many each rank has */
    int threads;
    fr_team *team;
} fr_shard;

/* threads: 0 for as many as OpenMP would start; little data get one. Called by all ranks, which all fail if one does. */
fr_status fr_shard_make(fr_shard *shard, const fr_dataset *set, const fr_plan *plan, int threads, fr_world *world,
                        fr_error *error);
void fr_shard_free(fr_shard *shard);

/* Own worker k's rows among the rows held. */
static inline fr_range fr_shard_rows(const fr_shard *s, int k) {
    fr_range rows = fr_rows_of_workers(s->plan, (fr_range){s->first + k, 1});
    return (fr_range){rows.first - s->set->first_row, rows.count};
}

/* Adds what one row x (d doubles) of weight u brings to the sums. x is the caller's to change. */
typedef void (*fr_row_work)(const void *context, int64_t d, double u, double *x, double *sums);

/* sum (count) <- over every stride-th row of each worker, from its first on. Called by all ranks. */
fr_status fr_shard_sum(const fr_shard *shard, fr_row_work work, const void *context, int64_t stride, int64_t count,
                       double *sum, fr_error *error);

/* The weight of a row among those held. */
static inline double fr_shard_weight(const fr_shard *s, int64_t row) { return s->weights ? s->weights[row] : 1; }

/* out (d) <- row `row` of the first rank that brings one of 0 or more, as doubles; a rank without one brings -1. Zeros
 * where none does. All ranks call. */
fr_status fr_shard_tell_row(const fr_shard *shard, int64_t row, double *out, fr_error *error);

#endif
