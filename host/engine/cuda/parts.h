/*
 * parts.h - the CUDA engine from inside: its state, and what its files offer each other. For these four alone.
 *
 *   engine/cuda/memory.c  what it owns, how rows get there, copies between host and device
 *   engine/cuda/replay.c  recorded steps, times of exchanges
 *   engine/cuda/step.c    the calls of a step, each a kernel enqueued
 *   engine/cuda/engine.c  the object: survey, state, create and destroy
 */
#ifndef FR_ENGINE_CUDA_PARTS_H
#define FR_ENGINE_CUDA_PARTS_H

#include "engine/cuda/cuda.h"
#include "engine/cuda/status.h"
#include "kernels/kernels.h"

enum { MOST_EXCHANGES = 8 };

/* When the exchanges of the step under way began and ended, on the device. */
typedef struct fr_exchange_clock {
    cudaEvent_t begin[MOST_EXCHANGES], end[MOST_EXCHANGES];
    int made;         /* pairs of events that exist */
    int count;        /* exchanges of the step so far */
    int64_t measured; /* steps accounted for */
} fr_exchange_clock;

typedef struct cuda_engine {
    fr_engine base;
    int device;
    fr_shard shard;
    size_t real; /* bytes */
    cudaStream_t stream;
    int64_t step; /* steps enqueued, for error lines */
    fr_step_plan steps; /* since load, */
    int64_t average_from; /* as well, */
    double momentum;      /* and this */
    fr_device_state *state;
    double *weights, *average;
    void *weights_real;   /* the same as real; weights itself in double */
    void *survey_weights; /* stride real */
    void *lane_sums;
    fr_row_sums *lane_scalars, *survey_scalars;
    double *sums; /* of a survey, workers x d */
    fr_row_sums *host_scalars;
    int32_t *slice_sums; /* two-phase */
    uint64_t *statistics;
    uint32_t *norms_arrived; /* fr_norms, */
    void *norm_bits;
    bool has_norms;          /* the last gradient left its norms */
    fr_cuda_ranks ranks;     /* what other ranks want to know, or nothing */
    cudaGraphExec_t graphs[2]; /* a step, once recorded: without and with the times of its exchanges */
    bool recording, records; /* between begin and end of a recorded step; whether steps are to be recorded */
    bool timed, plain;       /* of the step under way; no step of this run is recorded any more */
    bool lost;               /* the device does not answer: nothing of it is touched any more */
    int plain_steps;         /* since load */
    fr_exchange_clock clock;
} cuda_engine;

static inline cuda_engine *cuda_of(fr_engine *engine) { return (cuda_engine *)engine; }

/* Leaves the calling function where a CUDA call fails. */
#define FR_CUDA(call, what)                                                                            \
    do {                                                                                               \
        cudaError_t cuda_code = (call);                                                                \
        if (cuda_code != cudaSuccess) return fr_cuda_fail(error, cuda_code, e->device, e->step, what); \
    } while (0)

/* Below, each file's functions. A file calls those of files that stand above it here, and none calls engine.c. */

/* engine/cuda/memory.c */

/* Until the stream has done everything. */
fr_status fr_cuda_memory_wait(cuda_engine *e, const char *what, fr_error *error);
/* From device to host, after everything that is enqueued; and from host to device. Both wait until the copy is made. */
fr_status fr_cuda_memory_fetch(cuda_engine *e, void *host, const void *from, size_t bytes, const char *what,
                               fr_error *error);
fr_status fr_cuda_memory_send(cuda_engine *e, void *to, const void *host, size_t bytes, const char *what,
                              fr_error *error);
/* Chooses the device, makes the stream, allocates and fills; shard, device and real are set. On failure what was made
 * is for fr_cuda_memory_release, which takes anything half made and needs the device to be chosen. */
fr_status fr_cuda_memory_make(cuda_engine *e, fr_error *error);
void fr_cuda_memory_release(cuda_engine *e);

/* engine/cuda/replay.c */

/* step_begin and step_end of the engine. */
fr_status fr_cuda_replay_begin(fr_engine *engine, bool timed, bool *replayed, fr_error *error);
fr_status fr_cuda_replay_end(fr_engine *engine, bool *again, fr_error *error);
void fr_cuda_replay_forget(cuda_engine *e);  /* the recorded step, if any */
void fr_cuda_replay_release(cuda_engine *e); /* that, and the events of the exchange clock */

/* engine/cuda/step.c: the calls of a step, as engine/engine.h has them. */
/* Has the kernels of steps and surveys loaded: a kernel that is loaded by its launch waits for the device, on which an
 * exchange may wait for another rank that waits for this one. */
fr_status fr_cuda_step_load_kernels(cuda_engine *e, fr_error *error);
fr_status fr_cuda_step_gradient(fr_engine *engine, fr_error *error);
fr_status fr_cuda_step_norm(fr_engine *engine, fr_error *error);
fr_status fr_cuda_step_encode(fr_engine *engine, bool shared, fr_error *error);
fr_status fr_cuda_step_total(fr_engine *engine, fr_error *error);
fr_status fr_cuda_step_round_to_bf16(fr_engine *engine, fr_error *error);
fr_status fr_cuda_step_pack(fr_engine *engine, fr_error *error);
fr_status fr_cuda_step_requantize(fr_engine *engine, fr_error *error);
fr_status fr_cuda_step_apply(fr_engine *engine, fr_update update, fr_error *error);

#endif
