/*
 * pass.h - what one pass over rows computes, for CPUs and GPUs: the kinds of coefficients, and the scalars beside the
 * sum.
 */
#ifndef FR_PASS_H
#define FR_PASS_H

/* What a pass over rows sums: sum_i c_i x_i with c_i by kind. */
typedef enum fr_pass {
    FR_PASS_GRADIENT, /* (max(0, p) - y)(1 + sgn p), p = <w, x>: (1.1) */
    FR_PASS_LABELS,   /* y, the gradient start; w is not read */
    FR_PASS_LINEAR,   /* p, a power iteration on X^T X */
    FR_PASS_LOSS      /* 0, only the scalars below */
} fr_pass;

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
