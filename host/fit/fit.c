/*
 * fit.c - the SGD and QSGD loop, written once. Read this first.
 *
 *     gradient -> [largest norm] -> encode -> exchange -> decode and apply          (exchange/collectives.h)
 *     every so often: probe (divergence, tolerance, stop), report (loss, history, checkpoint)
 *
 * It works through two small tables: engine/engine.h computes, exchange/comm.h exchanges. On many ranks every rank
 * runs this same loop; whatever decides how it goes on is gathered first, so that all decide alike.
 */
#include "fit/fit.h"

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "fit/checkpoint.h"
#include "columns/condition.h"
#include "fit/survey.h"

/* A mini-batch whose loss is this far above both the start's and that of w = 0 has left for good; geometric growth
 * gets there within a few steps. The loss over all rows needs less room. */
static const double BATCH_DIVERGES = 1000, LOSS_DIVERGES = 100;
static const double PROGRESS_SECONDS = 0.1;
/* Many ranks meet about divergence at fixed steps, since the step at which a run ends must not depend on time, and about a wish
 * to stop after so many seconds, so that a signal is heard within one. Each meeting costs about as much as ten exchanges. */
enum { MEET_EVERY = 32, MEETINGS_A_DOUBLING = 32 };
static const double MEET_SECONDS = 0.7;

void fr_fit_begin(fr_fit *fit, int run, const double *start) {
    fr_state *state = &fit->state;
    state->step = state->averaged = 0;
    state->run = run;
    state->step_factor = 1;
    state->seen_loss = NAN;
    state->settled = false;
    memcpy(state->weights, start, (size_t)fit->plan->features * sizeof *start);
}

double fr_fit_relative_error(fr_fit *fit, const double *weights) {
    const double *planted = fit->set->planted;
    double off = 0, norm = 0, intercept;
    if (!planted) return NAN;
    fr_unfold_weights(fit->set, weights, fit->scratch, &intercept);
    for (int64_t j = 0; j < fr_raw_features(fit->set); j++) {
        off += (fit->scratch[j] - planted[j]) * (fit->scratch[j] - planted[j]);
        norm += planted[j] * planted[j];
    }
    return sqrt(off / norm);
}

/* By the formula, or as counted where the length of codes varies. */
static double bytes_sent(const fr_fit *fit) {
    if (fit->plan->wire == FR_WIRE_ELIAS) return (double)fit->comm->sent;
    return fit->bytes_a_step * (double)(fit->steps_before + fit->state.step);
}

static fr_report make_report(fr_fit *fit) {
    return (fr_report){
        .iteration = fit->steps_before + fit->state.step,
        .iterations = fit->plan->iterations * fit->options->ensemble,
        .run = fit->state.run,
        .seconds = fr_seconds() - fit->started,
        .loss = fit->latest_loss,
        .relative_error = fit->relative_error,
        .bytes_sent = bytes_sent(fit),
    };
}

void fr_fit_keep_best(fr_fit *fit, double loss, const double *weights) {
    if (!fit->state.best || !(loss < fit->state.search.best_loss)) return;
    fit->state.search.best_loss = loss;
    memcpy(fit->state.best, weights, (size_t)fit->plan->features * sizeof *weights);
}

/* Loss over all rows, and with a tolerance but no w*, the gradient's norm against that at zero. A start's loss is known. */
static fr_status measure(fr_fit *fit, bool *close_enough, fr_error *error) {
    fr_row_sums total;
    FR_OWNED double *gradient = NULL;
    double norm = 0, n = (double)fit->plan->samples;
    bool by_gradient = fit->options->tolerance > 0 && !fit->set->planted;
    int64_t d = fit->plan->features;
    *close_enough = false;
    if (fit->state.step == 0 && !by_gradient) {
        fit->latest_loss = fit->start_loss;
        return FR_OK;
    }
    if (by_gradient) FR_TRY(fr_allocate((void **)&gradient, d, sizeof *gradient, "a gradient", error));
    FR_TRY(fr_survey_total(fit->engine, fit->comm, by_gradient ? FR_PASS_GRADIENT : FR_PASS_LOSS, fit->state.weights,
                           gradient, &total, error));
    fit->latest_loss = total.residual / n;
    for (int64_t j = 0; by_gradient && j < d; j++) norm += gradient[j] * gradient[j];
    *close_enough = by_gradient && sqrt(norm) / n <= fit->options->tolerance * fit->zero_gradient;
    return FR_OK;
}

/* A start that is no number, or beyond all, has diverged before the first step. */
static bool has_diverged(const fr_fit *fit, double loss, double room) {
    double reference = fmax(fit->start_loss, fit->zero_loss);
    if (!isfinite(fit->start_loss) || !isfinite(loss)) return true;
    return !(loss <= room * reference) && !(loss == 0);
}

static bool weights_are_finite(const fr_fit *fit) {
    for (int64_t j = 0; j < fit->plan->features; j++)
        if (!isfinite(fit->state.weights[j])) return false;
    return true;
}

/* 1, 2, 4, 8, ... or multiples of --report-every, and always the last step: steps that do not depend on where a run was
 * stopped and went on. Later runs of a search are short, and a report costs a pass: they begin with 16. */
static int64_t report_after(const fr_fit *fit, int64_t step) {
    int64_t every = fit->options->report_every, next = fit->ends_at_best ? 16 : 1;
    if (every > 0) next = step - step % every + every;
    while (every == 0 && next <= step) next *= 2;
    return next < fit->plan->iterations ? next : fit->plan->iterations;
}

static fr_status write_checkpoint(fr_fit *fit, fr_error *error) {
    const fr_run run = {fit->options, fit->plan, fit->set};
    fit->last_checkpoint = fr_seconds();
    return fr_checkpoint_write(fit->options->checkpoint, &run, &fit->state, error);
}

/* due: a run that is never stopped measures this step too. What others see is not kept as the best and ends nothing, or a
 * run that is stopped and goes on would find another result. */
static fr_status report(fr_fit *fit, bool due, bool *done, fr_error *error) {
    bool close_enough = false;
    FR_TRY(measure(fit, &close_enough, error));
    if (due) fr_fit_keep_best(fit, fit->latest_loss, fit->state.weights);
    fit->relative_error = fr_fit_relative_error(fit, fit->state.weights);
    fr_report now = make_report(fit);
    if (fit->options->report && fit->comm->rank == 0 && fit->options->report(&now, fit->options->report_user))
        fit->stop = true;
    if (has_diverged(fit, fit->latest_loss, LOSS_DIVERGES) || !weights_are_finite(fit)) {
        fit->outcome = FR_DIVERGED;
        *done = true;
    } else if (close_enough && (due || fit->state.step == 0)) {
        fit->outcome = FR_TOLERANCE;
        *done = true;
    } else if (fit->options->checkpoint && fit->comm->rank == 0) {
        return write_checkpoint(fit, error);
    }
    return FR_OK;
}

/* Between reports, by the clock of rank 0, which has the same state as all. */
static fr_status keep_in_time(fr_fit *fit, fr_error *error) {
    double every = fit->options->checkpoint_every;
    if (!fit->options->checkpoint || fit->comm->rank > 0 || every <= 0) return FR_OK;
    if (fr_seconds() - fit->last_checkpoint < every) return FR_OK;
    FR_TRY(fit->engine->ops->store(fit->engine, &fit->state, error));
    return write_checkpoint(fit, error);
}

static bool progress_is_due(const fr_fit *fit) {
    return fit->options->progress && fr_seconds() - fit->last_progress >= PROGRESS_SECONDS;
}

static void show_progress(fr_fit *fit) {
    fr_report now = make_report(fit);
    fit->last_progress = fr_seconds();
    if (fit->options->progress(&now, fit->options->report_user)) fit->stop = true;
}

/* The weights are fetched, and measured in the user's coordinates, only where somebody asks. */
static fr_status look_at_weights(fr_fit *fit, fr_error *error) {
    bool show = progress_is_due(fit);
    if (!show && !(fit->options->tolerance > 0 && fit->set->planted)) return FR_OK;
    FR_TRY(fit->engine->ops->store(fit->engine, &fit->state, error));
    fit->relative_error = fr_fit_relative_error(fit, fit->state.weights);
    if (show) show_progress(fit);
    return FR_OK;
}

/* What one rank has seen, and the step at which it would meet next. */
typedef struct vote {
    char diverged, close, stop;
    int64_t next;
} vote;

/* Every 32 steps at first; later 32 times while the number of steps doubles, so that a run of any length meets but some
 * hundred times. */
bool fr_fit_looks_together(int64_t step) {
    int64_t every = MEET_EVERY;
    while (every * 2 * MEETINGS_A_DOUBLING <= step) every *= 2;
    return step % every == 0;
}

/* By the time that the steps since the last meeting took here. A first few may have been quick by chance: at most twice as many
 * steps, and some. */
static int64_t next_meeting(fr_fit *fit, int64_t step) {
    double now = fr_seconds(), seconds = now - fit->met, passed = (double)(step - fit->met_at);
    double steps = seconds > 0 ? passed * MEET_SECONDS / seconds : INFINITY;
    fit->met = now, fit->met_at = step;
    return step + (int64_t)fmax(1, fmin(steps, 2 * passed + MEET_EVERY));
}

/* Whether any rank saw it; of closeness, whether rank 0 did. All meet again when the slowest of them would: no rank goes by its
 * own clock. */
static fr_status gather_votes(fr_fit *fit, vote *seen, fr_error *error) {
    FR_OWNED vote *all = NULL;
    if (fit->comm->size == 1) return FR_OK;
    FR_TRY(fr_allocate((void **)&all, fit->comm->size, sizeof *all, "the ranks' agreement", error));
    FR_TRY(fit->comm->ops->gather_host(fit->comm, seen, sizeof *seen, all, error));
    for (int r = 0; r < fit->comm->size; r++)
        seen->diverged |= all[r].diverged, seen->stop |= all[r].stop, seen->close = all[0].close;
    fit->next_meeting = all[0].next;
    for (int r = 1; r < fit->comm->size; r++)
        if (all[r].next < fit->next_meeting) fit->next_meeting = all[r].next;
    return FR_OK;
}

/* The mean squared residual of this rank's rows in the last gradient; 0 where it has none. */
static double batch_loss(const fr_fit *fit, int64_t step) {
    const fr_engine_config *config = &fit->engine->config;
    const fr_plan *plan = fit->plan;
    double residual = 0, rows = (double)(plan->draws * config->worker_count);
    if (fr_is_full_step(plan, step - 1)) rows = (double)fr_engine_rows(fit->engine).count;
    for (int k = 0; k < config->worker_count; k++) residual += fit->residuals[k];
    return rows > 0 ? residual / rows : 0;
}

/* ------------------------------------------------------------------------------------ stopping rule */

/* Full batches of data of one's own end when the loss no longer falls: by less than `fall_of` of itself from one look to
 * the next. Then eta is halved and the rule applied again, and so on while a halving still lowers the loss by more than
 * HALVING_PAYS of itself: the loss has kinks where rows become active, and around them steps of one size circle for ever,
 * at a height that falls with eta. Momentum begins anew at each halving. The loss is that of the gradients, one step behind. */
static const double HALVING_PAYS = 1e-6, SMALLEST_FACTOR = 0x1p-10;

static int64_t steps_between_looks(const fr_fit *fit) { return fit->plan->levels > 0 ? 20 : 5; }

/* A gradient that is smaller by a factor t stands for a loss that is closer to its least by t^2. */
static double fall_of(const fr_fit *fit) {
    double t = fit->options->tolerance;
    return t > 0 ? fmax(1e-15, fmin(1e-7, 0.1 * t * t)) : 1e-7;
}

static bool rule_is_due(const fr_fit *fit, int64_t step) {
    int64_t settled = step - fit->plan->settle_from;
    return fit->plan->settles && settled > 0 && settled % steps_between_looks(fit) == 0;
}

/* Momentum begins anew from the weights as they are. */
static void stand_still(fr_fit *fit) {
    memcpy(fit->state.average, fit->state.weights, (size_t)fit->plan->features * sizeof(double));
}

/* Whether the weights have come to where an earlier run ended: within 1e-3 of their length. */
static fr_status is_at_best(fr_fit *fit, bool *is, fr_error *error) {
    double off = 0, length = 0;
    *is = false;
    if (!fit->ends_at_best) return FR_OK;
    FR_TRY(fit->engine->ops->store(fit->engine, &fit->state, error));
    for (int64_t j = 0; j < fit->plan->features; j++) {
        double best = fit->state.best[j], apart = fit->state.weights[j] - best;
        off += apart * apart;
        length += best * best;
    }
    *is = off <= 1e-6 * length;
    return FR_OK;
}

static fr_status apply_rule(fr_fit *fit, bool *done, fr_error *error) {
    double residual, before = fit->state.seen_loss;
    bool there;
    FR_TRY(fit->comm->ops->sum_host(fit->comm, fit->residuals, fit->engine->config.worker_count, 1, &residual, error));
    double loss = residual / (double)fit->plan->samples;
    FR_TRY(is_at_best(fit, &there, error));
    fit->state.seen_loss = loss;
    bool stalled = !isnan(before) && !(loss < before * (1 - fall_of(fit)));
    bool pays = fit->state.step_factor == 1 || loss < fit->state.search.halved_loss * (1 - HALVING_PAYS);
    if (there || (stalled && (!pays || fit->state.step_factor <= SMALLEST_FACTOR))) {
        *done = fit->state.settled = true;
    } else if (stalled) {
        FR_TRY(fit->engine->ops->store(fit->engine, &fit->state, error));
        fit->state.step_factor /= 2;
        fit->state.search.halved_loss = loss;
        stand_still(fit);
        FR_TRY(fit->engine->ops->load(fit->engine, &fit->state, error));
    }
    return FR_OK;
}

/* ---------------------------------------------------------------------------------------------- looks */

/* Why the loop looks. Where a run ends must not depend on time, so a meeting by the clock alone asks for a wish to stop and
 * nothing else. */
typedef struct look {
    bool due;    /* for a report */
    bool rules;  /* for the stopping rule */
    bool usual;  /* for what this rank sees, at fixed steps */
    bool common; /* for what all ranks see, at fixed steps */
    bool meets;  /* all ranks meet */
} look;

static look look_at(const fr_fit *fit, int64_t step) {
    look l = {.due = step >= fit->next_report, .rules = rule_is_due(fit, step)};
    l.common = l.due || fr_fit_looks_together(step);
    l.usual = l.common || l.rules || step % fit->engine->ops->probe_every == 0;
    l.meets = l.common || (fit->comm->size > 1 && step >= fit->next_meeting);
    if (fit->comm->size == 1) l.common = l.usual;
    return l;
}

/* The cheap look between reports: divergence of the mini-batches, the tolerance on w, a wish to stop. Every rank has the
 * same weights and finds the same about the tolerance; the rest is gathered, at some of the looks only. */
static fr_status probe(fr_fit *fit, int64_t step, look why, bool *done, fr_error *error) {
    FR_TRY(fit->engine->ops->probe(fit->engine, fit->residuals, error));
    FR_TRY(look_at_weights(fit, error));
    bool close = fit->options->tolerance > 0 && fit->relative_error <= fit->options->tolerance;
    vote seen = {.diverged = why.common && has_diverged(fit, batch_loss(fit, step), BATCH_DIVERGES),
                 .close = why.usual && close,
                 .stop = fit->stop && (why.meets || fit->comm->size == 1)};
    if (why.meets) {
        seen.next = next_meeting(fit, step);
        FR_TRY(gather_votes(fit, &seen, error));
    }
    *done = true;
    if (seen.diverged) fit->outcome = FR_DIVERGED;
    else if (seen.close) fit->outcome = FR_TOLERANCE;
    else if (seen.stop) fit->outcome = FR_INTERRUPTED;
    else *done = false;
    return FR_OK;
}

/* ---------------------------------------------------------------------------------- last or average */

/* The average of the tail takes the place of the last iterate where its loss is the lower one. */
static fr_status take_average(fr_fit *fit, fr_error *error) {
    bool close_enough;
    double last = fit->latest_loss, *iterate = fit->state.weights;
    if (fit->state.averaged == 0 || fit->outcome == FR_DIVERGED) return FR_OK;
    fit->state.weights = fit->state.average;
    fr_status status = measure(fit, &close_enough, error);
    if (status == FR_OK) fr_fit_keep_best(fit, fit->latest_loss, fit->state.weights);
    if (status == FR_OK && fit->latest_loss < last) {
        fit->state.average = iterate;
    } else {
        fit->state.weights = iterate;
        fit->latest_loss = last;
    }
    return status;
}

/* From drawn rows to full batches. */
static fr_status begin_to_settle(fr_fit *fit, fr_error *error) {
    bool close_enough;
    FR_TRY(fit->engine->ops->store(fit->engine, &fit->state, error));
    FR_TRY(measure(fit, &close_enough, error));
    fr_fit_keep_best(fit, fit->latest_loss, fit->state.weights);
    FR_TRY(take_average(fit, error));
    fit->state.averaged = 0;
    fit->met = fr_seconds(), fit->met_at = fit->state.step, fit->next_meeting = fit->met_at + 1; /* steps are longer now */
    stand_still(fit);
    return fit->engine->ops->load(fit->engine, &fit->state, error);
}

/* After the last report, which measured the last iterate. */
static fr_status finish(fr_fit *fit, fr_error *error) {
    fr_fit_keep_best(fit, fit->latest_loss, fit->state.weights);
    FR_TRY(take_average(fit, error));
    fit->loss = fit->latest_loss;
    fit->relative_error = fr_fit_relative_error(fit, fit->state.weights);
    /* A run that ends clearly above its start has not converged, however slowly it climbs. */
    bool climbed = !(fit->loss <= 2 * fmax(fit->start_loss, 1e-4 * fit->zero_loss));
    if ((fit->outcome == FR_ITERATIONS && climbed) || !isfinite(fit->loss) || !weights_are_finite(fit))
        fit->outcome = FR_DIVERGED;
    return FR_OK;
}

/* --------------------------------------------------------------------------------------------- loop */

/* An engine that can replay a step is asked first, and told where the step ends. */
static fr_status one_step(fr_fit *fit, bool looked_at, fr_error *error) {
    fr_engine *engine = fit->engine;
    bool replayed = false, again = true;
    while (again && !replayed) {
        again = false;
        if (engine->ops->step_begin) FR_TRY(engine->ops->step_begin(engine, looked_at, &replayed, error));
        if (replayed) break;
        FR_TRY(engine->ops->gradient(engine, error));
        FR_TRY(fr_collective_step(engine, fit->comm, error));
        if (engine->ops->step_end) FR_TRY(engine->ops->step_end(engine, &again, error));
    }
    return FR_OK;
}

static fr_status run(fr_fit *fit, int64_t *step, fr_error *error) {
    const fr_engine_ops *ops = fit->engine->ops;
    bool done = fit->state.settled;
    FR_TRY(ops->load(fit->engine, &fit->state, error));
    fit->latest_loss = fit->start_loss;
    fit->relative_error = NAN;
    fit->met = fr_seconds(), fit->met_at = *step, fit->next_meeting = *step + 1;
    if (progress_is_due(fit)) show_progress(fit); /* before rank 0's first report can be seen */
    FR_TRY(report(fit, false, &done, error));
    fit->next_report = report_after(fit, *step);
    while (!done && *step < fit->plan->iterations) {
        if (fit->plan->settles && *step > 0 && *step == fit->plan->settle_from) FR_TRY(begin_to_settle(fit, error));
        const look why = look_at(fit, *step + 1);
        FR_TRY(one_step(fit, why.usual || why.meets, error));
        ++*step;
        if (why.usual || why.meets) FR_TRY(probe(fit, *step, why, &done, error));
        /* A run that is stopped here has seen what one that is not stopped sees. */
        if (why.rules && (!done || fit->outcome == FR_INTERRUPTED)) FR_TRY(apply_rule(fit, &done, error));
        if (!why.due && !done && why.usual) FR_TRY(keep_in_time(fit, error));
        if (!why.due && !done) continue;
        FR_TRY(ops->store(fit->engine, &fit->state, error));
        FR_TRY(report(fit, why.due || fit->outcome != FR_INTERRUPTED, &done, error));
        fit->next_report = report_after(fit, *step);
    }
    return finish(fit, error);
}

fr_status fr_fit_run(fr_fit *fit, fr_error *error) {
    int64_t step = fit->state.step;
    fit->outcome = FR_ITERATIONS;
    fit->stop = false;
    fr_status status = run(fit, &step, error);
    fit->converged = fit->state.settled && fit->outcome != FR_INTERRUPTED;
    fit->converged_at = fit->converged ? step : 0;
    if (status == FR_ERROR_TIMEOUT) fr_error_name_step(error, step); /* the link knows who is silent, not since when */
    return status;
}
