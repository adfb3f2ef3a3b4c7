/*
 * survey.h - sums over all rows of all ranks, in one fixed order, and what is computed from them.
 */
#ifndef FR_SURVEY_H
#define FR_SURVEY_H

#include "exchange/comm.h"
#include "engine/engine.h"

/* sum_i c_i x_i over all n rows at weights (see fr_pass) into sum (d, or NULL), and the scalars. Workers are added in
 * order, so that the result is the same however they are spread over ranks. Called by all ranks. */
fr_status fr_survey_total(fr_engine *engine, fr_comm *comm, fr_pass pass, const double *weights, double *sum,
                          fr_row_sums *total, fr_error *error);

/* Largest eigenvalue of (1/n) X^T X by at most ten power iterations, fewer once it moves by under 1 %. */
fr_status fr_survey_eigenvalue(fr_engine *engine, fr_comm *comm, double *lambda, fr_error *error);

/* Which start; label_sum is sum_i y_i x_i. */
typedef struct fr_start {
    fr_init init;
    const double *given;     /* FR_INIT_GIVEN: d weights of the fit's columns */
    const double *label_sum; /* d */
    double zero_loss;        /* mean y^2, the loss at zero */
} fr_start;

/* w_0 into weights (d) and its loss. `gradient` is one full step of size 2 from zero (Remark 3.2),
 * (2/n) sum_i y_i x_i, halved until its loss is below that of zero, which on Gaussian rows it is at once. */
fr_status fr_survey_start(fr_engine *engine, fr_comm *comm, const fr_start *start, double *weights, double *loss,
                          fr_error *error);

#endif
