/* atomics.h - CUDA's atomic functions and fences on the compiler's atomic builtins.
 *
 * CUDA atomics are relaxed, and so are these: the thread sanitizer then sees exactly the ordering
 * that the kernel asked for. Blocks of a cooperative launch, and streams, really run concurrently,
 * so these must be real atomics. Floating-point sums use compare-and-swap, as do minima and maxima.
 */
#pragma once

#include <cstring>

namespace cuda_on_cpu {

template <typename T, typename Change> T atomic_update(T *address, Change change) {
    T expected, desired;
    __atomic_load(address, &expected, __ATOMIC_RELAXED);
    do {
        desired = change(expected);
    } while (!__atomic_compare_exchange(address, &expected, &desired, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return expected;
}

void thread_fence();

} // namespace cuda_on_cpu

#define CUDA_ON_CPU_ATOMIC(name, type, expression)                                                    \
    static inline type name(type *address, type value) {                                              \
        return cuda_on_cpu::atomic_update(address, [value](type old) -> type { return expression; }); \
    }
#define CUDA_ON_CPU_ATOMIC_INTEGER(type)                                                                  \
    static inline type atomicAdd(type *address, type value) {                                             \
        return __atomic_fetch_add(address, value, __ATOMIC_RELAXED);                                      \
    }                                                                                                     \
    static inline type atomicExch(type *address, type value) {                                            \
        return __atomic_exchange_n(address, value, __ATOMIC_RELAXED);                                     \
    }                                                                                                     \
    static inline type atomicCAS(type *address, type compare, type value) {                               \
        __atomic_compare_exchange_n(address, &compare, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED); \
        return compare;                                                                                   \
    }                                                                                                     \
    static inline type atomicAnd(type *address, type value) {                                             \
        return __atomic_fetch_and(address, value, __ATOMIC_RELAXED);                                      \
    }                                                                                                     \
    static inline type atomicOr(type *address, type value) {                                              \
        return __atomic_fetch_or(address, value, __ATOMIC_RELAXED);                                       \
    }                                                                                                     \
    static inline type atomicXor(type *address, type value) {                                             \
        return __atomic_fetch_xor(address, value, __ATOMIC_RELAXED);                                      \
    }                                                                                                     \
    CUDA_ON_CPU_ATOMIC(atomicMin, type, value < old ? value : old)                                        \
    CUDA_ON_CPU_ATOMIC(atomicMax, type, value > old ? value : old)

CUDA_ON_CPU_ATOMIC_INTEGER(int)
CUDA_ON_CPU_ATOMIC_INTEGER(unsigned)
CUDA_ON_CPU_ATOMIC_INTEGER(unsigned long long)

static inline int atomicSub(int *address, int value) { return __atomic_fetch_sub(address, value, __ATOMIC_RELAXED); }
static inline unsigned atomicSub(unsigned *address, unsigned value) {
    return __atomic_fetch_sub(address, value, __ATOMIC_RELAXED);
}

CUDA_ON_CPU_ATOMIC(atomicAdd, float, old + value)
CUDA_ON_CPU_ATOMIC(atomicAdd, double, old + value)
CUDA_ON_CPU_ATOMIC(atomicMin, long long, value < old ? value : old)
CUDA_ON_CPU_ATOMIC(atomicMax, long long, value > old ? value : old)
CUDA_ON_CPU_ATOMIC(atomicExch, float, (void(old), value))
CUDA_ON_CPU_ATOMIC(atomicInc, unsigned, old >= value ? 0 : old + 1)
CUDA_ON_CPU_ATOMIC(atomicDec, unsigned, (old == 0 || old > value) ? value : old - 1)

#undef CUDA_ON_CPU_ATOMIC
#undef CUDA_ON_CPU_ATOMIC_INTEGER

static inline void __threadfence() { cuda_on_cpu::thread_fence(); }
static inline void __threadfence_block() { cuda_on_cpu::thread_fence(); }
static inline void __threadfence_system() { cuda_on_cpu::thread_fence(); }
