/*
 * triangle.h - the factor of a matrix of second moments, and the product of two triangles. Row-major, upper, d x d.
 */
#ifndef FR_TRIANGLE_H
#define FR_TRIANGLE_H

#include "base/team.h"
#include "columns/products.h"

/* What became of a column in a factorization. */
typedef enum fr_pivot {
    FR_PIVOT_GOOD,  /* has its row of the factor */
    FR_PIVOT_SMALL, /* what earlier columns leave of it is too small to be trusted: the next round has a look */
    FR_PIVOT_OUT    /* left out */
} fr_pivot;

/* C (d x d, its upper triangle) <- F with C = F^T F on the columns that are good. On entry state[j] is FR_PIVOT_OUT
 * for columns to pass over; they get a row of the identity and no part of others. Columns whose pivot, of a diagonal
 * scaled to 1, is below `small` become FR_PIVOT_SMALL: they keep their projections on earlier columns, their diagonal
 * is their norm, and no later column is projected on them. The others become FR_PIVOT_GOOD. Returns the smallest pivot
 * among these, 1 where there is none. scale: d doubles of scratch. Same bits for any number of threads. */
double fr_triangle_factor(const fr_products *products, fr_team *team, int64_t d, double small, double *c, char *state,
                          double *scale);

/* R <- F R, both upper triangular. */
fr_status fr_triangle_multiply(const fr_products *products, fr_team *team, int64_t d, const double *f, double *r,
                               fr_error *error);

#endif
