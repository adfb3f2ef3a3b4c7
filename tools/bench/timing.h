/*
 * timing.h - how long a call takes on all ranks at once.
 *
 * Before the timed runs the ranks make some untimed ones, which load kernels, record graphs and fill caches. A timed run
 * begins when all ranks are there, makes the call so often that the clock and the wait at its end are small beside it,
 * and ends when its device is idle. Its time is the slowest rank's; the result is the median of all runs and their 99th
 * percentile (nearest rank).
 */
#ifndef FITRELU_BENCH_TIMING_H
#define FITRELU_BENCH_TIMING_H

#include "bench/rig.h"

typedef fr_status bench_call(void *user, bench_rank *rank, fr_error *error);

typedef struct bench_times {
    double median, p99;   /* seconds of one call on the slowest rank */
    double wire;          /* seconds that the exchange took of it: median of the rank that waited least */
    int runs;             /* timed */
    int slowest;          /* the rank whose own median is the largest; of calls that exchange, the one that waited least */
} bench_times;

/* All ranks, which all get the same. */
fr_status bench_time(bench_rank *rank, const bench_settings *settings, bench_call *call, void *user, bench_times *times,
                     fr_error *error);

/* Of `count` values, which are sorted. percent 50: the median (mean of the middle two), else the nearest rank. */
double bench_percentile(double *values, int count, double percent);

#endif
