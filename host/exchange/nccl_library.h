/*
 * nccl_library.h - NCCL's functions, found when they are first needed: fr_nccl.AllReduce is ncclAllReduce.
 */
#ifndef FR_NCCL_LIBRARY_H
#define FR_NCCL_LIBRARY_H

#include <nccl.h>

#include "base/status.h"

#define FR_NCCL_FUNCTIONS(do)                                                                                       \
    do(AllGather) do(AllReduce) do(CommAbort) do(CommDestroy) do(CommFinalize) do(CommGetAsyncError)                \
    do(CommInitRankConfig) do(GetErrorString) do(GetUniqueId) do(GetVersion) do(GroupEnd) do(GroupStart) do(Recv)   \
    do(Send)

typedef struct fr_nccl_functions {
#define FR_MEMBER(name) __typeof__(nccl##name) *name;
    FR_NCCL_FUNCTIONS(FR_MEMBER)
#undef FR_MEMBER
} fr_nccl_functions;

/* NULLs before fr_nccl_open has said FR_OK. */
extern fr_nccl_functions fr_nccl;

/* Opens libnccl.so.2, or the file that FITRELU_NCCL of the environment names, once and for good; from any thread.
 * FR_ERROR_DEVICE, with a line that names NCCL, where it is not to be had. */
fr_status fr_nccl_open(fr_error *error);
const char *fr_nccl_file(void); /* the one that was opened */

#endif
