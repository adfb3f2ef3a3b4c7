/* barriers.h - __syncthreads and its voting forms, the grid barrier, and __trap.
 *
 * Every barrier carries the file and line of its call (a default argument is evaluated where the
 * call is written), so that the runtime can say who waits where, and can tell two different
 * barriers that are met at once: on a GPU that is undefined, here it is a fault.
 */
#pragma once

namespace cuda_on_cpu {

enum class barrier_kind { plain, count, all, any, grid };

/* Blocks the calling fiber until the whole block (grid: every block) is here. Returns the vote. */
int wait_at_barrier(barrier_kind kind, int predicate, const char *file, int line);

/* Ends the kernel with a fault, as an illegal instruction would. */
[[noreturn]] void trap(const char *file, int line);

} // namespace cuda_on_cpu

static inline void __syncthreads(const char *file = __builtin_FILE(), int line = __builtin_LINE()) {
    cuda_on_cpu::wait_at_barrier(cuda_on_cpu::barrier_kind::plain, 0, file, line);
}

static inline int __syncthreads_count(int predicate, const char *file = __builtin_FILE(),
                                      int line = __builtin_LINE()) {
    return cuda_on_cpu::wait_at_barrier(cuda_on_cpu::barrier_kind::count, predicate, file, line);
}

static inline int __syncthreads_and(int predicate, const char *file = __builtin_FILE(), int line = __builtin_LINE()) {
    return cuda_on_cpu::wait_at_barrier(cuda_on_cpu::barrier_kind::all, predicate, file, line);
}

static inline int __syncthreads_or(int predicate, const char *file = __builtin_FILE(), int line = __builtin_LINE()) {
    return cuda_on_cpu::wait_at_barrier(cuda_on_cpu::barrier_kind::any, predicate, file, line);
}

[[noreturn]] static inline void __trap(const char *file = __builtin_FILE(), int line = __builtin_LINE()) {
    cuda_on_cpu::trap(file, line);
}
