/*
 * fit.c - the SGD and QSGD loop, written once. Read this first.
 *
 *     gradient -> [largest norm] -> encode -> exchange -> decode and apply          (exchange/collective.c)
 *     every so often: probe (divergence, tolerance, stop), report (loss, history, checkpoint)
 *
 * It works through two small tables: engine/engine.h computes, exchange/comm.h exchanges. On many ranks every rank runs this same
 * loop; whatever decides how it goes on is gathered first, so that all decide alike.
 */
#include "fit/fit.h"

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "fit/checkpoint.h"
#include "fit/condition.h"
#include "fit/survey.h"

/* A mini-batch whose loss is this far above both the start's and that of w = 0 has left for good; geometric growth
 * gets there within a few steps. The loss over all rows needs less room. */
static const double BATCH_DIVERGES = 1000, LOSS_DIVERGES = 100;
static const double PROGRESS_SECONDS = 0.1;
/* Steps between two meetings of many ranks about divergence and a wish to stop, which cost about as much as an
 * exchange. */
enum { MEET_EVERY = 32 };

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

static double reference_loss(const fr_fit *fit) { return fmax(fit->start_loss, fit->zero_loss); }

/* By the formula, or as counted where the length of codes varies. */
static double bytes_sent(const fr_fit *fit) {
    if (fit->plan->wire == FR_WIRE_ELIAS) return (double)fit->comm->sent;
    return fit->bytes_a_step * (double)(fit->steps_before + fit->state.step);
}

static fr_report make_report(fr_fit *fit) {
    return (fr_report){
        .iteration = fit->steps_before + fit->state.step,
        .iterations = fit->plan->iterations * fit->options->ensemble,
        .seconds = fr_seconds() - fit->started,
        .loss = fit->latest_loss,
        .relative_error = fit->relative_error,
        .bytes_sent = bytes_sent(fit),
    };
}

/* Loss over all rows, and with a tolerance but no w*, the gradient's norm against that at zero. */
static fr_status measure(fr_fit *fit, bool *close_enough, fr_error *error) {
    fr_row_sums total;
    double *gradient = NULL, norm = 0;
    bool by_gradient = fit->options->tolerance > 0 && !fit->set->planted;
    int64_t d = fit->plan->features;
    fr_status status = FR_OK;
    if (by_gradient) status = fr_allocate((void **)&gradient, d, sizeof *gradient, "a gradient", error);
    if (status == FR_OK)
        status = fr_survey_total(fit->engine, fit->comm, by_gradient ? FR_PASS_GRADIENT : FR_PASS_LOSS,
                                 fit->state.weights, gradient, &total, error);
    if (status == FR_OK) {
        fit->latest_loss = total.residual / (double)fit->plan->samples;
        for (int64_t j = 0; by_gradient && j < d; j++) norm += gradient[j] * gradient[j];
        norm = sqrt(norm) / (double)fit->plan->samples;
        *close_enough = by_gradient && norm <= fit->options->tolerance * fit->zero_gradient;
    }
    free(gradient);
    return status;
}

static bool has_diverged(const fr_fit *fit, double loss, double room) {
    return !(loss <= room * reference_loss(fit)) && !(loss == 0);
}

/* 1, 2, 4, 8, ... or multiples of --report-every, and always the last step. */
static int64_t report_after(const fr_fit *fit, int64_t step) {
    int64_t next = fit->options->report_every > 0 ? step + fit->options->report_every : step > 0 ? 2 * step : 1;
    return next < fit->plan->iterations ? next : fit->plan->iterations;
}

static fr_status report(fr_fit *fit, bool *done, fr_error *error) {
    bool close_enough = false;
    fr_status status = measure(fit, &close_enough, error);
    if (status != FR_OK) return status;
    fit->relative_error = fr_fit_relative_error(fit, fit->state.weights);
    fr_report now = make_report(fit);
    if (fit->options->report && fit->comm->rank == 0 && fit->options->report(&now, fit->options->report_user))
        fit->stop = true;
    if (has_diverged(fit, fit->latest_loss, LOSS_DIVERGES)) {
        fit->outcome = FR_DIVERGED;
        *done = true;
    } else if (close_enough) {
        fit->outcome = FR_TOLERANCE;
        *done = true;
    } else if (fit->options->checkpoint && fit->comm->rank == 0) {
        const fr_run run = {fit->options, fit->plan, fit->set};
        status = fr_checkpoint_write(fit->options->checkpoint, &run, &fit->state, error);
    }
    return status;
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
    fr_status status = fit->engine->ops->store(fit->engine, &fit->state, error);
    if (status != FR_OK) return status;
    fit->relative_error = fr_fit_relative_error(fit, fit->state.weights);
    if (show) show_progress(fit);
    return FR_OK;
}

/* What one rank has seen. */
typedef struct vote {
    char diverged, close, stop;
} vote;

/* Whether any rank saw it; of closeness, whether rank 0 did. */
static fr_status gather_votes(fr_fit *fit, vote *seen, fr_error *error) {
    vote *all = NULL;
    if (fit->comm->size == 1) return FR_OK;
    fr_status status = fr_allocate((void **)&all, fit->comm->size, sizeof *all, "the ranks' agreement", error);
    if (status == FR_OK) status = fit->comm->ops->gather_host(fit->comm, seen, sizeof *seen, all, error);
    for (int r = 0; status == FR_OK && r < fit->comm->size; r++)
        seen->diverged |= all[r].diverged, seen->stop |= all[r].stop, seen->close = all[0].close;
    free(all);
    return status;
}

/* The cheap look between reports: divergence of the mini-batches, the tolerance on w, a wish to stop. Every rank has the
 * same weights and finds the same about the tolerance; the rest is gathered, at some of the looks only. */
static fr_status probe(fr_fit *fit, bool gathers, bool *done, fr_error *error) {
    fr_probe rows;
    fr_status status = fit->engine->ops->probe(fit->engine, &rows, error);
    if (status == FR_OK) status = look_at_weights(fit, error);
    if (status != FR_OK) return status;
    vote seen = {.diverged = has_diverged(fit, rows.batch_loss, BATCH_DIVERGES),
                  .close = fit->options->tolerance > 0 && fit->relative_error <= fit->options->tolerance,
                  .stop = fit->stop};
    if (!gathers && fit->comm->size > 1) seen.diverged = seen.stop = false;
    if (gathers && (status = gather_votes(fit, &seen, error)) != FR_OK) return status;
    *done = true;
    if (seen.diverged) fit->outcome = FR_DIVERGED;
    else if (seen.close) fit->outcome = FR_TOLERANCE;
    else if (seen.stop) fit->outcome = FR_INTERRUPTED;
    else *done = false;
    return FR_OK;
}

/* The average of the tail becomes the result where its loss is the lower one. */
static fr_status settle(fr_fit *fit, fr_error *error) {
    fr_status status = fit->engine->ops->store(fit->engine, &fit->state, error);
    bool close_enough;
    if (status == FR_OK) status = measure(fit, &close_enough, error);
    if (status == FR_OK && fit->state.averaged > 0 && fit->outcome != FR_DIVERGED) {
        double last = fit->latest_loss, *iterate = fit->state.weights;
        fit->state.weights = fit->state.average;
        status = measure(fit, &close_enough, error);
        if (fit->latest_loss < last) {
            fit->state.average = iterate;
        } else {
            fit->state.weights = iterate;
            fit->latest_loss = last;
        }
    }
    fit->loss = fit->latest_loss;
    fit->relative_error = fr_fit_relative_error(fit, fit->state.weights);
    /* A run that ends clearly above its start has not converged, however slowly it climbs. */
    if (fit->outcome == FR_ITERATIONS && !(fit->loss <= 2 * fmax(fit->start_loss, 1e-4 * fit->zero_loss)))
        fit->outcome = FR_DIVERGED;
    return status;
}

/* An engine that can replay a step is asked first, and told where the step ends. */
static fr_status one_step(fr_fit *fit, fr_error *error) {
    fr_engine *engine = fit->engine;
    bool replayed = false, again = true;
    fr_status status = FR_OK;
    while (status == FR_OK && again && !replayed) {
        again = false;
        if (engine->ops->step_begin) status = engine->ops->step_begin(engine, &replayed, error);
        if (status != FR_OK || replayed) break;
        status = engine->ops->gradient(engine, error);
        if (status == FR_OK) status = fr_collective_step(engine, fit->comm, error);
        if (status == FR_OK && engine->ops->step_end) status = engine->ops->step_end(engine, &again, error);
    }
    return status;
}

/* Steps until somebody looks: as many at once as the engine makes at once, else one. */
static fr_status some_steps(fr_fit *fit, int64_t step, int64_t *made, fr_error *error) {
    const fr_engine_ops *ops = fit->engine->ops;
    int64_t look = step - step % ops->probe_every + ops->probe_every;
    fr_status status = FR_OK;
    if (fit->next_report < look) look = fit->next_report;
    *made = 0;
    if (ops->run_steps) status = ops->run_steps(fit->engine, look - step, made, error);
    if (status != FR_OK || *made > 0) return status;
    *made = 1;
    return one_step(fit, error);
}

fr_status fr_fit_run(fr_fit *fit, fr_error *error) {
    const fr_engine_ops *ops = fit->engine->ops;
    bool done = false;
    fr_status status = ops->load(fit->engine, &fit->state, error);
    fit->outcome = FR_ITERATIONS;
    fit->stop = false;
    if (status == FR_OK) status = report(fit, &done, error);
    fit->next_report = report_after(fit, fit->state.step);
    int64_t step = fit->state.step, made;
    while (status == FR_OK && !done && step < fit->plan->iterations) {
        status = some_steps(fit, step, &made, error);
        step += made;
        bool due = step >= fit->next_report;
        bool gathers = due || step % MEET_EVERY == 0;
        if (status == FR_OK && (gathers || step % ops->probe_every == 0)) status = probe(fit, gathers, &done, error);
        if (status != FR_OK || (!due && !done)) continue;
        status = ops->store(fit->engine, &fit->state, error);
        if (status == FR_OK) status = report(fit, &done, error);
        fit->next_report = report_after(fit, step);
    }
    if (status == FR_OK) status = settle(fit, error);
    if (status == FR_ERROR_TIMEOUT) fr_error_name_step(error, step); /* the link knows who is silent, not since when */
    return status;
}
