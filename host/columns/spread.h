/*
 * spread.h - how far labels lie about their mean, for R^2.
 */
#ifndef FR_SPREAD_H
#define FR_SPREAD_H

#include "plan/plan.h"
#include "ranks/world.h"

/* *spread <- sum_i u_i (y_i - mean)^2 over the rows of all ranks, where mean = sum_i u_i y_i / n, in two passes: labels far
 * from 0 leave no digit of sum y^2 - (sum y)^2 / n. Of a read set, before or after fr_weights_apply. Called by all ranks,
 * which all fail if one does. */
fr_status fr_labels_spread(const fr_dataset *set, const fr_plan *plan, fr_world *world, double *spread, fr_error *error);

#endif
