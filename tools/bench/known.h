/*
 * known.h - vectors whose sum is known to the last bit, however many ranks put it together.
 *
 * Worker k's vector v_k holds integers from -a to a that follow from (k, j) alone. With s = a levels and N = max |v| = a
 * every level is v_k(j) itself: nothing is rounded. A step from zero weights of size eta = K leaves
 *
 *     w_j = -sum_k v_k(j),      and i steps leave i times that.
 *
 * So every rank holds the right answer against integers that it makes itself, for any number of ranks and any size, and
 * every step of a timed run is held, not the last alone. Unquantized sums of such small integers are exact too, in
 * float32 and, to 256, in bfloat16.
 *
 * Where a collective rounds its sums once more (two-phase), v_k are such that sums, too, are integers from -a to a, with
 * an a in every slice.
 */
#ifndef FITRELU_BENCH_KNOWN_H
#define FITRELU_BENCH_KNOWN_H

#include "bench/rig.h"
#include "bench/row.h"

typedef struct bench_known {
    int64_t features;
    int workers;
    int most;    /* a */
    bool tame;   /* sums lie in -a..a */
} bench_known;

/* The vectors for an exchange of this plan. */
bench_known bench_known_of(const fr_plan *plan);

/* The most levels up to `most` of which none is lost where v / N s is computed in floating point. */
int bench_known_levels(int most);

int bench_known_value(const bench_known *known, int worker, int64_t j);  /* v_k(j) */
int64_t bench_known_sum(const bench_known *known, int64_t j);            /* sum_k v_k(j) */

/* values <- v_k of the engine's own workers. */
fr_status bench_known_fill(const bench_known *known, bench_rank *rank, fr_error *error);

/* Weights after so many steps against the sums: how many are wrong, and where the first one is; what it is found to be is
 * the sum of the last step, if all before were right. */
int64_t bench_known_check(const bench_known *known, const double *weights, int64_t steps, bench_place *place);

/* What rounding may leave of the integer that a weight is: one wrong level in one step is far more. */
double bench_known_allowed(double weight);

#endif
