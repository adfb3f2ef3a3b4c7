/*
 * history.h - the CSV file of a fit's reports, one row each, which appears whole when the fit has ended.
 */
#ifndef FITRELU_HISTORY_H
#define FITRELU_HISTORY_H

#include "base/output_file.h"

/* Opens path and writes the header; runs: with a column of the run, from 1. */
fr_status history_open(const char *path, bool runs, fr_output **history, fr_error *error);

/* Adds a row; NULL is fine. A failed write is told by fr_output_commit. */
void history_add(fr_output *history, bool runs, const fr_report *report);

#endif
