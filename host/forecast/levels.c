/*
 * levels.c - what Q_s makes of a Gaussian vector: its variance, and how long Elias' code of it is.
 *
 * fr_relative_variance bounds the variance of a rounding by 1/4, which is right for a step size that must never be too
 * long. A forecast wants the mean: for u = |v_i| s / N with fractional part f, the variance is f (1 - f) N^2 / s^2, and
 * with v_i Gaussian and N = unit standard deviations, u = (s / unit) |z|. So
 *
 *     q = E[f (1 - f)] (unit / s)^2,
 *
 * which is (unit / s)^2 / 6 for fine levels and 0.798 unit / s - 1 for coarse ones. The same sum over z gives how
 * probable each level is: u adds 1 - f to level floor(u) and f to the next.
 */
#include <math.h>

#include "forecast/forecast.h"
#include "wire/elias.h"

enum { NODES = 4096, MOST_LEVEL = 127 };
static const double REACH = 8; /* standard deviations; beyond lies 1e-15 */

double fr_gaussian_unit(fr_scale scale, double features, double among) {
    if (scale == FR_SCALE_L2) return sqrt(features);
    double low = 0, high = 40; /* P(all below x) = (1 - erfc(x / sqrt 2))^among = 1/2 */
    for (int i = 0; i < 100; i++) {
        double x = (low + high) / 2;
        if (among * log1p(-erfc(x / sqrt(2))) < -log(2)) low = x;
        else high = x;
    }
    return low;
}

/* Mean length of Elias(distance) where each coordinate is non-zero with probability p: words of one bit length j + 1
 * are those of distances 2^j .. 2^(j+1) - 1. */
static double distance_bits(double p) {
    double bits = 0;
    for (int j = 0; j < 40; j++) {
        double from = exp(((double)((int64_t)1 << j) - 1) * log1p(-p)); /* P(distance >= 2^j) */
        double to = exp(((double)((int64_t)1 << (j + 1)) - 1) * log1p(-p));
        bits += (from - to) * fr_elias_length((uint64_t)1 << j);
    }
    return bits;
}

fr_level_statistics fr_gaussian_levels(int levels, double unit) {
    double probability[MOST_LEVEL + 2] = {0}, rounding = 0, ratio = levels / unit;
    for (int i = 0; i < NODES; i++) {
        double z = (i + 0.5) * REACH / NODES, weight = exp(-z * z / 2) * sqrt(2 / M_PI) * REACH / NODES;
        double u = fmin(ratio * z, levels), part = u - floor(u);
        int level = (int)u;
        rounding += weight * part * (1 - part);
        probability[level] += weight * (1 - part);
        probability[level + 1] += weight * part;
    }
    double bits = 0, nonzero = 0;
    for (int level = 1; level <= levels; level++) {
        nonzero += probability[level];
        bits += probability[level] * (1 + fr_elias_length((uint64_t)level));
    }
    return (fr_level_statistics){rounding / (ratio * ratio),
                                 bits + nonzero * distance_bits(fmin(nonzero, 1 - 1e-12))};
}
