/*
 * rank.h - one rank of a solver: a device and what it needs to run the loop; for the files of solver/ alone.
 */
#ifndef FR_SOLVER_RANK_H
#define FR_SOLVER_RANK_H

#include "fit/search.h"

/* Ranks share the data set and nothing else. */
typedef struct fr_solver_rank {
    fr_options options;
    fr_dataset *set;
    fr_plan plan; /* begun with the solver's; finished by the survey of the data, and const from then on */
    int threads;
    fr_engine *engine;
    fr_comm *comm;
    fr_fit fit;
    bool resumed;       /* the run goes on from options.resume */
    fr_row_sums labels; /* of FR_PASS_LABELS: sums over all rows */
    double spread;      /* of the labels about their mean, a sum of squares */
    double *label_sum;  /* d: sum_i y_i x_i */
    fr_start_data data;
    double *start;      /* w_0, d */
    double *best;       /* d: data of one's own: the best iterate that was measured */
    double *fitted;     /* the result, d */
    int agreeing;
    double processor_before; /* fr_processor_seconds() before the first step */
    double *sent, *received; /* bytes a step, a rank each */
    fr_result result;
} fr_solver_rank;

/* Runs the loop as often as the options ask (once, among starts, as an ensemble) from what the rank was created with, and
 * leaves the weights in fitted and all that is to be told in result. Called by all ranks. */
fr_status fr_rank_run(fr_solver_rank *rank, fr_error *error);

/* rank->result of runs that took `seconds`, of which `waited` in the exchange. Called by all ranks. */
fr_status fr_rank_tell(fr_solver_rank *rank, double seconds, double waited, fr_error *error);

#endif
