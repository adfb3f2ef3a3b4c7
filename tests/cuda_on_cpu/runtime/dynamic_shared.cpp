/* dynamic_shared.cpp - the one buffer behind every `extern __shared__ T name[]`, and its names. */
#include "cuda_on_cpu/dynamic_shared.h"

#include <cstddef>
#include <cstring>

#include "sanitizers.h"

extern "C" {
alignas(128) __thread unsigned char cuda_on_cpu_dynamic_shared[cuda_on_cpu::dynamic_shared_limit];

#define CUDA_ON_CPU_NAME(name)                                            \
    extern __thread unsigned char name[cuda_on_cpu::dynamic_shared_limit] \
        __attribute__((alias("cuda_on_cpu_dynamic_shared")))
CUDA_ON_CPU_NAME(dynamic_shared);
CUDA_ON_CPU_NAME(shared);
CUDA_ON_CPU_NAME(shared_bytes);
CUDA_ON_CPU_NAME(shared_memory);
CUDA_ON_CPU_NAME(smem);
CUDA_ON_CPU_NAME(scratch);
}

namespace cuda_on_cpu {

void fill_dynamic_shared(size_t bytes) {
    unpoison(cuda_on_cpu_dynamic_shared, dynamic_shared_limit);
    std::memset(cuda_on_cpu_dynamic_shared, 0xff, bytes);
    poison(cuda_on_cpu_dynamic_shared + bytes, dynamic_shared_limit - bytes);
}

void release_dynamic_shared() { unpoison(cuda_on_cpu_dynamic_shared, dynamic_shared_limit); }

} // namespace cuda_on_cpu
