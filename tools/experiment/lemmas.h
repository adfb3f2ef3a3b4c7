/*
 * lemmas.h - the parts of the experiment `lemmas`, and what their rows of the CSV have in common.
 */
#ifndef FITRELU_LEMMAS_H
#define FITRELU_LEMMAS_H

#include "experiment/experiment.h"

extern const experiment_part lemma_6_1, lemma_6_2, lemma_6_3;

/* Radius of the ball E(7/200) about w*, as a share of ||w*||. */
#define LEMMA_BALL (7.0 / 200)

/* One measured value and where it belongs; what does not apply is 0. */
typedef struct lemma_place {
    const char *lemma, *name; /* "6.1", what is looked at */
    int64_t samples, features, batch;
    int levels;
    double radius;
    uint64_t seed;
} lemma_place;

#define LEMMA_HEADER "lemma,case,samples,features,batch,levels,radius,seed,quantity,value\n"

void lemma_row(fr_output *csv, const lemma_place *place, const char *quantity, double value);

/* Column `value` of the `count` rows from `first` on, into values. */
void lemma_column(const experiment_run *run, const double *rows, int64_t first, int64_t count, int value,
                  double *values);

enum { LEMMA_MOST_SEEDS = 1000 };

#endif
