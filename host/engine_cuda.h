/*
 * engine_cuda.h - the CUDA engine, for those who put engines together (place.c, comm_nccl.c). No CUDA type here.
 */
#ifndef FR_ENGINE_CUDA_H
#define FR_ENGINE_CUDA_H

#include "engine.h"

/* How many GPUs this machine offers. No driver or no GPU is a failure that says so. */
fr_status fr_cuda_count(int *devices, fr_error *error);

/* "2 (NVIDIA H100, 80.0 GB; ...)", or "none (why)", for reports of what a machine has. */
void fr_cuda_describe(char *text, size_t size);

/* config->device names the GPU. A planted data set without rows is generated on the device. */
fr_status fr_engine_cuda_create(const fr_engine_config *config, fr_engine **engine, fr_error *error);

/* The engine's cudaStream_t, on which an exchange enqueues. */
void *fr_engine_cuda_stream(fr_engine *engine);

/* Drops the recorded step, if any: a communicator cannot end while a graph still holds its exchanges. */
void fr_engine_cuda_forget(fr_engine *engine);

/* Makes every blocking call of the engine wait by wait(user) instead of cudaStreamSynchronize: with other ranks on
 * the wire, a wait must notice that one of them is gone. NULL: as before. */
typedef fr_status (*fr_cuda_wait)(void *user, int64_t step, fr_error *error);
void fr_engine_cuda_wait_by(fr_engine *engine, fr_cuda_wait wait, void *user);

#endif
