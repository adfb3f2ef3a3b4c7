/*
 * weights.h - weights of rows: L(w) = sum_i u_i (max(0, <w, x_i>) - y_i)^2 / sum_i u_i.
 *
 * With r = sqrt(u) of weights of mean 1, max(0, <w, r x>) - r y = r (max(0, <w, x>) - y), since max(0, r p) = r max(0, p).
 * So rows and labels times r have the weighted loss, gradient and second moments as their plain ones, and no engine knows
 * of weights. A row of weight 0 becomes zeros, which add nothing to anything; it is still counted among the n rows, and
 * drawn.
 *
 * Columns are measured, centered and combined by the weights while rows are still as they were given
 * (columns/condition.c); the ones of an intercept become r.
 */
#ifndef FR_WEIGHTS_H
#define FR_WEIGHTS_H

#include <math.h>

#include "plan/plan.h"
#include "ranks/world.h"

/* Before columns are changed: set->weights get the mean 1 over the rows of all ranks, set->counted its value. Sums are
 * taken a worker of the plan, in the order of workers, so that ranks change no bit. Once only; nothing where the set
 * has no weights. FR_ERROR_DATA where all are 0. Called by all ranks, which all fail if one does. */
fr_status fr_weights_settle(fr_dataset *set, const fr_plan *plan, fr_world *world, fr_error *error);

/* After columns were changed: rows and labels times sqrt(u). Once only. */
fr_status fr_weights_apply(fr_dataset *set, int threads, fr_error *error);

/* x (d) <- sqrt(u) x, whatever x holds where u is 0. */
static inline void fr_weigh_row(double u, int64_t d, double *x) {
    double root = sqrt(u);
    for (int64_t j = 0; j < d; j++) x[j] = u > 0 ? root * x[j] : 0;
}

#endif
