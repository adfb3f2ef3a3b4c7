/*
 * timing.c - see timing.h.
 */
#include "bench/timing.h"

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"

/* Runs: as many as asked for, or as fit into about so many seconds. A run shorter than RUN_SECONDS makes several calls. */
enum { RUNS_MOST = 50, RUNS_LEAST = 5, WARMUPS = 5, CALLS_MOST = 1000 };
static const double RUN_SECONDS = 200e-6, SHORT_SECONDS = 0.15, LONG_SECONDS = 1;

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_percentile(double *values, int count, double percent) {
    if (count == 0) return NAN;
    qsort(values, (size_t)count, sizeof *values, ascending);
    if (percent == 50) return (values[(count - 1) / 2] + values[count / 2]) / 2;
    int rank = (int)ceil(percent / 100 * count);
    return values[rank < 1 ? 0 : rank - 1];
}

/* How the ranks agreed to measure. */
typedef struct pace {
    int runs, calls;
} pace;

/* Seconds of one run of so many calls; *wire of its exchanges. All ranks begin together. */
static fr_status time_run(bench_rank *rank, bench_call *call, void *user, int calls, double *seconds, double *wire,
                          fr_error *error) {
    FR_OWNED char *here = NULL;
    char mine = 1;
    FR_TRY(fr_allocate((void **)&here, rank->ranks, 1, "the ranks' meeting", error));
    if (rank->ranks > 1) FR_TRY(rank->comm->ops->gather_host(rank->comm, &mine, 1, here, error));
    double waited = rank->comm->seconds, began = fr_seconds();
    for (int i = 0; i < calls; i++) {
        rank->looked_at = i == calls - 1;
        FR_TRY(call(user, rank, error));
    }
    FR_TRY(bench_wait(rank, error));
    *seconds = (fr_seconds() - began) / calls;
    *wire = (rank->comm->seconds - waited) / calls;
    return FR_OK;
}

/* Untimed runs; the fastest of the last ones, on the slowest rank, says how to go on. */
static fr_status warm_up(bench_rank *rank, const bench_settings *settings, bench_call *call, void *user, pace *how,
                         fr_error *error) {
    int runs = settings->warmup >= 0 ? settings->warmup : WARMUPS;
    double seconds, wire, least = INFINITY, budget = settings->all ? SHORT_SECONDS : LONG_SECONDS;
    FR_OWNED double *all = NULL;
    FR_TRY(fr_allocate((void **)&all, rank->ranks, sizeof *all, "the ranks' times", error));
    for (int i = 0; i < runs + 1; i++) { /* one more than asked for, which tells the pace */
        FR_TRY(time_run(rank, call, user, 1, &seconds, &wire, error));
        least = fmin(least, seconds);
    }
    FR_TRY(rank->comm->ops->gather_host(rank->comm, &least, sizeof least, all, error));
    for (int r = 0; r < rank->ranks; r++) least = fmax(least, all[r]);
    how->calls = (int)fmax(1, fmin(CALLS_MOST, ceil(RUN_SECONDS / fmax(least, 1e-9))));
    how->runs = (int)fmax(RUNS_LEAST, fmin(RUNS_MOST, budget / (least * how->calls)));
    if (settings->iterations > 0) how->runs = settings->iterations;
    return FR_OK;
}

/* From all ranks' seconds (runs of rank 0, then of rank 1, ..) and what they waited. */
static void conclude(double *seconds, double *waits, int ranks, int runs, bool exchanges, double *run, bench_times *times) {
    double most = -1, least = INFINITY;
    times->runs = runs;
    for (int i = 0; i < runs; i++) {
        run[i] = 0;
        for (int r = 0; r < ranks; r++) run[i] = fmax(run[i], seconds[r * runs + i]);
    }
    times->p99 = bench_percentile(run, runs, 99);
    times->median = bench_percentile(run, runs, 50);
    for (int r = 0; r < ranks; r++) {
        double own = bench_percentile(seconds + r * runs, runs, 50), waited = bench_percentile(waits + r * runs, runs, 50);
        if (exchanges ? waited < least : own > most) times->slowest = r;
        most = fmax(most, own), least = fmin(least, waited);
    }
    times->wire = least;
}

fr_status bench_time(bench_rank *rank, const bench_settings *settings, bench_call *call, void *user, bench_times *times,
                     fr_error *error) {
    pace how = {0};
    FR_OWNED double *mine = NULL, *all = NULL, *run = NULL, *waits = NULL;
    *times = (bench_times){0};
    FR_TRY(warm_up(rank, settings, call, user, &how, error));
    FR_TRY(fr_allocate((void **)&mine, 2 * how.runs, sizeof *mine, "times", error));
    FR_TRY(fr_allocate((void **)&run, how.runs, sizeof *run, "times", error));
    FR_TRY(fr_allocate((void **)&all, (int64_t)rank->ranks * how.runs, sizeof *all, "the ranks' times", error));
    FR_TRY(fr_allocate((void **)&waits, (int64_t)rank->ranks * how.runs, sizeof *waits, "the ranks' times", error));
    for (int i = 0; i < how.runs; i++)
        FR_TRY(time_run(rank, call, user, how.calls, &mine[i], &mine[how.runs + i], error));
    size_t bytes = (size_t)how.runs * sizeof *mine;
    FR_TRY(rank->comm->ops->gather_host(rank->comm, mine, bytes, all, error));
    FR_TRY(rank->comm->ops->gather_host(rank->comm, mine + how.runs, bytes, waits, error));
    double waited = 0;
    for (int i = 0; i < rank->ranks * how.runs; i++) waited += waits[i];
    conclude(all, waits, rank->ranks, how.runs, waited > 0, run, times);
    return FR_OK;
}
