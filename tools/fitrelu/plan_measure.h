/*
 * plan_measure.h - latency, bandwidth and rate of the ranks that are there, for a plan of a fit on them.
 */
#ifndef FITRELU_PLAN_MEASURE_H
#define FITRELU_PLAN_MEASURE_H

#include "fitrelu.h"

typedef struct plan_measured {
    bool done; /* --measure or --measured was given */
    bool link; /* latency and bandwidth: there are two ranks or more */
    int ranks;
    double latency, bandwidth; /* seconds; bytes a second: between ranks 0 and 1 */
    double compute;            /* rows x features of the gradient a second, of the slowest rank */
    double code;               /* coordinates quantized to an int8 a second; 0: not measured */
} plan_measured;

/* Called by all ranks, which all get the same numbers; takes about a second, or a few on very slow links. precision and
 * features are those of the fit that is planned. Returns 0, or the exit code after saying what failed. */
int plan_measure(fr_world *world, fr_precision precision, int64_t features, plan_measured *measured);

#endif
