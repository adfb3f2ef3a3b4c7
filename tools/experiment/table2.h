/*
 * table2.h - what table2.c, the experiment, takes from table2_cluster.c, which runs fits on a shaped cluster.
 */
#ifndef FITRELU_TABLE2_H
#define FITRELU_TABLE2_H

#include "experiment/experiment.h"

/* Seconds of a whole run. */
typedef struct cluster_fit {
    double total;   /* by the clock */
    double compute; /* by the processor of a worker, in the mean: gradients and coding */
    double down;    /* of the model's way back; NaN without a master */
    double relative_error;
    double sent, received; /* bytes a step: the most of any rank */
} cluster_fit;

/* Runs `fitrelu fit` with the words of `options` (blanks between) on `hosts` hosts whose links carry megabits a second
 * (0: unlimited), by tools/cluster. What it needs and is missing, or what went wrong, is a line. */
fr_status cluster_run_fit(int hosts, double megabits, const char *options, cluster_fit *found, fr_error *error);

#endif
