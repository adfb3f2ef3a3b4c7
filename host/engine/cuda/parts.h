/*
 * parts.h - what the files of the CUDA engine share: engine/cuda/engine.c (survey, state, the calls of a step),
 * engine/cuda/memory.c (what it owns, and how rows get there), engine/cuda/replay.c (recorded steps, times of exchanges,
 * many steps in one launch). For these three alone.
 */
#ifndef FR_ENGINE_CUDA_PARTS_H
#define FR_ENGINE_CUDA_PARTS_H

#include "engine/cuda/status.h"
#include "engine/cuda/cuda.h"
#include "kernels/kernels.h"

enum { MOST_BUFFERS = 40, MOST_EXCHANGES = 8 };

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
    int64_t average_from; /* as well */
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
    fr_cuda_ranks ranks;     /* what other ranks want to know, or nothing */
    cudaGraphExec_t graph;   /* a step, once recorded */
    bool recording, records; /* between begin and end of a recorded step; whether steps are to be recorded */
    int plain_steps;         /* since load */
    fr_exchange_clock clock;
    bool many;                 /* many steps in one launch, fr_launch_steps */
    void *owned[MOST_BUFFERS]; /* all device memory */
    int owned_count;
} cuda_engine;

static inline cuda_engine *cuda_of(fr_engine *engine) { return (cuda_engine *)engine; }

/* Leaves the calling function where a CUDA call fails. */
#define FR_CUDA(call, what)                                                                            \
    do {                                                                                               \
        cudaError_t cuda_code = (call);                                                                \
        if (cuda_code != cudaSuccess) return fr_cuda_fail(error, cuda_code, e->device, e->step, what); \
    } while (0)

/* engine/cuda/engine.c: until the stream has done everything; from device to host; from host to device. All block. */
fr_status fr_cuda_engine_wait(cuda_engine *e, const char *what, fr_error *error);
fr_status fr_cuda_engine_fetch(cuda_engine *e, void *host, const void *from, size_t bytes, const char *what,
                               fr_error *error);
fr_status fr_cuda_engine_send(cuda_engine *e, void *to, const void *host, size_t bytes, const char *what,
                              fr_error *error);
/* What `update` decodes, as fr_launch_apply takes it. */
fr_application fr_cuda_engine_application(const cuda_engine *e, fr_update update);

/* engine/cuda/memory.c: chooses the device, allocates and fills; shard, device and real are set. On failure what was
 * made is for fr_cuda_engine_release, which takes anything half made. */
fr_status fr_cuda_engine_make(cuda_engine *e, fr_error *error);
void fr_cuda_engine_release(cuda_engine *e);
/* The columns of the slices that this device's workers own. */
int64_t fr_cuda_engine_columns(const cuda_engine *e);

/* engine/cuda/replay.c: step_begin, step_end and run_steps of the engine. */
fr_status fr_cuda_engine_begin(fr_engine *engine, bool *replayed, fr_error *error);
fr_status fr_cuda_engine_end(fr_engine *engine, bool *again, fr_error *error);
fr_status fr_cuda_engine_run(fr_engine *engine, int64_t steps, int64_t *done, fr_error *error);
void fr_cuda_engine_forget(cuda_engine *e); /* the recorded step, if any */

#endif
