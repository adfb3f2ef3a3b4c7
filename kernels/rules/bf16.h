/*
 * bf16.h - bfloat16: the upper half of a float, 8 bits of exponent and 7 of fraction. For CPUs and GPUs.
 *
 * Widening is exact. Narrowing rounds to nearest, ties to even, in one rounding from float and from double: within a
 * relative 2^-8 of any value from 2^-126 to 3.3895e38; what is larger becomes infinite, what is smaller loses places
 * as every format does there. NaN stays NaN.
 */
#ifndef FR_BF16_H
#define FR_BF16_H

#include <string.h>

#include "kernels/rules/philox.h"

#define FR_BF16_MOST 3.3895313892515355e38 /* (2 - 2^-7) 2^127 */

typedef struct fr_bf16 {
    uint16_t bits;
} fr_bf16;

FR_BOTH float fr_float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

FR_BOTH uint32_t fr_bits_of_float(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

FR_BOTH float fr_bf16_widen(fr_bf16 value) { return fr_float_of_bits((uint32_t)value.bits << 16); }

FR_BOTH fr_bf16 fr_bf16_round_bits(uint32_t bits) {
    fr_bf16 rounded;
    if ((bits & 0x7fffffffu) > 0x7f800000u) rounded.bits = (uint16_t)(bits >> 16 | 0x40u);
    else rounded.bits = (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
    return rounded;
}

FR_BOTH fr_bf16 fr_bf16_of_f32(float value) { return fr_bf16_round_bits(fr_bits_of_float(value)); }

/* By way of a float that is cut towards zero and remembers in its last bit that something was cut, so that a value
 * just beside a tie is not taken for one. */
FR_BOTH fr_bf16 fr_bf16_of_f64(double value) {
    float near = (float)value;
    uint32_t bits = fr_bits_of_float(near);
    if (value == value && (double)near != value) {
        double size = near < 0 ? -(double)near : (double)near;
        if (size > (value < 0 ? -value : value)) bits--; /* also from infinity */
        bits |= 1;
    }
    return fr_bf16_round_bits(bits);
}

#endif
