/* curand_kernel.h - NVIDIA's own header, made to compile for the host.
 *
 * curand_mtgp32_kernel.h declares `extern const uint3 threadIdx` for host compilers, which clashes
 * with the stand-in's thread-local one. The names are moved aside while it is read; Philox, the
 * only generator this project uses, never touches them, and the Mersenne twister does not link.
 */
#pragma once
#pragma GCC system_header

#include "cuda_on_cpu.h"

#define threadIdx cuda_on_cpu_curand_thread_index
#define blockDim cuda_on_cpu_curand_block_dim
#include_next <curand_kernel.h>
#undef threadIdx
#undef blockDim
