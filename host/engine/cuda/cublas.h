/*
 * cublas.h - cuBLAS's functions, found when they are first needed: fr_cublas.Dgemm_v2 is cublasDgemm_v2.
 */
#ifndef FR_CUDA_CUBLAS_H
#define FR_CUDA_CUBLAS_H

#include <cublas_v2.h>

#include "base/status.h"

#define FR_CUBLAS_FUNCTIONS(do)                                                                                    \
    do(Create_v2) do(Destroy_v2) do(Dgemm_v2) do(Dgemv_v2) do(Dsyrk_v2) do(Dtrsm_v2) do(GetProperty)                \
    do(GetStatusString) do(SetStream_v2)

typedef struct fr_cublas_functions {
#define FR_MEMBER(name) __typeof__(cublas##name) *name;
    FR_CUBLAS_FUNCTIONS(FR_MEMBER)
#undef FR_MEMBER
} fr_cublas_functions;

/* NULLs before fr_cublas_open has said FR_OK. */
extern fr_cublas_functions fr_cublas;

/* Opens libcublas.so.13 or .12, or the file that FITRELU_CUBLAS of the environment names, once and for good; from any
 * thread. FR_ERROR_DEVICE, with a line that names cuBLAS, where it is not to be had. */
fr_status fr_cublas_open(fr_error *error);

#endif
