// kernels.cu - small kernels that use what the stand-in offers. They are plain CUDA: nvcc compiles
// this file too, and on a GPU the same tests hold.
#include "kernels.h"

#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>
#include <cuda_bf16.h>
#include <cuda_runtime.h>
#include <curand_kernel.h>

extern __shared__ float dynamic_shared[];

__global__ void reverse_kernel(int *values) {
    extern __shared__ int a_name_of_its_own[];
    a_name_of_its_own[threadIdx.x] = values[threadIdx.x];
    __syncthreads();
    values[threadIdx.x] = a_name_of_its_own[blockDim.x - 1 - threadIdx.x];
}

namespace {

constexpr unsigned full = 0xffffffffu;

cudaLaunchConfig_t configure(dim3 grid, dim3 block, size_t shared_bytes, cudaStream_t stream) {
    cudaLaunchConfig_t config = {};
    config.gridDim = grid;
    config.blockDim = block;
    config.dynamicSmemBytes = shared_bytes;
    config.stream = stream;
    return config;
}

__global__ void number_kernel(unsigned *out) {
    const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    const unsigned number = block * blockDim.x * blockDim.y * blockDim.z + thread;
    out[number] = number;
}

template <int Threads> __global__ void __launch_bounds__(Threads) block_sum_kernel(const float *in, float *sums) {
    __shared__ float tree[Threads];
    tree[threadIdx.x] = in[blockIdx.x * Threads + threadIdx.x];
    __syncthreads();
    for (unsigned half = Threads / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) tree[threadIdx.x] += tree[threadIdx.x + half];
        __syncthreads();
    }
    if (threadIdx.x == 0) sums[blockIdx.x] = tree[0];
}

__global__ void block_sum_dynamic_kernel(const float *__restrict__ in, float *sums) {
    dynamic_shared[threadIdx.x] = __ldg(in + blockIdx.x * blockDim.x + threadIdx.x);
    __syncthreads();
    for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) dynamic_shared[threadIdx.x] += dynamic_shared[threadIdx.x + half];
        __syncthreads();
    }
    if (threadIdx.x == 0) sums[blockIdx.x] = dynamic_shared[0];
}

__global__ void warp_kernel(unsigned *out) {
    const unsigned lane = threadIdx.x;
    unsigned *mine = out + lane;
    int equal = 0;
    mine[0 * 32] = __shfl_sync(full, lane * 10, 5);
    mine[1 * 32] = __shfl_sync(full, lane, lane + 3, 8);
    mine[2 * 32] = __shfl_up_sync(full, lane, 2);
    mine[3 * 32] = __shfl_up_sync(full, lane, 3, 8);
    mine[4 * 32] = __shfl_down_sync(full, lane, 4);
    mine[5 * 32] = __shfl_down_sync(full, lane, 1, 16);
    mine[6 * 32] = __shfl_xor_sync(full, lane, 16);
    mine[7 * 32] = __ballot_sync(full, lane % 3 == 0);
    mine[8 * 32] = unsigned(__any_sync(full, lane == 31)) * 2 + unsigned(__all_sync(full, lane < 32));
    mine[9 * 32] = __reduce_add_sync(full, lane);
    mine[10 * 32] = unsigned(__reduce_min_sync(full, int(lane) - 7));
    mine[11 * 32] = __reduce_max_sync(full, lane * 2);
    mine[12 * 32] = __match_any_sync(full, lane / 8);
    mine[13 * 32] = __match_all_sync(full, 7u, &equal) + unsigned(equal);
    mine[14 * 32] = unsigned(__shfl_xor_sync(full, double(lane) + 0.5, 1) * 2);
    __syncwarp();
    mine[15 * 32] =
        __reduce_xor_sync(full, lane * lane) | __reduce_or_sync(full, 0x100u) | __reduce_and_sync(full, 0x200u);
}

__global__ void half_warps_kernel(int *out) {
    const int lane = int(threadIdx.x);
    int value = lane;
    if (lane < 16) {
        for (int h = 8; h > 0; h /= 2) value += __shfl_xor_sync(0x0000ffffu, value, h);
    } else {
        for (int h = 8; h > 0; h /= 2) value = max(value, __shfl_xor_sync(0xffff0000u, value, h));
    }
    out[lane] = value;
}

__global__ void votes_kernel(int *out, int limit) {
    const int yes = int(threadIdx.x) < limit;
    const int count = __syncthreads_count(yes), all = __syncthreads_and(yes), any = __syncthreads_or(yes);
    if (threadIdx.x == 0) out[0] = count, out[1] = all, out[2] = any;
}

__global__ void atomics_kernel(const int *in, int n, int *histogram, float *sum, int *largest) {
    const int i = int(blockIdx.x * blockDim.x + threadIdx.x);
    if (i >= n) return;
    atomicAdd(&histogram[in[i] & 7], 1);
    atomicAdd(sum, float(in[i]));
    atomicMax(largest, in[i]);
}

__global__ void grid_rounds_kernel(int *values, int *next, int rounds) {
    const auto grid = cooperative_groups::this_grid();
    __shared__ int sum;
    for (int round = 0; round < rounds; ++round) {
        if (threadIdx.x == 0) sum = values[blockIdx.x] + values[(blockIdx.x + gridDim.x - 1) % gridDim.x];
        __syncthreads();
        if (threadIdx.x == blockDim.x - 1) next[blockIdx.x] = sum;
        grid.sync();
        if (threadIdx.x == 0) values[blockIdx.x] = next[blockIdx.x];
        grid.sync();
    }
}

__global__ void philox_kernel(unsigned *out, unsigned long long seed) {
    curandStatePhilox4_32_10_t state;
    const unsigned thread = blockIdx.x * blockDim.x + threadIdx.x;
    curand_init(seed, thread, 0, &state);
    const uint4 words = curand4(&state);
    out[4 * thread + 0] = words.x;
    out[4 * thread + 1] = words.y;
    out[4 * thread + 2] = words.z;
    out[4 * thread + 3] = words.w;
}

__global__ void tiles_kernel(const int *in, int *sums) {
    const auto tile = cooperative_groups::tiled_partition<8>(cooperative_groups::this_thread_block());
    const int sum = cooperative_groups::reduce(tile, in[threadIdx.x], cooperative_groups::plus<int>());
    if (tile.thread_rank() == 0) sums[tile.meta_group_rank()] = sum;
}

__global__ void intrinsics_kernel(unsigned *out) {
    int i = 0;
    out[i++] = __umulhi(0xdeadbeefu, 0x12345678u);
    out[i++] = unsigned(__mulhi(-5, 0x7fffffff));
    out[i++] = unsigned(__umul64hi(0xffffffffffffffffull, 0x123456789abcdefull));
    out[i++] = unsigned(__popc(0xf0f0f0f0u));
    out[i++] = unsigned(__clz(1 << 20));
    out[i++] = unsigned(__ffs(0x40));
    out[i++] = __brev(0x1u);
    out[i++] = __byte_perm(0x33221100u, 0x77665544u, 0x7531u);
    out[i++] = __funnelshift_l(0x80000001u, 0x1u, 4);
    out[i++] = __funnelshift_r(0x80000001u, 0x1u, 4);
    out[i++] = unsigned(__dp4a(0x01ff02fe, 0x7f80017f, 1000));
    out[i++] = unsigned(__float2int_rz(-2.7f));
    out[i++] = unsigned(__float2int_rn(2.5f));
    out[i++] = unsigned(__float2int_rd(-2.1f));
    out[i++] = unsigned(__float2int_rz(1e20f));
    out[i++] = __float2uint_rz(-3.0f);
    out[i++] = __float_as_uint(1.0f);
    out[i++] = __float_as_uint(__fmaf_rn(1.1f, 1.1f, -1.21f));
    out[i++] = __float_as_uint(__fadd_rn(__fmul_rn(1.1f, 1.1f), -1.21f));
    out[i++] = __float_as_uint(__fdiv_rn(1.0f, 3.0f));
    out[i++] = __float_as_uint(__fsqrt_rn(2.0f));
    out[i++] = unsigned(__double2hiint(1.5));
    out[i++] = unsigned(__double2int_rn(-1e300));
    out[i++] = unsigned(min(3, -4) + max(7, 2));
}

__global__ void axpy_kernel(float *y, const float *x, float a, int n) {
    const int i = int(blockIdx.x * blockDim.x + threadIdx.x);
    if (n % 4 == 0) {
        if (4 * i >= n) return;
        const float4 v = reinterpret_cast<const float4 *>(x)[i];
        float4 w = reinterpret_cast<float4 *>(y)[i];
        w.x = fmaf(a, v.x, w.x), w.y = fmaf(a, v.y, w.y), w.z = fmaf(a, v.z, w.z), w.w = fmaf(a, v.w, w.w);
        reinterpret_cast<float4 *>(y)[i] = w;
    } else if (i < n) {
        y[i] = fmaf(a, x[i], y[i]);
    }
}

__global__ void to_bfloat16_kernel(float *x, int n) {
    const int i = int(threadIdx.x);
    if (i < n) x[i] = __bfloat162float(__float2bfloat16_rn(x[i]));
}

__global__ void last_block_kernel(const float *in, float *partial, unsigned *counter, float *out) {
    partial[blockIdx.x] = 2 * in[blockIdx.x];
    __threadfence();
    if (atomicAdd(counter, 1u) != gridDim.x - 1) return;
    __threadfence();
    float sum = 0;
    for (unsigned b = 0; b < gridDim.x; ++b) sum += partial[b];
    *out = sum;
}

__global__ void barriers_kernel(int *out, int barriers) {
#pragma unroll 1
    for (int i = 0; i < barriers; ++i) __syncthreads();
    out[threadIdx.x] = barriers;
}

} // namespace

cudaError_t launch_number(unsigned *out, dim3 grid, dim3 block, cudaStream_t stream) {
    const cudaLaunchConfig_t config = configure(grid, block, 0, stream);
    return cudaLaunchKernelEx(&config, number_kernel, out);
}

cudaError_t launch_block_sum(const float *in, float *sums, int blocks, cudaStream_t stream) {
    const cudaLaunchConfig_t config = configure(dim3(blocks), dim3(64), 0, stream);
    return cudaLaunchKernelEx(&config, block_sum_kernel<64>, in, sums);
}

cudaError_t launch_block_sum_dynamic(const float *in, float *sums, int blocks, int threads, cudaStream_t stream) {
    const cudaLaunchConfig_t config = configure(dim3(blocks), dim3(threads), threads * sizeof(float), stream);
    return cudaLaunchKernelEx(&config, block_sum_dynamic_kernel, in, sums);
}

cudaError_t launch_warp(unsigned *out, cudaStream_t stream) {
    const cudaLaunchConfig_t config = configure(dim3(1), dim3(32), 0, stream);
    return cudaLaunchKernelEx(&config, warp_kernel, out);
}

cudaError_t launch_half_warps(int *out, cudaStream_t stream) {
    const cudaLaunchConfig_t config = configure(dim3(1), dim3(32), 0, stream);
    return cudaLaunchKernelEx(&config, half_warps_kernel, out);
}

cudaError_t launch_votes(int *out, int limit, cudaStream_t stream) {
    const cudaLaunchConfig_t config = configure(dim3(1), dim3(64), 0, stream);
    return cudaLaunchKernelEx(&config, votes_kernel, out, limit);
}

cudaError_t launch_atomics(const int *in, int n, int *histogram, float *sum, int *largest, cudaStream_t stream) {
    const cudaLaunchConfig_t config = configure(dim3((n + 63) / 64), dim3(64), 0, stream);
    return cudaLaunchKernelEx(&config, atomics_kernel, in, n, histogram, sum, largest);
}

cudaError_t launch_grid_rounds(int *values, int *next, int rounds, int blocks, int cooperative, cudaStream_t stream) {
    cudaLaunchConfig_t config = configure(dim3(blocks), dim3(64), 0, stream);
    cudaLaunchAttribute attribute = {};
    attribute.id = cudaLaunchAttributeCooperative;
    attribute.val.cooperative = cooperative;
    config.attrs = &attribute;
    config.numAttrs = 1;
    return cudaLaunchKernelEx(&config, grid_rounds_kernel, values, next, rounds);
}

cudaError_t launch_philox(unsigned *out, int threads, unsigned long long seed, cudaStream_t stream) {
    const cudaLaunchConfig_t config = configure(dim3(threads / 32), dim3(32), 0, stream);
    return cudaLaunchKernelEx(&config, philox_kernel, out, seed);
}

cudaError_t launch_tiles(const int *in, int *sums, cudaStream_t stream) {
    const cudaLaunchConfig_t config = configure(dim3(1), dim3(64), 0, stream);
    return cudaLaunchKernelEx(&config, tiles_kernel, in, sums);
}

cudaError_t launch_intrinsics(unsigned *out, cudaStream_t stream) {
    const cudaLaunchConfig_t config = configure(dim3(1), dim3(1), 0, stream);
    return cudaLaunchKernelEx(&config, intrinsics_kernel, out);
}

cudaError_t launch_axpy(float *y, const float *x, float a, int n, cudaStream_t stream) {
    const cudaLaunchConfig_t config = configure(dim3((n + 63) / 64), dim3(64), 0, stream);
    return cudaLaunchKernelEx(&config, axpy_kernel, y, x, a, n);
}

cudaError_t launch_to_bfloat16(float *x, int n, cudaStream_t stream) {
    const cudaLaunchConfig_t config = configure(dim3(1), dim3(64), 0, stream);
    return cudaLaunchKernelEx(&config, to_bfloat16_kernel, x, n);
}

cudaError_t launch_last_block(const float *in, float *partial, unsigned *counter, float *out, int blocks,
                              cudaStream_t stream) {
    const cudaLaunchConfig_t config = configure(dim3(blocks), dim3(1), 0, stream);
    return cudaLaunchKernelEx(&config, last_block_kernel, in, partial, counter, out);
}

cudaError_t launch_barriers(int *out, int barriers, cudaStream_t stream) {
    const cudaLaunchConfig_t config = configure(dim3(1), dim3(64), 0, stream);
    return cudaLaunchKernelEx(&config, barriers_kernel, out, barriers);
}

cudaError_t launch_reverse(int *values, cudaStream_t stream) {
    const cudaLaunchConfig_t config = configure(dim3(1), dim3(64), 64 * sizeof(int), stream);
    return cudaLaunchKernelEx(&config, reverse_kernel, values);
}
