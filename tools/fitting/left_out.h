/*
 * left_out.h - the remark that columns were left out of a fit.
 */
#ifndef FITRELU_LEFT_OUT_H
#define FITRELU_LEFT_OUT_H

#include "fitrelu.h"

/* One line for each reason for which features of a prepared data set were left out, that names them, by number
 * where they have no names. */
void left_out_remark(const fr_dataset *set, int64_t features);

#endif
