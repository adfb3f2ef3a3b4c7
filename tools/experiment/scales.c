/*
 * scales.c - which gradient section 4's step size m/d belongs to.
 *
 * Three gradients are in question: of half the loss; (1.1)'s own, twice that; and the one printed in section 2.1,
 * four times that. A step of size eta along c times a gradient is a step of c eta along it, so each trial is a fit
 * with (1.1)'s gradient and the step size m/d times 1/2, 1 or 2.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "experiment/experiment.h"

enum { GRADIENTS = 3 };
static const char *const gradient_names[GRADIENTS] = {"half", "own", "printed"};
static const double gradient_scale[GRADIENTS] = {0.5, 1, 2};

static void plan(experiment_run *run) {
    experiment_settings *s = &run->settings;
    const int64_t batches[] = {100, 200, 400, 800};
    if (s->features == 0) s->features = 1000;
    if (s->samples == 0) s->samples = 10 * s->features;
    if (s->iterations == 0) s->iterations = 100;
    if (s->seeds == 0) s->seeds = s->full ? 20 : 3;
    for (int i = 0, own = s->batch_count; own == 0 && i < 4; i++) s->batches[s->batch_count++] = batches[i];
    run->trials = GRADIENTS * s->batch_count * s->seeds;
    run->width = 2; /* the start's error, the last */
}

/* Trials stand by gradient, then batch, then seed. */
static int gradient_of(const experiment_run *run, int64_t t) {
    return (int)(t / run->settings.seeds / run->settings.batch_count);
}
static int64_t batch_of(const experiment_run *run, int64_t t) {
    return run->settings.batches[t / run->settings.seeds % run->settings.batch_count];
}

static fr_status trial(const experiment_run *run, int64_t t, double *values, fr_error *error) {
    const experiment_settings *s = &run->settings;
    fr_planted planted = {.samples = s->samples, .features = s->features, .seed = s->seed + (uint64_t)(t % s->seeds)};
    fr_options options;
    experiment_options(run, &options);
    options.batch = batch_of(run, t);
    options.iterations = s->iterations;
    options.step_rule = FR_STEP_NUMBER;
    options.step_size = gradient_scale[gradient_of(run, t)] * (double)options.batch / (double)s->features;
    options.seed = planted.seed;
    return experiment_fit(&planted, &options, s->iterations, values, 2, error);
}

static void table(const experiment_run *run, fr_output *csv) {
    fr_output_printf(csv, "gradient,batch,seed,start_error,relative_error\n");
    for (int64_t t = 0; t < run->trials; t++) {
        fr_output_printf(csv, "%s,%" PRId64 ",%" PRIu64, gradient_names[gradient_of(run, t)], batch_of(run, t),
                         run->settings.seed + (uint64_t)(t % run->settings.seeds));
        experiment_field(csv, false, run->values[2 * t]);
        experiment_field(csv, false, run->values[2 * t + 1]);
        fr_output_printf(csv, "\n");
    }
}

/* Mean of the last errors over the seeds; INFINITY where one diverged. */
static double cell_error(const experiment_run *run, int g, int b) {
    double sum = 0;
    int64_t seeds = run->settings.seeds, first = (g * run->settings.batch_count + b) * seeds;
    for (int64_t t = first; t < first + seeds; t++) sum += run->values[2 * t + 1];
    return sum / (double)seeds;
}

static void cell_text(double error, char text[16]) {
    if (isfinite(error)) snprintf(text, 16, "%.1e", error);
    else snprintf(text, 16, "diverged");
}

/* One row of the table: the errors in words, and whether all ended below their start. */
static void judge_row(const experiment_run *run, int g, char text[EXPERIMENT_TEXT], bool *all) {
    size_t used = 0;
    *all = true;
    for (int b = 0; b < run->settings.batch_count && used < EXPERIMENT_TEXT; b++) {
        char cell[16];
        double error = cell_error(run, g, b);
        cell_text(error, cell);
        used += (size_t)snprintf(text + used, EXPERIMENT_TEXT - used, "%sm = %" PRId64 ": %s", b ? ", " : "",
                                 run->settings.batches[b], cell);
        *all &= error < run->values[0];
    }
}

static void write_cells(const experiment_run *run, json_writer *json) {
    json_begin_array(json, "cells");
    for (int g = 0; g < GRADIENTS; g++) {
        for (int b = 0; b < run->settings.batch_count; b++) {
            json_begin(json, NULL);
            json_string(json, "gradient", gradient_names[g]);
            json_integer(json, "batch", run->settings.batches[b]);
            json_number(json, "error", cell_error(run, g, b));
            json_end(json);
        }
    }
    json_end_array(json);
}

static void judge(const experiment_run *run, verdict_list *list, json_writer *json) {
    const char *const claims[GRADIENTS] = {
        "section 4 converges with step m/d: true if its gradient is that of half the loss",
        "section 4 converges with step m/d: true if its gradient is (1.1)'s own, as in the theorems",
        "section 4 converges with step m/d: true if its gradient is the one printed in section 2.1"};
    write_cells(run, json);
    for (int g = 0; g < GRADIENTS; g++) {
        char measured[EXPERIMENT_TEXT] = "";
        bool all;
        judge_row(run, g, measured, &all);
        verdict_add(list, CLAIM_PAPER, verdict_of(all), claims[g], measured);
    }
}

const experiment experiment_scales = {"scales",
                                      "Section 4's step size m/d: which gradient it belongs to",
                                      "n = {n}, d = {d}, K = 1, {s} seeds, T = {T}; gradient start",
                                      plan,
                                      NULL,
                                      trial,
                                      table,
                                      judge};
