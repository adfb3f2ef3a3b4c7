/*
 * plan.c - from options to a plan: names, defaults, ranges and the choices of "auto".
 */
#include "plan/plan.h"

#include <math.h>
#include <string.h>

#include "plan/collective.h"
#include "ranks/link.h"

const char *fr_precision_name(fr_precision precision) { return precision == FR_F32 ? "f32" : "f64"; }
const char *fr_step_rule_name(fr_step_rule rule) {
    static const char *const names[] = {"auto", "theorem", "experiment", "number"};
    return names[rule];
}
const char *fr_init_name(fr_init init) {
    static const char *const names[] = {"auto", "gradient", "random", "zero", "file"};
    return names[init];
}
const char *fr_scale_name(fr_scale scale) {
    static const char *const names[] = {"auto", "l2", "max"};
    return names[scale];
}
const char *fr_wire_name(fr_wire wire) {
    static const char *const names[] = {"auto", "full", "bf16", "int8", "packed", "elias"};
    return names[wire];
}
const char *fr_storage_name(fr_storage storage) { return storage == FR_STORAGE_BF16 ? "bf16" : "same"; }
const char *fr_schedule_name(fr_schedule schedule) {
    static const char *const names[] = {"auto", "constant", "decay"};
    return names[schedule];
}
const char *fr_outcome_name(fr_outcome outcome) {
    static const char *const names[] = {"tolerance", "iterations", "diverged", "interrupted", "dead"};
    return names[outcome];
}

void fr_options_default(fr_options *options) {
    memset(options, 0, sizeof *options);
    options->iterations = -1;
    options->average = FR_AVERAGE_AUTO;
    options->ensemble = 1;
    options->seed = 1;
    options->timeout = FR_DEFAULT_TIMEOUT;
}

double fr_relative_variance(int64_t features, int levels, fr_scale scale) {
    double d = (double)features, s = levels;
    if (levels == 0) return 0;
    if (scale == FR_SCALE_MAX) return log(d) / (2 * s * s);
    return fmin(d / (4 * s * s), sqrt(d) / s);
}

/* 1 + the relative variance of the second rounding, where sums are rounded once more; 1 elsewhere. */
static double second_rounding(const fr_plan *plan) {
    if (!fr_collective_of(plan)->rounds_sums) return 1;
    return 1 + fr_relative_variance((plan->features + plan->workers - 1) / plan->workers, plan->levels, plan->scale);
}

double fr_full_step_size(const fr_plan *plan, double lambda) {
    double q = fr_relative_variance(plan->features, plan->levels, plan->scale);
    return 1 / ((plan->settles ? 2 : 1.25) * lambda * (1 + q / plan->workers) * second_rounding(plan));
}

double fr_auto_step_size(const fr_plan *plan, double lambda, double trace) {
    double q = fr_relative_variance(plan->features, plan->levels, plan->scale), whole = lambda * (1 + q / plan->workers);
    /* One step on drawn rows, all of them active, multiplies E<v, w - w*>^2 by at most 1 - 4 eta mu (1 - eta (lambda
     * + kappa / m)), where E ||x||^2 x x^T <= kappa E x x^T: kappa is what sampling costs. Gaussian columns have
     * kappa = trace + 2 lambda, so the trace stands for it there; heavy tails and rare columns have a much larger
     * one, and a step by the trace throws the weights far off whenever a long row is drawn. */
    double sampled = trace / (double)plan->batch * (1 + q);
    if (plan->draws == 0) return fr_full_step_size(plan, lambda);
    if (plan->own_data) return 1 / (2 * (whole + sampled) * second_rounding(plan));
    return 1 / ((whole + 2 * sampled) * second_rounding(plan));
}

static bool labels_are_noisy(const fr_dataset *set) { return !set->is_planted || set->recipe.noise > 0; }

static int64_t round_up(int64_t value, int64_t unit) { return (value + unit - 1) / unit * unit; }

static fr_status plan_workers(const fr_options *options, const fr_dataset *set, fr_plan *plan, fr_error *error) {
    plan->workers = options->workers > 0 ? options->workers : 1;
    if (options->workers < 0)
        return fr_fail(error, FR_ERROR_USAGE, "--workers is %d; it must be 1 or more", options->workers);
    if (set->samples < plan->workers)
        return fr_fail(error, FR_ERROR_USAGE,
                       "--workers is %d, but there are only %lld rows; each worker needs at least one", plan->workers,
                       (long long)set->samples);
    return FR_OK;
}

/* Passes over rows of so many values are cheap: full batches by default, where they converge in some tens of steps. */
static const double CHEAP_VALUES = 1e8;
/* And of so many next to nothing: a search makes all its runs. */
static const double TINY_VALUES = 2e6;

static double values_of(const fr_plan *plan) { return (double)plan->samples * (double)plan->features; }

/* m: planted, 0.8 d as in the paper; data of one's own, all rows while passes are cheap, else about d, never above n. */
static fr_status plan_batch(const fr_options *options, const fr_dataset *set, fr_plan *plan, fr_error *error) {
    int64_t n = plan->samples, d = plan->features, k = plan->workers, m = options->batch;
    if (m == FR_BATCH_AUTO) {
        m = set->is_planted ? round_up((4 * d + 4) / 5 > 32 ? (4 * d + 4) / 5 : 32, k) : round_up(d > 64 ? d : 64, k);
        if (!set->is_planted && (2 * m >= n || values_of(plan) <= CHEAP_VALUES)) m = FR_BATCH_FULL;
    }
    plan->draws = m == FR_BATCH_FULL ? 0 : m / k;
    plan->batch = m == FR_BATCH_FULL ? n : m;
    if (m != FR_BATCH_FULL && m < 1)
        return fr_fail(error, FR_ERROR_USAGE, "--batch is %lld; it must be 1 or more, or full", (long long)m);
    if (m != FR_BATCH_FULL && m % k != 0)
        return fr_fail(error, FR_ERROR_USAGE, "--batch %lld is not divisible by --workers %lld; the nearest that are: "
                       "%lld and %lld", (long long)m, (long long)k, (long long)(m / k > 0 ? m / k * k : k),
                       (long long)(m / k * k + k));
    return FR_OK;
}

static fr_status plan_quantizer(const fr_options *options, fr_plan *plan, fr_error *error) {
    int s = options->levels, k = plan->workers;
    if (s < 0 || s > 127)
        return fr_fail(error, FR_ERROR_USAGE, "--levels is %d; it must be from 1 to 127", s);
    plan->levels = s;
    plan->collective = options->collective;
    if (plan->collective == FR_COLLECTIVE_AUTO)
        plan->collective = s == 0 || (k <= FR_SUMMED_WORKERS_MOST && k * s <= FR_SUMMED_LEVELS_MOST)
                               ? FR_COLLECTIVE_ALLREDUCE
                               : FR_COLLECTIVE_TWO_PHASE;
    plan->scale = options->scale;
    if (plan->scale == FR_SCALE_AUTO) plan->scale = fr_collective_of(plan)->scale;
    return FR_OK;
}

static bool sums_on_the_way(const fr_plan *plan) { return fr_collective_of(plan)->needs == FR_NEEDS_TOTAL; }

/* Packed where it is shorter than int8 and can be sent; of sums, where they do not fit an int8. */
static fr_wire automatic_wire(const fr_plan *plan, bool gpus) {
    if (plan->levels == 0) return FR_WIRE_FULL;
    if (sums_on_the_way(plan))
        return (int64_t)plan->workers * plan->levels <= FR_SUMMED_LEVELS_MOST ? FR_WIRE_INT8 : FR_WIRE_PACKED;
    bool packs = (fr_collective_of(plan)->wires & FR_CARRIES(FR_WIRE_PACKED)) && plan->levels < 64 && !gpus;
    return packs ? FR_WIRE_PACKED : FR_WIRE_INT8;
}

static fr_status plan_wire(const fr_options *options, fr_plan *plan, fr_error *error) {
    bool quantized = plan->levels > 0, gpus = options->device == FR_DEVICE_CUDA || options->gpus > 0;
    fr_wire wire = options->wire == FR_WIRE_AUTO ? automatic_wire(plan, gpus) : options->wire;
    plan->wire = wire;
    if (quantized && wire < FR_WIRE_INT8)
        return fr_fail(error, FR_ERROR_USAGE, "--wire %s carries unquantized gradients, and --levels is %d; use int8, "
                       "packed or elias", fr_wire_name(wire), plan->levels);
    if (!quantized && wire >= FR_WIRE_INT8)
        return fr_fail(error, FR_ERROR_USAGE, "--wire %s carries levels; it needs --levels or --bits",
                       fr_wire_name(wire));
    if (gpus && wire == FR_WIRE_PACKED && !sums_on_the_way(plan))
        return fr_fail(error, FR_ERROR_USAGE, "--wire packed on GPUs needs --collective allreduce; it is %s",
                       fr_collective_of(plan)->name);
    return fr_collective_check(plan, error);
}

/* T: planted, 300, or the theorem's own count for the slow rule; data, as many as a modest budget of work allows. */
static int64_t default_iterations(const fr_options *options, const fr_dataset *set, const fr_plan *plan) {
    if (options->step_rule == FR_STEP_THEOREM) {
        double rate = fr_theory_rate(plan->features, (double)plan->batch, plan->levels);
        return (int64_t)fmin(20000, ceil(fr_theory_iterations(rate, 1e-8, 0.5)));
    }
    if (set->is_planted) return set->recipe.noise > 0 ? 600 : 300;
    return (int64_t)fmax(2000, fmin(20000, 2e10 / ((double)plan->batch * (double)plan->features)));
}

/* Data of one's own, with the number of steps left open: full batches under a stopping rule (fit/fit.c); before them,
 * where passes are dear, drawn rows of about three passes. */
static void plan_settling(const fr_options *options, const fr_dataset *set, fr_plan *plan) {
    bool open = options->iterations < 0 && options->step_rule != FR_STEP_THEOREM &&
                options->step_rule != FR_STEP_EXPERIMENT && options->batch <= 0;
    plan->own_data = !set->is_planted;
    plan->settles = plan->own_data && open;
    plan->starts = 1;
    if (!plan->settles) return;
    if (plan->draws > 0)
        plan->settle_from = (int64_t)fmax(300, fmin(3000, ceil(3 * (double)plan->samples / (double)plan->batch)));
    else if (options->init == FR_INIT_AUTO && options->ensemble == 1)
        plan->starts = values_of(plan) <= TINY_VALUES ? 30 : 3;
}

/* Refused before any row is made or read. */
static fr_status check_steps(const fr_options *options, fr_error *error) {
    if (options->step_rule == FR_STEP_NUMBER && !(options->step_size > 0 && isfinite(options->step_size)))
        return fr_fail(error, FR_ERROR_USAGE, "--step-size is %g; it must be above 0", options->step_size);
    if (options->average != FR_AVERAGE_AUTO && !(options->average >= 0 && options->average <= 1))
        return fr_fail(error, FR_ERROR_USAGE, "--average is %g; it must be a share from 0 to 1", options->average);
    if (options->ensemble < 1)
        return fr_fail(error, FR_ERROR_USAGE, "--ensemble is %d; it must be 1 or more", options->ensemble);
    if (options->ensemble > 1 && (options->checkpoint || options->resume))
        return fr_fail(error, FR_ERROR_USAGE, "--ensemble cannot be combined with --checkpoint or --resume");
    if (options->tolerance < 0)
        return fr_fail(error, FR_ERROR_USAGE, "--tolerance is %g; it must be 0 or more", options->tolerance);
    return FR_OK;
}

fr_status fr_plan_begin(const fr_options *options, const fr_dataset *set, bool dedicated_master, fr_plan *plan,
                        fr_error *error) {
    *plan = (fr_plan){
        .samples = set->samples,
        .features = set->features + (options->intercept && !set->intercept),
        .dedicated_master = dedicated_master,
        .star = options->star,
        .storage = options->storage,
        .precision = set->precision,
        .seed = options->seed,
    };
    FR_TRY(plan_workers(options, set, plan, error));
    FR_TRY(plan_batch(options, set, plan, error));
    FR_TRY(plan_quantizer(options, plan, error));
    FR_TRY(plan_wire(options, plan, error));
    plan_settling(options, set, plan);
    return check_steps(options, error);
}

/* Under the stopping rule at most 500 to 20000 passes a run. */
static int64_t count_steps(const fr_options *options, const fr_dataset *set, const fr_plan *plan) {
    if (plan->settles) return plan->settle_from + (int64_t)fmax(500, fmin(20000, 4e9 / values_of(plan)));
    return options->iterations >= 0 ? options->iterations : default_iterations(options, set, plan);
}

static fr_status plan_sizes(const fr_options *options, const fr_dataset *set, const fr_spectrum *spectrum, fr_plan *plan,
                            fr_error *error) {
    double m = (double)plan->batch, *eta = &plan->steps.eta;
    switch (options->step_rule) {
    case FR_STEP_AUTO: *eta = fr_auto_step_size(plan, spectrum->lambda, fmax(spectrum->trace, spectrum->long_rows)); break;
    case FR_STEP_THEOREM: *eta = fr_theory_step_size(plan->features, m, plan->levels); break;
    case FR_STEP_EXPERIMENT: *eta = fr_experiment_step_size(plan->features, m, plan->levels); break;
    case FR_STEP_NUMBER: *eta = options->step_size; break;
    }
    plan->settle_eta = options->step_rule == FR_STEP_AUTO ? fr_full_step_size(plan, spectrum->lambda) : *eta;
    if (isfinite(*eta)) return FR_OK;
    return fr_fail(error, FR_ERROR_DATA, "%s: every feature is zero in every row, so there is nothing to fit",
                   set->source);
}

fr_status fr_plan_finish(const fr_options *options, const fr_dataset *set, const fr_spectrum *spectrum, fr_plan *plan,
                         fr_error *error) {
    bool settles_at_once = plan->settles && plan->draws == 0;
    double share = options->average;
    if (share == FR_AVERAGE_AUTO) share = labels_are_noisy(set) && plan->draws > 0 ? 0.25 : 0;
    plan->iterations = count_steps(options, set, plan);
    plan->steps.steps = plan->settles && plan->draws > 0 ? plan->settle_from : plan->iterations;
    plan->steps.decays = options->schedule == FR_SCHEDULE_DECAY ||
                         (options->schedule == FR_SCHEDULE_AUTO && labels_are_noisy(set) && !settles_at_once);
    plan->average_start = plan->steps.steps - (int64_t)floor(share * (double)plan->steps.steps);
    return plan_sizes(options, set, spectrum, plan, error);
}

fr_status fr_plan_make(const fr_options *options, const fr_dataset *set, fr_plan *plan, fr_error *error) {
    const fr_spectrum any = {1, 1, 0};
    FR_TRY(fr_plan_begin(options, set, false, plan, error));
    FR_TRY(fr_plan_finish(options, set, &any, plan, error));
    if (options->step_rule == FR_STEP_AUTO) plan->steps.eta = plan->settle_eta = NAN;
    return FR_OK;
}
