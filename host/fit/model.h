/*
 * model.h - making a model from a fit.
 */
#ifndef FR_MODEL_H
#define FR_MODEL_H

#include "data/dataset.h"

/* A model of the weights of a fit's columns, in the user's coordinates. */
fr_status fr_model_create(const fr_dataset *set, const double *fitted, fr_model **model, fr_error *error);

/* fr_model_predict for the rows that a set holds, which may be a part of its own: local_rows predictions into out. */
fr_status fr_model_predict_held(const fr_model *model, const fr_dataset *set, double *out, fr_error *error);

#endif
