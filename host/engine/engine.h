/*
 * engine.h - the compute seam: one object per device, holding one or more of the K workers and their rows.
 *
 * The loop (fit/fit.c) and the collectives (exchange/collectives.h) know only this table. Every call enqueues work on
 * the engine's own stream of work (the CPU engine does it at once); only survey, store and probe wait and read back.
 * Buffers are in the engine's memory and are handed to exchange/comm.h as they are. "real" is float or double by the
 * plan's precision.
 *
 * Order of summation. A worker's rows are cut into lanes by count alone; each lane sums its rows in order, lanes are
 * added in order, workers are added in order. So results do not depend on threads, devices or ranks.
 */
#ifndef FR_ENGINE_H
#define FR_ENGINE_H

#include "simd/kernels.h"
#include "plan/plan.h"

typedef struct fr_engine fr_engine;

typedef struct fr_engine_config {
    const fr_plan *plan;
    const fr_dataset *data;         /* rows of at least this engine's workers, or a planted recipe */
    int first_worker, worker_count; /* of the plan's workers */
    int threads;                    /* CPU */
    int device;                     /* GPU, or -1 */
} fr_engine_config;

/* The replicated state of a fit. */
typedef struct fr_state {
    int64_t step;     /* steps done */
    int run;          /* of the ensemble; part of every draw's key */
    double *weights;  /* d */
    double *average;  /* d: mean of the iterates since average_start */
    int64_t averaged; /* how many */
} fr_state;

typedef struct fr_probe {
    double batch_loss; /* mean squared residual of the last drawn rows of this engine, before the step */
} fr_probe;

/* What a step has to decode. */
typedef enum fr_update {
    FR_UPDATE_TOTAL_VALUES, /* total_values: sum over workers */
    FR_UPDATE_TOTAL_BF16,   /* total_bf16, the same */
    FR_UPDATE_TOTAL_LEVELS, /* total_levels with the shared scale */
    FR_UPDATE_ALL_VALUES,   /* all_values: each worker's own vector */
    FR_UPDATE_ALL_LEVELS,   /* all_levels with each worker's own scale */
    FR_UPDATE_SLICE_LEVELS, /* slice_levels with a scale a slice, over the shared scale */
    FR_UPDATE_MODEL         /* the new model lies in `model` already */
} fr_update;

/* Owned by the engine; several names may share one buffer where nothing needs to move. */
typedef struct fr_buffers {
    void *values;            /* worker_count x d real: partial gradients v_k */
    void *scales;            /* worker_count real: N_k */
    void *shared_scale;      /* 1 real */
    int8_t *levels;          /* worker_count x d */
    void *total_values;      /* d real */
    void *total_bf16;        /* d fr_bf16, with FR_WIRE_BF16 */
    int8_t *total_levels;    /* d */
    void *all_values;        /* K x d real */
    int8_t *all_levels;      /* K x d */
    void *all_scales;        /* K real */
    void *outgoing;          /* two-phase: for each rank, worker_count x its columns (int8 or real) */
    void *incoming;          /* two-phase: K x own columns (int8 or real) */
    void *own_values;        /* own columns real, summed over all workers */
    int8_t *own_slice;       /* own columns, requantized */
    void *own_slice_scales;  /* worker_count real */
    int8_t *slice_levels;    /* d */
    void *slice_scales;      /* K real */
    double *model;           /* d: the weights, where the master's may be received; host memory, or NULL */
} fr_buffers;

typedef struct fr_engine_ops {
    const char *name; /* "cpu", "cuda" */
    int probe_every;  /* steps between two looks that cost a read-back */
    void (*destroy)(fr_engine *engine);

    /* sum_i c_i x_i over all rows of each own worker at `weights` (d), into sums (worker_count x d, or NULL), and the
     * scalars a worker. Blocks. */
    fr_status (*survey)(fr_engine *engine, fr_pass pass, const double *weights, double *sums, fr_row_sums *scalars,
                        fr_error *error);
    fr_status (*load)(fr_engine *engine, const fr_state *state, fr_error *error);
    fr_status (*store)(fr_engine *engine, fr_state *state, fr_error *error); /* blocks */
    fr_status (*probe)(fr_engine *engine, fr_probe *probe, fr_error *error); /* blocks */

    fr_status (*gradient)(fr_engine *engine, fr_error *error);  /* values <- v_k of the drawn rows, (2.1) */
    fr_status (*norm)(fr_engine *engine, fr_error *error); /* scales <- N_k, shared_scale <- max_k N_k */
    fr_status (*encode)(fr_engine *engine, bool shared, fr_error *error); /* levels <- Q_s */
    fr_status (*total)(fr_engine *engine, fr_error *error);     /* total_levels or total_values <- sum over own */
    fr_status (*round_to_bf16)(fr_engine *engine, fr_error *error);    /* total_bf16 <- total_values; where the plan may ask */
    fr_status (*pack)(fr_engine *engine, fr_error *error);      /* outgoing <- levels or values by columns */
    fr_status (*requantize)(fr_engine *engine, fr_error *error); /* own_slice or own_values <- sums of incoming */
    /* Optional: parts holds `count` rows of levels, of the columns of the slices of `slices` workers from `first` on;
     * levels and scales of these slices <- their sums, rounded. */
    fr_status (*requantize_slices)(fr_engine *engine, int first, int slices, const int8_t *parts, int count,
                                   int8_t *levels, void *scales, fr_error *error);
    fr_status (*apply)(fr_engine *engine, fr_update update, fr_error *error); /* w <- w - eta_t (...), t <- t + 1 */

    /* Optional, both or neither: a step recorded once and replayed. After begin, *replayed says that the whole step,
     * exchange included, is enqueued already; otherwise its calls follow, and end. Where *again is true, they were
     * recorded in vain and have to be made once more. */
    fr_status (*step_begin)(fr_engine *engine, bool *replayed, fr_error *error);
    fr_status (*step_end)(fr_engine *engine, bool *again, fr_error *error);

    /* Optional: up to `steps` whole steps at once, for an engine that holds all workers; *done says how many were
     * enqueued. 0: none can be, and they are to be made one by one. The same weights either way, to the bit. */
    fr_status (*run_steps)(fr_engine *engine, int64_t steps, int64_t *done, fr_error *error);
} fr_engine_ops;

struct fr_engine {
    const fr_engine_ops *ops;
    fr_engine_config config;
    fr_buffers buffers;
};

fr_status fr_engine_cpu_create(const fr_engine_config *config, fr_engine **engine, fr_error *error);
static inline void fr_engine_free(fr_engine *engine) {
    if (engine) engine->ops->destroy(engine);
}

#endif
