/* curand_words.h - curand_word_count words of curand_init(seed, sequence, offset) into device memory. */
#ifndef FR_TEST_CURAND_WORDS_H
#define FR_TEST_CURAND_WORDS_H

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { curand_word_count = 11 };
cudaError_t launch_curand_words(unsigned long long seed, unsigned long long sequence, unsigned long long offset,
                                unsigned *words, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
