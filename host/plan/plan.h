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
    /* Of fr_plan_finish; nothing reads them before the first step. */
    int64_t iterations;        /* T */
    int64_t average_start;     /* steps from this one on are averaged; T or later: none */
    fr_step_plan steps;
} fr_plan;

/* Rank r of `ranks` holds the workers from fr_first_worker(plan, ranks, r) up to that of r + 1. */
static inline int fr_first_worker(const fr_plan *plan, int ranks, int rank) {
    if (!plan->dedicated_master) return plan->workers / ranks * rank;
    return rank == 0 ? 0 : plan->workers / (ranks - 1) * (rank - 1);
}

/* The columns that worker k's slice begins with in the two-phase collective; slice k ends where k + 1 begins. */
static inline int64_t fr_slice_start(const fr_plan *plan, int worker) {
    return fr_split_start(plan->features, plan->workers, worker);
}

/* What options and the shape of the data decide. dedicated_master: rank 0 keeps the model and has no workers. */
fr_status fr_plan_begin(const fr_options *options, const fr_dataset *set, bool dedicated_master, fr_plan *plan,
                        fr_error *error);

/* What a pass over the rows tells of (1/n) X^T X, with the columns as the fit sees them. */
typedef struct fr_spectrum {
    double lambda;    /* the largest eigenvalue; needed for FR_STEP_AUTO alone */
    double trace;
    double long_rows; /* of read rows (fit/condition.h), for FR_STEP_AUTO; 0: not needed */
} fr_spectrum;

/* The steps, their size and their average; set: with its columns as the fit sees them. FR_ERROR_DATA where rule auto
 * finds no step size, since every feature is zero. */
fr_status fr_plan_finish(const fr_options *options, const fr_dataset *set, const fr_spectrum *spectrum, fr_plan *plan,
                         fr_error *error);

/* Both steps at once, without a pass over the rows: of rule auto eta is NAN. For work that makes no fit of its own:
 * measurements and tests. */
fr_status fr_plan_make(const fr_options *options, const fr_dataset *set, fr_plan *plan, fr_error *error);

/* eta of rule `auto` for lambda and trace of (1/n) X^T X, or instead of the trace what long rows make of it:
 * 1 / ((lambda (1 + q/K) + (2 trace / m)(1 + q)) (1 + q2)), q2 that of the second rounding of two-phase. Full batches
 * have no sampling noise: 1 / (1.25 lambda (1 + q/K)(1 + q2)), which is stable even where every row is active. */
double fr_auto_step_size(const fr_plan *plan, double lambda, double trace);

/* Relative variance of Q_s on d coordinates: min(d / (4 s^2), sqrt(d) / s) for l2, ln(d) / (2 s^2) for max. */
double fr_relative_variance(int64_t features, int levels, fr_scale scale);

/* Bytes that one worker would send in one step were it a rank of its own; for a fit in one process or over NCCL.
 * exchange/traffic.h has what ranks over MPI send. */
double fr_collective_bytes(const fr_plan *plan);

#endif
