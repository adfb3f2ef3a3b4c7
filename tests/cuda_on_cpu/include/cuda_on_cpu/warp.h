/* warp.h - the warp-level operations: shuffles, votes, reductions, matches, __syncwarp.
 *
 * One function, meet_warp, serves them all: a lane deposits the operation, its mask and 64 bits of
 * value, and sleeps; the last lane of the mask checks that they all agree and computes every lane's
 * result. A lane outside its own mask, disagreeing masks, and a read from a lane that is not in the
 * mask or has left the kernel are faults; on a GPU each is undefined.
 *
 * There is no __activemask: what it returns depends on scheduling, and kernels here name full masks.
 */
#pragma once

#include <cstdint>
#include <cstring>

namespace cuda_on_cpu {

enum class warp_op {
    sync,
    shuffle_index,
    shuffle_up,
    shuffle_down,
    shuffle_xor,
    ballot,
    any,
    all,
    match_any,
    match_all,
    add,
    min_signed,
    max_signed,
    min_unsigned,
    max_unsigned,
    bit_and,
    bit_or,
    bit_xor
};

/* Returns the calling lane's result. `argument` is the source lane, delta or lane mask of a shuffle. */
uint64_t meet_warp(warp_op op, unsigned mask, uint64_t value, unsigned argument, int width, const char *file,
                   int line);

template <typename T>
T shuffle(warp_op op, unsigned mask, T value, unsigned argument, int width, const char *file, int line) {
    static_assert(sizeof(T) <= sizeof(uint64_t), "a shuffle carries at most 8 bytes");
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    bits = meet_warp(op, mask, bits, argument, width, file, line);
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

} // namespace cuda_on_cpu

static constexpr int warpSize = 32;

#define CUDA_ON_CPU_SITE const char *file = __builtin_FILE(), int line = __builtin_LINE()

static inline void __syncwarp(unsigned mask = 0xffffffffu, CUDA_ON_CPU_SITE) {
    cuda_on_cpu::meet_warp(cuda_on_cpu::warp_op::sync, mask, 0, 0, warpSize, file, line);
}

template <typename T> T __shfl_sync(unsigned mask, T value, int lane, int width = warpSize, CUDA_ON_CPU_SITE) {
    return cuda_on_cpu::shuffle(cuda_on_cpu::warp_op::shuffle_index, mask, value, unsigned(lane), width, file, line);
}
template <typename T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = warpSize, CUDA_ON_CPU_SITE) {
    return cuda_on_cpu::shuffle(cuda_on_cpu::warp_op::shuffle_up, mask, value, delta, width, file, line);
}
template <typename T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = warpSize, CUDA_ON_CPU_SITE) {
    return cuda_on_cpu::shuffle(cuda_on_cpu::warp_op::shuffle_down, mask, value, delta, width, file, line);
}
template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = warpSize, CUDA_ON_CPU_SITE) {
    return cuda_on_cpu::shuffle(cuda_on_cpu::warp_op::shuffle_xor, mask, value, unsigned(lane_mask), width, file,
                                line);
}

static inline unsigned __ballot_sync(unsigned mask, int predicate, CUDA_ON_CPU_SITE) {
    return unsigned(
        cuda_on_cpu::meet_warp(cuda_on_cpu::warp_op::ballot, mask, predicate != 0, 0, warpSize, file, line));
}
static inline int __any_sync(unsigned mask, int predicate, CUDA_ON_CPU_SITE) {
    return int(cuda_on_cpu::meet_warp(cuda_on_cpu::warp_op::any, mask, predicate != 0, 0, warpSize, file, line));
}
static inline int __all_sync(unsigned mask, int predicate, CUDA_ON_CPU_SITE) {
    return int(cuda_on_cpu::meet_warp(cuda_on_cpu::warp_op::all, mask, predicate != 0, 0, warpSize, file, line));
}
template <typename T> unsigned __match_any_sync(unsigned mask, T value, CUDA_ON_CPU_SITE) {
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    return unsigned(cuda_on_cpu::meet_warp(cuda_on_cpu::warp_op::match_any, mask, bits, 0, warpSize, file, line));
}
template <typename T> unsigned __match_all_sync(unsigned mask, T value, int *all_equal, CUDA_ON_CPU_SITE) {
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    bits = cuda_on_cpu::meet_warp(cuda_on_cpu::warp_op::match_all, mask, bits, 0, warpSize, file, line);
    *all_equal = bits != 0;
    return unsigned(bits);
}

/* The 32-bit reductions of compute capability 8.0 and later. */
#define CUDA_ON_CPU_REDUCE(name, type, operation)                                                               \
    static inline type name(unsigned mask, type value, CUDA_ON_CPU_SITE) {                                      \
        return type(cuda_on_cpu::meet_warp(cuda_on_cpu::warp_op::operation, mask, unsigned(value), 0, warpSize, \
                                           file, line));                                                        \
    }
CUDA_ON_CPU_REDUCE(__reduce_add_sync, int, add)
CUDA_ON_CPU_REDUCE(__reduce_add_sync, unsigned, add)
CUDA_ON_CPU_REDUCE(__reduce_min_sync, int, min_signed)
CUDA_ON_CPU_REDUCE(__reduce_max_sync, int, max_signed)
CUDA_ON_CPU_REDUCE(__reduce_min_sync, unsigned, min_unsigned)
CUDA_ON_CPU_REDUCE(__reduce_max_sync, unsigned, max_unsigned)
CUDA_ON_CPU_REDUCE(__reduce_and_sync, unsigned, bit_and)
CUDA_ON_CPU_REDUCE(__reduce_or_sync, unsigned, bit_or)
CUDA_ON_CPU_REDUCE(__reduce_xor_sync, unsigned, bit_xor)
#undef CUDA_ON_CPU_REDUCE
