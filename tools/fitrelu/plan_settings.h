/*
 * plan_settings.h - from the command line of `fitrelu plan` to a job, machines and links.
 */
#ifndef FITRELU_PLAN_SETTINGS_H
#define FITRELU_PLAN_SETTINGS_H

#include "forecast/forecast.h"
#include "options/option_parse.h"
#include "fitrelu/plan_measure.h"

typedef struct plan_settings {
    fr_job job;
    fr_machine machine;
    fr_network between, inside;
    plan_measured measured;
} plan_settings;

/* nodes: where no option says how many there are; 0: the usual number. Returns 0, or EXIT_USAGE after saying what
 * contradicts what. */
int plan_settings_read(const option_value *values, int nodes, plan_settings *settings);

/* Puts what was measured in the place of defaults; options that were given stay. */
void plan_settings_measured(const option_value *values, const plan_measured *measured, plan_settings *settings);

/* K of the job. */
int64_t plan_workers(const plan_settings *settings);

#endif
