/*
 * launch.cuh - what every .cu file shares: the shape of a launch, and 16 bytes as one load.
 */
#pragma once

#include <cuda_runtime.h>

#include <stdint.h>
#include <string.h>

#include "kernels/kernels.h"

/* A kernel has its random words from cuRAND (random.cuh). nvcc refuses the CPU's generator there; so do other compilers. */
#pragma GCC poison fr_philox fr_sample_row

namespace fitrelu {

constexpr unsigned all_lanes = 0xffffffffu;

inline cudaLaunchConfig_t shape(dim3 grid, unsigned threads, cudaStream_t stream) {
    cudaLaunchConfig_t config = {};
    config.gridDim = grid;
    config.blockDim = dim3(threads);
    config.stream = stream;
    return config;
}

/* FR_LAUNCH(config, kernel, arguments...): cudaLaunchKernelEx, or the kernel loaded where the stream is FR_LOAD_ONLY. */
#define FR_LAUNCH(config, ...)                                                     \
    ((config).stream == FR_LOAD_ONLY ? ::fitrelu::load_kernel_of_launch(__VA_ARGS__) \
                                     : cudaLaunchKernelEx(&(config), __VA_ARGS__))

template <typename... Parameters, typename... Arguments>
inline cudaError_t load_kernel_of_launch(void (*kernel)(Parameters...), const Arguments &...) {
    cudaFuncAttributes unused;
    return cudaFuncGetAttributes(&unused, kernel);
}

/* Zeroes what a kernel adds to. */
inline cudaError_t clear(void *memory, size_t bytes, cudaStream_t stream) {
    return stream == FR_LOAD_ONLY ? cudaSuccess : cudaMemsetAsync(memory, 0, bytes, stream);
}

/* Blocks of `each` things for `count` of them, at least one. */
inline unsigned blocks_for(int64_t count, int64_t each) {
    return unsigned(count <= each ? 1 : (count + each - 1) / each);
}

/* `each` blocks for every worker as a grid of one dimension, which alone may exceed 65535 blocks. */
inline dim3 grid_of(int64_t workers, unsigned each) { return dim3(unsigned(workers * each)); }
/* Whose block this is, and which of that worker's. */
struct WorkerBlock {
    int worker;
    int64_t block;
};
__device__ inline WorkerBlock worker_block(unsigned block, unsigned each) {
    return {int(block / each), int64_t(block % each)};
}

/* Size numbers that are loaded and stored 16 bytes at a time. */
template <typename Real, int Size> struct alignas(16) Numbers {
    static_assert(Size * sizeof(Real) % 16 == 0, "whole loads");
    Real at[Size];
};
template <typename Real> using Pack = Numbers<Real, int(16 / sizeof(Real))>;

/* Number `pack` of from. By plain loads: a kernel may read what it has written itself. */
template <typename Real, int Size>
__device__ inline void load(const Real *from, int64_t pack, Numbers<Real, Size> *to) {
    constexpr int loads = int(Size * sizeof(Real) / 16);
    int4 bits[loads];
#pragma unroll
    for (int i = 0; i < loads; i++) bits[i] = reinterpret_cast<const int4 *>(from)[pack * loads + i];
    memcpy(to, bits, sizeof bits);
}
template <typename Real, int Size>
__device__ inline void store(Real *to, int64_t pack, const Numbers<Real, Size> &row) {
    constexpr int stores = int(Size * sizeof(Real) / 16);
    int4 bits[stores];
    memcpy(bits, &row, sizeof bits);
#pragma unroll
    for (int i = 0; i < stores; i++) reinterpret_cast<int4 *>(to)[pack * stores + i] = bits[i];
}

/* 16 bytes of a row as it is kept: float, double or fr_bf16. Nothing writes rows while kernels read them, so they may
 * go by the read-only path. */
template <typename Kept> struct RowPack {
    static constexpr int size = int(16 / sizeof(Kept));
    int4 bits;
};
template <typename Kept> __device__ inline RowPack<Kept> load_row(const Kept *from, int64_t pack) {
    return {__ldg(reinterpret_cast<const int4 *>(from) + pack)};
}
template <typename Real> __device__ inline Numbers<Real, RowPack<float>::size> widen(const RowPack<float> &row) {
    return {Real(__int_as_float(row.bits.x)), Real(__int_as_float(row.bits.y)), Real(__int_as_float(row.bits.z)),
            Real(__int_as_float(row.bits.w))};
}
template <typename Real> __device__ inline Numbers<Real, RowPack<double>::size> widen(const RowPack<double> &row) {
    Numbers<Real, RowPack<double>::size> values;
    memcpy(&values, &row, sizeof values);
    return values;
}
template <typename Real> __device__ inline Numbers<Real, RowPack<fr_bf16>::size> widen(const RowPack<fr_bf16> &row) {
    const uint32_t word[4] = {uint32_t(row.bits.x), uint32_t(row.bits.y), uint32_t(row.bits.z), uint32_t(row.bits.w)};
    Numbers<Real, RowPack<fr_bf16>::size> values;
#pragma unroll
    for (int i = 0; i < 4; i++) { /* little-endian: the first of two is the lower half */
        values.at[2 * i] = Real(fr_float_of_bits(word[i] << 16));
        values.at[2 * i + 1] = Real(fr_float_of_bits(word[i] & 0xffff0000u));
    }
    return values;
}

__device__ inline fr_bf16 narrow(float value) { return fr_bf16_of_f32(value); }
__device__ inline fr_bf16 narrow(double value) { return fr_bf16_of_f64(value); }

__device__ inline float fused(float a, float b, float c) { return fmaf(a, b, c); }
__device__ inline double fused(double a, double b, double c) { return fma(a, b, c); }

/* The sum over a warp, the same bits in every lane: pairs 16, 8, 4, 2, 1 apart. */
__device__ inline double warp_sum(double value) {
    for (int apart = 16; apart > 0; apart /= 2) value += __shfl_xor_sync(all_lanes, value, apart);
    return value;
}

/* The sum over a block, the same bits in every thread: warps in order. `slot` holds one double a warp and may be
 * written again after one more barrier; callers alternate between two. */
template <int Threads> __device__ inline double block_sum(double value, double *slot) {
    value = warp_sum(value);
    if constexpr (Threads > 32) {
        if (threadIdx.x % 32 == 0) slot[threadIdx.x / 32] = value;
        __syncthreads();
        value = slot[0];
        for (int warp = 1; warp < Threads / 32; warp++) value += slot[warp];
    }
    return value;
}

} // namespace fitrelu
