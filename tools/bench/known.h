/*
 * known.h - vectors whose sum is known to the last bit, however many ranks put it together.
 *
 * Worker k's vector is K x_k, where x_k holds integers from -a to a that follow from (k, j) alone. With s = a levels and
 * N = max |K x| = K a every level is x_k(j) itself: nothing is rounded. A step of size 1 from zero weights leaves
 *
 *     w_j = -sum_k x_k(j),      and i steps leave i times that,
 *
 * since whatever the mean over workers divides by K is divisible by K. All of this is exact in floating point, so that a
 * level that is wrong anywhere shows, and any bit of an unquantized sum that is not below the last one of the weights: every
 * rank holds its weights against integers that it makes itself, for any number of
 * ranks and any size, and every step of a timed run is held, not the last alone. Unquantized sums are exact too, as a is so
 * small that K times a sum of K such integers has no more digits than the format that travels.
 *
 * Where a collective rounds its sums once more (two-phase), x_k are such that sums, too, are integers from -a to a, with
 * an a in every slice. Where even a = 1 is too much for the format, one worker a coordinate has a number and the others 0.
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
    bool sparse; /* one worker a coordinate has a number */
} bench_known;

/* The vectors for an exchange of this plan. */
bench_known bench_known_of(const fr_plan *plan);

/* The most levels up to `most` of which none is lost where v / N s is computed in floating point. */
int bench_known_levels(int most);

int bench_known_value(const bench_known *known, int worker, int64_t j);  /* x_k(j) */
int64_t bench_known_sum(const bench_known *known, int64_t j);            /* sum_k x_k(j) */

/* values <- K x_k of the engine's own workers. */
fr_status bench_known_fill(const bench_known *known, bench_rank *rank, fr_error *error);

/* Weights after so many steps against the sums: how many are wrong, and where the first one is; what it is found to be is
 * the sum of the last step, if all before were right. */
int64_t bench_known_check(const bench_known *known, const double *weights, int64_t steps, bench_place *place);

#endif
