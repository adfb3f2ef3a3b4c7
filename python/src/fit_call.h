/*
 * fit_call.h - what the Python package calls beside fitrelu.h: a fit by the names of the program's options, and what these
 * options are. python/bindings.py hands this file to cffi as it stands.
 */
#ifndef FITRELU_FIT_CALL_H
#define FITRELU_FIT_CALL_H

#include "fitrelu.h"

/* An option of `fitrelu fit`, as the program's own table has it. */
typedef struct fit_option {
    const char *name;  /* "step-size" */
    const char *group; /* "Method" */
    const char *words; /* "auto|theorem", or "" */
    const char *help;
    bool flag;         /* it takes no value */
} fit_option;

/* The next option from *at on, which is 0 for the first; false behind the last. */
bool fit_option_next(int *at, fit_option *option);

typedef struct fit_call {
    /* Before. */
    int option_count;
    const char *const *names; /* as above */
    const char *const *texts; /* what stands behind them on a command line; "" for a flag */
    fr_dataset *data;         /* rows that are there, owned by the call from then on; NULL: as the options say */
    const double *start;      /* d weights to start from, or NULL: as the options say */
    double start_intercept;
    bool advises;             /* remarks may cost a second, small fit */
    fr_world *world;          /* or NULL */
    fr_report_function report, progress; /* as in fr_options; progress is asked by the second fit too */
    void *user;
    /* After. */
    int code;                 /* 0, or the program's exit code for what failed */
    fr_error error;           /* what failed */
    char *json;               /* the program's object with --json, or NULL; free both by fit_call_free */
    fr_model *model;          /* or NULL where there is none */
    bool borrows;             /* the fit has read the rows where they lie */
} fit_call;

/* Makes the fit; says nothing on stdout or stderr. Fits of different threads are independent. */
void fit_call_run(fit_call *call);
void fit_call_free(fit_call *call);

#endif
