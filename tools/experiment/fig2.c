/*
 * fig2.c - Figure 2: the phase transition over (n, d), (a) for SGD and (b) for QSGD with 7 bits.
 *
 * Ten trials a cell, each its own planted problem; success when the relative error after 2000 iterations is under
 * 1e-3. The paper does not say which mini-batch it draws; here m = 0.8 d, the largest of Figure 1, with section 4's
 * step sizes. A run ends before its 2000 steps only where the outcome is certain: at a relative error of 1e-9, since
 * with labels without noise every row's gradient vanishes at w* and a million-fold growth from there would be a
 * divergence, or when it has diverged.
 *
 * Where half the trials succeed, n50, is found for each d without a model (Spearman and Karber): with cells `step` apart in
 * n, n50 = first n - step/2 + step * (sum over n of the share of failures). A straight line through the
 * n50 of all d has the slope n/d, whose interval is that of trials drawn anew (bootstrap). Cells of one d are
 * d/10 apart in n, fine enough around the transition. With fewer than 2 d rows fewer than d are active, and w* is not
 * determined: the line n = 2 d in the picture.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "experiment/experiment.h"
#include "console/json_scan.h"
#include "base/status.h"

static const double SUCCESS = 1e-3, CERTAIN = 1e-9, LINEAR = 0.98;
enum { TRIALS = 10, ITERATIONS = 2000, BITS = 7, MOST_FEATURES = 32 };

/* d = step_d, 2 step_d, ... and n = ratio d, 2 ratio d, ... of each. */
typedef struct grid {
    int64_t step_d, count_d, count_n;
    double ratio;
} grid;

static bool is_b(const experiment_run *run) { return run->what == &experiment_fig2b; }

/* --features is the largest d, --samples the largest n. */
static grid grid_of(const experiment_run *run) {
    const experiment_settings *s = &run->settings;
    grid g = {.count_d = s->full ? 16 : 8, .count_n = s->full ? 64 : 32};
    g.step_d = s->features / g.count_d > 0 ? s->features / g.count_d : 1;
    g.ratio = (double)s->samples / (double)s->features / (double)g.count_n;
    return g;
}

static void plan(experiment_run *run) {
    experiment_settings *s = &run->settings;
    if (s->features == 0) s->features = s->full ? 640 : 240;
    if (s->samples == 0) s->samples = 16 * s->features / 5; /* 3.2 d: to where all trials succeed */
    if (s->iterations == 0) s->iterations = ITERATIONS;
    if (s->seeds == 0) s->seeds = TRIALS;
    s->batch_count = 0; /* the batch follows d */
    grid g = grid_of(run);
    run->trials = g.count_d * g.count_n * s->seeds;
    run->width = 1;
}

/* Trials stand by d, then n, then seed. */
static int64_t features_of(const experiment_run *run, int64_t t) {
    grid g = grid_of(run);
    return (t / (run->settings.seeds * g.count_n) + 1) * g.step_d;
}
static int64_t samples_of(const experiment_run *run, int64_t t) {
    grid g = grid_of(run);
    double n = (double)(t / run->settings.seeds % g.count_n + 1) * g.ratio * (double)features_of(run, t);
    return n >= 1 ? (int64_t)lround(n) : 1;
}

static fr_status trial(const experiment_run *run, int64_t t, double *value, fr_error *error) {
    double ends[2];
    fr_options options;
    /* A seed for each trial of the grid: cells share no problem. */
    fr_planted planted = {
        .samples = samples_of(run, t), .features = features_of(run, t), .seed = run->settings.seed + (uint64_t)t};
    experiment_options(run, &options);
    options.batch = planted.features * 4 / 5 > 0 ? planted.features * 4 / 5 : 1;
    options.iterations = run->settings.iterations;
    options.step_rule = FR_STEP_EXPERIMENT;
    options.levels = is_b(run) ? (1 << BITS) - 1 : 0;
    options.scale = is_b(run) ? FR_SCALE_L2 : FR_SCALE_AUTO;
    options.collective = FR_COLLECTIVE_ALLGATHER;
    options.tolerance = CERTAIN;
    options.seed = planted.seed;
    experiment_choose(run, &options);
    if (options.batch > options.workers) options.batch -= options.batch % options.workers;
    fr_status status = experiment_fit(&planted, &options, options.iterations, ends, 2, error);
    bool nothing = status == FR_ERROR_DATA; /* of few rows: no label is above 0, and w* cannot be found */
    *value = nothing ? INFINITY : ends[1];
    return nothing ? FR_OK : status;
}

static void table(const experiment_run *run, fr_output *csv) {
    fr_output_printf(csv, "features,samples,trial,relative_error,success\n");
    for (int64_t t = 0; t < run->trials; t++) {
        fr_output_printf(csv, "%" PRId64 ",%" PRId64 ",%" PRId64, features_of(run, t), samples_of(run, t),
                         t % run->settings.seeds);
        experiment_field(csv, false, run->values[t]);
        fr_output_printf(csv, ",%d\n", run->values[t] < SUCCESS);
    }
}

/* Share of successes in cell (i, j). */
static double share(const experiment_run *run, int64_t i, int64_t j) {
    int64_t seeds = run->settings.seeds, first = (i * grid_of(run).count_n + j) * seeds;
    int64_t successes = 0;
    for (int64_t t = first; t < first + seeds; t++) successes += run->values[t] < SUCCESS;
    return (double)successes / (double)seeds;
}

/* The same with as many trials drawn anew of the cell's own, for an interval (bootstrap); state: of the draws. */
static double share_drawn(const experiment_run *run, int64_t i, int64_t j, uint64_t *state) {
    int64_t seeds = run->settings.seeds, first = (i * grid_of(run).count_n + j) * seeds, successes = 0;
    for (int64_t t = 0; t < seeds; t++) {
        *state = *state * 6364136223846793005u + 1442695040888963407u;
        successes += run->values[first + (int64_t)((*state >> 33) % (uint64_t)seeds)] < SUCCESS;
    }
    return (double)successes / (double)seeds;
}

/* n50 of row i; NaN where the grid does not reach from failure to success. */
static double half_point(const experiment_run *run, int64_t i, uint64_t *state) {
    grid g = grid_of(run);
    double failures = 0;
    for (int64_t j = 0; j < g.count_n; j++)
        failures += 1 - (state ? share_drawn(run, i, j, state) : share(run, i, j));
    if (share(run, i, 0) > 0.5 || share(run, i, g.count_n - 1) < 0.9) return NAN;
    return g.ratio * (double)((i + 1) * g.step_d) * (0.5 + failures);
}

/* The line through the n50 of all d where they are known; how many into points. */
static measure_line half_line(const experiment_run *run, uint64_t *state, int64_t *points) {
    double d[MOST_FEATURES], half[MOST_FEATURES];
    grid g = grid_of(run);
    *points = 0;
    for (int64_t i = 0; i < g.count_d; i++) {
        d[*points] = (double)((i + 1) * g.step_d);
        half[*points] = half_point(run, i, state);
        if (!isnan(half[*points])) ++*points;
    }
    return measure_fit_line(d, half, *points);
}

/* Half the width of the slope's 95 % interval: twice its deviation over drawn sets of trials. */
static double slope_interval(const experiment_run *run) {
    enum { DRAWS = 400 };
    double slopes[DRAWS];
    uint64_t state = run->settings.seed;
    int64_t points;
    for (int i = 0; i < DRAWS; i++) slopes[i] = half_line(run, &state, &points).slope;
    return 1.96 * measure_deviation(slopes, DRAWS);
}

/* The member settings as it stands in a JSON file, without the object around it; NULL without memory. Freed by the
 * caller. */
static char *settings_text(const experiment_run *run) {
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    if (!memory) return NULL;
    json_writer json = json_start(memory);
    json_begin(&json, NULL);
    experiment_write_settings(run, &json);
    json_end(&json);
    if (fclose(memory) != 0) return text;
    const size_t begin = strlen("{\n"), end = strlen("\n}\n");
    memmove(text, text + begin, size - begin - end);
    text[size - begin - end] = '\0';
    return text;
}

/* A number that fig2a left in the same folder with the same settings, or NaN. */
static double number_of_sgd(const experiment_run *run, const char *name) {
    char path[EXPERIMENT_TEXT], text[8192];
    snprintf(path, sizeof path, "%.400s/fig2a.json", run->settings.output);
    FILE *file = fopen(path, "r");
    if (!file) return NAN;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    FR_OWNED char *settings = settings_text(run);
    if (!settings || !strstr(text, settings)) return NAN;
    return json_find_number(text, text + strlen(text), name);
}

static void judge_line(const measure_line *line, double interval, int64_t points, verdict_list *list) {
    char measured[EXPERIMENT_TEXT];
    snprintf(measured, sizeof measured,
             "half the trials succeed at n = (%.2f +- %.2f) d %+.0f, straight to R^2 %.4f over %" PRId64
             " values of d",
             line->slope, interval, line->intercept, line->r_squared, points);
    bool linear = line->slope > 0 && line->r_squared >= LINEAR;
    if (points < 3)
        snprintf(measured, sizeof measured,
                 "the grid reaches from failure to success for %" PRId64 " values of d, and a line needs 3", points);
    verdict_add(list, CLAIM_PAPER, points < 3 ? VERDICT_UNTOLD : verdict_of(linear),
                "the required number of samples is linear in d", measured);
}

/* Both slopes have their interval, and so has what is between them. */
static void judge_quantization(const experiment_run *run, double slope, double interval, verdict_list *list,
                               json_writer *json) {
    char measured[EXPERIMENT_TEXT];
    double sgd = number_of_sgd(run, "slope"), its = number_of_sgd(run, "slope_interval");
    json_number(json, "slope_sgd", sgd);
    if (isnan(sgd) || isnan(slope) || isnan(its)) return; /* without fig2a of the same settings nothing can be said */
    snprintf(measured, sizeof measured,
             "slope %.3f +- %.3f for QSGD with b = 7, %.3f +- %.3f for SGD: a difference of "
             "%.3f +- %.3f, %+.1f %%",
             slope, interval, sgd, its, slope - sgd, sqrt(interval * interval + its * its), 100 * (slope / sgd - 1));
    verdict_add(list, CLAIM_PAPER, verdict_of(fabs(slope / sgd - 1) <= 0.1),
                "quantization does not substantially change the required number of samples", measured);
}

static void judge(const experiment_run *run, verdict_list *list, json_writer *json) {
    int64_t points;
    measure_line line = half_line(run, NULL, &points);
    double interval = slope_interval(run);
    json_number(json, "slope", line.slope);
    json_number(json, "slope_interval", interval);
    json_number(json, "intercept", line.intercept);
    json_number(json, "r_squared", line.r_squared);
    json_integer(json, "trials_a_cell", run->settings.seeds);
    judge_line(&line, interval, points, list);
    if (is_b(run)) judge_quantization(run, line.slope, interval, list, json);
}

const experiment experiment_fig2a = {"fig2a",
                                     "Figure 2(a): SGD, share of successes over n and d",
                                     "m = 0.8 d, K = 1, T = {T}, {s} trials a cell; gradient start, section 4's step "
                                     "size; found: relative error below 1e-3",
                                     plan,
                                     NULL,
                                     trial,
                                     table,
                                     judge};
const experiment experiment_fig2b = {"fig2b",
                                     "Figure 2(b): QSGD with b = 7, share of successes over n and d",
                                     "m = 0.8 d, K = 1, T = {T}, {s} trials a cell; gradient start, section 4's step "
                                     "size, l2; found: relative error below 1e-3",
                                     plan,
                                     NULL,
                                     trial,
                                     table,
                                     judge};
