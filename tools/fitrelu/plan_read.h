/*
 * plan_read.h - latency, bandwidth and rates as `fitrelu bench --json` measured them, for a plan of a fit there.
 */
#ifndef FITRELU_PLAN_READ_H
#define FITRELU_PLAN_READ_H

#include "fitrelu/plan_measure.h"

/* precision and message_seconds are those of the plan. Rank 0's file is every rank's, so that each may read it. Returns 0, or the exit
 * code after saying what is wrong with the file: one that cannot be read, or that holds no gradient of this precision. */
int plan_read_measured(const char *path, fr_precision precision, double message_seconds, plan_measured *measured);

#endif
