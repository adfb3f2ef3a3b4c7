/*
 * bench.h - what fitrelu bench measures, and what it found.
 *
 *     settings -> bench/suite.c (which) -> a file a measurement -> rows -> bench/table.c, bench/json.c, bench/prometheus.c
 *
 * A measurement is written once, over engine/engine.h and exchange/comm.h, and runs alike on the threads of one process,
 * on the ranks of mpirun and on GPUs (bench/rig.h). It times what a fit does (bench/timing.h), checks what came of it
 * (bench/known.h, or the same work on one thread of a CPU), and adds rows.
 *
 * Every process of a world comes to the same rows, since all ranks' times are gathered; the first one speaks.
 */
#ifndef FITRELU_BENCH_H
#define FITRELU_BENCH_H

#include "bench/conditions.h"
#include "bench/row.h"
#include "bench/settings.h"

typedef struct bench_results bench_results;
struct bench_results {
    bench_settings settings;
    bench_conditions conditions;
    bench_row *rows;
    int count, room;
    double bandwidth;             /* bytes a second that a rank reads, of all ranks at once the least; 0: not measured */
    int64_t rounds;               /* of a soak: those that were made to the end, and one more */
    double seconds;               /* that all took */
    void (*tell)(const bench_results *results, const bench_row *row); /* called for each new row, or NULL */
};

/* Adds a row, and tells of it. */
fr_status bench_add(bench_results *results, const bench_row *row, fr_error *error);
void bench_results_free(bench_results *results);

/* The measurements, in the order in which `all` makes them. */
typedef struct bench_measure {
    const char *name;
    const char *says; /* what a row of it is, for the table */
    fr_status (*run)(bench_results *results, fr_error *error);
} bench_measure;
extern const bench_measure bench_measures[];
extern const int bench_measure_count;

fr_status bench_gradient(bench_results *results, fr_error *error);
fr_status bench_encode(bench_results *results, fr_error *error);
fr_status bench_decode(bench_results *results, fr_error *error);
fr_status bench_exchange(bench_results *results, fr_error *error);
fr_status bench_step(bench_results *results, fr_error *error);

/* Exchanges over all sizes and steps, each held to known bits, for settings.soak seconds or until a signal comes. */
fr_status bench_soak(bench_results *results, fr_error *error);

/* All of what the settings ask for. */
fr_status bench_run(bench_results *results, fr_error *error);

/* The row that misses what was asked for by most, or NULL: longer than --max-time, or, the best of its collective, below
 * --min-busbw. And the first with a wrong element, or NULL. */
const bench_row *bench_slowest(const bench_results *results);
const bench_row *bench_wrong(const bench_results *results);

#endif
