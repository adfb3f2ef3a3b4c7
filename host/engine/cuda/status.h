/*
 * status.h - CUDA's errors as lines that name the device and the step, and device memory that is counted.
 *
 * For engine/cuda/engine.c, exchange/nccl.c and their tests; no other file sees a CUDA type.
 */
#ifndef FR_CUDA_STATUS_H
#define FR_CUDA_STATUS_H

#include <cuda_runtime_api.h>

#include "base/status.h"

/* FR_ERROR_DEVICE with "GPU 1: WHAT failed at step 12: REASON". step < 0: not said. Clears CUDA's last error. */
fr_status fr_cuda_fail(fr_error *error, cudaError_t code, int device, int64_t step, const char *what);

/* Until the stream has done everything; cudaErrorNotReady where that takes longer than timeout seconds (0: no limit). Then
 * the device is lost: any call that waits for it could wait for ever. */
cudaError_t fr_cuda_wait(cudaStream_t stream, double timeout);

/* FR_ERROR_TIMEOUT with "GPU 1: WHAT at step 12 had no answer for S seconds". step < 0: not said. */
fr_status fr_cuda_fail_silent(fr_error *error, int device, int64_t step, const char *what, double timeout);

/* Allocates count elements of size bytes on the current device, which is `device`, without zeroing them; where they
 * do not fit, the line says how many bytes were needed and how many are free on which GPU. */
fr_status fr_cuda_allocate(void **memory, int64_t count, size_t size, int device, const char *what, fr_error *error);

#endif
