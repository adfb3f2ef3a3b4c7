/*
 * random.cuh - the random words of kernels, every one by cuRAND's device generator (Philox4_32_10).
 *
 * No generator is kept between calls: a word is named by seed, sequence and number (kernels/rules/philox.h), and
 * curand_init goes straight to it. Its skipping ahead folds into the counter, so that four words cost one Philox block.
 * They are the words that the CPU has from fr_philox.
 */
#pragma once

#include <curand_kernel.h>

#include "kernels/rules/philox.h"

namespace fitrelu {

/* Words first .. first + 3 of sequence q; first is a multiple of four. */
__device__ inline fr_words random_words(uint64_t seed, uint64_t q, uint64_t first) {
    curandStatePhilox4_32_10_t generator;
    curand_init(seed, q, first, &generator);
    const uint4 four = curand4(&generator);
    return {{four.x, four.y, four.z, four.w}};
}

/* As fr_sample_row. */
__device__ inline int64_t sample_row(uint64_t seed, uint64_t q, uint64_t step, uint64_t draw, uint64_t n) {
    return fr_row_of_words(random_words(seed, q, fr_word_of_draw(step, draw)), draw, n);
}

} // namespace fitrelu
