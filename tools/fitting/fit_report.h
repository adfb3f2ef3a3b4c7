/*
 * fit_report.h - the result of a fit on stdout: as JSON for programs, as a table for people, and as sentences for
 * somebody who runs fitrelu for the first time.
 */
#ifndef FITRELU_FIT_REPORT_H
#define FITRELU_FIT_REPORT_H

#include "console/json_writer.h"
#include "fitting/fit_settings.h"
#include "fit/quality.h"

typedef struct fit_report {
    const fit_settings *settings;
    const fr_result *result;
    int64_t samples, features;
    double prepared;       /* seconds before the first step: reading, changing columns, the start */
    const char *path;      /* the file of the model that was written, or NULL */
    const fr_model *model; /* what was found in data of one's own; NULL: planted, or no result */
    const fr_dataset *data;  /* of one's own, or NULL */
    const fr_quality *held_out; /* on rows held out, or NULL */
} fit_report;

/* Into an object that was begun; ends it. */
void fit_report_json(json_writer json, const fit_report *report);
void fit_report_table(const fit_report *report);
/* What was done and what came of it; for the problem that `fitrelu fit` makes by itself. */
void fit_report_sentences(const fit_report *report);

#endif
