/*
 * theorems.c - the experiment `theorems`, and its first part: Theorems 3.1 and 3.2 from a start that meets (II).
 *
 * One gradient step does not meet condition (II) at n = 10 d, so the start is planted: w* plus a random direction of
 * length sqrt(delta1) 7/200 ||w*||, delta1 = 1/2, the farthest that the theorems allow. SGD, and QSGD with 7 and 3 bits
 * on four workers, run with the theorems' step sizes for as many steps as (3.2) and (3.4) ask for epsilon = 0.01 and
 * delta2 = 0.1. A run is a trial and has a problem, a start and draws of its own.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/status.h"
#include "experiment/theorems.h"

enum { SCHEMES = 3, POINTS = 20, WORKERS = 4, MOST_RUNS = 1000 };
static const int scheme_bits[SCHEMES] = {3, 7, 0};
static const char *const scheme_names[SCHEMES] = {"QSGD, b = 3", "QSGD, b = 7", "SGD"};
static const double EPSILON = 0.01, DELTA2 = 0.1;

double theorem_start_radius(void) { return sqrt(THEOREM_DELTA1) * 7 / 200; }

void theorem_row(fr_output *csv, const theorem_place *place, int64_t iteration, double relative_error) {
    fr_output_printf(csv, "%s,\"%s\",%" PRId64 ",%" PRId64 ",%" PRId64 ",%d,%" PRIu64 ",%" PRId64, place->part,
                     place->scheme, place->samples, place->features, place->batch, place->bits, place->seed,
                     iteration);
    experiment_field(csv, false, relative_error);
    fr_output_printf(csv, "\n");
}

/* ------------------------------------------------------------------------------------------- bounds */

static int64_t trials(const experiment_run *run) { return SCHEMES * run->settings.seeds; }
static int scheme_of(const experiment_run *run, int64_t t) { return (int)(t / run->settings.seeds); }
static int levels_of(int scheme) { return scheme_bits[scheme] ? (1 << scheme_bits[scheme]) - 1 : 0; }
static double rate_of(const experiment_run *run, int scheme) {
    return fr_theory_rate(run->settings.features, (double)run->settings.batches[0], levels_of(scheme));
}
static int64_t iterations_of(const experiment_run *run, int scheme) {
    if (run->settings.iterations > 0) return run->settings.iterations;
    return (int64_t)ceil(fr_theory_iterations(rate_of(run, scheme), EPSILON, DELTA2));
}
static int64_t every(const experiment_run *run, int scheme) {
    return (iterations_of(run, scheme) + POINTS - 1) / POINTS;
}
static int64_t points_of(const experiment_run *run, int scheme) { /* the start's included */
    int64_t step = every(run, scheme);
    return (iterations_of(run, scheme) + step - 1) / step + 1;
}
static int64_t iteration_at(const experiment_run *run, int scheme, int64_t point) {
    int64_t at = point * every(run, scheme), last = iterations_of(run, scheme);
    return at < last ? at : last;
}

static fr_status trial(const experiment_run *run, int64_t t, double *values, fr_error *error) {
    const experiment_settings *s = &run->settings;
    int scheme = scheme_of(run, t);
    fr_planted planted = {.samples = s->samples, .features = s->features, .seed = s->seed + (uint64_t)(t % s->seeds)};
    fr_dataset *data = NULL;
    double *start = NULL;
    fr_options options;
    experiment_options(run, &options);
    options.batch = s->batches[0];
    options.workers = levels_of(scheme) ? WORKERS : 1;
    options.iterations = iterations_of(run, scheme);
    options.step_rule = FR_STEP_THEOREM;
    options.levels = levels_of(scheme);
    options.scale = options.levels ? FR_SCALE_L2 : FR_SCALE_AUTO;
    options.collective = FR_COLLECTIVE_ALLGATHER;
    options.seed = planted.seed;
    options.init = FR_INIT_GIVEN;
    fr_status status = fr_allocate((void **)&start, s->features, sizeof *start, "a start", error);
    if (status == FR_OK) status = fr_dataset_generate(&planted, FR_F64, &data, error);
    if (status == FR_OK) {
        experiment_near(data, theorem_start_radius(), planted.seed, 0, start);
        options.init_weights = start;
        status = experiment_fit_data(data, &options, every(run, scheme), values, points_of(run, scheme), error);
    }
    fr_dataset_free(data);
    free(start);
    return status;
}

static void table(const experiment_run *run, const double *rows, fr_output *csv) {
    const experiment_settings *s = &run->settings;
    for (int64_t t = 0; t < trials(run); t++) {
        int scheme = scheme_of(run, t);
        theorem_place at = {"theorem",
                            scheme_names[scheme],
                            s->samples,
                            s->features,
                            s->batches[0],
                            scheme_bits[scheme],
                            s->seed + (uint64_t)(t % s->seeds)};
        for (int64_t p = 0; p < points_of(run, scheme); p++)
            theorem_row(csv, &at, iteration_at(run, scheme, p), rows[t * run->width + p]);
    }
}

/* ||w_t - w*||^2 / ||w_0 - w*||^2 of every run at a point. */
static void shares_at(const experiment_run *run, const double *rows, int scheme, int64_t point, double *shares) {
    int64_t runs = run->settings.seeds;
    for (int64_t i = 0; i < runs && i < MOST_RUNS; i++) {
        const double *errors = rows + (scheme * runs + i) * run->width;
        shares[i] = pow(errors[point] / errors[0], 2);
    }
}

/* The worst share of the bound over the points, and the curve of means into json. */
static double judge_curve(const experiment_run *run, const double *rows, int scheme, json_writer *json) {
    double shares[MOST_RUNS], worst = 0, rate = rate_of(run, scheme);
    int64_t runs = run->settings.seeds;
    for (int64_t p = 0; p < points_of(run, scheme); p++) {
        int64_t t = iteration_at(run, scheme, p);
        shares_at(run, rows, scheme, p, shares);
        double mean = measure_mean(shares, runs), half = measure_interval(shares, runs);
        double of_bound = (mean + half) / pow(rate, (double)t);
        if (p > 0 && !(of_bound <= worst) && !isnan(worst)) worst = of_bound; /* a NaN is the worst, and stays */
        json_begin(json, NULL);
        json_string(json, "scheme", scheme_names[scheme]);
        json_integer(json, "iteration", t);
        json_number(json, "mean", mean);
        json_number(json, "interval", half);
        json_number(json, "bound", pow(rate, (double)t));
        json_end(json);
    }
    return worst;
}

static void judge_mean(const experiment_run *run, const double *rows, int scheme, verdict_list *list,
                       json_writer *json) {
    char paper[EXPERIMENT_TEXT], measured[EXPERIMENT_TEXT];
    double shares[MOST_RUNS], worst = judge_curve(run, rows, scheme, json);
    int64_t last = points_of(run, scheme) - 1, steps = iterations_of(run, scheme);
    shares_at(run, rows, scheme, last, shares);
    double mean = measure_mean(shares, run->settings.seeds);
    const char *rate = scheme_bits[scheme] ? "alpha" : "rho";
    snprintf(paper, sizeof paper, "%s, %s: E ||w_t - w*||^2 <= %s^t ||w_0 - w*||^2, %s = %.5f",
             scheme_bits[scheme] ? "Theorem 3.2, (3.3)" : "Theorem 3.1, (3.1)", scheme_names[scheme], rate, rate,
             rate_of(run, scheme));
    snprintf(measured, sizeof measured,
             "the mean of %" PRId64
             " runs is nowhere above %.2g of the bound, 95 %% interval included; over all %" PRId64
             " steps it falls by %.5f a step",
             run->settings.seeds, worst, steps, pow(mean, 1 / (double)steps));
    verdict_add(list, worst <= 1, paper, measured);
}

static void judge_share(const experiment_run *run, const double *rows, int scheme, verdict_list *list) {
    char paper[EXPERIMENT_TEXT], measured[EXPERIMENT_TEXT];
    double shares[MOST_RUNS], promised = 1 - THEOREM_DELTA1 - DELTA2;
    int64_t met = 0, runs = run->settings.seeds;
    shares_at(run, rows, scheme, points_of(run, scheme) - 1, shares);
    for (int64_t i = 0; i < runs; i++) met += shares[i] <= EPSILON;
    measure_range range = measure_share(met, runs);
    snprintf(
        paper, sizeof paper,
        "%s, %s: after %" PRId64 " steps ||w_t - w*||^2 <= %g ||w_0 - w*||^2 with probability 1 - delta1 - delta2 "
        "= %.1f at least",
        scheme_bits[scheme] ? "(3.4)" : "(3.2)", scheme_names[scheme], iterations_of(run, scheme), EPSILON, promised);
    snprintf(measured, sizeof measured, "%" PRId64 " of %" PRId64 " runs, 95 %% interval %.3f to %.3f", met, runs,
             range.low, range.high);
    verdict_add(list, range.low >= promised, paper, measured);
}

static void judge_bounds(const experiment_run *run, const double *rows, verdict_list *list, json_writer *json) {
    json_begin_array(json, "theorem");
    for (int scheme = SCHEMES - 1; scheme >= 0; scheme--) judge_mean(run, rows, scheme, list, json);
    json_end_array(json);
    for (int scheme = SCHEMES - 1; scheme >= 0; scheme--) judge_share(run, rows, scheme, list);
}

const experiment_part theorem_bounds = {POINTS + 1, trials, trial, table, judge_bounds};

/* --------------------------------------------------------------------------------------- experiment */

enum { PARTS = 3 };
static const experiment_part *const parts[PARTS] = {&remark_3_9, &remark_3_2,
                                                    &theorem_bounds}; /* long trials first */

static void plan(experiment_run *run) {
    experiment_settings *s = &run->settings;
    if (s->features == 0) s->features = 400;
    if (s->samples == 0) s->samples = 10 * s->features;
    if (s->seeds == 0) s->seeds = s->full ? 1000 : 100;
    if (s->batch_count == 0) s->batches[0] = s->features >= 5 ? s->features * 4 / 5 / WORKERS * WORKERS : WORKERS;
    s->batches[0] = s->batches[0] < WORKERS ? WORKERS : s->batches[0] / WORKERS * WORKERS;
    s->batch_count = 1;
    experiment_parts_plan(run, parts, PARTS);
}

static fr_status run_trial(const experiment_run *run, int64_t t, double *values, fr_error *error) {
    return experiment_parts_trial(run, parts, PARTS, t, values, error);
}

static void write_table(const experiment_run *run, fr_output *csv) {
    fr_output_printf(csv, THEOREM_HEADER);
    experiment_parts_table(run, parts, PARTS, csv);
}

static void judge(const experiment_run *run, verdict_list *list, json_writer *json) {
    experiment_parts_judge(run, parts, PARTS, list, json);
}

const experiment experiment_theorems = {
    "theorems", "Theorems 3.1 and 3.2, Remarks 3.2 and 3.9, measured", plan, run_trial, write_table, judge};
