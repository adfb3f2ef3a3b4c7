/* cooperative_groups.h - the part of CUDA's cooperative groups that portable kernels use.
 *
 * Found before NVIDIA's header, which needs nvcc. It offers grid_group (cooperative launches only),
 * thread_block, and tiles of a power of two up to a warp, each on the barriers and warp operations
 * of cuda_on_cpu.h. Coalesced groups, clusters and asynchronous copies are left out: they do not
 * compile, which is better than pretending.
 */
#pragma once

#include "cuda_on_cpu.h"

namespace cooperative_groups {

class grid_group {
  public:
    void sync(const char *file = __builtin_FILE(), int line = __builtin_LINE()) const {
        cuda_on_cpu::wait_at_barrier(cuda_on_cpu::barrier_kind::grid, 0, file, line);
    }
    bool is_valid() const { return true; }
    dim3 group_dim() const { return gridDim; }
    unsigned long long num_blocks() const { return (unsigned long long)gridDim.x * gridDim.y * gridDim.z; }
    unsigned long long block_rank() const {
        return blockIdx.x + (unsigned long long)gridDim.x * (blockIdx.y + (unsigned long long)gridDim.y * blockIdx.z);
    }
    unsigned long long num_threads() const { return num_blocks() * blockDim.x * blockDim.y * blockDim.z; }
    unsigned long long size() const { return num_threads(); }
    unsigned long long thread_rank() const {
        const unsigned block_size = blockDim.x * blockDim.y * blockDim.z;
        return block_rank() * block_size + threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    }
};

class thread_block {
  public:
    static void sync(const char *file = __builtin_FILE(), int line = __builtin_LINE()) { __syncthreads(file, line); }
    static unsigned num_threads() { return blockDim.x * blockDim.y * blockDim.z; }
    static unsigned size() { return num_threads(); }
    static unsigned thread_rank() { return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z); }
    static dim3 group_index() { return dim3(blockIdx.x, blockIdx.y, blockIdx.z); }
    static dim3 thread_index() { return dim3(threadIdx.x, threadIdx.y, threadIdx.z); }
};

/* A tile of Size consecutive threads; Size is a power of two and at most 32. */
template <unsigned Size, typename Parent = thread_block> class thread_block_tile {
    static_assert(Size >= 1 && Size <= 32 && (Size & (Size - 1)) == 0, "a tile is a power of two up to a warp");
    static unsigned lane() { return thread_block::thread_rank() % 32; }
    static unsigned mask() { return Size == 32 ? 0xffffffffu : ((1u << (Size % 32)) - 1u) << (lane() / Size * Size); }

  public:
    static constexpr unsigned num_threads() { return Size; }
    static constexpr unsigned size() { return Size; }
    static unsigned thread_rank() { return lane() % Size; }
    static unsigned meta_group_rank() { return thread_block::thread_rank() / Size; }
    static unsigned meta_group_size() { return (thread_block::num_threads() + Size - 1) / Size; }
    void sync(CUDA_ON_CPU_SITE) const { __syncwarp(mask(), file, line); }
    template <typename T> T shfl(T v, int rank, CUDA_ON_CPU_SITE) const {
        return __shfl_sync(mask(), v, rank, Size, file, line);
    }
    template <typename T> T shfl_up(T v, unsigned d, CUDA_ON_CPU_SITE) const {
        return __shfl_up_sync(mask(), v, d, Size, file, line);
    }
    template <typename T> T shfl_down(T v, unsigned d, CUDA_ON_CPU_SITE) const {
        return __shfl_down_sync(mask(), v, d, Size, file, line);
    }
    template <typename T> T shfl_xor(T v, unsigned m, CUDA_ON_CPU_SITE) const {
        return __shfl_xor_sync(mask(), v, int(m), Size, file, line);
    }
    int any(int p, CUDA_ON_CPU_SITE) const { return __any_sync(mask(), p, file, line); }
    int all(int p, CUDA_ON_CPU_SITE) const { return __all_sync(mask(), p, file, line); }
    unsigned ballot(int p, CUDA_ON_CPU_SITE) const {
        return __ballot_sync(mask(), p, file, line) >> (lane() / Size * Size);
    }
};

inline grid_group this_grid() { return {}; }
inline thread_block this_thread_block() { return {}; }
template <unsigned Size, typename Parent> thread_block_tile<Size, Parent> tiled_partition(const Parent &) {
    return {};
}

template <typename Group>
void sync(const Group &group, const char *file = __builtin_FILE(), int line = __builtin_LINE()) {
    group.sync(file, line);
}

} // namespace cooperative_groups
