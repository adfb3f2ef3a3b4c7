/* kernels.h - launchers of the self-test's kernels, declared for C as this project's own are. */
#ifndef CUDA_ON_CPU_SELFTEST_KERNELS_H
#define CUDA_ON_CPU_SELFTEST_KERNELS_H

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Each thread writes its global number at out[number]. */
cudaError_t launch_number(unsigned *out, dim3 grid, dim3 block, cudaStream_t stream);
/* sums[block] = sum of the block's n values, by a tree in static or dynamic shared memory. */
cudaError_t launch_block_sum(const float *in, float *sums, int blocks, cudaStream_t stream);
cudaError_t launch_block_sum_dynamic(const float *in, float *sums, int blocks, int threads, cudaStream_t stream);
/* out[operation * 32 + lane], one warp; see warp_kernel for the operations. */
enum { warp_operations = 16 };
cudaError_t launch_warp(unsigned *out, cudaStream_t stream);
/* Two halves of a warp, each with its own mask, in branches of their own. */
cudaError_t launch_half_warps(int *out, cudaStream_t stream);
/* out = {count, all, any} over the block of 64, of threadIdx.x < limit. */
cudaError_t launch_votes(int *out, int limit, cudaStream_t stream);
/* Histogram of n values modulo 8, their float sum, and their largest. */
cudaError_t launch_atomics(const int *in, int n, int *histogram, float *sum, int *largest, cudaStream_t stream);
/* values has one int a block: `rounds` times each block adds its left neighbour's previous value. */
cudaError_t launch_grid_rounds(int *values, int *next, int rounds, int blocks, int cooperative, cudaStream_t stream);
/* Raw Philox words: out[4 * t + i], subsequence t, offset 0. */
cudaError_t launch_philox(unsigned *out, int threads, unsigned long long seed, cudaStream_t stream);
/* sums[t / 8] = sum over tiles of 8, by cooperative_groups::reduce. */
cudaError_t launch_tiles(const int *in, int *sums, cudaStream_t stream);
/* out = results of the integer and bit intrinsics; see intrinsics_kernel. */
enum { intrinsic_results = 24 };
cudaError_t launch_intrinsics(unsigned *out, cudaStream_t stream);
/* y += a x; float4 loads where n is a multiple of 4. */
cudaError_t launch_axpy(float *y, const float *x, float a, int n, cudaStream_t stream);
/* x = round to bfloat16 of x. */
cudaError_t launch_to_bfloat16(float *x, int n, cudaStream_t stream);
/* One thread: the last block to finish sums what the others left (fence and counter). */
cudaError_t launch_last_block(const float *in, float *partial, unsigned *counter, float *out, int blocks,
                              cudaStream_t stream);
/* `switches` barriers by one block of 64. */
cudaError_t launch_barriers(int *out, int barriers, cudaStream_t stream);

/* Reverses 64 ints, through dynamic shared memory under a name of its own. */
cudaError_t launch_reverse(int *values, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
