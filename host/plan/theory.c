/*
 * theory.c - the constants, step sizes and rates of Theorems 3.1 and 3.2, and section 4's step sizes.
 */
#include <math.h>

#include "fitrelu.h"

/* Section 4's step sizes m/d and m b/(9 d) belong to the gradient of half the loss, (max(0, p) - y) 1[p > 0] x.
 * For (1.1)'s own gradient, twice as long, they are halved: with m/d itself runs diverge. */
#define FR_SECTION_4_SCALE 0.5

double fr_theory_lemma_variance(int64_t features, int levels) {
    double d = (double)features, s = levels;
    return levels == 0 ? 0 : fmin(d / (s * s), sqrt(d) / s);
}

double fr_theory_constant(int64_t features, double batch, int levels) {
    double sampled = 9 * (double)features / batch + 25.0 / 16;
    if (levels == 0) return sampled;
    return (1 + fr_theory_lemma_variance(features, levels)) * sampled + 25.0 / 16;
}

double fr_theory_step_size(int64_t features, double batch, int levels) {
    return 3 / (4 * fr_theory_constant(features, batch, levels));
}

double fr_theory_rate(int64_t features, double batch, int levels) {
    return 1 - 9 / (16 * fr_theory_constant(features, batch, levels));
}

double fr_theory_iterations(double rate, double epsilon, double delta2) {
    return (log(2 / epsilon) + log(1 / delta2)) / (1 - rate);
}

double fr_experiment_step_size(int64_t features, double batch, int levels) {
    double d = (double)features;
    if (levels == 0) return FR_SECTION_4_SCALE * batch / d;
    return FR_SECTION_4_SCALE * batch * log2(levels + 1.0) / (9 * d);
}

double fr_local_rate(int64_t features, double batch, double step_size) {
    return 1 - 2 * step_size + step_size * step_size * (1 + (2 * (double)features + 3) / batch);
}
