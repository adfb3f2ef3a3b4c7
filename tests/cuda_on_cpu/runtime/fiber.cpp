/* fiber.cpp - stacks, the register switch, and what the sanitizers must be told about both. */
#include "fiber.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "sanitizers.h"

#ifdef CUDA_ON_CPU_UCONTEXT
#include <ucontext.h>
#else
/* cuda_on_cpu_switch(void **save, void *resume): the callee-saved registers of the System V ABI go
 * onto the old stack, come from the new one, and `ret` continues there. */
extern "C" void cuda_on_cpu_switch(void **save, void *resume);
__asm__(".text\n"
        ".globl cuda_on_cpu_switch\n"
        ".hidden cuda_on_cpu_switch\n"
        ".type cuda_on_cpu_switch, @function\n"
        "cuda_on_cpu_switch:\n"
        "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
        "  movq %rsp, (%rdi)\n"
        "  movq %rsi, %rsp\n"
        "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n"
        "  ret\n"
        ".size cuda_on_cpu_switch, .-cuda_on_cpu_switch\n");
#endif

namespace cuda_on_cpu {

#ifdef CUDA_ON_CPU_ASAN
static constexpr size_t stack_size = 512 * 1024; /* red zones make frames several times larger */
#else
static constexpr size_t stack_size = 128 * 1024;
#endif

void fiber_adopt_thread(Fiber &fiber) {
    pthread_attr_t attributes;
    void *low = nullptr;
    size_t bytes = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        pthread_attr_getstack(&attributes, &low, &bytes);
        pthread_attr_destroy(&attributes);
    }
    fiber.stack = static_cast<char *>(low);
    fiber.stack_bytes = bytes;
#ifdef CUDA_ON_CPU_TSAN
    fiber.sanitizer_fiber = __tsan_get_current_fiber();
#endif
#ifdef CUDA_ON_CPU_UCONTEXT
    if (!fiber.stack_pointer) fiber.stack_pointer = new ucontext_t();
#endif
}

void fiber_map_stack(Fiber &fiber) {
    const size_t guard = size_t(sysconf(_SC_PAGESIZE));
    void *memory = mmap(nullptr, guard + stack_size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) {
        std::fprintf(stderr, "cuda_on_cpu: no memory for a thread's stack\n");
        std::abort();
    }
    /* Past the kernel's limit on mappings the guard is missing; the stack still works. */
    if (mprotect(memory, guard, PROT_NONE) != 0) std::fprintf(stderr, "cuda_on_cpu: a stack has no guard page\n");
    fiber.mapping = memory;
    fiber.stack = static_cast<char *>(memory) + guard;
    fiber.stack_bytes = stack_size;
}

/* To the thread sanitizer a fiber is a thread; one that is prepared again is a new one. */
static void drop_identity(Fiber &fiber) {
#ifdef CUDA_ON_CPU_TSAN
    if (fiber.sanitizer_fiber) __tsan_destroy_fiber(fiber.sanitizer_fiber);
#endif
    fiber.sanitizer_fiber = nullptr;
}

void fiber_unmap_stack(Fiber &fiber) {
    drop_identity(fiber);
    if (fiber.mapping) {
        unpoison(fiber.stack, fiber.stack_bytes);
        munmap(fiber.mapping, size_t(sysconf(_SC_PAGESIZE)) + fiber.stack_bytes);
    }
#ifdef CUDA_ON_CPU_UCONTEXT
    delete static_cast<ucontext_t *>(fiber.stack_pointer);
#endif
    fiber = Fiber();
}

void fiber_prepare(Fiber &fiber, void (*entry)()) {
    unpoison(fiber.stack, fiber.stack_bytes); /* an abandoned kernel leaves red zones behind */
    fiber.fake_stack = nullptr;
    drop_identity(fiber);
#ifdef CUDA_ON_CPU_TSAN
    fiber.sanitizer_fiber = __tsan_create_fiber(0);
#endif
#ifdef CUDA_ON_CPU_UCONTEXT
    if (!fiber.stack_pointer) fiber.stack_pointer = new ucontext_t();
    ucontext_t *context = static_cast<ucontext_t *>(fiber.stack_pointer);
    getcontext(context);
    context->uc_stack.ss_sp = fiber.stack;
    context->uc_stack.ss_size = fiber.stack_bytes;
    context->uc_link = nullptr;
    makecontext(context, entry, 0);
#else
    /* From the top: padding, a zero return address for unwinders, entry, six registers. `ret` into
   * entry leaves the stack as a call would: 8 modulo 16. */
    uintptr_t *top = reinterpret_cast<uintptr_t *>(fiber.stack + fiber.stack_bytes);
    top[-1] = 0;
    top[-2] = reinterpret_cast<uintptr_t>(entry);
    for (int i = 3; i <= 8; ++i) top[-i] = 0;
    fiber.stack_pointer = top - 8;
#endif
}

void fiber_entered() {
#ifdef CUDA_ON_CPU_ASAN
    __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
}

void fiber_switch(Fiber &from, Fiber &to) {
#ifdef CUDA_ON_CPU_ASAN
    __sanitizer_start_switch_fiber(&from.fake_stack, to.stack, to.stack_bytes);
#endif
#ifdef CUDA_ON_CPU_TSAN
    __tsan_switch_to_fiber(to.sanitizer_fiber, __tsan_switch_to_fiber_no_sync);
#endif
#ifdef CUDA_ON_CPU_UCONTEXT
    swapcontext(static_cast<ucontext_t *>(from.stack_pointer), static_cast<ucontext_t *>(to.stack_pointer));
#else
    cuda_on_cpu_switch(&from.stack_pointer, to.stack_pointer);
#endif
#ifdef CUDA_ON_CPU_ASAN
    __sanitizer_finish_switch_fiber(from.fake_stack, nullptr, nullptr);
#endif
}

} // namespace cuda_on_cpu
