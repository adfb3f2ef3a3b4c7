/*
 * reference.h - the same work on one thread of a CPU: what results are held against, and what times are shown beside.
 */
#ifndef FITRELU_BENCH_REFERENCE_H
#define FITRELU_BENCH_REFERENCE_H

#include "bench/bench.h"
#include "bench/rig.h"

/* How far `found` is from `expected`, count numbers of the plan's precision each. */
typedef struct bench_distance {
    double error;         /* ||found - expected|| / ||expected||; 0 only where all bits are equal */
    int64_t wrong;        /* elements that are further off than `allowed` of the largest expected */
    bench_place place;
} bench_distance;
bench_distance bench_distance_of(const void *found, const void *expected, int64_t count, fr_precision precision,
                                 double allowed);

/* What two sums of the same numbers in another order, or rows kept as bfloat16, may differ by. */
double bench_allowed(fr_precision precision, fr_storage storage);

/* An engine of one thread for the rank's own workers, on its plan and rows. */
fr_status bench_reference_create(const bench_rank *rank, fr_engine **engine, fr_error *error);

/* Bandwidth of this place, measured once: a row, and results->bandwidth. All processes. */
fr_status bench_bandwidth(bench_results *results, fr_error *error);

/* Bytes that measurements should go through, so that caches hold little of it: four times the last one, as far as they
 * say what they have, from 64 MB to 512 MB; in the short version a quarter GB at most. With --samples as many rows of
 * 1000 columns. */
int64_t bench_working_set(const bench_settings *settings);
/* Bytes of the last cache, as the system says it; 0: it does not. */
int64_t bench_cache(void);

#endif
