/*
 * condition.h - preparing the columns of a data set for a fit, and the way back for weights.
 */
#ifndef FR_CONDITION_H
#define FR_CONDITION_H

#include "columns/products.h"
#include "plan/plan.h"
#include "ranks/world.h"

/* How the columns of a set are changed before a fit. */
typedef struct fr_conditioning {
    bool center; /* subtract column means; done as well where a column is constant and no intercept is added */
    bool scale;  /* divide by the root mean square (after centering: the standard deviation) */
    /* then combine columns so that (1/n) X^T X = I, where rows and work allow it and there is anything to gain */
    bool decorrelate;
    bool intercept; /* append a column of ones */
    const fr_device_products *device; /* a GPU for the work of n d^2 multiplications; NULL: the CPU */
} fr_conditioning;

/* Changes rows in place, by their weights where they have any, and remembers how (set->shift, scale, mix, intercept,
 * constant, left_out). Once only. Sums over rows are taken a worker of the plan and added in the order of workers over
 * all ranks of the world (NULL: this process holds all rows), and one rank's factor serves all, so that every rank
 * changes its rows in the same way, to the bit. threads: 0 for as many as OpenMP would start. FR_ERROR_DATA names a
 * column whose squares overflow. Called by all
 * ranks, which all fail if one does. */
fr_status fr_dataset_condition(fr_dataset *set, fr_conditioning how, const fr_plan *plan, int threads,
                               fr_world *world, fr_error *error);

/* Called by all ranks. The largest of mean(||x||^2 <v, x>^2) / mean(<v, x>^2) over v along each column and along the
 * longest row of the rows: how much of a direction's second moment sits in long rows. d + 2 for Gaussian columns of
 * variance 1. */
fr_status fr_dataset_long_rows(const fr_dataset *set, const fr_plan *plan, int threads, fr_world *world,
                               double *weighted, fr_error *error);

/* From weights of the conditioned columns to those of the user's features: w' = R^-1 w'' where columns were
 * combined, w_j = w'_j / scale_j, and the intercept b = b' - sum_j w_j shift_j, which goes to a constant column's
 * weight, over its value, where that stands for an intercept. Columns left out get exactly 0. raw: as many as the
 * user's features. */
void fr_unfold_weights(const fr_dataset *set, const double *fitted, double *raw, double *intercept);
/* And back. */
void fr_fold_weights(const fr_dataset *set, const double *raw, double intercept, double *fitted);
/* The user's features: without the column of ones. */
static inline int64_t fr_raw_features(const fr_dataset *set) { return set->features - (set->intercept ? 1 : 0); }

#endif
