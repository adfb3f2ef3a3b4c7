// planted.cu - one kernel a bug. None may pass unseen: test_standin.cpp asks for the errors, and
// CMakeLists.txt runs each in a process of its own and looks for the words of the report.
#include "planted.h"

#include <cooperative_groups.h>

#include <cstring>

extern __shared__ int dynamic_shared[];

namespace {

constexpr unsigned full = 0xffffffffu;

__global__ void divergent_barrier_kernel(int *out) {
    if (threadIdx.x < 32) {
        __syncthreads();
        out[threadIdx.x] = 1;
    } else {
        out[threadIdx.x] = 2;
        __syncthreads();
    }
}

__global__ void skipped_barrier_kernel(int *out) {
    if (threadIdx.x < 32) return;
    __syncthreads();
    out[threadIdx.x] = 1;
}

__global__ void barrier_against_warp_kernel(int *out) {
    if (threadIdx.x == 0) __syncthreads();
    __syncwarp(full);
    if (threadIdx.x != 0) __syncthreads();
    out[threadIdx.x] = 1;
}

__global__ void wrong_mask_kernel(int *out) { out[threadIdx.x] = __shfl_sync(0x0000ffffu, int(threadIdx.x), 0); }

__global__ void disagreeing_masks_kernel(int *out) {
    const unsigned mask = threadIdx.x % 32 == 31 ? 0xfffffffeu : full;
    out[threadIdx.x] = __shfl_xor_sync(mask, int(threadIdx.x), 1);
}

__global__ void inactive_lane_kernel(int *out) {
    if (threadIdx.x % 32 < 16) out[threadIdx.x] = __shfl_down_sync(0x0000ffffu, int(threadIdx.x), 8);
}

__global__ void write_kernel(int *out) { out[threadIdx.x] = int(threadIdx.x); }

__global__ void grid_left_early_kernel(int *out) {
    if (blockIdx.x == 1) return;
    cooperative_groups::this_grid().sync();
    out[threadIdx.x] = 1;
}

__global__ void grid_kernel(int *out) {
    cooperative_groups::this_grid().sync();
    out[threadIdx.x] = 1;
}

__global__ void trap_kernel(int *out) {
    if (threadIdx.x == 7) __trap();
    out[threadIdx.x] = 1;
}

/* ---- for the address sanitizer and the undefined-behaviour sanitizer ---- */

__global__ void past_global_kernel(int *out, int n) { out[threadIdx.x + n - 63] = 1; }

__global__ void past_dynamic_shared_kernel(int *out) {
    dynamic_shared[threadIdx.x + 1] = 1; /* one too many for the last thread */
    __syncthreads();
    out[threadIdx.x] = dynamic_shared[threadIdx.x];
}

__global__ void past_static_shared_kernel(int *out, int shift) {
    __shared__ int words[64];
    words[threadIdx.x + shift] = 1;
    __syncthreads();
    out[threadIdx.x] = words[threadIdx.x];
}

__global__ void misaligned_kernel(int *out) { *reinterpret_cast<int4 *>(out + 1) = make_int4(1, 2, 3, 4); }

/* A pointer inside a structure, where the launch does not look for freed memory. */
struct Hidden {
    int *pointer;
};
__global__ void use_after_free_kernel(Hidden hidden) { hidden.pointer[threadIdx.x] = 1; }

/* ---- for the thread sanitizer ---- */

__global__ void dropped_barrier_kernel(int *out) {
    __shared__ int words[64];
    for (int round = 0; round < 2; ++round) {
        words[threadIdx.x] = int(threadIdx.x) + round;
        __syncthreads();
        out[threadIdx.x] = words[(threadIdx.x + 1) % 64];
        /* the second barrier belongs here: the next round overwrites what a neighbour still reads */
    }
}

__global__ void plain_add_kernel(int *out) { out[0] += 1; }

__global__ void blocks_plain_add_kernel(int *out) {
    if (threadIdx.x == 0) out[0] += 1;
}

__global__ void missing_grid_sync_kernel(int *out) {
    if (threadIdx.x == 0) out[blockIdx.x] = int(blockIdx.x);
    /* grid.sync() belongs here */
    if (threadIdx.x == 0) out[8 + blockIdx.x] = out[(blockIdx.x + 1) % gridDim.x];
}

/* ---- no bug at all: the sanitizers must stay silent ---- */

__global__ void clean_kernel(int *out) {
    __shared__ int words[64];
    for (int round = 0; round < 3; ++round) {
        words[threadIdx.x] = int(threadIdx.x) + round;
        __syncthreads();
        int sum = words[(threadIdx.x + 1) % 64];
        for (int h = 16; h > 0; h /= 2) sum += __shfl_xor_sync(full, sum, h);
        atomicAdd(&out[64], sum);
        __syncthreads();
        cooperative_groups::this_grid().sync();
        if (threadIdx.x == 0) out[blockIdx.x] = int(blockIdx.x);
        cooperative_groups::this_grid().sync();
        if (threadIdx.x == 63) out[8 + blockIdx.x] = out[(blockIdx.x + 1) % gridDim.x];
        cooperative_groups::this_grid().sync();
    }
}

__global__ void last_writer_kernel(int *out) { out[0] = int(threadIdx.x); }

__global__ void large_shared_kernel(int words) {
    for (int i = int(threadIdx.x); i < words; i += 64) dynamic_shared[i] = i;
    __syncthreads();
}

cudaLaunchConfig_t configure(unsigned blocks, unsigned threads, size_t shared_bytes,
                             cudaLaunchAttribute *cooperative) {
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3(blocks);
    config.blockDim = dim3(threads);
    config.dynamicSmemBytes = shared_bytes;
    if (cooperative) {
        cooperative->id = cudaLaunchAttributeCooperative;
        cooperative->val.cooperative = 1;
        config.attrs = cooperative;
        config.numAttrs = 1;
    }
    return config;
}

/* The copy is still to be read by the stream when the host writes to its pinned source. */
cudaError_t reuse_pinned_buffer(int *out) {
    int *pinned;
    if (const cudaError_t error = cudaMallocHost(reinterpret_cast<void **>(&pinned), 256)) return error;
    pinned[0] = 1;
    cudaStream_t stream;
    if (const cudaError_t error = cudaStreamCreate(&stream)) return error;
    cudaMemcpyAsync(out, pinned, 256, cudaMemcpyHostToDevice, stream);
    pinned[0] = 2;
    return cudaStreamSynchronize(stream);
}

cudaError_t use_after_free(const cudaLaunchConfig_t &config) {
    Hidden hidden = {};
    cudaMalloc(reinterpret_cast<void **>(&hidden.pointer), 256);
    cudaFree(hidden.pointer);
    return cudaLaunchKernelEx(&config, use_after_free_kernel, hidden);
}

} // namespace

cudaError_t run_planted_bug(const char *name) {
    const auto is = [name](const char *other) { return std::strcmp(name, other) == 0; };
    static int on_host[64];
    int *out = nullptr;
    cudaLaunchAttribute attribute = {};
    const cudaLaunchConfig_t one = configure(1, 64, 0, nullptr), warp = configure(1, 32, 0, nullptr),
                             shared = configure(1, 64, 256, nullptr), many = configure(4, 64, 0, nullptr),
                             grid = configure(4, 64, 0, &attribute);
    cudaSetDevice(is("other_device") ? 1 : 0);
    if (const cudaError_t error = cudaMalloc(reinterpret_cast<void **>(&out), 80 * sizeof(int))) return error;
    cudaMemset(out, 0, 80 * sizeof(int));
    cudaSetDevice(0);
    if (is("divergent_barrier")) return cudaLaunchKernelEx(&one, divergent_barrier_kernel, out);
    if (is("skipped_barrier")) return cudaLaunchKernelEx(&one, skipped_barrier_kernel, out);
    if (is("barrier_against_warp")) return cudaLaunchKernelEx(&warp, barrier_against_warp_kernel, out);
    if (is("wrong_mask")) return cudaLaunchKernelEx(&one, wrong_mask_kernel, out);
    if (is("disagreeing_masks")) return cudaLaunchKernelEx(&one, disagreeing_masks_kernel, out);
    if (is("inactive_lane")) return cudaLaunchKernelEx(&one, inactive_lane_kernel, out);
    if (is("host_pointer")) return cudaLaunchKernelEx(&one, write_kernel, on_host);
    if (is("other_device")) return cudaLaunchKernelEx(&one, write_kernel, out);
    if (is("grid_left_early")) return cudaLaunchKernelEx(&grid, grid_left_early_kernel, out);
    if (is("grid_not_cooperative")) return cudaLaunchKernelEx(&many, grid_kernel, out);
    if (is("trap")) return cudaLaunchKernelEx(&one, trap_kernel, out);
    if (is("past_global")) return cudaLaunchKernelEx(&one, past_global_kernel, out, 80);
    if (is("past_dynamic_shared")) return cudaLaunchKernelEx(&shared, past_dynamic_shared_kernel, out);
    if (is("past_static_shared")) return cudaLaunchKernelEx(&one, past_static_shared_kernel, out, 1);
    if (is("misaligned")) return cudaLaunchKernelEx(&one, misaligned_kernel, out);
    if (is("use_after_free")) return use_after_free(one);
    if (is("dropped_barrier")) return cudaLaunchKernelEx(&one, dropped_barrier_kernel, out);
    if (is("plain_add")) return cudaLaunchKernelEx(&one, plain_add_kernel, out);
    if (is("blocks_plain_add")) return cudaLaunchKernelEx(&many, blocks_plain_add_kernel, out);
    if (is("missing_grid_sync")) return cudaLaunchKernelEx(&grid, missing_grid_sync_kernel, out);
    if (is("pinned_reuse")) return reuse_pinned_buffer(out);
    if (is("clean")) {
        const cudaError_t error = cudaLaunchKernelEx(&grid, clean_kernel, out);
        cudaFree(out);
        return error;
    }
    if (is("leak")) return cudaSuccess; /* `out` is never freed */
    if (is("wrong_direction")) return cudaMemcpy(out, on_host, sizeof on_host, cudaMemcpyDeviceToHost);
    return cudaErrorInvalidValue;
}

cudaError_t launch_last_writer(int *out, cudaStream_t stream) {
    cudaLaunchConfig_t config = configure(1, 64, 0, nullptr);
    config.stream = stream;
    return cudaLaunchKernelEx(&config, last_writer_kernel, out);
}

cudaError_t launch_large_shared(int bytes, int allowed, cudaStream_t stream) {
    if (allowed) {
        const cudaError_t error =
            cudaFuncSetAttribute(large_shared_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, allowed);
        if (error != cudaSuccess) return error;
    }
    cudaLaunchConfig_t config = configure(1, 64, size_t(bytes), nullptr);
    config.stream = stream;
    return cudaLaunchKernelEx(&config, large_shared_kernel, bytes / int(sizeof(int)));
}
