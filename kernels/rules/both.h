/*
 * both.h - FR_BOTH: a function compiled for CPUs by a C compiler, and for CPUs and GPUs by nvcc.
 */
#ifndef FR_BOTH_H
#define FR_BOTH_H

#ifdef __CUDACC__
#define FR_BOTH __host__ __device__ static inline
#else
#define FR_BOTH static inline
#endif

#endif
