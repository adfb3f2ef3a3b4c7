/* sanitizers.h - the annotations that the address and thread sanitizers need, empty without them.
 *
 * Address sanitizer: it must hear of every change of stack. Thread sanitizer: each fiber is a thread
 * of its own to it, switches carry no ordering, and barriers carry release and acquire.
 */
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define CUDA_ON_CPU_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CUDA_ON_CPU_ASAN 1
#endif
#endif

/* The scheduler is built without the thread sanitizer, so its build says so with a macro. */
#if defined(__SANITIZE_THREAD__) || defined(CUDA_ON_CPU_THREAD_SANITIZER)
#define CUDA_ON_CPU_TSAN 1
#endif

#ifdef CUDA_ON_CPU_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef CUDA_ON_CPU_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace cuda_on_cpu {

inline void poison(void *address, size_t bytes) {
#ifdef CUDA_ON_CPU_ASAN
    __asan_poison_memory_region(address, bytes);
#else
    (void)address, (void)bytes;
#endif
}

inline void unpoison(void *address, size_t bytes) {
#ifdef CUDA_ON_CPU_ASAN
    __asan_unpoison_memory_region(address, bytes);
#else
    (void)address, (void)bytes;
#endif
}

/* What one thread did before release(&x) is visible to another after acquire(&x). */
inline void release(void *address) {
#ifdef CUDA_ON_CPU_TSAN
    __tsan_release(address);
#else
    (void)address;
#endif
}

inline void acquire(void *address) {
#ifdef CUDA_ON_CPU_TSAN
    __tsan_acquire(address);
#else
    (void)address;
#endif
}

} // namespace cuda_on_cpu
