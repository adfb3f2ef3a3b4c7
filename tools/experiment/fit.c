/*
 * fit.c - one fit of a planted problem, with its curve.
 */
#include <math.h>

#include "experiment.h"
#include "interrupt.h"

typedef struct curve {
    int64_t every, count;
    double *values;
} curve;

static int keep_error(const fr_report *report, void *user) {
    curve *kept = user;
    bool regular = report->iteration % kept->every == 0, last = report->iteration == report->iterations;
    int64_t at = (report->iteration + kept->every - 1) / kept->every;
    if ((regular || last) && at < kept->count) kept->values[at] = report->relative_error;
    return interrupt_signal() != 0;
}

static int look(const fr_report *report, void *user) {
    (void)report;
    (void)user;
    return interrupt_signal() != 0;
}

fr_status experiment_fit(const fr_planted *planted, const fr_options *options, int64_t every, double *values,
                         int64_t count, fr_error *error) {
    curve kept = {every, count, values};
    fr_options own = *options;
    fr_dataset *data = NULL;
    fr_solver *solver = NULL;
    fr_result result = {0};
    for (int64_t i = 0; i < count; i++) values[i] = INFINITY; /* what a diverged run never reaches */
    own.threads = 1;
    own.device = FR_DEVICE_CPU;
    own.report_every = every;
    own.report = keep_error;
    own.progress = look;
    own.report_user = &kept;
    fr_status status = fr_dataset_generate(planted, FR_F64, &data, error);
    if (status == FR_OK) status = fr_solver_create(&own, data, &solver, error);
    if (status == FR_OK) status = fr_solver_run(solver, &result, error);
    fr_solver_free(solver);
    fr_dataset_free(data);
    if (status != FR_OK) return status;
    /* A run that stopped early at its tolerance stays there. */
    if (result.outcome == FR_TOLERANCE) values[count - 1] = result.relative_error;
    return FR_OK;
}
