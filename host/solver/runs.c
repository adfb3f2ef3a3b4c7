/*
 * runs.c - the loop run from a start, among starts, or as the ensemble of Algorithm 1; and where a run goes on.
 */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "columns/condition.h"
#include "exchange/traffic.h"
#include "fit/checkpoint.h"
#include "fit/ensemble.h"
#include "fit/survey.h"
#include "ranks/world.h"
#include "solver/rank.h"

/* --------------------------------------------------------------------------------------------- start */

/* What the loop works with; where one start was asked for, w_0 and its loss. */
static fr_status begin(fr_solver_rank *s, fr_error *error) {
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
    fit->bytes_a_step = fr_traffic_of_worker(&s->plan);
    if (counts) fit->bytes_a_step = fr_traffic_mean(&s->plan, s->comm->size, fr_world_nodes(s->options.world));
    if (s->options.init == FR_INIT_GIVEN)
        fr_fold_weights(s->set, s->options.init_weights, s->options.init_intercept, given);
    FR_TRY(fr_start_make(s->engine, s->comm, s->options.init, &s->data, s->start, &fit->start_loss, error));
    s->data.given = NULL;
    return FR_OK;
}

/* Whether there is a run to go on with. Where that depends on a file, the first rank alone looks: others may see it later. */
static fr_status find_resumed(fr_solver_rank *s, fr_error *error) {
    fr_comm *comm = s->comm;
    char here = s->options.resume != NULL;
    FR_OWNED char *all = NULL;
    s->resumed = here;
    if (!s->options.resume_if_there) return FR_OK;
    if (comm->rank == 0) here = access(s->options.resume, F_OK) == 0;
    FR_TRY(fr_allocate((void **)&all, comm->size, 1, "the ranks' agreement", error));
    FR_TRY(comm->ops->gather_host(comm, &here, 1, all, error));
    s->resumed = all[0];
    return FR_OK;
}

/* Rank 0 of a world reads the checkpoint for all. */
static fr_status resume(fr_solver_rank *s, fr_error *error) {
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

/* ---------------------------------------------------------------------------------------------- runs */

static fr_status run_once(fr_solver_rank *s, int run, fr_error *error) {
    fr_fit *fit = &s->fit;
    size_t bytes = (size_t)s->plan.features * sizeof(double);
    fr_fit_begin(fit, run, s->start);
    fit->state.search.best_loss = INFINITY;
    if (s->plan.settles) memcpy(fit->state.average, s->start, bytes); /* where momentum begins */
    else memset(fit->state.average, 0, bytes);
    if (s->resumed) FR_TRY(resume(s, error));
    FR_TRY(fr_fit_run(fit, error));
    memcpy(s->fitted, fit->state.weights, bytes);
    return FR_OK;
}

static fr_status run_search(fr_solver_rank *s, fr_error *error) {
    fr_fit *fit = &s->fit;
    const double *given = s->options.init == FR_INIT_AUTO ? NULL : s->start;
    if (s->resumed) FR_TRY(resume(s, error));
    FR_TRY(fr_search_run(fit, &s->data, given, fit->start_loss, s->resumed, error));
    memcpy(s->fitted, fit->state.weights, (size_t)s->plan.features * sizeof(double));
    return FR_OK;
}

/* No active row after steps were made, while some start is better: not a result. */
static fr_status find_dead(fr_solver_rank *s, fr_error *error) {
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
static double ensemble_radius(fr_solver_rank *s) {
    if (!s->set->planted || s->set->shift) return sqrt(2 * s->fit.zero_loss);
    double sum = 0;
    for (int64_t j = 0; j < s->plan.features; j++)
        sum += (s->start[j] - s->set->planted[j]) * (s->start[j] - s->set->planted[j]);
    return sqrt(sum);
}

/* The first run whose ball holds half of the others becomes the result. */
static fr_status choose_winner(fr_solver_rank *s, const double *weights, fr_error *error) {
    const double tolerance = s->options.tolerance, epsilon = tolerance > 0 ? tolerance * tolerance : FR_ENSEMBLE_EPSILON;
    int64_t d = s->plan.features;
    fr_row_sums total;
    int winner =
        fr_ensemble_winner(weights, s->options.ensemble, d, 2 * sqrt(epsilon) * ensemble_radius(s), &s->agreeing);
    if (winner < 0) {
        s->fit.outcome = FR_DIVERGED;
        return FR_OK;
    }
    memcpy(s->fitted, weights + winner * d, (size_t)d * sizeof(double));
    FR_TRY(fr_survey_total(s->engine, s->comm, FR_PASS_LOSS, s->fitted, NULL, &total, error));
    s->fit.loss = total.residual / (double)s->plan.samples;
    s->fit.relative_error = fr_fit_relative_error(&s->fit, s->fitted);
    s->fit.outcome = tolerance > 0 && s->fit.relative_error <= tolerance ? FR_TOLERANCE : FR_ITERATIONS;
    return FR_OK;
}

/* Runs L times from one start with independent draws. */
static fr_status run_ensemble(fr_solver_rank *s, fr_error *error) {
    const int runs = s->options.ensemble;
    const int64_t d = s->plan.features;
    int64_t steps = 0;
    FR_OWNED double *weights = NULL;
    FR_TRY(fr_allocate((void **)&weights, runs * d, sizeof(double), "the ensemble", error));
    for (int run = 0; run < runs; run++) {
        s->fit.steps_before = steps;
        FR_TRY(run_once(s, run, error));
        steps += s->fit.state.step;
        memcpy(weights + run * d, s->fitted, (size_t)d * sizeof(double));
        if (s->fit.outcome == FR_INTERRUPTED) return FR_OK;
    }
    return choose_winner(s, weights, error);
}

fr_status fr_rank_run(fr_solver_rank *s, fr_error *error) {
    fr_comm *comm = s->comm;
    s->fit.steps_before = 0;
    s->agreeing = 1;
    FR_TRY(begin(s, error));
    FR_TRY(find_resumed(s, error));
    s->fit.started = fr_seconds();
    s->processor_before = fr_processor_seconds();
    comm->seconds = comm->processor = comm->model_clock = 0;
    comm->steps = 0;
    comm->sent = comm->received = comm->coded = comm->levels = 0;
    if (s->options.ensemble > 1) FR_TRY(run_ensemble(s, error));
    else FR_TRY(s->plan.own_data ? run_search(s, error) : run_once(s, 0, error));
    FR_TRY(find_dead(s, error));
    double seconds = fr_seconds() - s->fit.started, waited = comm->seconds;
    return fr_rank_tell(s, seconds, waited, error);
}
