/*
 * solver.c - from options and a data set to a result: plan, rows, engine, exchange, start, runs of the loop.
 *
 * The loop itself is fit/fit.c. Here stand the things done once: conditioning of the columns, the survey of the data
 * that `auto` needs, the ensemble of Algorithm 1, and the result.
 */
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/threads.h"
#include "fit/checkpoint.h"
#include "solver/same_run.h"
#include "fit/ensemble.h"
#include "fit/fit.h"
#include "fit/model.h"
#include "solver/place.h"
#include "data/planted.h"
#include "columns/condition.h"
#include "columns/spread.h"
#include "columns/weights.h"
#include "fit/search.h"
#include "fit/survey.h"
#include "exchange/traffic.h"

/* One rank: a device and what it needs to run the loop. Ranks share the data set and nothing else. */
typedef struct solver_rank {
    fr_options options;
    fr_dataset *set;
    fr_plan plan; /* begun with the solver's; finished by survey_rank, and const from then on */
    int threads;
    fr_engine *engine;
    fr_comm *comm;
    fr_fit fit;
    fr_row_sums labels; /* of FR_PASS_LABELS: sums over all rows */
    double spread;      /* of the labels about their mean, a sum of squares */
    double *label_sum;  /* d: sum_i y_i x_i */
    fr_start_data data;
    double *start;      /* w_0, d */
    double *best;       /* d: data of one's own: the best iterate that was measured */
    double *fitted;     /* the result, d */
    int agreeing;
    double *sent, *received; /* bytes a step, a rank each */
    fr_result result;
} solver_rank;

struct fr_solver {
    fr_options options;
    fr_dataset *set;
    fr_plan plan; /* begun */
    double long_rows;
    double spread; /* of read labels */
    int threads;
    fr_place place;
    solver_rank *ranks; /* place.ranks of them; the first speaks for all */
};

/* ----------------------------------------------------------------------------------------- create */

static fr_status refuse_labels(const fr_dataset *set, fr_error *error) {
    return fr_fail(error, FR_ERROR_DATA,
                   "%s: none of the %lld labels is above 0, so max(0, <w, x>) fits best with w = 0; expected some y > 0",
                   set->source, (long long)set->samples);
}

/* Over all ranks: labels are there, and one of them is above 0. */
static fr_status check_labels(const fr_dataset *set, fr_world *world, fr_error *error) {
    bool above = false, missing = set->local_rows > 0 && !set->labels;
    FR_OWNED bool *all = NULL;
    for (int64_t i = 0; !missing && i < set->local_rows && !above; i++)
        above = fr_dataset_label(set, i) > 0 && (!set->weights || set->weights[i] > 0);
    fr_status status = missing ? fr_fail(error, FR_ERROR_DATA, "%s holds no labels; a fit needs them", set->source) : FR_OK;
    if (status == FR_OK)
        status = fr_allocate((void **)&all, fr_world_size(world), sizeof *all, "the ranks' agreement", error);
    FR_TRY(fr_world_agree(world, status, error));
    FR_TRY(fr_world_gather(world, &above, sizeof above, all, error));
    for (int r = 0; r < fr_world_size(world); r++) above |= all[r];
    return above ? FR_OK : fr_world_agree(world, refuse_labels(set, error), error);
}

/* Data from a file get columns of one scale, uncorrelated, wherever the step size is ours to choose; the unit is the
 * same one. By the first GPU of this process, where it has any. */
static fr_status condition(const fr_solver *s, const fr_device_products *device, fr_error *error) {
    const fr_options *options = &s->options;
    fr_dataset *set = s->set;
    bool ours = !set->is_planted && options->step_rule == FR_STEP_AUTO;
    fr_conditioning how = {
        .center = options->standardize || (ours && options->intercept),
        .scale = options->standardize || ours,
        .decorrelate = ours,
        .intercept = options->intercept,
        .device = device,
    };
    return fr_dataset_condition(set, how, &s->plan, s->threads, options->world, error);
}

static fr_status condition_rows(fr_solver *s, fr_error *error) {
    const fr_device_products *device;
    FR_TRY(fr_world_agree(s->place.world, fr_place_products(&s->place, &device, error), error));
    fr_status status = condition(s, device, error);
    fr_place_products_end(&s->place);
    return status;
}

/* A planted set that nothing changes is generated on the GPUs themselves. */
static bool is_made_on_device(const fr_solver *s) {
    return s->place.cuda && s->set->is_planted && !s->set->rows && !s->options.standardize && !s->options.intercept;
}

/* Ranks that share a machine share its processors, unless the launcher gave each its own. */
static int choose_threads(const fr_options *options) {
    int online = (int)sysconf(_SC_NPROCESSORS_ONLN), near = fr_world_local_ranks(options->world);
    int own = omp_get_num_procs() < online ? omp_get_num_procs() : online / near;
    int wanted = options->threads > 0 ? options->threads : fr_default_threads();
    if (near == 1 || wanted <= own) return wanted;
    return own > 1 ? own : 1;
}

/* The rows of this process's workers: made, or found among those held. */
static fr_status own_rows(fr_solver *s, fr_error *error) {
    fr_dataset *set = s->set;
    fr_range ranks = {fr_world_rank(s->place.world) * s->place.ranks, s->place.ranks};
    fr_range rows = fr_rows_of_workers(&s->plan, fr_workers_of_ranks(&s->plan, s->place.all_ranks, ranks));
    if (set->is_planted) return fr_dataset_materialize(set, rows.first, rows.count, error);
    return fr_dataset_holds(set, rows, error);
}

static fr_status prepare_rows(fr_solver *s, fr_error *error) {
    fr_dataset *set = s->set;
    fr_world *world = s->place.world;
    FR_TRY(fr_world_agree(world, own_rows(s, error), error));
    FR_TRY(fr_weights_settle(set, &s->plan, world, error));
    FR_TRY(check_labels(set, world, error));
    FR_TRY(condition_rows(s, error));
    fr_weights_apply(set, s->threads);
    if (!set->is_planted) FR_TRY(fr_labels_spread(set, &s->plan, world, &s->spread, error));
    bool asks = s->options.step_rule == FR_STEP_AUTO && s->plan.draws > 0 && !set->is_planted && set->shift;
    return asks ? fr_dataset_long_rows(set, &s->plan, s->threads, world, &s->long_rows, error) : FR_OK;
}

/* Whatever a rank refuses, all refuse, before the next thing that needs them all. */
static fr_status prepare(fr_solver *s, fr_error *error) {
    fr_world *world = s->options.world;
    fr_world_set_timeout(world, s->options.timeout);
    s->threads = choose_threads(&s->options);
    fr_status status = fr_place_make(&s->options, &s->place, error);
    if (status == FR_OK)
        status = fr_plan_begin(&s->options, s->set, s->place.dedicated_master, &s->plan, error);
    FR_TRY(fr_world_agree(world, status, error));
    FR_TRY(fr_check_same_run(world, &s->options, s->set, &s->plan, error));
    return is_made_on_device(s) ? FR_OK : prepare_rows(s, error);
}

static fr_status create_rank(void *user, int rank, fr_error *error) {
    fr_solver *s = user;
    solver_rank *r = &s->ranks[rank];
    r->options = s->options;
    r->set = s->set;
    r->plan = s->plan;
    r->threads = s->threads;
    int64_t d = r->plan.features > s->place.all_ranks ? r->plan.features : s->place.all_ranks;
    double **vectors[] = {&r->label_sum, &r->start, &r->fitted, &r->best, &r->fit.scratch, &r->fit.state.weights,
                          &r->fit.state.average, &r->sent, &r->received};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        FR_TRY(fr_allocate((void **)vectors[i], d, sizeof(double), "weights", error));
    FR_TRY(fr_place_engine(&s->place, rank, &r->plan, r->set, r->threads, &r->engine, error));
    r->fit.state.best = r->plan.own_data ? r->best : NULL;
    return fr_allocate((void **)&r->fit.residuals, r->engine->config.worker_count, sizeof(double), "residuals", error);
}

static fr_status connect_rank(void *user, int rank, fr_error *error) {
    fr_solver *s = user;
    solver_rank *r = &s->ranks[rank];
    return fr_place_comm(&s->place, rank, &r->plan, r->engine, &r->comm, error);
}

/* The sums over rows that the plan's steps need, and with them the end of the plan. */
static fr_status survey_rank(void *user, int rank, fr_error *error) {
    solver_rank *r = &((fr_solver *)user)->ranks[rank];
    fr_spectrum spectrum = {.long_rows = ((fr_solver *)user)->long_rows};
    FR_TRY(fr_survey_total(r->engine, r->comm, FR_PASS_LABELS, NULL, r->label_sum, &r->labels, error));
    if (!(r->labels.label2 > 0)) return refuse_labels(r->set, error); /* made on the device */
    r->spread = ((fr_solver *)user)->spread;
    if (r->set->is_planted) r->spread = r->labels.label2 - r->labels.label * r->labels.label / (double)r->plan.samples;
    spectrum.trace = r->labels.square / (double)r->plan.samples;
    if (r->options.step_rule == FR_STEP_AUTO)
        FR_TRY(fr_survey_eigenvalue(r->engine, r->comm, &spectrum.lambda, error));
    return fr_plan_finish(&r->options, r->set, &spectrum, &r->plan, error);
}

static fr_status free_rank(void *user, int rank, fr_error *error) {
    solver_rank *r = &((fr_solver *)user)->ranks[rank];
    (void)error;
    fr_comm_free(r->comm);
    fr_engine_free(r->engine);
    free(r->label_sum);
    free(r->start);
    free(r->best);
    free(r->fitted);
    free(r->fit.scratch);
    free(r->fit.residuals);
    free(r->fit.state.weights);
    free(r->fit.state.average);
    free(r->sent);
    free(r->received);
    return FR_OK;
}

static fr_status make_ranks(fr_solver *s, fr_error *error) {
    FR_TRY(prepare(s, error));
    FR_TRY(fr_allocate((void **)&s->ranks, s->place.ranks, sizeof *s->ranks, "the solver", error));
    /* All have an engine before any waits for another to join it. */
    FR_TRY(fr_world_agree(s->options.world, fr_place_run(&s->place, create_rank, s, error), error));
    FR_TRY(fr_world_agree(s->options.world, fr_place_run(&s->place, connect_rank, s, error), error));
    fr_status status = fr_place_run(&s->place, survey_rank, s, error);
    /* What is wrong with the data all ranks find alike; on another failure the others are not here to agree. */
    return status == FR_ERROR_DATA ? fr_world_agree(s->options.world, status, error) : status;
}

fr_status fr_solver_create(const fr_options *options, fr_dataset *dataset, fr_solver **solver, fr_error *error) {
    fr_solver *s = NULL;
    FR_TRY(fr_allocate((void **)&s, 1, sizeof *s, "the solver", error));
    s->options = *options;
    s->set = dataset;
    fr_status status = make_ranks(s, error);
    if (status == FR_OK) *solver = s;
    else fr_solver_free(s);
    return status;
}

void fr_solver_free(fr_solver *s) {
    if (!s) return;
    if (s->ranks) fr_place_run(&s->place, free_rank, s, NULL);
    fr_place_free(&s->place);
    free(s->ranks);
    free(s);
}

/* -------------------------------------------------------------------------------------------- run */

/* What the loop works with; where one start was asked for, w_0 and its loss. */
static fr_status begin(solver_rank *s, fr_error *error) {
    fr_fit *fit = &s->fit;
    int64_t d = s->plan.features;
    FR_OWNED double *given = NULL;
    double norm = 0, n = (double)s->plan.samples;
    FR_TRY(fr_allocate((void **)&given, d, sizeof(double), "the start", error));
    for (int64_t j = 0; j < d; j++) norm += s->label_sum[j] * s->label_sum[j];
    fit->zero_loss = s->labels.label2 / n;
    s->data = (fr_start_data){s->label_sum, fit->zero_loss, s->labels.square / n / (double)d, given};
    /* The gradient at zero, or where that vanishes (y = x^2) the size that it has on other labels. */
    double usual = sqrt(s->data.mean_square * fit->zero_loss);
    fit->zero_gradient = sqrt(norm) / n > 1e-6 * usual ? sqrt(norm) / n : usual;
    fit->plan = &s->plan;
    fit->options = &s->options;
    fit->set = s->set;
    fit->engine = s->engine;
    fit->comm = s->comm;
    bool counts = s->comm->counts_bytes;
    fit->bytes_a_step = counts ? fr_traffic_mean(&s->plan, s->comm->size) : fr_traffic_of_worker(&s->plan);
    if (s->options.init == FR_INIT_GIVEN)
        fr_fold_weights(s->set, s->options.init_weights, s->options.init_intercept, given);
    FR_TRY(fr_start_make(s->engine, s->comm, s->options.init, &s->data, s->start, &fit->start_loss, error));
    s->data.given = NULL;
    return FR_OK;
}

/* Rank 0 of a world reads the checkpoint for all. */
static fr_status resume(solver_rank *s, fr_error *error) {
    fr_state *state = &s->fit.state, read;
    fr_world *world = s->options.world;
    bool reads = s->engine->config.device >= 0 || fr_world_rank(world) == 0;
    size_t bytes = (size_t)s->plan.features * sizeof(double);
    const fr_run run = {&s->options, &s->plan, s->set};
    fr_status status = reads ? fr_checkpoint_read(s->options.resume, &run, state, error) : FR_OK;
    if (s->engine->config.device >= 0 || fr_world_size(world) == 1) return status;
    FR_TRY(fr_world_agree(world, status, error));
    read = *state;
    FR_TRY(fr_world_broadcast(world, &read, sizeof read, true, error));
    read.weights = state->weights, read.average = state->average, read.best = state->best;
    *state = read;
    FR_TRY(fr_world_broadcast(world, state->weights, bytes, true, error));
    if (state->best) FR_TRY(fr_world_broadcast(world, state->best, bytes, true, error));
    return fr_world_broadcast(world, state->average, bytes, true, error);
}

static fr_status run_once(solver_rank *s, int run, fr_error *error) {
    fr_fit *fit = &s->fit;
    size_t bytes = (size_t)s->plan.features * sizeof(double);
    fit->state.step = fit->state.averaged = 0;
    fit->state.run = run;
    fit->state.step_factor = 1;
    fit->state.seen_loss = NAN;
    fit->state.settled = false;
    fit->state.search.best_loss = INFINITY;
    memcpy(fit->state.weights, s->start, bytes);
    if (s->plan.settles) memcpy(fit->state.average, s->start, bytes); /* where momentum begins */
    else memset(fit->state.average, 0, bytes);
    if (s->options.resume) FR_TRY(resume(s, error));
    FR_TRY(fr_fit_run(fit, error));
    memcpy(s->fitted, fit->state.weights, bytes);
    return FR_OK;
}

static fr_status run_search(solver_rank *s, fr_error *error) {
    fr_fit *fit = &s->fit;
    const double *given = s->options.init == FR_INIT_AUTO ? NULL : s->start;
    if (s->options.resume) FR_TRY(resume(s, error));
    FR_TRY(fr_search_run(fit, &s->data, given, fit->start_loss, s->options.resume != NULL, error));
    memcpy(s->fitted, fit->state.weights, (size_t)s->plan.features * sizeof(double));
    return FR_OK;
}

/* No active row after steps were made, while some start is better: not a result. */
static fr_status find_dead(solver_rank *s, fr_error *error) {
    fr_row_sums total;
    bool dead;
    bool ended = s->fit.outcome == FR_ITERATIONS || s->fit.outcome == FR_TOLERANCE;
    if (!ended || s->plan.iterations == 0) return FR_OK;
    FR_TRY(fr_survey_total(s->engine, s->comm, FR_PASS_LOSS, s->fitted, NULL, &total, error));
    if (total.active > 0) return FR_OK;
    FR_TRY(fr_search_is_dead(&s->fit, &s->data, total.residual / (double)s->plan.samples, &dead, error));
    if (dead) s->fit.outcome = FR_DEAD;
    return FR_OK;
}

/* R of Algorithm 1: ||w_0 - w*|| where w* is known, else sqrt(2 mean(y^2)), which estimates ||w*||. */
static double ensemble_radius(solver_rank *s) {
    if (!s->set->planted || s->set->shift) return sqrt(2 * s->fit.zero_loss);
    double sum = 0;
    for (int64_t j = 0; j < s->plan.features; j++)
        sum += (s->start[j] - s->set->planted[j]) * (s->start[j] - s->set->planted[j]);
    return sqrt(sum);
}

/* Runs L times from one start with independent draws; the first whose ball holds half of the runs is the result. */
static fr_status run_ensemble(solver_rank *s, fr_error *error) {
    int runs = s->options.ensemble;
    int64_t d = s->plan.features, steps = 0;
    double *weights = NULL;
    fr_status status = fr_allocate((void **)&weights, runs * d, sizeof(double), "the ensemble", error);
    int done = 0;
    for (; status == FR_OK && done < runs; done++) {
        s->fit.steps_before = steps;
        status = run_once(s, done, error);
        steps += s->fit.state.step;
        memcpy(weights + done * d, s->fitted, (size_t)d * sizeof(double));
        if (s->fit.outcome == FR_INTERRUPTED) break;
    }
    if (status == FR_OK && s->fit.outcome != FR_INTERRUPTED) {
        double epsilon = s->options.tolerance > 0 ? s->options.tolerance * s->options.tolerance : FR_ENSEMBLE_EPSILON;
        int winner = fr_ensemble_winner(weights, runs, d, 2 * sqrt(epsilon) * ensemble_radius(s), &s->agreeing);
        if (winner < 0) {
            s->fit.outcome = FR_DIVERGED;
        } else {
            fr_row_sums total;
            memcpy(s->fitted, weights + winner * d, (size_t)d * sizeof(double));
            s->fit.relative_error = fr_fit_relative_error(&s->fit, s->fitted);
            status = fr_survey_total(s->engine, s->comm, FR_PASS_LOSS, s->fitted, NULL, &total, error);
            s->fit.loss = total.residual / (double)s->plan.samples;
            bool reached = s->options.tolerance > 0 && s->fit.relative_error <= s->options.tolerance;
            s->fit.outcome = reached ? FR_TOLERANCE : FR_ITERATIONS;
        }
    }
    s->fit.steps_before = steps - s->fit.state.step;
    free(weights);
    return status;
}

/* Condition (II) with the largest delta1 = 1/2: ||w_0 - w*|| <= sqrt(1/2) 7/200 ||w*||. */
static int condition_ii(solver_rank *s) {
    double error = fr_fit_relative_error(&s->fit, s->start);
    return isnan(error) ? -1 : error <= sqrt(0.5) * 7 / 200;
}

/* What a rank tells about its steps when a run is over. */
typedef struct counters {
    double sent, received, coded, levels; /* bytes, and coordinates, of all steps */
    double steps, model_clock, compute;
} counters;

/* Of a master over several ranks: compute is that of the ranks with rows, in the mean; what is left of the time is
 * exchange, and of this the way down is the time from the model's leaving rank 0 until the last rank has it. Clocks are
 * compared, so it is told only where the ranks share one machine's. */
static void split_time(const solver_rank *s, const counters *all, fr_result *r) {
    int ranks = s->comm->size;
    double compute = 0, latest = 0;
    for (int i = 1; i < ranks; i++) {
        compute += all[i].compute / (ranks - 1);
        latest = fmax(latest, all[i].model_clock);
    }
    r->seconds_compute = compute;
    r->seconds_communicate = r->seconds_total - compute;
    if (!fr_world_one_clock(s->options.world)) return;
    r->seconds_down = latest - all[0].model_clock;
    r->seconds_up = r->seconds_communicate - r->seconds_down;
}

/* The counters of all ranks, where the exchange keeps any. */
static fr_status read_counters(solver_rank *s, fr_result *r, fr_error *error) {
    const fr_comm *comm = s->comm;
    counters mine = {(double)comm->sent,  (double)comm->received, (double)comm->coded, (double)comm->levels,
                  (double)comm->steps, comm->model_clock,      r->seconds_compute},
          *all = NULL;
    double coded = mine.coded, levels = mine.levels, sent = 0;
    if (comm->counts_bytes && comm->steps > 0) {
        fr_status status = fr_allocate((void **)&all, comm->size, sizeof *all, "the ranks' counters", error);
        if (status == FR_OK) status = comm->ops->gather_host(s->comm, &mine, sizeof mine, all, error);
        if (status != FR_OK) {
            free(all);
            return status;
        }
        coded = levels = 0;
        for (int i = 0; i < comm->size; i++) {
            s->sent[i] = all[i].sent / all[i].steps;
            s->received[i] = all[i].received / all[i].steps;
            sent += s->sent[i] / comm->size;
            coded += all[i].coded, levels += all[i].levels;
        }
        r->rank_sent = s->sent, r->rank_received = s->received;
        r->bytes_sent_per_iteration = sent;
        if (s->plan.dedicated_master) split_time(s, all, r);
    } else if (comm->sent > 0) {
        r->bytes_sent_per_iteration = mine.sent / mine.steps;
    }
    r->bits_per_coordinate = levels > 0 ? 8 * coded / levels : fr_traffic_bits(&s->plan);
    free(all);
    return FR_OK;
}

static fr_status fill_result(solver_rank *s, double seconds, double waited, fr_result *r, fr_error *error) {
    const fr_plan *plan = &s->plan;
    double n = (double)plan->samples;
    fr_row_sums total;
    fr_status status = fr_survey_total(s->engine, s->comm, FR_PASS_LOSS, s->fitted, NULL, &total, error);
    *r = (fr_result){
        .outcome = s->fit.outcome,
        .iterations = s->fit.steps_before + s->fit.state.step,
        .loss = s->fit.loss,
        .relative_error = s->fit.relative_error,
        .r_squared = s->spread > 0 ? 1 - n * s->fit.loss / s->spread : NAN,
        .active = total.active / (double)fr_dataset_counted(s->set),
        .step_size = plan->settles && plan->draws == 0 ? plan->settle_eta : plan->steps.eta,
        .batch = plan->batch,
        .workers = plan->workers,
        .levels = plan->levels,
        .scale = plan->scale,
        .collective = plan->collective,
        .wire = plan->wire,
        .storage = plan->storage,
        .step_rule = s->options.step_rule,
        .runs = s->options.ensemble > 1 ? s->options.ensemble : s->fit.state.run + 1,
        .schedule = plan->steps.decays ? FR_SCHEDULE_DECAY : FR_SCHEDULE_CONSTANT,
        .init = s->options.init != FR_INIT_AUTO || plan->own_data ? s->options.init : FR_INIT_GRADIENT,
        .converged = s->fit.converged,
        .converged_at = s->fit.converged ? s->fit.converged_at : 0,
        .precision = plan->precision,
        .average = plan->iterations ? (double)(plan->iterations - plan->average_start) / (double)plan->iterations : 0,
        .device = s->engine->ops->name,
        .gpus = s->engine->config.device < 0 ? 0 : s->comm->size,
        .threads = s->threads,
        .ranks = s->comm->size,
        .seconds_total = seconds,
        .seconds_compute = seconds - waited,
        .seconds_communicate = waited,
        .seconds_up = NAN,
        .seconds_down = NAN,
        .bytes_sent_per_iteration = s->fit.bytes_a_step,
        .rate = fr_theory_rate(plan->features, (double)plan->batch, plan->levels),
        .condition_ii = condition_ii(s),
        .agreeing = s->agreeing,
    };
    return status == FR_OK ? read_counters(s, r, error) : status;
}

static fr_status run_rank(void *user, int rank, fr_error *error) {
    solver_rank *s = &((fr_solver *)user)->ranks[rank];
    s->fit.steps_before = 0;
    s->agreeing = 1;
    fr_status status = begin(s, error);
    s->fit.started = fr_seconds();
    s->comm->seconds = s->comm->model_clock = 0;
    s->comm->steps = 0;
    s->comm->sent = s->comm->received = s->comm->coded = s->comm->levels = 0;
    if (status == FR_OK && s->options.ensemble > 1) status = run_ensemble(s, error);
    else if (status == FR_OK) status = s->plan.own_data ? run_search(s, error) : run_once(s, 0, error);
    if (status == FR_OK) status = find_dead(s, error);
    double seconds = fr_seconds() - s->fit.started, waited = s->comm->seconds;
    return status == FR_OK ? fill_result(s, seconds, waited, &s->result, error) : status;
}

fr_status fr_solver_run(fr_solver *s, fr_result *result, fr_error *error) {
    fr_status status = fr_place_run(&s->place, run_rank, s, error);
    if (status == FR_OK) *result = s->ranks[0].result;
    return status;
}

int fr_solver_threads(const fr_solver *s) { return s->threads; }

fr_status fr_solver_model(const fr_solver *s, fr_model **model, fr_error *error) {
    return fr_model_create(s->set, s->ranks[0].fitted, model, error);
}
