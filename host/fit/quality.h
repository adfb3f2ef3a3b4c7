/*
 * quality.h - how well a model predicts labels that are known.
 */
#ifndef FR_FIT_QUALITY_H
#define FR_FIT_QUALITY_H

#include "fitrelu.h"

typedef struct fr_quality {
    int64_t rows;
    double loss;      /* (1.1): the mean squared residual, by the weights of rows */
    double r_squared; /* NaN where all labels are the same */
} fr_quality;

/* Of predictions of the rows of a set with labels that this rank holds; over the rows of all ranks, which all call. */
fr_status fr_quality_of(const fr_dataset *set, const double *predicted, fr_world *world, fr_quality *found, fr_error *error);

/* The same with the predictions of a model. */
fr_status fr_quality_measure(const fr_model *model, const fr_dataset *set, fr_world *world, fr_quality *found,
                             fr_error *error);

#endif
