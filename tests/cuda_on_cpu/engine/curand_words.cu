/*
 * curand_words.cu - words of cuRAND's own device generator, for kernels/rules/philox.h to be held against.
 */
#include "curand_words.h"

#include <cuda_runtime.h>
#include <curand_kernel.h>

static __global__ void curand_words_kernel(unsigned long long seed, unsigned long long sequence,
                                           unsigned long long offset, unsigned *words) {
    curandStatePhilox4_32_10_t state;
    curand_init(seed, sequence, offset, &state);
    for (int i = 0; i < curand_word_count; i++) words[i] = curand(&state);
}

cudaError_t launch_curand_words(unsigned long long seed, unsigned long long sequence, unsigned long long offset,
                                unsigned *words, cudaStream_t stream) {
    cudaLaunchConfig_t config = {};
    config.gridDim = config.blockDim = dim3(1);
    config.stream = stream;
    return cudaLaunchKernelEx(&config, curand_words_kernel, seed, sequence, offset, words);
}
