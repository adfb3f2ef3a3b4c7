/*
 * model_report.h - a fitted unit on stdout: intercept and coefficients with the names of their columns.
 */
#ifndef FITRELU_MODEL_REPORT_H
#define FITRELU_MODEL_REPORT_H

#include "fitrelu.h"
#include "console/json_writer.h"

/* A head, an empty line, and a line for the intercept and each feature: by name, or by number from 1. */
void model_report_text(const fr_model *model);
/* name,coefficient: a row for "(intercept)" and for each feature. */
void model_report_csv(const fr_model *model);

/* The member "model": the path (or null), and of a model that is not NULL label, intercept, weights and names (null
 * where there are none). Beyond `most` features weights and names are null. */
void model_report_member(json_writer *json, const char *path, const fr_model *model, int64_t most);

#endif
