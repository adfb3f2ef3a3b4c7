/*
 * parts.h - the CPU engine from inside: its state, for the files that make it up.
 *
 *   engine/cpu/engine.c        the object: buffers, state, decode and apply
 *   engine/cpu/rows.c   passes over rows: gradient, survey
 *   engine/cpu/idle.c   which rows a gradient need not read
 *   engine/cpu/levels.c norms, levels, what goes to the exchange and comes from it
 *   engine/cpu/measure.c  buffers and rates for those who measure
 */
#ifndef FR_ENGINE_CPU_H
#define FR_ENGINE_CPU_H

#include "base/team.h"
#include "engine/engine.h"
#include "simd/kernels.h"

enum { APPLY_COLUMNS = 1024 }; /* columns of one item of work: 8 kB in double stay in a core's first cache */

typedef struct lane {
    int worker;    /* of this engine, from 0 */
    fr_range rows; /* among the worker's draws or rows */
} lane;

typedef struct lane_table {
    lane *lanes;
    int count;
    int *start; /* worker_count + 1: the first lane of each worker */
} lane_table;

typedef struct idle_sums {
    double moved, weights; /* sums of squares over a tile of columns */
} idle_sums;

/* See engine/cpu/idle.c. Rows are counted from the first of this engine. */
typedef struct idle_rows {
    bool on;
    double error;      /* of a product, relative to ||w|| ||x|| */
    double tiny;       /* and what it may lose below the range of real */
    double largest;    /* below it no partial sum of a product overflows */
    double way;        /* how far the weights moved so far, summed over steps */
    double length;     /* ||w|| or a little more */
    double lost;       /* what rounding takes off a margin */
    float *until;      /* a row: it is idle while way < until */
    float *norms;      /* a row: ||x|| or a little more; 0: not known */
    void *weights;     /* d real: at the last gradient */
    idle_sums *sums;   /* of each tile */
} idle_rows;

typedef struct cpu_engine {
    fr_engine base;
    const fr_cpu_kernels *kernels;
    size_t real; /* bytes */
    int threads;
    fr_team *team;
    int64_t step;
    int run;
    double *weights;
    void *weights_real; /* the same as real; weights itself in double */
    double *average;
    int64_t averaged;
    bool draws;         /* steps draw rows; else they take each once */
    fr_step_plan steps;
    int64_t average_from;
    double momentum;
    lane_table drawn, full;
    double *lane_sums;      /* one d-vector a lane */
    fr_row_sums *lane_scalars;
    int64_t *lane_reads;    /* rows that the last pass read, for tests */
    idle_rows idle;
    void *scratch;          /* one d-vector of real a thread */
} cpu_engine;

static inline cpu_engine *of(fr_engine *engine) { return (cpu_engine *)engine; }

/* Element `index` of a buffer of reals: its address, its value, and a new value for it. For code that is not hot. */
static inline void *at(const cpu_engine *e, void *buffer, int64_t index) {
    return (char *)buffer + (size_t)index * e->real;
}
static inline double get(const cpu_engine *e, const void *buffer, int64_t i) {
    return e->real == 4 ? (double)((const float *)buffer)[i] : ((const double *)buffer)[i];
}
static inline void put(const cpu_engine *e, void *buffer, int64_t i, double value) {
    if (e->real == 4) ((float *)buffer)[i] = (float)value;
    else ((double *)buffer)[i] = value;
}

/* The shard of worker k (from 0, of this engine) among all n rows. */
static inline fr_range shard_of(const cpu_engine *e, int worker) {
    return fr_rows_of_workers(e->base.config.plan, (fr_range){e->base.config.first_worker + worker, 1});
}

/* A vector of d as items of work: tiles of `most` columns each, the last one shorter. */
static inline int64_t tiles(const cpu_engine *e, int64_t most) {
    return (e->base.config.plan->features + most - 1) / most;
}
static inline fr_range tile_of(const cpu_engine *e, int64_t most, int64_t tile) {
    int64_t first = tile * most, left = e->base.config.plan->features - first;
    return (fr_range){first, left < most ? left : most};
}

/* engine/cpu/rows.c */
fr_status fr_cpu_cut_lanes(cpu_engine *e, bool drawn, lane_table *table, fr_error *error);
fr_status fr_cpu_survey(fr_engine *engine, fr_pass pass, const double *weights, double *sums, fr_row_sums *scalars,
                        fr_error *error);
fr_status fr_cpu_gradient(fr_engine *engine, fr_error *error);
fr_status fr_cpu_probe(fr_engine *engine, double *residuals, fr_error *error);

/* engine/cpu/idle.c */
fr_status fr_cpu_idle_create(cpu_engine *e, fr_error *error);
/* The weights of the next gradient, before it. */
void fr_cpu_idle_follow(cpu_engine *e);
/* A row's ||x||^2; its product with the weights of this gradient; whether this gradient can do without it. */
void fr_cpu_idle_norm(cpu_engine *e, int64_t row, double square);
void fr_cpu_idle_learn(cpu_engine *e, int64_t row, double product);
bool fr_cpu_idle_skips(const cpu_engine *e, int64_t row);

/* engine/cpu/levels.c */
fr_status fr_cpu_norm(fr_engine *engine, fr_error *error);
fr_status fr_cpu_encode(fr_engine *engine, bool shared, fr_error *error);
fr_status fr_cpu_total(fr_engine *engine, fr_error *error);
fr_status fr_cpu_pack(fr_engine *engine, fr_error *error);
fr_status fr_cpu_requantize(fr_engine *engine, fr_error *error);
fr_status fr_cpu_requantize_slices(fr_engine *engine, int first, int slices, const int8_t *incoming, int count,
                                   int8_t *levels, void *scales, fr_error *error);

/* engine/cpu/measure.c */
fr_status fr_cpu_read(fr_engine *engine, void *to, const void *buffer, size_t size, fr_error *error);
fr_status fr_cpu_write(fr_engine *engine, void *buffer, const void *from, size_t size, fr_error *error);
fr_status fr_cpu_stream(fr_engine *engine, size_t size, int times, double *seconds, fr_error *error);

#endif
