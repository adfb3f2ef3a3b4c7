/*
 * engine.h - the compute seam: one object per device, holding one or more of the K workers and their rows.
 *
 * The loop (fit/fit.c) and the collectives (exchange/collectives.h) know only this table. Every call enqueues work on
 * the engine's own stream (the CPU engine does it at once); only survey, load, store and probe wait and read back.
 * Buffers (engine/buffers.h) are in the engine's memory and are handed to exchange/comm.h as they are.
 *
 * Order of summation. A worker's rows are cut into lanes by count alone; each lane sums its rows in order, lanes are
 * added in order, workers are added in order. So results do not depend on threads, devices or ranks.
 */
#ifndef FR_ENGINE_H
#define FR_ENGINE_H

#include "engine/buffers.h"
#include "kernels/rules/pass.h"
#include "kernels/rules/update.h"

typedef struct fr_engine fr_engine;

typedef struct fr_engine_config {
    const fr_plan *plan;
    const fr_dataset *data;         /* rows of at least this engine's workers, or a planted recipe */
    int first_worker, worker_count; /* of the plan's workers */
    int threads;                    /* CPU */
    int device;                     /* GPU, or -1 */
    double timeout;                 /* GPU: seconds of silence that are too long, 0: never; with other ranks, theirs counts */
    bool plain_steps;               /* GPU: steps are not recorded as CUDA graphs */
} fr_engine_config;

/* Where a search over several starts stands (fit/search.c). */
enum { FR_MOST_RUNS = 33 };
typedef struct fr_search {
    int64_t steps_before;         /* steps of the runs before this one */
    double start_loss;            /* of this run's start */
    double best_loss;             /* the lowest that was measured so far, */
    double losses[FR_MOST_RUNS];  /* and what each run before this one came to */
    double lowest;                /* of these, and how that run ended */
    fr_outcome outcome;
    int64_t converged_at;         /* at which of its steps the loss no longer fell; 0: it did to the end */
    double halved_loss;           /* of this run, when eta was last halved */
} fr_search;

/* The replicated state of a fit: all that a checkpoint holds beside the description of the run. */
typedef struct fr_state {
    int64_t step;     /* steps done */
    int run;          /* of the ensemble or the search; part of every draw's key */
    double *weights;  /* d */
    double *average;  /* d: mean of the iterates since average_start; while a run settles, v of its momentum */
    int64_t averaged; /* how many */
    double step_factor; /* of the full batches that settle a run: eta is this times plan->settle_eta */
    double seen_loss;   /* the loss that the stopping rule saw last; NaN: none yet */
    bool settled;       /* the stopping rule has ended this run */
    double *best;       /* d: data of one's own: the iterate with search.best_loss; else NULL */
    fr_search search;
} fr_state;

/* Whether step `step` takes every row once instead of drawn ones. */
static inline bool fr_is_full_step(const fr_plan *plan, int64_t step) {
    return plan->draws == 0 || (plan->settles && step >= plan->settle_from);
}

/* The first step whose iterate counts in the average of the tail, for a run that goes on from `step`: only drawn rows make
 * iterates that hover. */
static inline int64_t fr_average_from(const fr_plan *plan, int64_t step) {
    return plan->settles && step >= plan->settle_from ? INT64_MAX : plan->average_start;
}

/* Momentum of full batches that settle a run, Nesterov's: from w, where gradients are taken, to v' = w - eta g and on to
 * v' + b (v' - v). Directions in which few rows are active need a fraction of the passes, and the iterates do not stop at
 * every kink of the loss. v takes the place of the average, which such a run does not need. */
static inline double fr_momentum_from(const fr_plan *plan, int64_t step) {
    return plan->settles && step >= plan->settle_from ? FR_SETTLE_MOMENTUM : 0;
}

/* The step sizes of a run that goes on from `state`: those of the plan, or of its full batches. */
static inline fr_step_plan fr_steps_from(const fr_plan *plan, const fr_state *state) {
    if (!plan->settles || state->step < plan->settle_from) return plan->steps;
    return (fr_step_plan){.eta = plan->settle_eta * state->step_factor, .steps = plan->iterations, .decays = 0};
}

typedef struct fr_engine_ops {
    const char *name; /* "cpu", "cuda" */
    int probe_every;  /* steps between two looks that cost a read-back */
    void (*destroy)(fr_engine *engine);

    /* sum_i c_i x_i over all rows of each own worker at `weights` (d), into sums (worker_count x d, or NULL), and the
     * scalars of each. Waits. */
    fr_status (*survey)(fr_engine *engine, fr_pass pass, const double *weights, double *sums, fr_row_sums *scalars,
                        fr_error *error);
    /* The state from here on; step sizes, and whether steps draw rows (fr_is_full_step), hold until the next load. */
    fr_status (*load)(fr_engine *engine, const fr_state *state, fr_error *error);
    fr_status (*store)(fr_engine *engine, fr_state *state, fr_error *error); /* waits */
    /* residuals[k] <- sum (max(0, p) - y)^2 over the rows of own worker k in the last gradient, before the step. Waits. */
    fr_status (*probe)(fr_engine *engine, double *residuals, fr_error *error);

    fr_status (*gradient)(fr_engine *engine, fr_error *error);   /* values <- v_k of the drawn rows, (2.1) */
    fr_status (*norm)(fr_engine *engine, fr_error *error);       /* scales <- N_k, shared_scale <- max_k N_k */
    /* levels <- Q_s of values, by the shared scale or by each worker's own */
    fr_status (*encode)(fr_engine *engine, bool shared, fr_error *error);
    fr_status (*total)(fr_engine *engine, fr_error *error);      /* total_* <- sum over own */
    fr_status (*pack)(fr_engine *engine, fr_error *error);       /* outgoing <- levels or values by slices */
    fr_status (*requantize)(fr_engine *engine, fr_error *error); /* own_slice or own_values <- sums of incoming */
    /* total_bf16 <- total_values. NULL where no plan asks for it: bfloat16 travels between GPUs alone. */
    fr_status (*round_to_bf16)(fr_engine *engine, fr_error *error);
    /* Optional: incoming holds `count` vectors of levels over the columns of the slices of `slices` workers from
     * `first` on; levels and scales of these slices <- their sums, rounded. */
    fr_status (*requantize_slices)(fr_engine *engine, int first, int slices, const int8_t *incoming, int count,
                                   int8_t *levels, void *scales, fr_error *error);
    /* w <- w - eta_t g, g what `update` decodes; from average_start on the average follows w; t <- t + 1. */
    fr_status (*apply)(fr_engine *engine, fr_update update, fr_error *error);

    /* Optional, both or neither: a step recorded once and replayed. After begin, *replayed says that the whole step,
     * exchange included, is enqueued already; otherwise its calls follow, and end. Where *again is true, they were
     * recorded in vain and have to be made once more. timed: somebody looks after this step, which the exchanges' times are
     * for; the same on all ranks. */
    fr_status (*step_begin)(fr_engine *engine, bool timed, bool *replayed, fr_error *error);
    fr_status (*step_end)(fr_engine *engine, bool *again, fr_error *error);
} fr_engine_ops;

struct fr_engine {
    const fr_engine_ops *ops;
    fr_engine_config config;
    fr_buffers buffers;
    fr_memory memory; /* all that the engine took of its device, the buffers too */
};

/* The workers, rows and columns of its slices that an engine holds, among all. */
static inline fr_range fr_engine_workers(const fr_engine *engine) {
    return (fr_range){engine->config.first_worker, engine->config.worker_count};
}
static inline fr_range fr_engine_rows(const fr_engine *engine) {
    return fr_rows_of_workers(engine->config.plan, fr_engine_workers(engine));
}
static inline fr_range fr_engine_slice(const fr_engine *engine) {
    return fr_slice_of_workers(engine->config.plan, fr_engine_workers(engine));
}

fr_status fr_engine_cpu_create(const fr_engine_config *config, fr_engine **engine, fr_error *error);
static inline void fr_engine_free(fr_engine *engine) {
    if (engine) engine->ops->destroy(engine);
}

#endif
