/*
 * kernels.h - the table of hot loops of the CPU engine.
 *
 * simd/kernels.c is compiled once for each instruction set (portable, AVX2, AVX-512) and offers one table a
 * precision; fr_cpu_kernels picks the best that the processor has at run time. All paths add and multiply in the
 * same order without contraction, so they give the same bits.
 */
#ifndef FR_CPU_KERNELS_H
#define FR_CPU_KERNELS_H

#include "fitrelu.h"
#include "kernels/rules/pass.h"

typedef struct fr_cpu_kernels {
    const char *isa; /* "portable", "avx2", "avx512" */
    /* One pass over count <= 512 rows: row_index[i], or i where row_index is NULL, counts from rows, which lie
     * `stride` values apart. Reads each row from memory once, four at a time: dot products, coefficients, then sum[0..d-1] += c_i x_i in order of i.
     * row_index, if any, has a readable count. sums is added to. products (count, or NULL) gets each row's p, with
     * FR_PASS_LABELS its ||x||^2. */
    void (*pass)(fr_pass kind, const void *rows, const void *labels, const int64_t *row_index, int64_t count,
                 int64_t features, int64_t stride, const void *weights, void *sum, fr_row_sums *sums, double *products);
    /* max |v_i|, as double; NaN if any is not finite. */
    double (*max_abs)(const void *v, int64_t features);
    /* sum (v_i factor)^2 in double, in a fixed order; factor a power of two. */
    double (*sum_squares)(const void *v, int64_t features, double factor);
    /* Levels of Q_s for coordinates first..first+count-1 (first a multiple of 64) of v with norm N > 0; draws are
     * words first_word + i of sequence q, first_word a multiple of 4. */
    void (*encode)(const void *v, int64_t first, int64_t count, double norm, int s, uint64_t seed, uint64_t q,
                   uint64_t first_word, int8_t *levels);
    /* Standard normals z_i for words first_word + i of sequence q (Box-Muller on pairs of words), count values;
     * first_word a multiple of 4. */
    void (*normals)(void *out, int64_t count, uint64_t seed, uint64_t q, uint64_t first_word);
    /* <w, x> in double, w double. */
    double (*dot)(const void *row, const double *weights, int64_t features);
} fr_cpu_kernels;

/* The table for this processor. Static; never NULL. */
const fr_cpu_kernels *fr_cpu_kernels_for(fr_precision precision);
/* A given path ("portable", "avx2", "avx512"), or NULL where build or processor lack it. */
const fr_cpu_kernels *fr_cpu_kernels_named(const char *isa, fr_precision precision);

#endif
