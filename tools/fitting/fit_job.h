/*
 * fit_job.h - one fit from its settings to its result, without a word on stdout: for `fitrelu fit`, which prints, and for
 * the Python package, whose rows are in memory already.
 *
 * Fill in the settings and whatever else stands first in fit_job, then call prepare, run and conclude in this order until
 * one fails, and close in any case. Each is called by all ranks.
 */
#ifndef FITRELU_FIT_JOB_H
#define FITRELU_FIT_JOB_H

#include "base/output_file.h"
#include "fitting/fit_report.h"
#include "fitting/fit_settings.h"
#include "fitting/fit_watcher.h"

typedef struct fit_job {
    fit_settings settings;
    fr_world *world;
    bool speaks;         /* rank 0, which alone writes */
    fit_watcher watcher;
    double began;        /* on the clock */
    bool models;         /* a model is made of planted problems too */
    fr_dataset *data;    /* given, with settings.data not NULL; else opened as the settings say. The job's own from now on */
    double *start;       /* of FR_INIT_GIVEN: given, or read from settings.init_file. The job's own too */

    int64_t samples, features; /* of the user's data: an intercept adds a column later */
    double prepared;           /* seconds until the first step, 0 before it */
    fr_output *history;
    fr_dataset *copy;          /* of the data before the fit, to compare with; or NULL */
    fr_solver *solver;
    fr_result result;
    fr_model *model;           /* of data of one's own, or to be written; NULL without a result */
    fr_quality held_out;
} fit_job;

/* Opens what is to be written, reads what is to be read, and makes every choice left open; then remarks what is allowed
 * and probably not meant. */
fr_status fit_job_prepare(fit_job *job, fr_error *error);
fr_status fit_job_run(fit_job *job, fr_error *error);
/* Writes model and history, and measures the rows held out. */
fr_status fit_job_conclude(fit_job *job, fr_error *error);
/* What there is to tell; borrows the job. */
fit_report fit_job_report(const fit_job *job);
void fit_job_close(fit_job *job);

#endif
