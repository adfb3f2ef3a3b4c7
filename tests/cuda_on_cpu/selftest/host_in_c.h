/* host_in_c.h - a host file in C, as engine_cuda.c will be: it must compile as C and link as it is. */
#ifndef CUDA_ON_CPU_SELFTEST_HOST_IN_C_H
#define CUDA_ON_CPU_SELFTEST_HOST_IN_C_H

#ifdef __cplusplus
extern "C" {
#endif

/* Doubles n floats on the current device. 0, or the number of the step that failed. */
int host_in_c_doubles(int n);

#ifdef __cplusplus
}
#endif
#endif
