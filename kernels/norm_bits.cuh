/*
 * norm_bits.cuh - a largest size as an integer: the bits of numbers that are never negative order them as themselves, and
 * put NaN above all. Such a maximum does not depend on the order in which it is taken.
 */
#pragma once

#include "kernels/launch.cuh"

namespace fitrelu {

/* Of |v|; what is not finite has no norm, as in simd/quantize.c. */
__device__ inline unsigned size_bits(float v) {
    const unsigned bits = unsigned(__float_as_int(v)) & 0x7fffffffu;
    return bits < 0x7f800000u ? bits : 0x7fc00000u;
}
__device__ inline unsigned long long size_bits(double v) {
    const unsigned long long bits = (unsigned long long)(__double_as_longlong(v)) & 0x7fffffffffffffffull;
    return bits < 0x7ff0000000000000ull ? bits : 0x7ff8000000000000ull;
}

__device__ inline float number_of_bits(unsigned bits) { return __int_as_float(int(bits)); }
__device__ inline double number_of_bits(unsigned long long bits) { return __longlong_as_double((long long)(bits)); }

template <typename Real> using BitsOf = decltype(size_bits(Real(0)));

/* The largest of a warp, in every lane. */
__device__ inline unsigned warp_max_bits(unsigned bits) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
    for (int apart = 16; apart > 0; apart /= 2) {
        const unsigned other = __shfl_xor_sync(all_lanes, bits, apart);
        bits = other > bits ? other : bits;
    }
    return bits;
#else
    return __reduce_max_sync(all_lanes, bits);
#endif
}
__device__ inline unsigned long long warp_max_bits(unsigned long long bits) {
    for (int apart = 16; apart > 0; apart /= 2) {
        const unsigned long long other = __shfl_xor_sync(all_lanes, bits, apart);
        bits = other > bits ? other : bits;
    }
    return bits;
}

} // namespace fitrelu
