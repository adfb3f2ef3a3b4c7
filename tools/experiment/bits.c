/*
 * bits.c - error against the bits that a worker sends, and against seconds on given links (not in the paper, whose figures
 * count iterations; the field's own figure).
 *
 * SGD and QSGD with b = 1 ... 7 bits, both scales and every collective, K = 8 workers, the automatic step size. A trial is a
 * run of one method and one seed; a wire changes nothing of a run but the bytes, so one run serves all wires of its method.
 * Bytes and seconds a step are those of `fitrelu plan` (forecast/): every method that it accepts is run, and every wire
 * that it accepts for a method is counted. A worker's processor takes COMPUTE values of rows a second.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "experiment/experiment.h"
#include "forecast/forecast.h"

enum { BITS = 7, MOST_METHODS = 80, POINTS = 60, GOALS = 3, LINKS = 3, WORKERS = 8 };
static const double goals[GOALS] = {1e-3, 1e-6, 1e-9}, COMPUTE = 2e9;
/* Two times this near, relative, are as near as seeds are to each other. */
static const double CLOSE = 0.05;
static const char *const goal_names[GOALS] = {"1e-3", "1e-6", "1e-9"};
typedef struct link_kind {
    const char *name;
    fr_network network;
} link_kind;
static const link_kind links[LINKS] = {
    {"25mbit", {1e-4, 25e6 / 8, 1e-5}}, {"1gbit", {5e-5, 1e9 / 8, 5e-6}}, {"100gbit", {5e-6, 100e9 / 8, 1e-6}}};

/* What a run depends on. */
typedef struct bits_method {
    fr_collective collective;
    fr_scale scale;
    int bits; /* 0: unquantized */
} bits_method;

static int levels_of(const bits_method *method) { return (1 << method->bits) - 1; }
static int64_t workers_of(const experiment_run *run) {
    return run->settings.method.has_workers ? run->settings.method.workers : WORKERS;
}

static fr_job job_of(const experiment_run *run) {
    const experiment_settings *s = &run->settings;
    return (fr_job){.samples = s->samples,
                    .features = s->features,
                    .batch = s->batches[0],
                    .nodes = (int)workers_of(run),
                    .workers_a_node = 1,
                    .precision = FR_F64,
                    .tolerance = goals[1]};
}

static fr_scheme scheme_of(const bits_method *method, fr_wire wire) {
    return (fr_scheme){method->collective, wire, levels_of(method), method->bits ? method->scale : FR_SCALE_L2};
}

static bool travels(const fr_job *job, const bits_method *method, fr_wire wire) {
    const fr_scheme scheme = scheme_of(method, wire);
    return fr_scheme_check(job, &scheme, NULL) == FR_OK && !(wire == FR_WIRE_BF16); /* its sums are another run */
}

/* Every method with a wire: SGD by each collective, then QSGD. */
static int list_methods(const experiment_run *run, bits_method list[MOST_METHODS]) {
    const fr_job job = job_of(run);
    int count = 0;
    for (int bits = 0; bits <= BITS; bits++)
        for (fr_collective c = FR_COLLECTIVE_ALLREDUCE; c < FR_COLLECTIVE_COUNT; c++)
            for (fr_scale scale = FR_SCALE_L2; scale <= (bits ? FR_SCALE_MAX : FR_SCALE_L2); scale++) {
                const bits_method method = {c, scale, bits};
                bool any = false;
                for (fr_wire wire = FR_WIRE_FULL; wire <= FR_WIRE_ELIAS; wire++) any |= travels(&job, &method, wire);
                if (any && count < MOST_METHODS) list[count++] = method;
            }
    return count;
}

static int64_t every(const experiment_run *run) { return (run->settings.iterations + POINTS - 1) / POINTS; }

static void plan(experiment_run *run) {
    experiment_settings *s = &run->settings;
    bits_method list[MOST_METHODS];
    if (s->features == 0) s->features = 1000;
    if (s->samples == 0) s->samples = 10 * s->features;
    if (s->iterations == 0) s->iterations = 600;
    if (s->seeds == 0) s->seeds = s->full ? 10 : 2;
    if (s->batch_count == 0) s->batches[0] = s->features >= 10 ? s->features * 4 / 5 / WORKERS * WORKERS : WORKERS;
    s->batch_count = 1;
    run->trials = list_methods(run, list) * s->seeds;
    run->width = (s->iterations + every(run) - 1) / every(run) + 1;
}

static fr_status check(const experiment_run *run, fr_error *error) {
    fr_error why = {0};
    const fr_job job = job_of(run);
    const fr_scheme sgd = {FR_COLLECTIVE_ALLREDUCE, FR_WIRE_FULL, 0, FR_SCALE_L2};
    if (run->settings.samples <= 2 * run->settings.features)
        return fr_fail(error, FR_ERROR_USAGE,
                       "--samples %" PRId64 ": of 2 rows a feature or fewer nothing can be foretold",
                       run->settings.samples);
    if (run->settings.batches[0] % workers_of(run) != 0)
        return fr_fail(error, FR_ERROR_USAGE,
                       "the %" PRId64 " workers of bits do not divide the mini-batch of %" PRId64 " rows",
                       workers_of(run), run->settings.batches[0]);
    fr_status status = fr_scheme_check(&job, &sgd, &why);
    return status == FR_OK ? FR_OK : fr_fail(error, FR_ERROR_USAGE, "%s", why.message);
}

static fr_status trial(const experiment_run *run, int64_t t, double *values, fr_error *error) {
    const experiment_settings *s = &run->settings;
    bits_method list[MOST_METHODS];
    fr_planted planted = {.samples = s->samples, .features = s->features, .seed = s->seed + (uint64_t)(t % s->seeds)};
    fr_options options;
    list_methods(run, list);
    const bits_method *method = &list[t / s->seeds];
    experiment_options(run, &options);
    options.batch = s->batches[0];
    options.workers = (int)workers_of(run);
    options.iterations = s->iterations;
    options.levels = levels_of(method);
    options.scale = method->bits ? method->scale : FR_SCALE_AUTO;
    options.collective = method->collective;
    options.seed = planted.seed;
    experiment_choose(run, &options);
    return experiment_fit(&planted, &options, every(run), values, run->width, error);
}

/* -------------------------------------------------------------------------------------------- costs */

/* A method on one of its wires: what a step costs a worker. */
typedef struct cost {
    double bits; /* sent, on average over the workers */
    double seconds[LINKS];
} cost;

static cost cost_of(const experiment_run *run, const bits_method *method, fr_wire wire) {
    const fr_job job = job_of(run);
    const fr_scheme scheme = scheme_of(method, wire);
    const fr_machine machine = fr_machine_of(COMPUTE);
    fr_forecast forecast;
    cost found;
    for (int l = 0; l < LINKS; l++) {
        fr_forecast_make(&job, &scheme, &machine, &links[l].network, &links[l].network, &forecast);
        found.seconds[l] = forecast.step_seconds;
    }
    found.bits = 8 * forecast.between.sent;
    return found;
}

/* The error of a method at a point: geometric mean over the seeds. */
static double error_at(const experiment_run *run, int m, int64_t point) {
    double sum = 0;
    for (int64_t i = 0; i < run->settings.seeds; i++)
        sum += log(run->values[(m * run->settings.seeds + i) * run->width + point]);
    return exp(sum / (double)run->settings.seeds);
}

/* Steps to an error, interpolated between points in the logarithm; INFINITY where it is not reached. */
static double steps_to(const experiment_run *run, int m, double goal) {
    double before = error_at(run, m, 0);
    if (before <= goal) return 0;
    for (int64_t p = 1; p < run->width; p++) {
        double error = error_at(run, m, p);
        double share = log(before / goal) / log(before / fmax(error, 1e-300));
        if (error <= goal) return (double)every(run) * ((double)(p - 1) + share);
        before = error;
    }
    return INFINITY;
}

static void table(const experiment_run *run, fr_output *csv) {
    bits_method list[MOST_METHODS];
    const fr_job job = job_of(run);
    int count = list_methods(run, list);
    fr_output_printf(
        csv, "collective,scale,bits,wire,seed,iteration,bits_sent,seconds_25mbit,seconds_1gbit,seconds_100gbit,"
             "relative_error\n");
    for (int m = 0; m < count; m++)
        for (fr_wire wire = FR_WIRE_FULL; wire <= FR_WIRE_ELIAS; wire++) {
            if (!travels(&job, &list[m], wire)) continue;
            cost step = cost_of(run, &list[m], wire);
            for (int64_t v = 0; v < run->settings.seeds * run->width; v++) {
                double at = (double)(v % run->width * every(run));
                double error = run->values[m * run->settings.seeds * run->width + v];
                if (!isfinite(error)) continue;
                fr_output_printf(csv, "%s,%s,%d,%s,%" PRIu64 ",%.0f", fr_collective_name(list[m].collective),
                                 list[m].bits ? fr_scale_name(list[m].scale) : "", list[m].bits, fr_wire_name(wire),
                                 run->settings.seed + (uint64_t)(v / run->width), at);
                experiment_field(csv, false, at * step.bits);
                for (int l = 0; l < LINKS; l++) experiment_field(csv, false, at * step.seconds[l]);
                experiment_field(csv, false, error);
                fr_output_printf(csv, "\n");
            }
        }
}

/* ------------------------------------------------------------------------------------------ verdicts */

/* The cheapest of a group to 1e-6: SGD or QSGD. */
typedef struct thrifty {
    double bits, seconds[LINKS];
    char name[64], fastest[LINKS][64];
} thrifty;

static void name_method(const bits_method *method, fr_wire wire, char text[64]) {
    if (method->bits)
        snprintf(text, 64, "%s, %s, b = %d, %s", fr_collective_name(method->collective), fr_scale_name(method->scale),
                 method->bits, fr_wire_name(wire));
    else snprintf(text, 64, "SGD, %s", fr_collective_name(method->collective));
}

static void compare(thrifty *best, const bits_method *method, fr_wire wire, double steps, const cost *step) {
    char name[64];
    name_method(method, wire, name);
    if (steps * step->bits < best->bits) {
        best->bits = steps * step->bits;
        memcpy(best->name, name, sizeof name);
    }
    for (int l = 0; l < LINKS; l++)
        if (steps * step->seconds[l] < best->seconds[l]) {
            best->seconds[l] = steps * step->seconds[l];
            memcpy(best->fastest[l], name, sizeof name);
        }
}

static void write_cell(const experiment_run *run, const bits_method *method, fr_wire wire, const double steps[GOALS],
                       const cost *step, json_writer *json) {
    char name[64];
    json_begin(json, NULL);
    json_string(json, "collective", fr_collective_name(method->collective));
    json_string(json, "scale", method->bits ? fr_scale_name(method->scale) : NULL);
    json_integer(json, "bits", method->bits);
    json_string(json, "wire", fr_wire_name(wire));
    json_number(json, "bits_a_coordinate", step->bits / (double)run->settings.features);
    for (int g = 0; g < GOALS; g++) {
        double reached = isfinite(steps[g]) ? steps[g] : NAN;
        snprintf(name, sizeof name, "steps_to_%s", goal_names[g]);
        json_number(json, name, reached);
        snprintf(name, sizeof name, "bits_to_%s", goal_names[g]);
        json_number(json, name, reached * step->bits);
        for (int l = 0; l < LINKS; l++) {
            snprintf(name, sizeof name, "seconds_to_%s_%s", goal_names[g], links[l].name);
            json_number(json, name, reached * step->seconds[l]);
        }
    }
    json_end(json);
}

static void judge_saving(const thrifty *sgd, const thrifty *qsgd, verdict_list *list) {
    char measured[EXPERIMENT_TEXT];
    bool told = isfinite(sgd->bits) && isfinite(qsgd->bits);
    snprintf(measured, sizeof measured, "%s: %.3g bits; %s: %.3g, %.3g times as many", qsgd->name, qsgd->bits,
             sgd->name, sgd->bits, sgd->bits / qsgd->bits);
    if (!told) snprintf(measured, sizeof measured, "an error of 1e-6 was not reached");
    verdict_add(list, CLAIM_OWN, told ? verdict_of(sgd->bits >= 8 * qsgd->bits) : VERDICT_UNTOLD,
                "to an error of 1e-6 a worker of QSGD sends an eighth of the bits of float64 SGD, or less", measured);
    for (int l = 0; l < LINKS; l++) {
        char claim[EXPERIMENT_TEXT];
        snprintf(claim, sizeof claim, "on links of %s quantizing is worth its rounding: QSGD is the first at 1e-6",
                 links[l].name);
        snprintf(measured, sizeof measured, "%s: %.3g s; %s: %.3g s", qsgd->fastest[l], qsgd->seconds[l],
                 sgd->fastest[l], sgd->seconds[l]);
        if (!told) snprintf(measured, sizeof measured, "an error of 1e-6 was not reached");
        bool apart = fabs(log(qsgd->seconds[l] / sgd->seconds[l])) > CLOSE;
        verdict_add(list, CLAIM_OWN,
                    told && apart ? verdict_of(qsgd->seconds[l] < sgd->seconds[l]) : VERDICT_UNTOLD, claim, measured);
    }
}

static void judge(const experiment_run *run, verdict_list *list, json_writer *json) {
    bits_method methods[MOST_METHODS];
    const fr_job job = job_of(run);
    int count = list_methods(run, methods);
    thrifty best[2];
    for (int g = 0; g < 2; g++)
        best[g] = (thrifty){.bits = INFINITY, .seconds = {INFINITY, INFINITY, INFINITY}, .name = "none"};
    json_integer(json, "workers", workers_of(run));
    json_begin_array(json, "cells");
    for (int m = 0; m < count; m++) {
        double steps[GOALS];
        for (int g = 0; g < GOALS; g++) steps[g] = steps_to(run, m, goals[g]);
        for (fr_wire wire = FR_WIRE_FULL; wire <= FR_WIRE_ELIAS; wire++) {
            if (!travels(&job, &methods[m], wire)) continue;
            cost step = cost_of(run, &methods[m], wire);
            write_cell(run, &methods[m], wire, steps, &step, json);
            compare(&best[methods[m].bits > 0], &methods[m], wire, steps[1], &step);
        }
    }
    json_end_array(json);
    judge_saving(&best[0], &best[1], list);
}

const experiment experiment_bits = {
    "bits",
    "Error against bits sent and against seconds, by bits, scale, collective and wire",
    "n = {n}, d = {d}, m = {m}, {s} seeds, T = {T}; gradient start, automatic step size",
    plan,
    check,
    trial,
    table,
    judge};
