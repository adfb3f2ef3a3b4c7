/*
 * quantize.c - the norm of Q_s, and Q_s itself and the width of its sums for callers outside a fit.
 */
#include "simd/quantize.h"

#include <math.h>
#include <string.h>

#include "kernels/rules/fields.h"
#include "kernels/rules/philox.h"

double fr_norm(const fr_cpu_kernels *kernels, const void *v, int64_t features, fr_scale scale) {
    double most = kernels->max_abs(v, features);
    int exponent;
    if (scale == FR_SCALE_MAX || !(most > 0)) return most;
    frexp(most, &exponent);
    /* 2^1023 is the largest factor; subnormal vectors then stay small, but far from underflow. */
    exponent = exponent < -1023 ? -1023 : exponent;
    double squares = kernels->sum_squares(v, features, ldexp(1, -exponent));
    return ldexp(sqrt(squares), exponent);
}

double fr_quantize(const double *v, int64_t features, int levels_count, fr_scale scale, uint64_t seed, uint64_t step,
                   uint32_t worker, int8_t *levels) {
    const fr_cpu_kernels *kernels = fr_cpu_kernels_for(FR_F64);
    double norm = fr_norm(kernels, v, features, scale);
    if (norm > 0)
        kernels->encode(v, 0, features, norm, levels_count, seed, fr_sequence(FR_STREAM_ROUND, 0, worker),
                        fr_word_of_step(step), levels);
    else
        memset(levels, 0, (size_t)features);
    return norm;
}

int fr_allreduce_bits(int workers, int levels_count) { return fr_field_bits((int64_t)workers * levels_count); }
