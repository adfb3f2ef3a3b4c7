/*
 * fit.h - one run of the loop, on one rank.
 */
#ifndef FR_FIT_H
#define FR_FIT_H

#include "exchange/collectives.h"

typedef struct fr_fit {
    /* Set by the caller. */
    const fr_plan *plan;
    const fr_options *options; /* callbacks, tolerance, report_every, checkpoint */
    const fr_dataset *set;     /* w* and the conditioning of columns */
    fr_engine *engine;
    fr_comm *comm;
    fr_state state;            /* where to start; its memory is the caller's */
    double zero_loss;          /* mean y^2 */
    double start_loss;         /* loss of the start */
    double zero_gradient;      /* norm of the gradient at zero, for a tolerance without w* */
    int64_t steps_before;      /* of earlier runs, counted in reports */
    double bytes_a_step;
    double started;            /* fr_seconds() of the first step */
    bool ends_at_best;         /* a run that comes to state.best, where an earlier one ended, is over */
    /* Results. state holds the last iterate, or the average of the tail where that is better; state.best the best iterate
     * that was measured. */
    fr_outcome outcome;
    double loss, relative_error;
    bool converged;            /* the stopping rule ended the run */
    int64_t converged_at;      /* at this step of it */
    /* Inside. */
    double *scratch;           /* d, for the user's own coordinates */
    double *residuals;         /* of each own worker, at the last probe */
    double latest_loss, last_progress;
    double last_checkpoint;    /* when it was written */
    int64_t next_report;
    int64_t met_at, next_meeting; /* steps of the ranks' last meeting and of one that is to come */
    double met;                /* when they last met */
    bool stop;
} fr_fit;

/* Runs from state.step to the end of the plan, the stopping rule, the tolerance, divergence or an interruption. */
fr_status fr_fit_run(fr_fit *fit, fr_error *error);

/* state as it is before the first step of run number `run` from w_0 (d); the average is the caller's. */
void fr_fit_begin(fr_fit *fit, int run, const double *start);

/* Keeps weights as state.best if their loss over all rows is the lowest so far. */
void fr_fit_keep_best(fr_fit *fit, double loss, const double *weights);

/* Whether many ranks meet after this step to see if one of them has diverged: of the step's number alone. */
bool fr_fit_looks_together(int64_t step);

/* ||w - w*|| / ||w*|| of fitted weights, NaN where w* is unknown. */
double fr_fit_relative_error(fr_fit *fit, const double *weights);

#endif
