/* dynamic_shared.h - what `extern __shared__ T name[];` refers to.
 *
 * The runtime defines one thread_local buffer of the largest size a block may ask for, under the
 * names kernels commonly use (dynamic_shared.cpp: dynamic_shared, shared, shared_bytes,
 * shared_memory, smem, scratch). Any other name is given to
 * fitrelu_cuda_on_cpu_library(... DYNAMIC_SHARED name), which renames it to
 * cuda_on_cpu_dynamic_shared. The declaration must not stand in a namespace (nor in a kernel that
 * does): its name would be another one for the linker. Every block finds the buffer filled with 0xff; under the
 * address sanitizer the bytes past the requested size are poisoned.
 */
#pragma once

namespace cuda_on_cpu {
constexpr unsigned dynamic_shared_limit = 227 * 1024;  /* as on compute capability 9.0 */
constexpr unsigned dynamic_shared_default = 48 * 1024; /* without cudaFuncSetAttribute */
} // namespace cuda_on_cpu
