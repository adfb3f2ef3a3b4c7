/* libraries.h - what the runtime must know of the stand-ins for NCCL and cuBLAS, and they of it. */
#pragma once

namespace cuda_on_cpu {

void abort_all_communicators();
int describe_communicators(bool describe);

void forget_cublas();
int describe_cublas(bool describe);

void check_leaks_at_exit(); /* control.cpp; registered by settings.cpp at the first use of anything */

} // namespace cuda_on_cpu
