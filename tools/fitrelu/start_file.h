/*
 * start_file.h - the weights that --init FILE starts from.
 */
#ifndef FITRELU_START_FILE_H
#define FITRELU_START_FILE_H

#include "fitrelu.h"

/* Reads `features` weights from a model, an NPY vector or text with one number a line, into *weights (for the caller
 * to free), and the intercept of a model, else 0. Refuses a file of another number of weights. */
fr_status start_file_read(const char *path, int64_t features, double **weights, double *intercept, fr_error *error);

#endif
