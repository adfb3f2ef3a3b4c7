/*
 * search.c - which of several runs to trust, where no planted weights tell.
 *
 * The loss (1.1) of real data has more than one basin, and its worst, where no row is active, has no gradient at all. So
 * the starts of fit/start.c are compared by their loss, and the best three are run. Where their results differ by more
 * than 1 %, or no row is active in the best, and always where passes cost next to nothing, up to 27 more follow from
 * neighbours of the best result, at a tenth of its length up to twice, within a budget of work; none where a run has met
 * all labels. Then the inactive rows are looked at once more: if the way on which they would begin to fit lowers the loss,
 * a run begins there (a rare column whose rows all died).
 *
 * Every iterate whose loss is measured is compared with the best so far (fr_fit_keep_best), starts included, so that the
 * result is never worse than anything that was seen. Runs are numbered; a number is part of every draw's key and of a
 * checkpoint, and everything here is a function of data and options alone: a search that goes on from a checkpoint, on
 * any number of ranks, gives the same bits.
 */
#include "fit/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_RUNS = 3, MOST_STARTS = 30 }; /* runs from there on, up to FR_MOST_RUNS, revive inactive rows */
static const double DIFFER = 1.01;         /* two results this far apart call for more starts */
static const double CHEAP_WORK = 1e9, MOST_WORK = 4e9; /* for more starts where the first agree, and where not */
static const double BETTER = 1 - 1e-9;     /* a loss this much lower is lower */
/* Of the loss at w = 0: below this labels are met to rounding, and of several such results rounding would choose. */
static const double NOTHING_F64 = 1e-20, NOTHING_F32 = 1e-11;

typedef struct search {
    fr_fit *fit;
    const fr_start_data *data;
    fr_starts starts;    /* weights NULL: there is a given one alone */
    const double *given;
    double given_loss;
    double *start;       /* d: of the next run */
    bool interrupted;
} search;

static fr_status measure(fr_fit *fit, const double *weights, fr_row_sums *total, double *loss, fr_error *error) {
    FR_TRY(fr_survey_total(fit->engine, fit->comm, FR_PASS_LOSS, weights, NULL, total, error));
    *loss = total->residual / (double)fit->plan->samples;
    return FR_OK;
}

/* ------------------------------------------------------------------------------------------ how many */

/* Whether the best two of the first runs did not come to one loss. */
static bool results_differ(const fr_search *s) {
    double first = INFINITY, second = INFINITY;
    for (int r = 0; r < FIRST_RUNS; r++) {
        if (s->losses[r] < first) second = first, first = s->losses[r];
        else if (s->losses[r] < second) second = s->losses[r];
    }
    return !(second <= DIFFER * first);
}

static bool is_met(const search *s) {
    double nothing = s->fit->plan->precision == FR_F32 ? NOTHING_F32 : NOTHING_F64;
    return s->fit->state.search.lowest <= nothing * s->data->zero_loss;
}

/* After `runs` of them: whether another start is to follow. Work is counted in values of rows that were read. */
static fr_status wants_start(search *s, int runs, bool *wants, fr_error *error) {
    const fr_plan *plan = s->fit->plan;
    const fr_search *where = &s->fit->state.search;
    double work = (double)where->steps_before * (double)plan->samples * (double)plan->features, loss;
    fr_row_sums total;
    *wants = !is_met(s) && runs < plan->starts && (runs < FIRST_RUNS || work < CHEAP_WORK);
    if (*wants || is_met(s) || plan->starts == 1 || work >= MOST_WORK) return FR_OK;
    FR_TRY(measure(s->fit, s->fit->state.best, &total, &loss, error));
    *wants = results_differ(where) || total.active == 0;
    return FR_OK;
}

/* ---------------------------------------------------------------------------------------- the starts */

/* Where run `number` begins, and its loss. */
static fr_status choose_start(search *s, int number, double *loss, fr_error *error) {
    static const double distances[] = {0.1, 0.3, 1, 2};
    fr_fit *fit = s->fit;
    int64_t d = fit->plan->features;
    const double *best = fit->state.best;
    fr_row_sums total;
    if (s->given || number < FIRST_RUNS) {
        memcpy(s->start, s->given ? s->given : s->starts.weights + number * d, (size_t)d * sizeof *s->start);
        *loss = s->given ? s->given_loss : s->starts.loss[number];
        return FR_OK;
    }
    double length = 0, least = 0.1 * sqrt(2 * s->data->zero_loss / (s->data->mean_square > 0 ? s->data->mean_square : 1));
    for (int64_t j = 0; j < d; j++) length += best[j] * best[j];
    fr_start_neighbour(fit->plan, best, distances[number % 4] * fmax(sqrt(length), least), number, s->start);
    return measure(fit, s->start, &total, loss, error);
}

/* start <- best + t h, h = (2/n) sum of y x over the inactive rows, with the first t at which the loss is lower. */
static fr_status revive(search *s, double *loss, bool *found, fr_error *error) {
    fr_fit *fit = s->fit;
    int64_t d = fit->plan->features;
    FR_OWNED double *way = NULL;
    fr_row_sums total;
    *found = false;
    FR_TRY(fr_allocate((void **)&way, d, sizeof *way, "inactive rows", error));
    FR_TRY(fr_survey_total(fit->engine, fit->comm, FR_PASS_INACTIVE, fit->state.best, way, &total, error));
    if (total.active == (double)fr_dataset_counted(fit->set)) return FR_OK;
    for (double t = 8; t >= 0.125 && !*found; t /= 2) {
        for (int64_t j = 0; j < d; j++) s->start[j] = fit->state.best[j] + 2 * t / (double)fit->plan->samples * way[j];
        FR_TRY(measure(fit, s->start, &total, loss, error));
        *found = *loss < BETTER * fit->state.search.best_loss;
    }
    return FR_OK;
}

/* ------------------------------------------------------------------------------------------- one run */

/* State and fit as they are before the first step from s->start. */
static void begin_run(search *s, int number, double loss) {
    fr_fit *fit = s->fit;
    fr_fit_begin(fit, number, s->start);
    fit->state.search.start_loss = loss;
    /* where momentum begins; an average takes its first iterate whole */
    memcpy(fit->state.average, s->start, (size_t)fit->plan->features * sizeof(double));
    fr_fit_keep_best(fit, loss, s->start);
}

static fr_status run(search *s, fr_error *error) {
    fr_fit *fit = s->fit;
    fr_search *where = &fit->state.search;
    int number = fit->state.run;
    fit->steps_before = where->steps_before;
    fit->start_loss = where->start_loss;
    fit->ends_at_best = number > 0 && fit->plan->settles;
    FR_TRY(fr_fit_run(fit, error));
    where->losses[number] = fit->outcome == FR_DIVERGED ? INFINITY : fit->loss;
    s->interrupted = fit->outcome == FR_INTERRUPTED;
    if (number == 0 || where->losses[number] < where->lowest) {
        where->outcome = fit->outcome;
        where->converged_at = fit->converged_at;
        where->lowest = where->losses[number];
    }
    where->steps_before += fit->state.step;
    return FR_OK;
}

/* The runs from starts, from number `first` on. */
static fr_status run_starts(search *s, int first, bool resumed, fr_error *error) {
    bool more = true;
    for (int number = first; more && number < MOST_STARTS && !s->interrupted; number++) {
        double loss;
        if (!resumed || number > first) {
            FR_TRY(wants_start(s, number, &more, error));
            if (!more) break;
            FR_TRY(choose_start(s, number, &loss, error));
            begin_run(s, number, loss);
        }
        FR_TRY(run(s, error));
    }
    return FR_OK;
}

static fr_status run_revived(search *s, int first, bool resumed, fr_error *error) {
    for (int number = first; number < FR_MOST_RUNS && !s->interrupted; number++) {
        double loss;
        bool found = resumed && number == first;
        if (!found) {
            FR_TRY(revive(s, &loss, &found, error));
            if (!found) return FR_OK;
            begin_run(s, number, loss);
        }
        FR_TRY(run(s, error));
    }
    return FR_OK;
}

/* -------------------------------------------------------------------------------------------- whole */

/* A search in which every run diverged has no result; one in which some did is the others'. */
static void take_best(search *s) {
    fr_fit *fit = s->fit;
    const fr_search *where = &fit->state.search;
    fit->outcome = s->interrupted ? FR_INTERRUPTED : where->outcome;
    fit->converged = where->converged_at > 0 && !s->interrupted;
    fit->converged_at = fit->converged ? where->converged_at : 0;
    fit->steps_before = where->steps_before - fit->state.step;
    if (!isfinite(where->best_loss) || fit->outcome == FR_DIVERGED) return;
    memcpy(fit->state.weights, fit->state.best, (size_t)fit->plan->features * sizeof(double));
    fit->loss = where->best_loss;
    fit->relative_error = fr_fit_relative_error(fit, fit->state.weights);
}

static fr_status run_all(search *s, bool resumed, fr_error *error) {
    fr_fit *fit = s->fit;
    int first = resumed ? fit->state.run : 0;
    if (!s->given) FR_TRY(fr_starts_make(fit->engine, fit->comm, s->data, &s->starts, error));
    if (!resumed) {
        fit->state.search = (fr_search){.best_loss = INFINITY, .lowest = INFINITY};
        if (isfinite(s->data->zero_loss)) { /* w = 0, the least that a fit must reach */
            memset(s->start, 0, (size_t)fit->plan->features * sizeof(double));
            if (!s->given) fr_fit_keep_best(fit, s->data->zero_loss, s->start);
        }
        for (int i = 0; !s->given && i < FR_STARTS; i++)
            fr_fit_keep_best(fit, s->starts.loss[i], s->starts.weights + i * fit->plan->features);
    }
    if (first < MOST_STARTS) FR_TRY(run_starts(s, first, resumed, error));
    if (fit->plan->settles)
        FR_TRY(run_revived(s, first < MOST_STARTS ? MOST_STARTS : first, resumed && first >= MOST_STARTS, error));
    take_best(s);
    return FR_OK;
}

fr_status fr_search_run(fr_fit *fit, const fr_start_data *data, const double *given, double given_loss, bool resumed,
                        fr_error *error) {
    FR_OWNED double *start = NULL;
    FR_TRY(fr_allocate((void **)&start, fit->plan->features, sizeof *start, "a start", error));
    search s = {.fit = fit, .data = data, .given = given, .given_loss = given_loss, .start = start};
    fr_status status = run_all(&s, resumed, error);
    free(s.starts.weights);
    return status;
}

fr_status fr_search_is_dead(fr_fit *fit, const fr_start_data *data, double loss, bool *dead, fr_error *error) {
    fr_starts starts = {0};
    fr_status status = fr_starts_make(fit->engine, fit->comm, data, &starts, error);
    *dead = status == FR_OK && starts.loss[0] < BETTER * loss;
    free(starts.weights);
    return status;
}
