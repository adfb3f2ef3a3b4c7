/*
 * experiment.h - what the experiments of the paper have in common.
 *
 * An experiment is a number of independent trials, each of which yields `width` doubles and depends on its index and
 * the settings alone; so neither threads nor an interruption can change what is found. trials.c runs them side by
 * side and keeps them in a partial file; report.c writes CSV, JSON and verdicts; scripts.c has Python draw pictures and
 * put all on one page; an experiment of its own file says what a trial is and what the paper claims about it. One that has
 * several subjects is made of parts, parts.c.
 */
#ifndef FITRELU_EXPERIMENT_H
#define FITRELU_EXPERIMENT_H

#include "fitrelu.h"
#include "console/json_writer.h"
#include "base/output_file.h"

enum { EXPERIMENT_MOST_BATCHES = 16, EXPERIMENT_MOST_VERDICTS = 24, EXPERIMENT_TEXT = 512 };

/* How the fits are made, where the command line says so instead of the experiment. */
typedef struct experiment_method {
    bool has_init, has_step, has_scale, has_workers, has_collective;
    fr_init init;
    fr_step_rule step_rule;
    double step_size; /* of FR_STEP_NUMBER */
    fr_scale scale;
    int workers;
    fr_collective collective;
} experiment_method;

typedef struct experiment_settings {
    const char *output;                           /* folder */
    int64_t samples, features, iterations, seeds; /* 0: the experiment's own choice */
    int64_t batches[EXPERIMENT_MOST_BATCHES];
    int batch_count; /* 0: the experiment's own choice */
    uint64_t seed;
    int threads;      /* 0: all */
    fr_device device; /* where the fits are computed */
    experiment_method method;
    bool full, quiet, json, no_pictures;
} experiment_settings;

/* Whose claim a verdict is about: the two are counted apart. */
typedef enum claim_source { CLAIM_PAPER, CLAIM_OWN } claim_source;
/* UNTOLD: what was measured cannot tell, as where a grid is too small for a line. */
typedef enum verdict_outcome { VERDICT_FAILS, VERDICT_HOLDS, VERDICT_UNTOLD } verdict_outcome;

/* One claim, what was measured, and whether it holds. */
typedef struct verdict {
    char claim[EXPERIMENT_TEXT], measured[EXPERIMENT_TEXT];
    claim_source source;
    verdict_outcome outcome;
} verdict;

typedef struct verdict_list {
    verdict items[EXPERIMENT_MOST_VERDICTS];
    int count;
} verdict_list;

typedef struct experiment experiment;

/* An experiment under way: settings as given and with every choice made, and the values of its trials. */
typedef struct experiment_run {
    const experiment *what;
    experiment_settings given, settings;
    int64_t trials, width;
    double *values; /* trials x width */
    bool *done;     /* trials */
} experiment_run;

struct experiment {
    const char *name, *title;
    const char *setup; /* for under a picture's title; {n} {d} {m} {T} {s} stand for the settings */
    /* Makes the choices left open in run->settings, and sets run->trials and run->width. */
    void (*plan)(experiment_run *run);
    /* FR_ERROR_USAGE where the planned settings do not fit together; asked before any trial. NULL: they always do. */
    fr_status (*check)(const experiment_run *run, fr_error *error);
    fr_status (*trial)(const experiment_run *run, int64_t trial, double *values, fr_error *error);
    void (*table)(const experiment_run *run, fr_output *csv);
    /* Verdicts into list, and members of its own (rates, slope) into the object that json has open. */
    void (*judge)(const experiment_run *run, verdict_list *list, json_writer *json);
};

extern const experiment experiment_fig1a, experiment_fig1b, experiment_fig2a, experiment_fig2b, experiment_scales,
    experiment_collectives, experiment_bits, experiment_lemmas, experiment_theorems, experiment_ensemble,
    experiment_table2;

/* What table2 lacks on this machine, as a line; NULL: nothing. */
const char *experiment_table2_missing(void);

/* ------------------------------------------------------------------------------------------- trials.c */

/* Allocates and runs every trial that the partial file does not hold; FR_OK also when interrupted (some are then not
 * done). Free with experiment_run_free. */
fr_status experiment_run_trials(experiment_run *run, fr_error *error);
void experiment_run_free(experiment_run *run);
bool experiment_is_complete(const experiment_run *run);
/* One line that names everything the values depend on. */
void experiment_describe(const experiment_run *run, char text[EXPERIMENT_TEXT]);
/* "cpu", "cuda" or "auto". */
const char *experiment_device_name(fr_device device);
/* OUTPUT/NAME.ENDING */
void experiment_path(const experiment_run *run, const char *ending, char text[EXPERIMENT_TEXT]);

/* ---------------------------------------------------------------------------------------------- fit.c */

/* Defaults for a fit inside a trial: one worker, one thread, a constant step, the device of the settings. */
void experiment_options(const experiment_run *run, fr_options *options);
/* Puts what the command line says of the method over the experiment's own choices; --scale only where there are levels. */
void experiment_choose(const experiment_run *run, fr_options *options);
/* " --init random --workers 4": what was given of the method, as options; "" where nothing was. */
void experiment_method_text(const experiment_method *method, char text[EXPERIMENT_TEXT]);
/* FR_ERROR_USAGE where --workers does not divide one of the mini-batches. */
fr_status experiment_check_workers(const experiment_run *run, fr_error *error);
/* Fits a planted problem on this thread and keeps the relative error every `every` steps: values[0] is the start's,
 * and count values are filled; INFINITY from where the run diverged. */
fr_status experiment_fit(const fr_planted *planted, const fr_options *options, int64_t every, double *values,
                         int64_t count, fr_error *error);
/* The same on data at hand, which keep their rows for the next fit. */
fr_status experiment_fit_data(fr_dataset *data, const fr_options *options, int64_t every, double *values,
                              int64_t count, fr_error *error);
/* Fits without a curve; weights (d, or NULL) are those found. A relative error that overflowed is INFINITY. */
fr_status experiment_fit_once(fr_dataset *data, const fr_options *options, fr_result *result, double *weights,
                              fr_error *error);
/* d standard normals, a function of (seed, which). */
void experiment_normals(uint64_t seed, uint32_t which, int64_t features, double *normals);
/* w = w* + radius ||w*|| u with u uniform on the sphere, a function of (seed, which); w: d values. */
void experiment_near(const fr_dataset *planted, double radius, uint64_t seed, uint32_t which, double *w);

/* -------------------------------------------------------------------------------------------- parts.c */

/* A subject of an experiment: trials of its own, whose rows of values (run->width apart) begin at rows. */
typedef struct experiment_part {
    int64_t width;                                  /* 0: depends on the settings, */
    int64_t (*width_of)(const experiment_run *run); /* as this tells; else NULL */
    int64_t (*trials)(const experiment_run *run);
    fr_status (*trial)(const experiment_run *run, int64_t trial, double *values, fr_error *error);
    void (*table)(const experiment_run *run, const double *rows, fr_output *csv);
    void (*judge)(const experiment_run *run, const double *rows, verdict_list *list, json_writer *json);
} experiment_part;

/* What the functions of an experiment made of parts do, once its settings are chosen: the parts one after the other. */
void experiment_parts_plan(experiment_run *run, const experiment_part *const parts[], int count);
fr_status experiment_parts_trial(const experiment_run *run, const experiment_part *const parts[], int count,
                                 int64_t trial, double *values, fr_error *error);
void experiment_parts_table(const experiment_run *run, const experiment_part *const parts[], int count,
                            fr_output *csv);
void experiment_parts_judge(const experiment_run *run, const experiment_part *const parts[], int count,
                            verdict_list *list, json_writer *json);

/* ------------------------------------------------------------------------------------------- report.c */

void verdict_add(verdict_list *list, claim_source source, verdict_outcome outcome, const char *claim,
                 const char *measured);
static inline verdict_outcome verdict_of(bool holds) { return holds ? VERDICT_HOLDS : VERDICT_FAILS; }
/* "4 of 5 claims of the paper hold, and 1 of 2 of our own, 1 cannot be told" */
void verdict_count(const verdict_list *list, char text[EXPERIMENT_TEXT]);
/* Writes NAME.csv and NAME.json and prints the verdicts (or the JSON); the partial file stays for the caller to
 * remove. */
fr_status experiment_report(const experiment_run *run, fr_error *error);
/* The member settings of NAME.json: everything the values depend on. */
void experiment_write_settings(const experiment_run *run, json_writer *json);
/* Appends a CSV field, with a comma before it unless it is the first. */
void experiment_field(fr_output *csv, bool first, double value);

/* ------------------------------------------------------------------------------------------ scripts.c */

/* Draws NAME.png and NAME.svg where a Python with matplotlib is there; otherwise says so. */
/* Where a script that belongs to the program is. */
bool experiment_find_script(const char *name, char path[EXPERIMENT_TEXT]);
void experiment_draw(const experiment_run *run);
/* Makes OUTPUT/index.html of the files of these experiments, a page that needs no other file and no network; false,
 * after saying why, where no Python is there. */
bool experiment_make_page(const experiment_settings *settings, const char *const names[], int count);

/* ----------------------------------------------------------------------------------------- measures.c */

double measure_mean(const double *values, int64_t count);
double measure_deviation(const double *values, int64_t count); /* of a sample; 0 for one value */
/* Half the width of Student's 95 % interval of the mean; NaN with fewer than two values. */
double measure_interval(const double *values, int64_t count);

typedef struct measure_range {
    double low, high;
} measure_range;

/* Wilson's 95 % interval of the probability behind `successes` of `count`. */
measure_range measure_share(int64_t successes, int64_t count);

typedef struct measure_line {
    double slope, intercept, r_squared;
} measure_line;

/* Least squares; NaN with fewer than two points. */
measure_line measure_fit_line(const double *x, const double *y, int64_t count);

#endif
