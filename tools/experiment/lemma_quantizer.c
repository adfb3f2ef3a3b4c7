/*
 * lemma_quantizer.c - Lemma 6.3: Q_s is unbiased, and E ||Q_s(v)||^2 <= (1 + min(d / s^2, sqrt(d) / s)) ||v||^2.
 *
 * Four kinds of vectors of 5 d entries: Gaussian; entries of one size, which need the sqrt(d) / s; heavy-tailed, where
 * one entry outweighs many; and the gradient of a mini-batch. With u_i = |v_i| s / N, h_i = floor(u_i) and
 * p_i = u_i - h_i, coordinate i of s Q_s(v) / N is h_i plus a coin of probability p_i. So for N = ||v||
 *     E ||Q_s(v) - v||^2 / ||v||^2 = V = sum_i p_i (1 - p_i) / s^2,
 * and the mean of D draws, if unbiased, is off by ||mean - v||^2 of mean V ||v||^2 / D and variance
 * sum_i (2 c_i^2 + c_i (1 - 6 c_i) / D) (||v|| / s)^4 / D^2, where c_i = p_i (1 - p_i). Bias is told by how many of its own
 * standard deviations that square stands from its mean.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "console/interrupt.h"
#include "experiment/lemmas.h"
#include "base/status.h"

enum { KINDS = 4, LEVELS = 7, DRAWS = 2000, FULL_DRAWS = 20000, WIDER = 5 };
static const char *const kind_names[KINDS] = {"gaussian", "equal", "heavy", "gradient"};
/* As many standard deviations as none of some hundred honest measurements stands off. */
static const double ALLOWED = 4.5;
/* Values of a trial. */
enum { EXACT, MEASURED, ERROR, BIAS, WIDTH };

static int64_t trials(const experiment_run *run) { return KINDS * LEVELS * run->settings.seeds; }
static int kind_of(const experiment_run *run, int64_t t) { return (int)(t / run->settings.seeds / LEVELS); }
static int levels_of(const experiment_run *run, int64_t t) {
    return (1 << (t / run->settings.seeds % LEVELS + 1)) - 1; /* 1, 3, 7, ..., 127 */
}
static int64_t entries(const experiment_run *run) { return WIDER * run->settings.features; }
static uint64_t seed_of(const experiment_run *run, int64_t t) {
    return run->settings.seed + (uint64_t)(t % run->settings.seeds);
}

/* v = w - (w - grad): what one step of size 1 from near w* goes back, for m = n / 2 rows. */
static fr_status take_gradient(const experiment_run *run, uint64_t seed, double *v, fr_error *error) {
    int64_t d = entries(run);
    fr_planted planted = {.samples = 2 * d, .features = d, .seed = seed};
    fr_dataset *data = NULL;
    double *end = NULL;
    fr_options options;
    fr_result result;
    experiment_options(run, &options);
    options.batch = d;
    options.iterations = 1;
    options.step_rule = FR_STEP_NUMBER;
    options.step_size = 1;
    options.init = FR_INIT_GIVEN;
    options.init_weights = v;
    fr_status status = fr_allocate((void **)&end, d, sizeof *end, "a gradient", error);
    if (status == FR_OK) status = fr_dataset_generate(&planted, FR_F64, &data, error);
    if (status == FR_OK) experiment_near(data, LEMMA_BALL, seed, 0, v);
    if (status == FR_OK) status = experiment_fit_once(data, &options, &result, end, error);
    for (int64_t j = 0; status == FR_OK && j < d; j++) v[j] -= end[j];
    fr_dataset_free(data);
    free(end);
    return status;
}

static fr_status make_vector(const experiment_run *run, int kind, uint64_t seed, double *v, double *scratch,
                             fr_error *error) {
    int64_t d = entries(run);
    if (kind == 3) return take_gradient(run, seed, v, error);
    experiment_normals(seed, 1, d, v);
    experiment_normals(seed, 2, d, scratch);
    for (int64_t j = 0; j < d; j++) {
        if (kind == 1) v[j] = v[j] > 0 ? 1 : -1;
        if (kind == 2) v[j] /= scratch[j]; /* Cauchy's distribution */
    }
    return FR_OK;
}

/* V, and the variance of ||mean - v||^2 in units of V^2 (||v||^2 / draws)^2. */
static void predict(const double *v, int64_t d, double s, double draws, double *exact, double *variance) {
    double norm2 = 0, sum = 0, sum2 = 0;
    for (int64_t j = 0; j < d; j++) norm2 += v[j] * v[j];
    for (int64_t j = 0; j < d; j++) {
        double u = fabs(v[j]) * s / sqrt(norm2), p = u - floor(u), c = p * (1 - p);
        sum += c;
        sum2 += 2 * c * c + c * (1 - 6 * c) / draws;
    }
    *exact = sum / (s * s);
    *variance = sum2 / (sum * sum);
}

/* One vector: sums[j] is room for d sums of quantized values. */
static fr_status measure(const experiment_run *run, int64_t t, const double *v, double *sums, int8_t *levels,
                         double *values, fr_error *error) {
    int64_t d = entries(run), draws = run->settings.full ? FULL_DRAWS : DRAWS;
    double norm2 = 0, variance, off = 0, *errors = NULL, s = levels_of(run, t);
    fr_status status = fr_allocate((void **)&errors, draws, sizeof *errors, "errors of the draws", error);
    if (status != FR_OK) return status;
    for (int64_t j = 0; j < d; j++) {
        norm2 += v[j] * v[j];
        sums[j] = 0;
    }
    for (int64_t i = 0; i < draws && interrupt_signal() == 0; i++) {
        double unit = fr_quantize(v, d, (int)s, FR_SCALE_L2, seed_of(run, t), (uint64_t)i, 0, levels) / s;
        for (int64_t j = 0; j < d; j++) {
            double q = unit * levels[j];
            sums[j] += q;
            errors[i] += (q - v[j]) * (q - v[j]) / norm2;
        }
    }
    for (int64_t j = 0; j < d; j++)
        off += (sums[j] / (double)draws - v[j]) * (sums[j] / (double)draws - v[j]) / norm2;
    predict(v, d, s, (double)draws, &values[EXACT], &variance);
    values[MEASURED] = measure_mean(errors, draws);
    values[ERROR] = measure_deviation(errors, draws) / sqrt((double)draws);
    bool coins = values[EXACT] > 0; /* without any, Q_s(v) = v */
    values[BIAS] = coins ? ((double)draws * off / values[EXACT] - 1) / sqrt(variance) : off > 0 ? INFINITY : 0;
    free(errors);
    return FR_OK;
}

static fr_status trial(const experiment_run *run, int64_t t, double *values, fr_error *error) {
    int64_t d = entries(run);
    double *v = NULL;
    int8_t *levels = NULL;
    fr_status status = fr_allocate((void **)&v, 2 * d, sizeof *v, "a vector", error);
    if (status == FR_OK) status = fr_allocate((void **)&levels, d, sizeof *levels, "levels", error);
    if (status == FR_OK) status = make_vector(run, kind_of(run, t), seed_of(run, t), v, v + d, error);
    if (status == FR_OK) status = measure(run, t, v, v + d, levels, values, error);
    free(levels);
    free(v);
    return status;
}

static void table(const experiment_run *run, const double *rows, fr_output *csv) {
    const char *const quantities[WIDTH] = {"exact_variance", "variance", "standard_error", "bias_deviations"};
    for (int64_t t = 0; t < trials(run); t++) {
        lemma_place at = {.lemma = "6.3",
                          .name = kind_names[kind_of(run, t)],
                          .features = entries(run),
                          .levels = levels_of(run, t),
                          .seed = seed_of(run, t)};
        for (int v = 0; v < WIDTH; v++) lemma_row(csv, &at, quantities[v], rows[t * run->width + v]);
    }
}

/* The worst over all trials of what the verdicts ask. */
typedef struct worst {
    double bias, off, bound, quarter; /* deviations, deviations, share of the bound, share of min(d/(4 s^2), ...) */
} worst;

/* The larger; a NaN is the worst there is, and stays. */
static double worse(double a, double b) { return isnan(a) || a > b ? a : b; }

static worst find_worst(const experiment_run *run, const double *rows) {
    worst w = {0};
    double d = (double)entries(run);
    for (int64_t t = 0; t < trials(run); t++) {
        const double *v = rows + t * run->width;
        double s = levels_of(run, t), difference = fabs(v[MEASURED] - v[EXACT]);
        double off = difference > 1e-12 ? difference / v[ERROR] : difference; /* rounding, where all p_i are 0 */
        w.bias = worse(w.bias, fabs(v[BIAS]));
        w.off = worse(w.off, off);
        w.bound = worse(w.bound, (v[MEASURED] + 1.96 * v[ERROR]) / fr_theory_lemma_variance((int64_t)d, (int)s));
        w.quarter = worse(w.quarter, v[EXACT] / fmin(d / (4 * s * s), sqrt(d) / s));
    }
    return w;
}

static void write_cells(const experiment_run *run, const double *rows, json_writer *json) {
    int64_t seeds = run->settings.seeds;
    json_begin_array(json, "lemma_6_3");
    for (int64_t t = 0; t < trials(run); t += seeds) {
        double measured[LEMMA_MOST_SEEDS], exact[LEMMA_MOST_SEEDS], error2 = 0;
        lemma_column(run, rows, t, seeds, MEASURED, measured);
        lemma_column(run, rows, t, seeds, EXACT, exact);
        for (int64_t i = 0; i < seeds; i++) error2 += pow(rows[(t + i) * run->width + ERROR], 2);
        json_begin(json, NULL);
        json_string(json, "vector", kind_names[kind_of(run, t)]);
        json_integer(json, "levels", levels_of(run, t));
        json_number(json, "variance", measure_mean(measured, seeds));
        json_number(json, "interval", 1.96 * sqrt(error2) / (double)seeds);
        json_number(json, "exact", measure_mean(exact, seeds));
        json_number(json, "bound", fr_theory_lemma_variance(entries(run), levels_of(run, t)));
        json_end(json);
    }
    json_end_array(json);
}

static void judge(const experiment_run *run, const double *rows, verdict_list *list, json_writer *json) {
    char measured[EXPERIMENT_TEXT];
    worst w = find_worst(run, rows);
    long long count = (long long)trials(run);
    write_cells(run, rows, json);
    snprintf(measured, sizeof measured,
             "the mean of %d draws is off as far as chance has it, at most %.1f standard deviations in %lld vectors",
             run->settings.full ? FULL_DRAWS : DRAWS, w.bias, count);
    verdict_add(list, CLAIM_PAPER, verdict_of(w.bias <= ALLOWED), "Lemma 6.3 (i): E Q_s(v) = v", measured);
    snprintf(measured, sizeof measured,
             "the upper end of the 95 %% interval is at most %.3f of the bound, in %lld vectors, s = 1 ... 127",
             w.bound, count);
    verdict_add(list, CLAIM_PAPER, verdict_of(w.bound <= 1),
                "Lemma 6.3 (ii): E ||Q_s(v)||^2 <= (1 + min(d / s^2, sqrt(d) / s)) ||v||^2", measured);
    snprintf(measured, sizeof measured,
             "at most %.1f standard errors off; it is at most %.3f of min(d / (4 s^2), sqrt(d) / s)", w.off,
             w.quarter);
    verdict_add(list, CLAIM_OWN, verdict_of(w.off <= ALLOWED && w.quarter <= 1),
                "the variance is ||v||^2 sum_i p_i (1 - p_i) / s^2", measured);
}

const experiment_part lemma_6_3 = {WIDTH, NULL, trials, trial, table, judge};
