/*
 * bench_kernels.h - kernels that only benchmarks need: a streaming read, and what a step by plain products takes besides
 * cuBLAS. Each enqueues on the stream and returns what the launch returned.
 */
#ifndef FR_BENCH_KERNELS_H
#define FR_BENCH_KERNELS_H

#include <cuda_runtime_api.h>
#include <stdint.h>

namespace bench {

/* Reads `bytes` (a multiple of 16) once, 16 bytes a load; *sum keeps the loads alive. */
cudaError_t launch_read(const void *from, int64_t bytes, unsigned *sum, cudaStream_t stream);

/* rows[i] <- x[index_i], targets[i] <- y[index_i] for m rows drawn as the fit draws them at step *step, on `state`. */
cudaError_t launch_gather(const float *x, const float *y, int64_t samples, int64_t features, int64_t draws,
                          uint64_t seed, const int64_t *step, float *rows, float *targets, cudaStream_t stream);

/* products[i] <- (max(0, p) - y)(1 + sgn p) / m for p = products[i], and *step <- *step + 1. */
cudaError_t launch_coefficients(const float *targets, int64_t draws, float *products, int64_t *step,
                                cudaStream_t stream);

} // namespace bench
#endif
