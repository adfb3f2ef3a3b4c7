/*
 * plan_settings.h - from the command line of `fitrelu plan` to a job, machines and links.
 */
#ifndef FITRELU_PLAN_SETTINGS_H
#define FITRELU_PLAN_SETTINGS_H

#include "forecast.h"
#include "option_parse.h"

typedef struct plan_settings {
    fr_job job;
    fr_machine machine;
    fr_network between, inside;
} plan_settings;

/* Returns 0, or EXIT_USAGE after saying what contradicts what. */
int plan_settings_read(const option_value *values, plan_settings *settings);

/* K of the job. */
int64_t plan_workers(const plan_settings *settings);

#endif
