/*
 * pass.h - what one pass over rows computes, for CPUs and GPUs: the kinds of coefficients, and the scalars beside the
 * sum.
 */
#ifndef FR_PASS_H
#define FR_PASS_H

#include "kernels/rules/qsgd.h"

/* What a pass over rows sums: sum_i c_i x_i with c_i by kind. */
typedef enum fr_pass {
    FR_PASS_GRADIENT, /* (max(0, p) - y)(1 + sgn p), p = <w, x>: (1.1) */
    FR_PASS_LABELS,   /* y, the gradient start; w is not read */
    FR_PASS_LINEAR,   /* p, a power iteration on X^T X */
    FR_PASS_POSITIVE, /* p - y where y > 0, least squares over the rows with positive labels; else 0 */
    FR_PASS_INACTIVE, /* y where the row is not active, the way on which it would begin to fit; else 0 */
    FR_PASS_LOSS      /* 0, only the scalars below */
} fr_pass;

/* c of a row with product p and label y. */
FR_BOTH double fr_pass_coefficient(fr_pass kind, double p, double y) {
    switch (kind) {
    case FR_PASS_GRADIENT: return fr_relu_coefficient(p, y);
    case FR_PASS_LABELS: return y;
    case FR_PASS_LINEAR: return p;
    case FR_PASS_POSITIVE: return y > 0 ? p - y : 0;
    case FR_PASS_INACTIVE: return p > 0 ? 0 : y;
    default: return 0;
    }
}

/* Sums over rows beside the vector. */
typedef struct fr_row_sums {
    double residual;  /* sum (max(0, p) - y)^2 */
    double active;    /* rows with p > 0 */
    double label;     /* sum y            (FR_PASS_LABELS) */
    double label2;    /* sum y^2          (FR_PASS_LABELS) */
    double square;    /* sum ||x||^2      (FR_PASS_LABELS) */
} fr_row_sums;

static inline void fr_row_sums_add(fr_row_sums *total, const fr_row_sums *more) {
    total->residual += more->residual;
    total->active += more->active;
    total->label += more->label;
    total->label2 += more->label2;
    total->square += more->square;
}

#endif
