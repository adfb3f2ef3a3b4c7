/*
 * fields.h - sums of levels as fields of 32-bit words, for CPUs and GPUs.
 *
 * A level l of -s..s is biased: l + s lies in 0..2s, and the sum over K workers in 0..2 K s. It stands in a field of f bits,
 * the smallest f of 4, 8 and 16 with 2 K s < 2^f, so that no sum, partial sums included, ever carries into the next field: a
 * sum of words, modulo 2^32 or not, is 32 / f exact sums at once. Less K s, a sum is that of the levels.
 *
 * Coordinate j is field j mod (32 / f) of word j / (32 / f), the lowest bits first: an order that no device and no number of
 * ranks changes. Fields behind the last coordinate are 0.
 */
#ifndef FR_FIELDS_H
#define FR_FIELDS_H

#include <stdint.h>

#include "kernels/rules/both.h"

/* The largest K s that a field can hold. */
#define FR_FIELDS_MOST 32767

/* f for sums of up to `most` = K s; 0 where there is none. */
FR_BOTH int fr_field_bits(int64_t most) { return most <= 7 ? 4 : most <= 127 ? 8 : most <= FR_FIELDS_MOST ? 16 : 0; }

FR_BOTH int64_t fr_fields_a_word(int bits) { return 32 / bits; }

FR_BOTH int64_t fr_field_words(int64_t count, int bits) {
    return (count + fr_fields_a_word(bits) - 1) / fr_fields_a_word(bits);
}

/* Coordinate j. */
FR_BOTH uint32_t fr_field_at(const uint32_t *words, int bits, int64_t j) {
    int shift = bits == 4 ? 3 : bits == 8 ? 2 : 1; /* 2^shift fields a word */
    int within = (int)(j & ((1 << shift) - 1));
    return words[j >> shift] >> (within * bits) & ((1u << bits) - 1);
}

#endif
