/*
 * qsgd.h - the scalar rules of the method, written once for CPUs and GPUs: gradient coefficient, rounding,
 * step size. The vector code of simd/kernels_real.h does the same operations in the same order, lane by lane.
 */
#ifndef FR_QSGD_H
#define FR_QSGD_H

#include "kernels/rules/philox.h"
#include "kernels/rules/split.h"

/* max(0, p). A product that is no number stays one, so that a loss shows weights that overflowed. */
FR_BOTH double fr_relu(double p) { return p > 0 ? p : p <= 0 ? 0 : p; }

/* (max(0, p) - y) (1 + sgn p), sgn(0) = 0: the factor of x_i in the gradient of (1.1) at p = <w, x_i>. */
FR_BOTH double fr_relu_coefficient(double p, double y) {
    return (fr_relu(p) - y) * (p > 0 ? 2.0 : p < 0 ? 0.0 : 1.0);
}

/* The level of Q_s for v with norm N: u = |v| / N s, h = floor(u), h + 1 with probability u - h, at most s. The draw
 * is compared as an integer of 31 bits, so a tie cannot depend on rounding. Division first: |v| / N does not change
 * when v and N are scaled by the same power of two, and |v| = N gives exactly s. The two functions are twins: each
 * is the one sequence of roundings of its type, which nvcc must neither contract nor approximate. */
FR_BOTH int fr_quantize_f32(float v, float norm, float s, uint32_t draw) {
    float size = v < 0 ? -v : v;
#ifdef __CUDA_ARCH__
    float u = __fmul_rn(__fdiv_rn(size, norm), s);
#else
    float u = size / norm * s;
#endif
    int h = (int)u;
    float above = u - (float)h;
    int level = h + ((int)(draw >> 1) < (int)(above * 2147483648.0f));
    int most = (int)s;
    level = level > most ? most : level;
    return v < 0 ? -level : level;
}
FR_BOTH int fr_quantize_f64(double v, double norm, double s, uint32_t draw) {
    double size = v < 0 ? -v : v;
#ifdef __CUDA_ARCH__
    double u = __dmul_rn(__ddiv_rn(size, norm), s);
#else
    double u = size / norm * s;
#endif
    int h = (int)u;
    double above = u - (double)h;
    int level = h + ((int)(draw >> 1) < (int)(above * 2147483648.0));
    int most = (int)s;
    level = level > most ? most : level;
    return v < 0 ? -level : level;
}

/* eta_t of a run of `steps` steps: constant, or constant for the first half and then linearly to zero. */
typedef struct fr_step_plan {
    double eta;
    int64_t steps;
    int decays;
} fr_step_plan;

FR_BOTH double fr_step_at(fr_step_plan plan, int64_t step) {
    int64_t hold = plan.steps / 2;
    if (!plan.decays || step < hold) return plan.eta;
    return plan.eta * (double)(plan.steps - step) / (double)(plan.steps - hold);
}

#endif
