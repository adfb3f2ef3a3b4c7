/* planted.h - bugs that must be found. Each is a name; planted.cu says what is wrong. */
#ifndef CUDA_ON_CPU_SELFTEST_PLANTED_H
#define CUDA_ON_CPU_SELFTEST_PLANTED_H

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Commits the bug on device 0 and returns what the launch returned. Unknown names: InvalidValue. */
cudaError_t run_planted_bug(const char *name);

/* Not bugs: the block's threads write the same word, so the last in order wins; a block with much
 * dynamic shared memory, allowed (if not 0) by cudaFuncSetAttribute. */
cudaError_t launch_last_writer(int *out, cudaStream_t stream);
cudaError_t launch_large_shared(int bytes, int allowed, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
