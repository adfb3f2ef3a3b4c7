/*
 * result.c - what a rank tells of its runs: the choices that were made, the loss, time and bytes.
 */
#include <math.h>

#include "base/clock.h"
#include "exchange/traffic.h"
#include "fit/survey.h"
#include "ranks/world.h"
#include "solver/rank.h"

/* Condition (II) with the largest delta1 = 1/2: ||w_0 - w*|| <= sqrt(1/2) 7/200 ||w*||. */
static int condition_ii(fr_solver_rank *s) {
    double error = fr_fit_relative_error(&s->fit, s->start);
    return isnan(error) ? -1 : error <= sqrt(0.5) * 7 / 200;
}

/* rho or alpha; NaN where no theorem speaks of the run: other exchanges, and rows that are not known to be Gaussian. */
static double theorem_rate(const fr_plan *plan) {
    bool covered = !plan->own_data && fr_theorem_covers(plan->collective, plan->levels, plan->scale, plan->wire);
    return covered ? fr_theory_rate(plan->features, (double)plan->batch, plan->levels) : NAN;
}

/* What a rank tells about its steps when a run is over. */
typedef struct counters {
    double sent, received, coded, levels; /* bytes, and coordinates, of all steps */
    double steps, model_clock, compute, processor;
} counters;

/* Of a master over several ranks: compute is that of the ranks with rows, in the mean; what is left of the time is
 * exchange, and of this the way down is the time from the model's leaving rank 0 until the last rank has it. Clocks are
 * compared, so it is told only where the ranks share one machine's. */
static void split_time(const fr_solver_rank *s, const counters *all, fr_result *r) {
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

/* The mean over the ranks that have rows. */
static void tell_processor(const fr_solver_rank *s, const counters *all, fr_result *r) {
    int first = s->plan.dedicated_master ? 1 : 0, ranks = s->comm->size - first;
    r->seconds_processor = 0;
    for (int i = first; i < s->comm->size; i++) r->seconds_processor += all[i].processor / ranks;
}

/* What the ranks sent, received and coded in the mean of their steps, where the exchange keeps count over ranks. */
static fr_status add_counters(fr_solver_rank *s, fr_error *error) {
    const fr_comm *comm = s->comm;
    fr_result *r = &s->result;
    counters mine = {(double)comm->sent,  (double)comm->received, (double)comm->coded, (double)comm->levels,
                     (double)comm->steps, comm->model_clock,      r->seconds_compute,   r->seconds_processor};
    FR_OWNED counters *all = NULL;
    double coded = 0, levels = 0;
    FR_TRY(fr_allocate((void **)&all, comm->size, sizeof *all, "the ranks' counters", error));
    FR_TRY(comm->ops->gather_host(s->comm, &mine, sizeof mine, all, error));
    r->bytes_sent_per_iteration = 0;
    for (int i = 0; i < comm->size; i++) {
        s->sent[i] = all[i].sent / all[i].steps;
        s->received[i] = all[i].received / all[i].steps;
        r->bytes_sent_per_iteration += s->sent[i] / comm->size;
        coded += all[i].coded, levels += all[i].levels;
    }
    tell_processor(s, all, r);
    r->rank_sent = s->sent, r->rank_received = s->received;
    r->bytes_modelled = comm->models_bytes;
    if (levels > 0) r->bits_per_coordinate = 8 * coded / levels;
    if (s->plan.dedicated_master) split_time(s, all, r);
    return FR_OK;
}

static fr_status read_counters(fr_solver_rank *s, fr_error *error) {
    const fr_comm *comm = s->comm;
    fr_result *r = &s->result;
    r->bits_per_coordinate =
        comm->levels > 0 ? 8 * (double)comm->coded / (double)comm->levels : fr_traffic_bits(&s->plan);
    if (comm->counts_bytes && comm->steps > 0) return add_counters(s, error);
    if (comm->sent > 0) r->bytes_sent_per_iteration = (double)comm->sent / (double)comm->steps;
    return FR_OK;
}

fr_status fr_rank_tell(fr_solver_rank *s, double seconds, double waited, fr_error *error) {
    const fr_plan *plan = &s->plan;
    double n = (double)plan->samples;
    fr_row_sums total;
    FR_TRY(fr_survey_total(s->engine, s->comm, FR_PASS_LOSS, s->fitted, NULL, &total, error));
    s->result = (fr_result){
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
        .seconds_processor = fr_processor_seconds() - s->processor_before - s->comm->processor,
        .seconds_up = NAN,
        .seconds_down = NAN,
        .bytes_sent_per_iteration = s->fit.bytes_a_step,
        .rate = theorem_rate(plan),
        .condition_ii = condition_ii(s),
        .agreeing = s->agreeing,
    };
    return read_counters(s, error);
}
