/*
 * settings.h - what fitrelu bench is asked for.
 */
#ifndef FITRELU_BENCH_SETTINGS_H
#define FITRELU_BENCH_SETTINGS_H

#include "fitrelu.h"

enum { BENCH_PLACES_MOST = 16 };

typedef struct bench_settings {
    bool all;                      /* every measurement, shortly; else */
    int what;                      /* this one of bench_measures (bench/bench.h) */
    int64_t from, to, step;        /* sizes in coordinates; 0: those of the measurement; step 0: by factor */
    double factor;
    int64_t samples;               /* rows of a rank; 0: more than caches hold */
    int iterations, warmup;        /* timed and untimed runs; 0 and -1: chosen */
    int checks;                    /* runs beside the timed ones whose result is checked, at least 1 */
    fr_precision precision;
    fr_device device;
    int gpus[BENCH_PLACES_MOST];   /* numbers of GPUs of each process, the measurements are made on the last; or 0 of them */
    int gpus_count;
    int threads;                   /* of each process on CPUs */
    double timeout;
    double min_busbw, max_time;    /* GB/s and microseconds that --min-busbw and --max-time ask for; 0: nothing */
    double soak;                   /* seconds; 0: no soak */
    bool speaks;                   /* this process tells on stderr how far it is */
    fr_world *world;
} bench_settings;

/* The sizes that a measurement goes through: those of the settings, or its own; next is false at the end. */
typedef struct bench_sizes {
    int64_t at, from, to, step; /* at: 0 before the first */
    double factor;
} bench_sizes;
bench_sizes bench_sizes_of(const bench_settings *settings, int64_t from, int64_t to, double factor);
bool bench_sizes_next(bench_sizes *sizes);

/* GPUs of each process that is measured on, 0: CPUs; and threads of each process. */
int bench_gpus(const bench_settings *settings);
int bench_threads(const bench_settings *settings);

#endif
