/*
 * experiment.h - what the experiments of the paper have in common.
 *
 * An experiment is a number of independent trials, each of which yields `width` doubles and depends on its index and
 * the settings alone; so neither threads nor an interruption can change what is found. trials.c runs them side by
 * side and keeps them in a partial file; report.c writes CSV, JSON and verdicts; an experiment of its own file says
 * what a trial is and what the paper claims about it.
 */
#ifndef FITRELU_EXPERIMENT_H
#define FITRELU_EXPERIMENT_H

#include "fitrelu.h"
#include "json_writer.h"
#include "output_file.h"

enum { EXPERIMENT_MOST_BATCHES = 16, EXPERIMENT_MOST_VERDICTS = 24, EXPERIMENT_TEXT = 512 };

typedef struct experiment_settings {
    const char *output; /* folder */
    int64_t samples, features, iterations, seeds; /* 0: the experiment's own choice */
    int64_t batches[EXPERIMENT_MOST_BATCHES];
    int batch_count; /* 0: the experiment's own choice */
    uint64_t seed;
    int threads; /* 0: all */
    bool full, quiet, json, no_pictures;
} experiment_settings;

/* One claim: what the paper says, what was measured, whether it holds. */
typedef struct verdict {
    char paper[EXPERIMENT_TEXT], measured[EXPERIMENT_TEXT];
    bool holds;
} verdict;

typedef struct verdict_list {
    verdict items[EXPERIMENT_MOST_VERDICTS];
    int count;
} verdict_list;

typedef struct experiment experiment;

/* An experiment under way: settings with every choice made, and the values of its trials. */
typedef struct experiment_run {
    const experiment *what;
    experiment_settings settings;
    int64_t trials, width;
    double *values; /* trials x width */
    bool *done;     /* trials */
} experiment_run;

struct experiment {
    const char *name, *title;
    /* Makes the choices left open in run->settings, and sets run->trials and run->width. */
    void (*plan)(experiment_run *run);
    fr_status (*trial)(const experiment_run *run, int64_t trial, double *values, fr_error *error);
    void (*table)(const experiment_run *run, fr_output *csv);
    /* Verdicts into list, and members of its own (rates, slope) into the object that json has open. */
    void (*judge)(const experiment_run *run, verdict_list *list, json_writer *json);
};

extern const experiment experiment_fig1a, experiment_fig1b, experiment_fig2a, experiment_fig2b,
    experiment_scales, experiment_collectives;

/* ------------------------------------------------------------------------------------------- trials.c */

/* Allocates and runs every trial that the partial file does not hold; FR_OK also when interrupted (some are then not
 * done). Free with experiment_run_free. */
fr_status experiment_run_trials(experiment_run *run, fr_error *error);
void experiment_run_free(experiment_run *run);
bool experiment_is_complete(const experiment_run *run);
/* One line that names everything the values depend on. */
void experiment_describe(const experiment_run *run, char text[EXPERIMENT_TEXT]);
/* OUTPUT/NAME.ENDING */
void experiment_path(const experiment_run *run, const char *ending, char text[EXPERIMENT_TEXT]);

/* ---------------------------------------------------------------------------------------------- fit.c */

/* Fits a planted problem on this thread and keeps the relative error every `every` steps: values[0] is the start's,
 * and count values are filled; INFINITY from where the run diverged. */
fr_status experiment_fit(const fr_planted *planted, const fr_options *options, int64_t every, double *values,
                         int64_t count, fr_error *error);

/* ------------------------------------------------------------------------------------------- report.c */

void verdict_add(verdict_list *list, bool holds, const char *paper, const char *measured);
/* Writes NAME.csv and NAME.json, prints the verdicts (or the JSON) and removes the partial file. */
fr_status experiment_report(const experiment_run *run, fr_error *error);
/* Draws NAME.png and NAME.svg where a Python with matplotlib is there; otherwise says so. */
void experiment_draw(const experiment_run *run);
/* Appends a CSV field, with a comma before it unless it is the first. */
void experiment_field(fr_output *csv, bool first, double value);

/* ----------------------------------------------------------------------------------------- measures.c */

double measure_mean(const double *values, int64_t count);
double measure_deviation(const double *values, int64_t count); /* of a sample; 0 for one value */

typedef struct measure_line {
    double slope, intercept, r_squared;
} measure_line;

/* Least squares; NaN with fewer than two points. */
measure_line measure_fit_line(const double *x, const double *y, int64_t count);

#endif
