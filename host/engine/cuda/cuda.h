/*
 * cuda.h - the CUDA engine, for those who put engines together (solver/place.c, exchange/nccl.c). No CUDA type here.
 */
#ifndef FR_ENGINE_CUDA_H
#define FR_ENGINE_CUDA_H

#include "engine/engine.h"

/* How many GPUs this machine offers. No driver or no GPU is a failure that says so. */
fr_status fr_cuda_count(int *devices, fr_error *error);

/* A name of device number `device` that no other GPU has, whatever it is called elsewhere: 16 bytes. */
fr_status fr_cuda_identify(int device, unsigned char id[16], fr_error *error);

/* "2 (NVIDIA H100, 80.0 GB; ...)", or "none (why)", for reports of what a machine has. */
void fr_cuda_describe(char *text, size_t size);

/* The version of cuBLAS and its file, or "none" and why, for such reports. */
void fr_cublas_describe(char *text, size_t size);

/* config->device names the GPU. A planted data set without rows is generated on the device. */
fr_status fr_engine_cuda_create(const fr_engine_config *config, fr_engine **engine, fr_error *error);

/* The engine's cudaStream_t, on which an exchange enqueues. */
void *fr_engine_cuda_stream(fr_engine *engine);

/* Drops the recorded step, if any: a communicator cannot end while a graph still holds its exchanges. */
void fr_engine_cuda_forget(fr_engine *engine);

/* True between the beginning and the end of a step that is being recorded: what is enqueued then runs later. */
bool fr_engine_cuda_is_recording(const fr_engine *engine);

/* Around each exchange of a step: events on the device, inside a recorded step too. Nothing waits. */
fr_status fr_engine_cuda_exchange_begins(fr_engine *engine, fr_error *error);
fr_status fr_engine_cuda_exchange_ends(fr_engine *engine, fr_error *error);

/* When the stream has nothing left to do: seconds that the exchanges took since the last call. The times are those of
 * the latest step; it counts for all steps since then, which did the same. */
double fr_engine_cuda_exchange_seconds(fr_engine *engine);

/* With other ranks on the wire. Members may be NULL. */
typedef struct fr_cuda_ranks {
    void *user;
    /* Makes every blocking call of the engine wait here and not in cudaStreamSynchronize: a wait must notice that a rank
     * is gone. */
    fr_status (*wait)(void *user, int64_t step, fr_error *error);
    /* *all <- whether every rank says yes. Called by all at the same points: whether a step is recorded and replayed is
     * for all ranks or for none. */
    fr_status (*agree)(void *user, bool yes, bool *all, fr_error *error);
} fr_cuda_ranks;
void fr_engine_cuda_join(fr_engine *engine, fr_cuda_ranks ranks); /* all NULL: alone again */

#endif
