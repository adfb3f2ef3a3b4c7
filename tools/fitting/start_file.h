/*
 * start_file.h - the weights that --init FILE starts from.
 */
#ifndef FITRELU_START_FILE_H
#define FITRELU_START_FILE_H

#include "fitrelu.h"

/* Reads a weight for each feature of the data from a model, an NPY vector or text with one number a line, into *weights
 * (for the caller to free), and the intercept of a model, else 0. A model's weights go to the features of their names,
 * where both have names. Refuses a file of another number of weights. */
fr_status start_file_read(const char *path, const fr_dataset *data, double **weights, double *intercept,
                          fr_error *error);

#endif
