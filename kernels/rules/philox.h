/*
 * philox.h - Philox4x32-10 for CPUs, and the map from decisions to its outputs for CPUs and GPUs.
 *
 * Every random decision is a pure function of (seed, stream, run, worker, step, index), never of a thread, a thread
 * block or a device; that is what makes a fit the same wherever it runs. The output word p of sequence q under a seed
 * is word p mod 4 of what Philox makes of the counter (lo32 p/4, hi32 p/4, q_lo, q_hi) and key (seed_lo, seed_hi),
 * which is what curand_init(seed, q, p) followed by curand() gives. Kernels have their words from there (random.cuh).
 */
#ifndef FR_PHILOX_H
#define FR_PHILOX_H

#include <stdint.h>

#include "kernels/rules/both.h"

#define FR_PHILOX_M0 0xD2511F53u
#define FR_PHILOX_M1 0xCD9E8D57u
#define FR_PHILOX_W0 0x9E3779B9u
#define FR_PHILOX_W1 0xBB67AE85u

/* Sequences of different streams never meet: the stream is the top byte of q. */
enum {
    FR_STREAM_SAMPLE = 1,  /* indices of drawn rows */
    FR_STREAM_ROUND = 2,   /* stochastic rounding of a worker's gradient */
    FR_STREAM_REROUND = 3, /* second rounding of the two-phase collective */
    FR_STREAM_ROWS = 4,    /* planted features */
    FR_STREAM_PLANTED = 5, /* planted weights */
    FR_STREAM_NOISE = 6,   /* noise of planted labels */
    FR_STREAM_START = 7,   /* the random start */
    FR_STREAM_HOLDOUT = 8  /* rows held out of a fit */
};

/* What Philox makes of one counter. */
typedef struct fr_words {
    uint32_t word[4];
} fr_words;

/* q of a stream, an ensemble run (24 bits) and a worker. */
FR_BOTH uint64_t fr_sequence(uint32_t stream, uint32_t run, uint32_t worker) {
    return ((uint64_t)stream << 56) | ((uint64_t)(run & 0xffffffu) << 32) | worker;
}

/* The first word of a step: 2^32 words are set aside for each. */
FR_BOTH uint64_t fr_word_of_step(uint64_t step) { return step << 32; }

/* Words 4 counter .. 4 counter + 3 of sequence q. On CPUs alone: nvcc refuses it in a kernel. */
static inline fr_words fr_philox(uint64_t seed, uint64_t q, uint64_t counter) {
    uint32_t c0 = (uint32_t)counter, c1 = (uint32_t)(counter >> 32), c2 = (uint32_t)q, c3 = (uint32_t)(q >> 32);
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    fr_words out;
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)FR_PHILOX_M0 * c0, b = (uint64_t)FR_PHILOX_M1 * c2;
        c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)b;
        c3 = (uint32_t)a;
        k0 += FR_PHILOX_W0;
        k1 += FR_PHILOX_W1;
    }
    out.word[0] = c0, out.word[1] = c1, out.word[2] = c2, out.word[3] = c3;
    return out;
}

/* floor(draw * n / 2^64) for a 64-bit draw: uniform on 0..n-1 up to n / 2^64. */
FR_BOTH int64_t fr_index_of_draw(uint32_t low, uint32_t high, uint64_t n) {
    uint64_t n0 = (uint32_t)n, n1 = n >> 32;
    uint64_t low_high = (uint64_t)low * n1 + (((uint64_t)low * n0) >> 32);
    uint64_t high_low = (uint64_t)high * n0 + (uint32_t)low_high;
    return (int64_t)((uint64_t)high * n1 + (low_high >> 32) + (high_low >> 32));
}

/* Draw number `draw` of worker and step: the index of a row among the n of the worker's own shard, (2.1) and (2.2).
 * A draw takes two words, so draws 2c and 2c + 1 are in the same four: the first of these, and the row they give. */
FR_BOTH uint64_t fr_word_of_draw(uint64_t step, uint64_t draw) { return fr_word_of_step(step) + draw / 2 * 4; }
FR_BOTH int64_t fr_row_of_words(fr_words four, uint64_t draw, uint64_t n) {
    return draw & 1 ? fr_index_of_draw(four.word[2], four.word[3], n)
                    : fr_index_of_draw(four.word[0], four.word[1], n);
}
static inline int64_t fr_sample_row(uint64_t seed, uint64_t q, uint64_t step, uint64_t draw, uint64_t n) {
    return fr_row_of_words(fr_philox(seed, q, fr_word_of_draw(step, draw) / 4), draw, n);
}

#endif
