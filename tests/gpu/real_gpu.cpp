/*
 * real_gpu.cpp - what tests ask of the stand-in (cuda_on_cpu/control.h), on real GPUs: nothing is pretended, counted or
 * made to fail.
 */
#include "cuda_on_cpu/control.h"

#include <cuda_runtime_api.h>

int cuda_on_cpu_is_pretending() { return 0; }
void cuda_on_cpu_reset() { cudaGetLastError(); }
void cuda_on_cpu_set(const char *, const char *) {}
int cuda_on_cpu_leaks(int) { return 0; }
unsigned long long cuda_on_cpu_calls(const char *) { return 0; }
