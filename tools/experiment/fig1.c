/*
 * fig1.c - Figure 1: relative error against iteration, (a) SGD for several batches, (b) QSGD for several bits.
 *
 * d = 1000, n = 10000, w* ~ N(200, 3), section 4's step sizes, the gradient start of Remark 3.2. Section 4 speaks of "a
 * random initial point"; a standard normal one (--init random) is in effect zero beside w*, and costs a few steps more.
 * A trial is one curve and one seed. The rate measured is the slope of the logarithm of the squared error, by least
 * squares over the points below 0.1 (the start behind) and above 1e-11 (rounding far away). It is held against the rate
 * that the eigenvalues of the active rows' second moment and the noise of drawing and rounding make for this n, m and
 * step size (forecast/forecast.c). rho and alpha of the theorems belong to their own step size, 3 / (4 C), which is a
 * seventh of section 4's at m = 800, and are told beside it.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "experiment/experiment.h"
#include "forecast/forecast.h"

static const double FIT_FROM = 0.1, FIT_TO = 1e-11;
/* A curve counts as geometric when a straight line explains this share of its logarithm. */
static const double GEOMETRIC = 0.98;
/* How far the measured progress a step, log(rate), may be from the predicted one. */
static const double NEAR = 0.05;
enum { POINTS = 30, MOST_CURVES = EXPERIMENT_MOST_BATCHES, FIRST_BITS = 3, LAST_BITS = 7 };

/* Of one curve over its seeds. */
typedef struct curve_summary {
    int64_t batch;
    int bits;
    double rate, spread, r_squared, bound, last; /* r_squared: the worst; last: mean of the last errors */
    double step_size, predicted; /* NaN where the rule needs the data, and where the forecast does not speak of it */
} curve_summary;

static bool is_b(const experiment_run *run) { return run->what == &experiment_fig1b; }
static int curve_count(const experiment_run *run) {
    return is_b(run) ? LAST_BITS - FIRST_BITS + 2 : run->settings.batch_count;
}
static int64_t every(const experiment_run *run) { return (run->settings.iterations + POINTS - 1) / POINTS; }
static int64_t curve_batch(const experiment_run *run, int c) { return run->settings.batches[is_b(run) ? 0 : c]; }
/* (b): 3, 4, 5, 6, 7 bits, and SGD last, as 0 bits. */
static int curve_bits(const experiment_run *run, int c) {
    return is_b(run) && c <= LAST_BITS - FIRST_BITS ? FIRST_BITS + c : 0;
}
static int levels_of(int bits) { return bits ? (1 << bits) - 1 : 0; }
static int64_t iteration_at(const experiment_run *run, int64_t point) {
    int64_t at = point * every(run);
    return at < run->settings.iterations ? at : run->settings.iterations;
}

static void plan(experiment_run *run) {
    experiment_settings *s = &run->settings;
    const int64_t batches[] = {100, 200, 400, 800};
    if (s->features == 0) s->features = 1000;
    if (s->samples == 0) s->samples = 10 * s->features;
    if (s->iterations == 0) s->iterations = 300;
    if (s->seeds == 0) s->seeds = s->full ? 20 : 5;
    if (s->batch_count == 0 && is_b(run)) s->batches[s->batch_count++] = 800;
    for (int i = 0, own = s->batch_count; own == 0 && i < 4; i++) s->batches[s->batch_count++] = batches[i];
    run->trials = curve_count(run) * s->seeds;
    run->width = (s->iterations + every(run) - 1) / every(run) + 1;
}

static fr_status trial(const experiment_run *run, int64_t index, double *values, fr_error *error) {
    const experiment_settings *s = &run->settings;
    int c = (int)(index / s->seeds);
    fr_planted planted = {
        .samples = s->samples, .features = s->features, .seed = s->seed + (uint64_t)(index % s->seeds)};
    fr_options options;
    experiment_options(run, &options);
    options.batch = curve_batch(run, c);
    options.iterations = s->iterations;
    options.step_rule = FR_STEP_EXPERIMENT;
    options.levels = levels_of(curve_bits(run, c));
    options.scale = options.levels ? FR_SCALE_L2 : FR_SCALE_AUTO;
    options.collective = FR_COLLECTIVE_ALLGATHER;
    options.seed = planted.seed;
    experiment_choose(run, &options);
    return experiment_fit(&planted, &options, every(run), values, run->width, error);
}

static void table(const experiment_run *run, fr_output *csv) {
    const experiment_settings *s = &run->settings;
    fr_output_printf(csv, "batch,bits,seed,iteration,relative_error\n");
    for (int64_t t = 0; t < run->trials; t++) {
        int c = (int)(t / s->seeds);
        for (int64_t p = 0; p < run->width; p++) {
            fr_output_printf(csv, "%" PRId64 ",%d,%" PRIu64 ",%" PRId64, curve_batch(run, c), curve_bits(run, c),
                             s->seed + (uint64_t)(t % s->seeds), iteration_at(run, p));
            experiment_field(csv, false, run->values[t * run->width + p]);
            fr_output_printf(csv, "\n");
        }
    }
}

/* The line through log(error^2) of one trial; points that a run never reached or that stand outside are left out. */
static measure_line trial_line(const experiment_run *run, int64_t t) {
    double x[POINTS + 2], y[POINTS + 2];
    int64_t count = 0;
    for (int64_t p = 0; p < run->width && p < POINTS + 2; p++) {
        double e = run->values[t * run->width + p];
        if (!(e > FIT_TO && e < FIT_FROM)) continue;
        x[count] = (double)iteration_at(run, p);
        y[count++] = 2 * log(e);
    }
    return measure_fit_line(x, y, count);
}

/* ---------------------------------------------------------------------------------------- prediction */

static double step_size_of(const experiment_run *run, const curve_summary *sum) {
    const experiment_method *method = &run->settings.method;
    double m = (double)sum->batch;
    int64_t d = run->settings.features;
    fr_step_rule rule = method->has_step ? method->step_rule : FR_STEP_EXPERIMENT;
    switch (rule) {
    case FR_STEP_NUMBER: return method->step_size;
    case FR_STEP_THEOREM: return fr_theory_step_size(d, m, levels_of(sum->bits));
    case FR_STEP_EXPERIMENT: return fr_experiment_step_size(d, m, levels_of(sum->bits));
    default: return NAN;
    }
}

/* The rate of the squared error between the first and the last point that trial_line uses, in the mean of the seeds: the
 * factor a step falls from run to run as small eigenvalues come to be what is left. */
static double predicted_rate(const experiment_run *run, int c, const curve_summary *sum) {
    const experiment_method *method = &run->settings.method;
    double d = (double)run->settings.features, n = (double)run->settings.samples, high = 0, low = 0;
    bool l2 = !method->has_scale || method->scale == FR_SCALE_L2;
    bool own = !method->has_collective || method->collective == FR_COLLECTIVE_ALLGATHER;
    int64_t used = 0, workers = method->has_workers ? method->workers : 1;
    for (int64_t p = 0; p < run->width; p++) {
        double error = 0;
        for (int64_t i = 0; i < run->settings.seeds; i++)
            error += log(run->values[(c * run->settings.seeds + i) * run->width + p]) / (double)run->settings.seeds;
        if (!(error > log(FIT_TO) && error < log(FIT_FROM))) continue;
        if (used++ == 0) high = exp(error);
        low = exp(error);
    }
    if (used < 2 || (sum->bits && !own)) return NAN;
    double unit = fr_gaussian_unit(l2 ? FR_SCALE_L2 : FR_SCALE_MAX, d, d);
    fr_noise noise = {.step_size = sum->step_size,
                      .workers = (double)workers,
                      .sampling = (2 * d + 3) / (double)sum->batch,
                      .drawn = 1,
                      .variance = sum->bits ? fr_gaussian_levels(levels_of(sum->bits), unit).variance : 0};
    double steps = fr_noise_steps(&noise, d / n, low) - fr_noise_steps(&noise, d / n, high);
    return steps > 0 && isfinite(steps) ? pow(low / high, 2 / steps) : NAN;
}

static curve_summary summarize(const experiment_run *run, int c) {
    enum { MOST_SEEDS = 1000 };
    double rates[MOST_SEEDS], ends = 0;
    int64_t seeds = run->settings.seeds < MOST_SEEDS ? run->settings.seeds : MOST_SEEDS;
    curve_summary sum = {.batch = curve_batch(run, c), .bits = curve_bits(run, c), .r_squared = 1};
    for (int64_t i = 0; i < seeds; i++) {
        int64_t t = c * run->settings.seeds + i;
        measure_line line = trial_line(run, t);
        rates[i] = exp(line.slope);
        if (!(line.r_squared >= sum.r_squared)) sum.r_squared = line.r_squared; /* NaN stays */
        ends += run->values[(t + 1) * run->width - 1] / (double)seeds;
    }
    sum.rate = measure_mean(rates, seeds);
    sum.spread = measure_deviation(rates, seeds);
    sum.bound = fr_theory_rate(run->settings.features, (double)sum.batch, levels_of(sum.bits));
    sum.last = ends;
    sum.step_size = step_size_of(run, &sum);
    sum.predicted = predicted_rate(run, c, &sum);
    return sum;
}

static void name_curve(const curve_summary *sum, bool by_bits, char text[32]) {
    if (!by_bits) snprintf(text, 32, "m = %" PRId64, sum->batch);
    else if (sum->bits) snprintf(text, 32, "b = %d", sum->bits);
    else snprintf(text, 32, "SGD");
}

static void write_curve(const experiment_run *run, const curve_summary *sum, json_writer *json) {
    double d = (double)run->settings.features;
    char name[32];
    name_curve(sum, is_b(run), name);
    json_begin(json, NULL);
    json_string(json, "name", name);
    json_integer(json, "batch", sum->batch);
    json_integer(json, "bits", sum->bits);
    json_number(json, "rate", sum->rate);
    json_number(json, "rate_deviation", sum->spread);
    json_number(json, "r_squared", sum->r_squared);
    json_number(json, "theorem_rate", sum->bound);
    json_number(json, "step_size", sum->step_size);
    json_number(json, "predicted_rate", sum->predicted);
    json_number(json, "local_rate", sum->bits ? NAN : fr_local_rate((int64_t)d, (double)sum->batch, sum->step_size));
    json_number(json, "last_error", sum->last);
    json_end(json);
}

static void judge_curve(const experiment_run *run, const curve_summary *sum, verdict_list *list) {
    char name[32], paper[EXPERIMENT_TEXT], measured[EXPERIMENT_TEXT];
    name_curve(sum, is_b(run), name);
    const char *rho = sum->bits ? "alpha" : "rho";
    snprintf(paper, sizeof paper,
             "%s converges at a geometric rate (%s = %.5f belongs to Theorem %s's step size, %.4f)", name, rho,
             sum->bound, sum->bits ? "3.2" : "3.1",
             fr_theory_step_size(run->settings.features, (double)sum->batch, levels_of(sum->bits)));
    snprintf(measured, sizeof measured,
             "rate %.5f +- %.5f a step over %" PRId64 " seeds, straight to R^2 %.4f; last error %.2e", sum->rate,
             sum->spread, run->settings.seeds, sum->r_squared, sum->last);
    verdict_add(list, CLAIM_PAPER, verdict_of(sum->rate < 1 && sum->r_squared >= GEOMETRIC), paper, measured);
    double off = log(sum->rate) / log(sum->predicted) - 1;
    snprintf(paper, sizeof paper,
             "%s goes as fast as step size %.4f, sampling%s and n = %.3g d make it go, within %.0f %%", name,
             sum->step_size, sum->bits ? ", rounding" : "",
             (double)run->settings.samples / (double)run->settings.features, 100 * NEAR);
    snprintf(measured, sizeof measured, "rate %.5f, predicted %.5f: %+.1f %% progress a step", sum->rate,
             sum->predicted, 100 * off);
    if (isnan(off)) snprintf(measured, sizeof measured, "no rate was measured, or none can be predicted");
    verdict_add(list, CLAIM_OWN, isnan(off) ? VERDICT_UNTOLD : verdict_of(fabs(off) <= NEAR), paper, measured);
}

/* Curves stand from slow to fast: by batch as the reader gave them, or by bits with SGD last. */
static void judge_order(const curve_summary *sums, int count, bool by_bits, verdict_list *list) {
    bool ordered = count > 1;
    char measured[EXPERIMENT_TEXT] = "", name[32];
    size_t used = 0;
    for (int c = 0; c < count && used < sizeof measured; c++) {
        name_curve(&sums[c], by_bits, name);
        used += (size_t)snprintf(measured + used, sizeof measured - used, "%s%s: %.4f", c ? ", " : "", name,
                                 sums[c].rate);
        bool later_is_more = c == 0 || by_bits || sums[c].batch > sums[c - 1].batch;
        if (c > 0) ordered &= later_is_more ? sums[c].rate < sums[c - 1].rate : sums[c].rate > sums[c - 1].rate;
    }
    if (count > 1)
        verdict_add(list, CLAIM_PAPER, verdict_of(ordered),
                    by_bits ? "more bits converge faster, and SGD fastest" : "a larger mini-batch converges faster",
                    measured);
}

static void judge_seven_bits(const curve_summary *seven, const curve_summary *sgd, verdict_list *list) {
    char measured[EXPERIMENT_TEXT];
    double ratio = log(seven->rate) / log(sgd->rate);
    snprintf(measured, sizeof measured,
             "QSGD with b = 7 goes %.2f of the way that SGD goes a step (7/9 of its step size)", ratio);
    verdict_add(list, CLAIM_PAPER, verdict_of(ratio >= 0.5),
                "QSGD keeps a linear rate comparable to SGD's, especially with b = 7", measured);
}

static void judge(const experiment_run *run, verdict_list *list, json_writer *json) {
    curve_summary sums[MOST_CURVES];
    int count = curve_count(run);
    json_begin_array(json, "curves");
    for (int c = 0; c < count; c++) {
        sums[c] = summarize(run, c);
        write_curve(run, &sums[c], json);
        judge_curve(run, &sums[c], list);
    }
    json_end_array(json);
    judge_order(sums, count, is_b(run), list);
    if (is_b(run)) judge_seven_bits(&sums[count - 2], &sums[count - 1], list);
}

const experiment experiment_fig1a = {"fig1a",
                                     "Figure 1(a): SGD, error against iteration for several mini-batches",
                                     "n = {n}, d = {d}, K = 1, {s} seeds; start: gradient step (section 4: a random "
                                     "point), section 4's step size m/(2d)",
                                     plan,
                                     experiment_check_workers,
                                     trial,
                                     table,
                                     judge};
const experiment experiment_fig1b = {"fig1b",
                                     "Figure 1(b): QSGD, error against iteration for several numbers of bits",
                                     "n = {n}, d = {d}, m = {m}, K = 1, {s} seeds; start: gradient step (section 4: "
                                     "a random point), step m b/(18 d), l2",
                                     plan,
                                     experiment_check_workers,
                                     trial,
                                     table,
                                     judge};
