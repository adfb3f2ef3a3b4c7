/* fiber.h - a fiber: a stack and the place where it stopped. One CUDA thread runs on one fiber.
 *
 * A switch saves six registers and costs a few nanoseconds (ucontext, used where there is no
 * assembly for the processor, makes system calls and costs some hundred). Stacks are mapped with a
 * guard page below, so that an overflow is a segmentation fault rather than silent damage.
 */
#pragma once

#include <cstddef>

#if !defined(__x86_64__) && !defined(CUDA_ON_CPU_UCONTEXT)
#define CUDA_ON_CPU_UCONTEXT 1
#endif

namespace cuda_on_cpu {

struct Fiber {
    void *stack_pointer = nullptr; /* where it stopped; with ucontext, its ucontext_t */
    char *stack = nullptr;         /* lowest usable byte; NULL until known */
    size_t stack_bytes = 0;
    void *mapping = nullptr;         /* stack and guard page; NULL for an OS thread's own stack */
    void *fake_stack = nullptr;      /* address sanitizer */
    void *sanitizer_fiber = nullptr; /* thread sanitizer */
};

/* Makes `fiber` stand for the calling OS thread's own stack, the place to come back to. */
void fiber_adopt_thread(Fiber &fiber);

void fiber_map_stack(Fiber &fiber);
void fiber_unmap_stack(Fiber &fiber);

/* The next switch to `fiber` calls entry(), which must call fiber_entered() first, never returns. */
void fiber_prepare(Fiber &fiber, void (*entry)());
void fiber_entered();

/* Leaves `from`, which must be running, and continues `to`. Returns when somebody switches back. */
void fiber_switch(Fiber &from, Fiber &to);

} // namespace cuda_on_cpu
