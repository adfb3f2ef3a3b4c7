/*
 * plan.h - options after every choice left open has been made.
 *
 * A plan is made in two steps and const afterwards. fr_plan_begin knows the options and the shape of the data: it
 * refuses what can be refused before a row is made, read or changed, and settles all that engines and exchanges are
 * made for. fr_plan_finish knows what the rows told: how many steps to make, and of which size.
 */
#ifndef FR_PLAN_H
#define FR_PLAN_H

#include "data/dataset.h"
#include "kernels/rules/qsgd.h"

typedef struct fr_plan {
    /* Of fr_plan_begin. */
    int64_t samples, features; /* n and d of the fit (with the column of ones) */
    int64_t batch;             /* m; n with full */
    int64_t draws;             /* m / K rows a worker and step; 0: all of its rows, once each */
    int workers;               /* K */
    bool dedicated_master;     /* master over several ranks: rank 0 has no workers */
    int levels;                /* s, 0: unquantized */
    fr_scale scale;
    fr_collective collective;
    fr_wire wire; /* never auto */
    bool star;
    fr_storage storage;
    fr_precision precision;
    uint64_t seed;
    bool own_data;             /* not planted: nothing is known of its rows */
    bool settles;              /* data of one's own: steps from settle_from on are full batches under the stopping rule */
    int64_t settle_from;       /* 0 where no step draws rows */
    int starts;                /* data of one's own: the fewest runs, each from a start of its own (fit/search.c) */
    /* Of fr_plan_finish; nothing reads them before the first step. */
    int64_t iterations;        /* T */
    int64_t average_start;     /* steps from this one on are averaged; T or later: none */
    fr_step_plan steps;
    double settle_eta;         /* the step size of the full batches from settle_from on */
} fr_plan;

/* `auto` adds levels up in one byte (allreduce) for so many workers, and while their sums fit into it: K s is at most
 * the second; else each slice of columns is added up by one worker (two-phase). */
enum { FR_SUMMED_WORKERS_MOST = 16, FR_SUMMED_LEVELS_MOST = 127 };

/* The first worker of a rank; of rank `ranks`: K. */
static inline int fr_first_worker(const fr_plan *plan, int ranks, int rank) {
    if (!plan->dedicated_master) return plan->workers / ranks * rank;
    return rank == 0 ? 0 : plan->workers / (ranks - 1) * (rank - 1);
}

/* The workers of ranks `these` of `ranks`, which lie side by side, as do the workers. */
static inline fr_range fr_workers_of_ranks(const fr_plan *plan, int ranks, fr_range these) {
    int first = fr_first_worker(plan, ranks, (int)these.first);
    return (fr_range){first, fr_first_worker(plan, ranks, (int)(these.first + these.count)) - first};
}
static inline fr_range fr_workers_of_rank(const fr_plan *plan, int ranks, int rank) {
    return fr_workers_of_ranks(plan, ranks, (fr_range){rank, 1});
}

/* The shards of these workers, as rows of all n. */
static inline fr_range fr_rows_of_workers(const fr_plan *plan, fr_range workers) {
    return fr_split_range(plan->samples, plan->workers, workers);
}

/* The slices of these workers in the two-phase collective, as columns of all d. */
static inline fr_range fr_slice_of_workers(const fr_plan *plan, fr_range workers) {
    return fr_split_range(plan->features, plan->workers, workers);
}

/* What options and the shape of the data decide. dedicated_master: rank 0 keeps the model and has no workers. */
fr_status fr_plan_begin(const fr_options *options, const fr_dataset *set, bool dedicated_master, fr_plan *plan,
                        fr_error *error);

/* What a pass over the rows tells of (1/n) X^T X, with the columns as the fit sees them. */
typedef struct fr_spectrum {
    double lambda;    /* the largest eigenvalue; needed for FR_STEP_AUTO alone */
    double trace;
    double long_rows; /* of read rows (columns/condition.h), for FR_STEP_AUTO; 0: not needed */
} fr_spectrum;

/* The steps, their sizes and their average. FR_ERROR_DATA where rule auto finds no step size, since every feature is
 * zero. */
fr_status fr_plan_finish(const fr_options *options, const fr_dataset *set, const fr_spectrum *spectrum, fr_plan *plan,
                         fr_error *error);

/* Both steps at once, without a pass over the rows: of rule auto the step sizes are NAN. For work that makes no fit of
 * its own: measurements and tests. */
fr_status fr_plan_make(const fr_options *options, const fr_dataset *set, fr_plan *plan, fr_error *error);

/* Of full batches that settle a run (engine/engine.h). */
#define FR_SETTLE_MOMENTUM 0.8

/* eta of rule `auto` for lambda and trace of (1/n) X^T X, or instead of the trace what long rows make of it:
 * 1 / ((lambda (1 + q/K) + (2 trace / m)(1 + q)) (1 + q2)), q2 that of the second rounding of two-phase, for planted rows,
 * half of which are active. Data of one's own may have all rows active, where that hovers: half of
 * 1 / ((lambda (1 + q/K) + (trace / m)(1 + q)) (1 + q2)). */
double fr_auto_step_size(const fr_plan *plan, double lambda, double trace);
/* The same for full batches, which have no sampling noise: 1 / (1.25 lambda (1 + q/K)(1 + q2)). With the momentum of
 * plan->settles 1 / (2 lambda ...): Nesterov's steps are stable up to eta 2 lambda = (2 + 2 b) / (1 + 2 b). */
double fr_full_step_size(const fr_plan *plan, double lambda);

/* Relative variance of Q_s on d coordinates: min(d / (4 s^2), sqrt(d) / s) for l2, ln(d) / (2 s^2) for max. */
double fr_relative_variance(int64_t features, int levels, fr_scale scale);

#endif
