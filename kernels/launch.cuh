/*
 * launch.cuh - what every .cu file shares: the shape of a launch, and 16 bytes as one load.
 */
#pragma once

#include <cuda_runtime.h>

#include <stdint.h>
#include <string.h>

#include "kernels.h"

namespace fitrelu {

constexpr unsigned all_lanes = 0xffffffffu;

inline cudaLaunchConfig_t shape(dim3 grid, unsigned threads, cudaStream_t stream) {
    cudaLaunchConfig_t config = {};
    config.gridDim = grid;
    config.blockDim = dim3(threads);
    config.stream = stream;
    return config;
}

/* Blocks of `each` things for `count` of them, at least one. */
inline unsigned blocks_for(int64_t count, int64_t each) {
    return unsigned(count <= each ? 1 : (count + each - 1) / each);
}

/* 16 bytes of a row. */
template <typename Real> struct alignas(16) Pack {
    static constexpr int size = int(16 / sizeof(Real));
    Real at[size];
};

template <typename Real> __device__ inline Pack<Real> load_pack(const Real *from, int64_t pack) {
    const int4 bits = __ldg(reinterpret_cast<const int4 *>(from) + pack);
    Pack<Real> row;
    memcpy(&row, &bits, sizeof row);
    return row;
}
template <typename Real> __device__ inline void store_pack(Real *to, int64_t pack, const Pack<Real> &row) {
    int4 bits;
    memcpy(&bits, &row, sizeof bits);
    reinterpret_cast<int4 *>(to)[pack] = bits;
}

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
