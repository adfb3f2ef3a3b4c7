/*
 * theorems.h - the parts of the experiment `theorems`: the two theorems, what their proof rests on, Remarks 3.2 and 3.9,
 * and noisy labels.
 */
#ifndef FITRELU_THEOREMS_H
#define FITRELU_THEOREMS_H

#include "experiment/experiment.h"

extern const experiment_part theorem_bounds, theorem_stopping, noise_floor, remark_3_2, remark_3_9;

/* Condition (II): ||w_0 - w*|| <= sqrt(delta1) 7/200 ||w*||, with the largest delta1 allowed. */
#define THEOREM_DELTA1 0.5
/* The share of ||w*|| that (II) allows. */
double theorem_start_radius(void);

/* Options of a run with the theorem's steps: m of the settings, one worker, or four where levels > 0, each with its own
 * norm. */
void theorem_options(const experiment_run *run, int levels, fr_options *options);
/* A run of `samples` planted rows from w* plus a random direction of radius ||w*||; its relative error at each of count
 * steps, the start's included, into values. sigma: noise of the labels. */
fr_status theorem_fit(const experiment_run *run, int64_t samples, uint64_t seed, double radius, double sigma,
                      fr_options *options, double *values, int64_t count, fr_error *error);

/* One point of a curve in the CSV. */
typedef struct theorem_place {
    const char *part, *scheme;
    int64_t samples, features, batch;
    int bits;
    uint64_t seed;
} theorem_place;

#define THEOREM_HEADER "part,scheme,samples,features,batch,bits,seed,iteration,relative_error\n"

void theorem_row(fr_output *csv, const theorem_place *place, int64_t iteration, double relative_error);

#endif
