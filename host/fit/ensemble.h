/*
 * ensemble.h - which run of an ensemble to trust: Algorithm 1.
 */
#ifndef FR_ENSEMBLE_H
#define FR_ENSEMBLE_H

#include <stdint.h>

/* epsilon of Algorithm 1 where no tolerance was asked for: a ball of radius 2 sqrt(epsilon) = 6 % of R. */
#define FR_ENSEMBLE_EPSILON 1e-3

/* The first of `runs` vectors of d weights (one behind the other) around which a ball of the given radius holds at
 * least half of all runs, itself included; -1 if there is none. agreeing: how many that ball holds, 0 if none. */
int fr_ensemble_winner(const double *weights, int runs, int64_t features, double radius, int *agreeing);

#endif
