/*
 * theorems.h - the parts of the experiment `theorems`: the two theorems, and Remarks 3.2 and 3.9.
 */
#ifndef FITRELU_THEOREMS_H
#define FITRELU_THEOREMS_H

#include "experiment/experiment.h"

extern const experiment_part theorem_bounds, remark_3_2, remark_3_9;

/* Condition (II): ||w_0 - w*|| <= sqrt(delta1) 7/200 ||w*||, with the largest delta1 allowed. */
#define THEOREM_DELTA1 0.5
/* The share of ||w*|| that (II) allows. */
double theorem_start_radius(void);

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
