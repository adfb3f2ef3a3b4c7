/*
 * start.h - where a fit begins: w_0 by one rule, or a handful of starts compared by their loss.
 */
#ifndef FR_START_H
#define FR_START_H

#include "fit/survey.h"

/* What starts are made of. */
typedef struct fr_start_data {
    const double *label_sum; /* d: sum_i y_i x_i */
    double zero_loss;        /* mean y^2, the loss at zero */
    double mean_square;      /* of a column: mean ||x||^2 / d */
    const double *given;     /* FR_INIT_GIVEN: d weights of the fit's columns */
} fr_start_data;

/* w_0 into weights (d) and its loss over all rows. `gradient` is one full step of size 2 from zero (Remark 3.2),
 * (2/n) sum_i y_i x_i, halved until its loss is below that of zero, which on Gaussian rows it is at once. */
fr_status fr_start_make(fr_engine *engine, fr_comm *comm, fr_init init, const fr_start_data *data, double *weights,
                        double *loss, fr_error *error);

/* The starts of FR_INIT_AUTO for data of one's own, the one with the lowest loss first. */
enum { FR_STARTS = 5 };
typedef struct fr_starts {
    double *weights; /* FR_STARTS x d, in the order of loss */
    double loss[FR_STARTS];
} fr_starts;

/* The gradient step; least squares over all rows, and over the rows with y > 0; a random direction and its opposite (where
 * sum_i y_i x_i = 0, zero is a saddle, which no gradient leaves). weights is allocated here and freed by the caller. All
 * ranks get the same bits. */
fr_status fr_starts_make(fr_engine *engine, fr_comm *comm, const fr_start_data *data, fr_starts *starts, fr_error *error);

/* neighbour (d) <- `from` moved by `distance` in a random direction, a function of seed and number alone. */
void fr_start_neighbour(const fr_plan *plan, const double *from, double distance, int number, double *neighbour);

#endif
