/*
 * decorrelate.h - columns combined so that (1/n) X^T X = I, and what of them is left out.
 */
#ifndef FR_DECORRELATE_H
#define FR_DECORRELATE_H

#include "columns/moments.h"

/* What the precision of the data is to the columns. */
typedef struct fr_noise {
    double precision;   /* relative, of one value */
    const double *size; /* d, the root mean square of each column before it was centered, in units of its scale */
} fr_noise;

/* mix (d x d) <- R with X' = X'' R, (1/n) X''^T X'' = I on the columns that are kept. state (d, what view->state is):
 * FR_PIVOT_OUT on entry where x' is 0 in all rows, on return also where a column is a combination of earlier ones to
 * within the precision of the data; its row of R is 0. R is made on rank 0 and broadcast: factors made apart on
 * different processors would differ in their last bits, and the ranks' rows with them. Called by all ranks. */
fr_status fr_decorrelate(const fr_shard *shard, const fr_products *products, fr_view view, fr_noise noise,
                         double *mix, char *state, fr_error *error);

#endif
