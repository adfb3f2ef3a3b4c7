/* cuda_on_cpu.h - the header forced in front of every .cu file that is compiled for the stand-in.
 *
 * It owns the meaning of CUDA's device language when g++ or clang++ compiles a kernel as ordinary
 * C++: the qualifiers, threadIdx and its companions, barriers, warp operations, atomics, intrinsics
 * and the typed launch. Types (float4, dim3, cudaStream_t, __nv_bfloat16 ...) come from NVIDIA's own
 * headers, which leave a qualifier alone that was defined before them: so __shared__ is settled first.
 *
 * A block never leaves its operating-system thread, hence __shared__ is thread_local: all fibers of
 * a block see one copy, blocks on different threads each see their own.
 */
#pragma once

#ifdef __CUDACC__
#error "cuda_on_cpu.h stands in for a CUDA compiler; do not include it from nvcc"
#endif

#define CUDA_ON_CPU 1
#define __shared__ thread_local
#ifndef __launch_bounds__ /* which NVIDIA's headers define for nvcc alone */
#define __launch_bounds__(...)
#endif

/* NVIDIA's template forgets the kernel's parameter types; launch.h has one that keeps them. */
#define cudaLaunchKernelEx cuda_on_cpu_untyped_launch_kernel_ex
#include <cuda_runtime.h>
#undef cudaLaunchKernelEx

/* Rewritten whenever a fiber starts or resumes (threadIdx) or a block starts (the others). */
extern __thread uint3 threadIdx;
extern __thread uint3 blockIdx;
extern __thread dim3 blockDim;
extern __thread dim3 gridDim;

#include "cuda_on_cpu/atomics.h"
#include "cuda_on_cpu/barriers.h"
#include "cuda_on_cpu/dynamic_shared.h"
#include "cuda_on_cpu/intrinsics.h"
#include "cuda_on_cpu/launch.h"
#include "cuda_on_cpu/warp.h"
