/*
 * stopping.c - (6.9) and the stopping time tau of Theorem 3.1's proof: whether runs leave the ball.
 *
 * tau is the first step at which w is outside of E(7/200). From a start at sqrt(delta1) times the ball's radius the proof
 * has P(tau < infinity) <= delta1, and E[||w_t - w*||^2 1{tau > t}] <= rho^t ||w_0 - w*||^2. Runs begin at several delta1, up
 * to the edge, and beyond it, where nothing is promised: there the question is whether they come in. SGD with the theorem's
 * step size, n = 40 d; a run is a trial.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/status.h"
#include "experiment/lemmas.h"
#include "experiment/theorems.h"

enum { STARTS = 7, STEPS = 120 };
/* The square of the start's distance in radii of the ball: delta1, and more. */
static const double distances[STARTS] = {0.5, 0.9, 0.98, 1, 1.5, 4, 25};
static const double INSIDE = 1 + 1e-9; /* the edge itself, rounded */

static int64_t trials(const experiment_run *run) { return STARTS * run->settings.seeds; }

static fr_status trial(const experiment_run *run, int64_t t, double *values, fr_error *error) {
    const experiment_settings *s = &run->settings;
    double radius = sqrt(distances[t / s->seeds]) * LEMMA_BALL;
    fr_options options;
    theorem_options(run, 0, &options);
    options.iterations = STEPS;
    return theorem_fit(run, s->samples, s->seed + (uint64_t)(t % s->seeds), radius, 0, &options, values, STEPS + 1,
                       error);
}

static void table(const experiment_run *run, const double *rows, fr_output *csv) {
    const experiment_settings *s = &run->settings;
    for (int64_t t = 0; t < trials(run); t++) {
        char name[32];
        theorem_place at = {
            "stopping", name, s->samples, s->features, s->batches[0], 0, s->seed + (uint64_t)(t % s->seeds)};
        snprintf(name, sizeof name, "delta1 = %g", distances[t / s->seeds]);
        for (int64_t p = 0; p <= STEPS; p += STEPS / 20) theorem_row(csv, &at, p, rows[t * run->width + p]);
    }
}

/* tau of a run from within the ball; 0: it never leaves. */
static int64_t leaves_at(const double *errors) {
    for (int64_t t = 1; t <= STEPS; t++)
        if (!(errors[t] <= INSIDE * LEMMA_BALL)) return t;
    return 0;
}

typedef struct stopping_summary {
    int64_t left, inside; /* runs that ever leave; that are inside at the end */
    double most;          /* the largest mean of ||w_t - w*||^2 1{tau > t}, as a share of the bound of (6.9) */
} stopping_summary;

static stopping_summary summarize(const experiment_run *run, const double *rows, int start) {
    double rate = fr_theory_rate(run->settings.features, (double)run->settings.batches[0], 0);
    int64_t runs = run->settings.seeds;
    stopping_summary sum = {0};
    double sums[STEPS + 1] = {0};
    for (int64_t i = 0; i < runs; i++) {
        const double *errors = rows + (start * runs + i) * run->width;
        int64_t tau = leaves_at(errors);
        sum.left += tau > 0;
        sum.inside += errors[STEPS] <= LEMMA_BALL;
        for (int64_t t = 1; t <= STEPS && (tau == 0 || t < tau); t++) sums[t] += pow(errors[t] / errors[0], 2);
    }
    for (int64_t t = 1; t <= STEPS; t++) sum.most = fmax(sum.most, sums[t] / (double)runs / pow(rate, (double)t));
    return sum;
}

static void judge(const experiment_run *run, const double *rows, verdict_list *list, json_writer *json) {
    char shares[EXPERIMENT_TEXT] = "", beyond[EXPERIMENT_TEXT] = "", measured[EXPERIMENT_TEXT];
    size_t used = 0, used_beyond = 0;
    int64_t runs = run->settings.seeds, inside = 0;
    bool within = true;
    double most = 0;
    json_begin_array(json, "stopping");
    for (int start = 0; start < STARTS; start++) {
        stopping_summary sum = summarize(run, rows, start);
        measure_range range = measure_share(sum.left, runs);
        bool promised = distances[start] <= 1;
        json_begin(json, NULL);
        json_number(json, "delta1", distances[start]);
        json_integer(json, "left", sum.left);
        json_integer(json, "runs", runs);
        json_integer(json, "inside_at_end", sum.inside);
        json_end(json);
        if (promised) {
            within &= range.low <= distances[start];
            if (start == 0) most = sum.most;
            used += (size_t)snprintf(shares + used, sizeof shares - used, "%sdelta1 = %g: %.3g", used ? ", " : "",
                                     distances[start], (double)sum.left / (double)runs);
        } else {
            inside += sum.inside;
            used_beyond +=
                (size_t)snprintf(beyond + used_beyond, sizeof beyond - used_beyond, "%s%.3g radii: %" PRId64,
                                 used_beyond ? ", " : "", sqrt(distances[start]), sum.inside);
        }
    }
    json_end_array(json);
    snprintf(measured, sizeof measured, "share of %" PRId64 " runs that ever leave: %.400s", runs, shares);
    verdict_add(list, CLAIM_PAPER, verdict_of(within), "P(tau < infinity) <= delta1: few runs ever leave the ball",
                measured);
    snprintf(measured, sizeof measured, "from delta1 = 1/2 at most %.3g of the bound over %d steps", most, STEPS);
    verdict_add(list, CLAIM_PAPER, verdict_of(most <= 1),
                "(6.9): E[||w_t - w*||^2 1{tau > t}] <= rho^t ||w_0 - w*||^2", measured);
    snprintf(measured, sizeof measured, "inside after %d steps, of %" PRId64 " runs each: %.400s", STEPS, runs,
             beyond);
    verdict_add(list, CLAIM_OWN, verdict_of(inside == (STARTS - 4) * runs), "runs that begin beyond the ball come in",
                measured);
}

const experiment_part theorem_stopping = {STEPS + 1, NULL, trials, trial, table, judge};
