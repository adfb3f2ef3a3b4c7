/*
 * plan_report.h - what `fitrelu plan` prints.
 */
#ifndef FITRELU_PLAN_REPORT_H
#define FITRELU_PLAN_REPORT_H

#include "fitrelu/plan_settings.h"

typedef struct plan_result {
    const plan_settings *settings;
    const fr_forecast *forecasts;
    int count;
    const fr_forecast *best;        /* least seconds */
    const fr_forecast *unquantized; /* least seconds without levels */
    const fr_forecast *full;        /* least seconds in the precision of the fit */
    const fr_forecast *quantized;   /* least seconds with levels, or NULL where none converges */
} plan_result;

void plan_report_text(const plan_result *result);
void plan_report_json(const plan_result *result);

#endif
