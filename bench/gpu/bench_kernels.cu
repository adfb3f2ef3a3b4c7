/*
 * bench_kernels.cu - see bench_kernels.h.
 */
#include "bench_kernels.h"

#include "kernels/launch.cuh"
#include "kernels/random.cuh"

namespace bench {
namespace {

using fitrelu::blocks_for;
using fitrelu::shape;

constexpr int threads = 256;

/* Four loads a thread in flight. */
__global__ void __launch_bounds__(threads) read_kernel(const int4 *from, int64_t packs, unsigned *sum) {
    const int64_t first = int64_t(blockIdx.x) * threads * 4 + threadIdx.x;
    int4 value[4];
    unsigned seen = 0;
#pragma unroll
    for (int i = 0; i < 4; i++)
        value[i] = first + i * threads < packs ? __ldg(from + first + i * threads) : make_int4(0, 0, 0, 0);
#pragma unroll
    for (int i = 0; i < 4; i++) seen |= unsigned(value[i].x | value[i].y | value[i].z | value[i].w);
    if (seen == 0x12345u) atomicAdd(sum, 1u); /* never of zeros, but the compiler cannot know */
}

/* A block a row. */
__global__ void __launch_bounds__(threads)
    gather_kernel(const float *x, const float *y, int64_t samples, int64_t features, uint64_t seed,
                  const int64_t *step, float *rows, float *targets) {
    const int64_t row =
        fitrelu::sample_row(seed, fr_sequence(FR_STREAM_SAMPLE, 0, 0), uint64_t(*step), blockIdx.x, uint64_t(samples));
    for (int64_t j = threadIdx.x; j < features; j += threads)
        rows[int64_t(blockIdx.x) * features + j] = x[row * features + j];
    if (threadIdx.x == 0) targets[blockIdx.x] = y[row];
}

__global__ void __launch_bounds__(threads)
    coefficients_kernel(const float *targets, int64_t draws, float *products, int64_t *step) {
    const int64_t i = int64_t(blockIdx.x) * threads + threadIdx.x;
    if (i < draws) products[i] = float(fr_relu_coefficient(double(products[i]), double(targets[i])) / double(draws));
    if (i == 0) ++*step;
}

} // namespace

cudaError_t launch_read(const void *from, int64_t bytes, unsigned *sum, cudaStream_t stream) {
    const int64_t packs = bytes / 16;
    const cudaLaunchConfig_t config = shape(dim3(blocks_for(packs, threads * 4)), threads, stream);
    return cudaLaunchKernelEx(&config, read_kernel, static_cast<const int4 *>(from), packs, sum);
}

cudaError_t launch_gather(const float *x, const float *y, int64_t samples, int64_t features, int64_t draws,
                          uint64_t seed, const int64_t *step, float *rows, float *targets, cudaStream_t stream) {
    const cudaLaunchConfig_t config = shape(dim3(unsigned(draws)), threads, stream);
    return cudaLaunchKernelEx(&config, gather_kernel, x, y, samples, features, seed, step, rows, targets);
}

cudaError_t launch_coefficients(const float *targets, int64_t draws, float *products, int64_t *step,
                                cudaStream_t stream) {
    const cudaLaunchConfig_t config = shape(dim3(blocks_for(draws, threads)), threads, stream);
    return cudaLaunchKernelEx(&config, coefficients_kernel, targets, draws, products, step);
}

} // namespace bench
