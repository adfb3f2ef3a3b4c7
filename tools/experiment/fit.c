/*
 * fit.c - one fit of a planted problem inside a trial, with its curve or with the weights it found; and where to start
 * near w*.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/parse_number.h"
#include "base/status.h"
#include "console/interrupt.h"
#include "experiment/experiment.h"
#include "kernels/rules/philox.h"
#include "simd/kernels.h"

/* Streams 1 to 7 are the library's (kernels/rules/philox.h). */
enum { STREAM_NEAR = 64 };

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

void experiment_options(const experiment_run *run, fr_options *options) {
    fr_options_default(options);
    options->workers = 1;
    options->threads = 1;
    options->device = run->settings.device;
    options->schedule = FR_SCHEDULE_CONSTANT;
    options->average = 0;
    options->progress = look;
}

void experiment_choose(const experiment_run *run, fr_options *options) {
    const experiment_method *method = &run->settings.method;
    if (method->has_init) options->init = method->init;
    if (method->has_step) options->step_rule = method->step_rule, options->step_size = method->step_size;
    if (method->has_scale && options->levels > 0) options->scale = method->scale;
    if (method->has_workers) options->workers = method->workers;
    if (method->has_collective) options->collective = method->collective;
}

void experiment_method_text(const experiment_method *method, char text[EXPERIMENT_TEXT]) {
    static const char *const rules[] = {"auto", "theorem", "experiment"};
    char number[FR_NUMBER_SIZE];
    FILE *line = fmemopen(text, EXPERIMENT_TEXT, "w");
    text[0] = '\0';
    if (!line) return;
    fr_format_double(number, sizeof number, method->step_size);
    if (method->has_init) fprintf(line, " --init %s", fr_init_name(method->init));
    if (method->has_step)
        fprintf(line, " --step-size %s", method->step_rule == FR_STEP_NUMBER ? number : rules[method->step_rule]);
    if (method->has_scale) fprintf(line, " --scale %s", fr_scale_name(method->scale));
    if (method->has_workers) fprintf(line, " --workers %d", method->workers);
    if (method->has_collective) fprintf(line, " --collective %s", fr_collective_name(method->collective));
    fclose(line);
}

fr_status experiment_check_workers(const experiment_run *run, fr_error *error) {
    const experiment_settings *s = &run->settings;
    for (int i = 0; s->method.has_workers && i < s->batch_count; i++)
        if (s->batches[i] % s->method.workers != 0)
            return fr_fail(error, FR_ERROR_USAGE, "--workers %d does not divide the mini-batch of %lld rows",
                           s->method.workers, (long long)s->batches[i]);
    return FR_OK;
}

fr_status experiment_fit_data(fr_dataset *data, const fr_options *options, int64_t every, double *values,
                              int64_t count, fr_error *error) {
    curve kept = {every, count, values};
    fr_options own = *options;
    fr_solver *solver = NULL;
    fr_result result = {0};
    for (int64_t i = 0; i < count; i++) values[i] = INFINITY; /* what a diverged run never reaches */
    own.report_every = every;
    own.report = keep_error;
    own.report_user = &kept;
    fr_status status = fr_solver_create(&own, data, &solver, error);
    if (status == FR_OK) status = fr_solver_run(solver, &result, error);
    fr_solver_free(solver);
    if (status != FR_OK) return status;
    /* A run that stopped early at its tolerance stays there. */
    if (result.outcome == FR_TOLERANCE) values[count - 1] = result.relative_error;
    return FR_OK;
}

fr_status experiment_fit(const fr_planted *planted, const fr_options *options, int64_t every, double *values,
                         int64_t count, fr_error *error) {
    fr_dataset *data = NULL;
    fr_status status = fr_dataset_generate(planted, FR_F64, &data, error);
    if (status == FR_OK) status = experiment_fit_data(data, options, every, values, count, error);
    fr_dataset_free(data);
    return status;
}

fr_status experiment_fit_once(fr_dataset *data, const fr_options *options, fr_result *result, double *weights,
                              fr_error *error) {
    fr_options own = *options;
    fr_solver *solver = NULL;
    fr_model *model = NULL;
    own.report_every = INT64_MAX / 2; /* the first and the last */
    fr_status status = fr_solver_create(&own, data, &solver, error);
    if (status == FR_OK) status = fr_solver_run(solver, result, error);
    if (status == FR_OK && weights) status = fr_solver_model(solver, &model, error);
    if (status == FR_OK && weights)
        memcpy(weights, fr_model_weights(model), (size_t)fr_model_features(model) * sizeof *weights);
    if (status == FR_OK && isnan(result->relative_error)) result->relative_error = INFINITY;
    fr_model_free(model);
    fr_solver_free(solver);
    return status;
}

void experiment_normals(uint64_t seed, uint32_t which, int64_t features, double *normals) {
    fr_cpu_kernels_for(FR_F64)->normals(normals, features, seed, fr_sequence(STREAM_NEAR, 0, which), 0);
}

static double norm(const double *v, int64_t features) {
    double sum = 0;
    for (int64_t j = 0; j < features; j++) sum += v[j] * v[j];
    return sqrt(sum);
}

void experiment_near(const fr_dataset *planted, double radius, uint64_t seed, uint32_t which, double *w) {
    int64_t d = fr_dataset_features(planted);
    const double *w_star = fr_dataset_planted(planted);
    experiment_normals(seed, which, d, w);
    double factor = radius * norm(w_star, d) / norm(w, d);
    for (int64_t j = 0; j < d; j++) w[j] = w_star[j] + factor * w[j];
}
