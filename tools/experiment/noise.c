/*
 * noise.c - where SGD and QSGD come to rest when labels have noise (not in the paper).
 *
 * Labels are y = max(0, <w*, x>) + sigma z. The minimum over n rows is then off w* by sigma^2 d / (n/2 - d), of which drawn
 * rows know nothing, and steps of one size hover around it: the noise in the labels adds 2 sigma^2 d / m to the second
 * moment of a mini-batch's gradient, and rounding multiplies it by 1 + q. With the local rate r of such a step
 *     E ||w - w*||^2  ->  eta^2 (1 + q) 2 sigma^2 d / m / (1 - r) + sigma^2 d / (n/2 - d),
 *     r = 1 - 2 eta + eta^2 (1 + q) (1 + (2 d + 3)/m),
 * so the floor falls with eta and m, and not with more steps. n = 40 d, sigma a twentieth of ||w*||, one worker.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/status.h"
#include "experiment/theorems.h"
#include "forecast/forecast.h"

enum { SCHEMES = 3, STEPS = 400, SETTLED = 200, RUNS = 20 };
static const int scheme_bits[SCHEMES] = {0, 7, 3};
static const char *const scheme_names[SCHEMES] = {"SGD", "QSGD, b = 7", "QSGD, b = 3"};
static const double NOISE = 0.05; /* sigma / ||w*||, which is sqrt(d) 200 but for a thousandth */
static const double NEAR = 0.1;

static int64_t runs_of(const experiment_run *run) { return run->settings.seeds < RUNS ? run->settings.seeds : RUNS; }
static int64_t trials(const experiment_run *run) { return SCHEMES * runs_of(run); }
static int levels_of(int scheme) { return (1 << scheme_bits[scheme]) - 1; }
static double sigma_of(const experiment_run *run) { return NOISE * 200 * sqrt((double)run->settings.features); }
static double step_of(const experiment_run *run, int scheme) {
    return fr_experiment_step_size(run->settings.features, (double)run->settings.batches[0], levels_of(scheme));
}

static fr_status trial(const experiment_run *run, int64_t t, double *values, fr_error *error) {
    const experiment_settings *s = &run->settings;
    int scheme = (int)(t / runs_of(run));
    fr_options options;
    theorem_options(run, levels_of(scheme), &options);
    options.workers = 1;
    options.iterations = STEPS;
    options.step_rule = FR_STEP_EXPERIMENT;
    return theorem_fit(run, s->samples, s->seed + (uint64_t)(t % runs_of(run)), theorem_start_radius(), sigma_of(run),
                       &options, values, STEPS + 1, error);
}

static void table(const experiment_run *run, const double *rows, fr_output *csv) {
    const experiment_settings *s = &run->settings;
    for (int64_t t = 0; t < trials(run); t++) {
        int scheme = (int)(t / runs_of(run));
        theorem_place at = {"noise",
                            scheme_names[scheme],
                            s->samples,
                            s->features,
                            s->batches[0],
                            scheme_bits[scheme],
                            s->seed + (uint64_t)(t % runs_of(run))};
        for (int64_t p = 0; p <= STEPS; p += STEPS / 20) theorem_row(csv, &at, p, rows[t * run->width + p]);
    }
}

/* Root mean square of the relative errors over runs and settled steps. */
static double floor_of(const experiment_run *run, const double *rows, int scheme) {
    double sum = 0;
    for (int64_t i = 0; i < runs_of(run); i++)
        for (int64_t t = SETTLED + 1; t <= STEPS; t++)
            sum += pow(rows[(scheme * runs_of(run) + i) * run->width + t], 2);
    return sqrt(sum / (double)(runs_of(run) * (STEPS - SETTLED)));
}

static double predicted_floor(const experiment_run *run, int scheme) {
    double d = (double)run->settings.features, n = (double)run->settings.samples,
           m = (double)run->settings.batches[0];
    double eta = step_of(run, scheme), q = 0;
    if (scheme_bits[scheme]) q = fr_gaussian_levels(levels_of(scheme), fr_gaussian_unit(FR_SCALE_L2, d, d)).variance;
    double rate = 1 - 2 * eta + eta * eta * (1 + q) * (1 + (2 * d + 3) / m);
    double drawn = eta * eta * (1 + q) * 2 * d / m / (1 - rate), rows = d / (n / 2 - d);
    return NOISE * sqrt(drawn + rows);
}

static void judge(const experiment_run *run, const double *rows, verdict_list *list, json_writer *json) {
    char measured[EXPERIMENT_TEXT] = "";
    size_t used = 0;
    bool near = true;
    json_begin_array(json, "noise");
    for (int scheme = 0; scheme < SCHEMES; scheme++) {
        double found = floor_of(run, rows, scheme), predicted = predicted_floor(run, scheme);
        near &= fabs(found / predicted - 1) <= NEAR;
        used += (size_t)snprintf(measured + used, sizeof measured - used, "%s%s: %.4f (%.4f)", scheme ? ", " : "",
                                 scheme_names[scheme], found, predicted);
        json_begin(json, NULL);
        json_string(json, "scheme", scheme_names[scheme]);
        json_number(json, "noise", NOISE);
        json_number(json, "floor", found);
        json_number(json, "predicted", predicted);
        json_end(json);
    }
    json_end_array(json);
    verdict_add(list, CLAIM_OWN, verdict_of(near),
                "with noisy labels, sigma = 0.05 ||w*||, runs hover at eta^2 (1 + q) 2 sigma^2 d/m / (1 - rate) + "
                "sigma^2 d / "
                "(n/2 - d), within 10 % (in brackets)",
                measured);
}

const experiment_part noise_floor = {STEPS + 1, NULL, trials, trial, table, judge};
