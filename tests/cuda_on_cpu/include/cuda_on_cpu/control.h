/* control.h - what a test may ask of the stand-in and tell it, beyond CUDA's own interface.
 *
 * Plain C, so that host C files and C++ tests can both use it. Nothing outside tests/ includes it.
 */
#ifndef CUDA_ON_CPU_CONTROL_H
#define CUDA_ON_CPU_CONTROL_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Waits for all devices, frees whatever is still allocated, clears errors and counters, and reads
 * the CUDA_ON_CPU_* environment variables again. No other thread may be using the runtime. */
void cuda_on_cpu_reset(void);

/* 1 here. tests/gpu has these functions for real GPUs, where nothing can be counted or made to fail: 0. */
int cuda_on_cpu_is_pretending(void);

/* setenv (or unsetenv for NULL), then reads the settings again without touching any object.
 * Counters of CUDA_ON_CPU_FAIL, _HANG and _DELAY start from zero. */
void cuda_on_cpu_set(const char *variable, const char *value);

/* Number of live allocations, streams, events, graphs, communicators and cuBLAS handles; each is
 * described on stderr when `describe` is not zero. */
int cuda_on_cpu_leaks(int describe);

/* The last explanation that went to stderr on this thread ("" if none): why a call was refused. */
const char *cuda_on_cpu_last_note(void);

/* Kernels that ran to their end and threads' switches since the start, over all devices. */
unsigned long long cuda_on_cpu_kernels_run(void);

/* How often the named call (cudaMalloc, ncclAllReduce ...) has been entered since the last reset
 * or set: "no allocation inside the loop" is a property that a test can state. "load by launch":
 * how many launches were the first of their kernel on their device, which nothing had loaded. */
unsigned long long cuda_on_cpu_calls(const char *name);

#ifdef __cplusplus
}
#endif
#endif
