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

#endif
