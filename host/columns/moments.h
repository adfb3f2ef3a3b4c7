/*
 * moments.h - rows as the fit will see them, block by block, and their second moments.
 */
#ifndef FR_MOMENTS_H
#define FR_MOMENTS_H

#include "columns/products.h"
#include "columns/shard.h"

/* How rows are changed: x' = (x - shift) factor, then x'' = R^-T x', and 0 in columns that are left out. */
typedef struct fr_view {
    const double *shift, *factor; /* d each */
    const double *mix;            /* R, d x d, row-major; NULL: none */
    const char *state;            /* d, fr_pivot; NULL: no column is left out */
} fr_view;

/* x (d doubles, a row as read) <- x'. */
static inline void fr_view_scale(const fr_view *view, int64_t d, double *x) {
    const double *shift = view->shift, *factor = view->factor;
    for (int64_t j = 0; j < d; j++) x[j] = (x[j] - shift[j]) * factor[j];
}

/* moments (d x d) <- the upper triangle of (1/n) X''^T U X'', U the weights of rows, on all ranks; the rest is not to
 * be used. Called by all ranks. The sums of a worker are made of fixed tiles of columns and blocks of its rows, in the
 * order of blocks. */
fr_status fr_moments(const fr_shard *shard, const fr_products *products, const fr_view *view, double *moments,
                     fr_error *error);

/* set's rows <- x'', in its precision; each block of a worker's rows by itself. */
fr_status fr_view_apply(const fr_shard *shard, const fr_products *products, const fr_view *view, fr_dataset *set,
                        fr_error *error);

#endif
