/*
 * search.h - data of one's own: runs of the loop from several starts, of which the best iterate is the result.
 */
#ifndef FR_SEARCH_H
#define FR_SEARCH_H

#include "fit/fit.h"
#include "fit/start.h"

/* Runs the loop from plan->starts starts or more. given: start from these weights (d) alone, whose loss is given_loss; NULL:
 * from the handful of fit/start.h. fit->state is where the search goes on (from a checkpoint) or, with resumed false,
 * begins. Afterwards state.weights and loss are the best iterate that was measured, outcome and converged those of the
 * run that came to the lowest loss, steps_before + state.step the steps of all runs. Called by all ranks. */
fr_status fr_search_run(fr_fit *fit, const fr_start_data *data, const double *given, double given_loss, bool resumed,
                        fr_error *error);

/* Whether `loss`, that of weights at which no row is active, can be beaten by a start: then they are a dead unit, and
 * else w = 0 is as good as any start (labels that are mostly negative). Called by all ranks. */
fr_status fr_search_is_dead(fr_fit *fit, const fr_start_data *data, double loss, bool *dead, fr_error *error);

#endif
