/*
 * soak.c - exchanges and steps for as long as is wanted, each held to bits that are known: a screen for silent corruption
 * and for nodes that do not give the same result twice.
 *
 * Round after round, every exchange (bench/exchange.c) goes over all sizes on vectors whose sum is known, and whole steps
 * of a quantized fit are made again and again from one start: the first time their weights are written down, and from then
 * on they must have the same bits, step by step. All ranks hold their own weights, since a fault may be of one of them.
 *
 * A difference is told when it is found and counted; the soak goes on, from vectors and weights as they should be.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "bench/bench.h"
#include "bench/exchange.h"
#include "console/interrupt.h"
#include "console/message.h"
#include "console/stage.h"
#include "data/planted.h"
#include "ranks/world.h"

/* Seconds that one exchange, or the steps, may take before it is another one's turn; and steps until weights begin anew. */
static const double TURN_LEAST = 0.02, TURN_MOST = 5;
enum { BENCH_SOAK_SIZES = 32, STEPS = 20, STEPS_ANEW = 10000, TOLD_MOST = 20, FEATURES = 1000, BATCH = 800, ROWS_A_WORKER = 1000 };

/* One soak, as the first rank of this process keeps it. */
typedef struct soak {
    bench_results *results;
    double end, turn;    /* by this process' clock, of which rank 0's counts; and seconds of a turn */
    double turn_end;
    bool over;           /* all ranks have agreed on it */
    int64_t rounds;      /* that are done */
    int told;
    bench_row *row;      /* of this turn */
    double *history;     /* STEPS x d weights of each of this process' ranks */
} soak;

/* What a rank has to say after a step. */
typedef struct vote {
    bench_verdict verdict;
    char over, stop;
} vote;

/* ------------------------------------------------------------------------------------------ together */

static void tell(soak *s, const bench_verdict *verdict) {
    const bench_row *row = s->row;
    char who[BENCH_WHO];
    if (s->told++ >= TOLD_MOST) return;
    message_note("%s%s%s %s of %" PRId64 " numbers, step %" PRId64 " on %s: coordinate %" PRId64 ": expected %.17g, found "
                 "%.17g (%" PRId64 " elements)%s", row->what, row->collective ? " " : "",
                 row->collective ? row->collective : "", row->wire, row->count, verdict->place.step,
                 bench_who(&s->results->conditions, verdict->place.rank, who), verdict->place.coordinate,
                 verdict->place.expected, verdict->place.found, verdict->wrong,
                 s->told == TOLD_MOST ? "; further ones are only counted" : "");
}

/* What all ranks know after a step. */
typedef struct agreement {
    bool over;  /* the turn, by rank 0's clock, or all */
    bool wrong; /* a rank found something */
} agreement;

/* All ranks: counts what any of them found. */
static fr_status agree(soak *s, bench_rank *rank, const bench_verdict *found, agreement *on, fr_error *error) {
    double now = fr_seconds();
    vote mine = {.verdict = *found, .over = now >= s->end ? 2 : now >= s->turn_end, .stop = interrupt_signal() != 0};
    FR_OWNED vote *all = NULL;
    FR_TRY(fr_allocate((void **)&all, rank->ranks, sizeof *all, "the ranks' verdicts", error));
    FR_TRY(rank->comm->ops->gather_host(rank->comm, &mine, sizeof mine, all, error));
    bool last = all[0].over > 1;
    on->wrong = false;
    for (int r = 0; r < rank->ranks; r++) {
        last = last || all[r].stop;
        on->wrong = on->wrong || all[r].verdict.wrong > 0;
        if (!rank->first || all[r].verdict.wrong == 0) continue;
        if (s->row->wrong == 0) s->row->place = all[r].verdict.place;
        s->row->wrong += all[r].verdict.wrong;
        tell(s, &all[r].verdict);
    }
    on->over = last || all[0].over > 0;
    if (!rank->first) return FR_OK;
    s->row->runs++;
    s->over = last;
    return FR_OK;
}

/* ---------------------------------------------------------------------------------------- exchanges */

static fr_status soak_exchange(void *user, bench_rank *rank, fr_error *error) {
    soak *s = user;
    bench_known known;
    agreement on = {0};
    FR_TRY(bench_case_begin(rank, &known, error));
    while (!on.over) {
        bench_verdict verdict = {.place = {.rank = -1}};
        FR_TRY(bench_one_step(rank, false, error));
        FR_TRY(bench_case_check(rank, &known, &verdict, error));
        FR_TRY(agree(s, rank, &verdict, &on, error));
        if (on.wrong || rank->state.step >= STEPS_ANEW) FR_TRY(bench_case_zero(rank, error));
    }
    return FR_OK;
}

/* ---------------------------------------------------------------------------------------------- steps */

/* The weights after a step against what they were the first time. */
static void compare(const bench_rank *rank, const double *expected, int64_t step, bench_verdict *verdict) {
    for (int64_t j = 0; j < rank->plan->features; j++) {
        if (memcmp(&rank->state.weights[j], &expected[j], sizeof expected[j]) == 0) continue;
        if (verdict->wrong++ == 0)
            verdict->place = (bench_place){rank->rank, step, j, expected[j], rank->state.weights[j]};
    }
}

/* STEPS steps from zero weights, or until one is wrong on any rank. */
static fr_status soak_pass(soak *s, bench_rank *rank, double *history, bool written, agreement *on, fr_error *error) {
    size_t d = (size_t)rank->plan->features;
    FR_TRY(bench_case_zero(rank, error));
    on->wrong = false;
    for (int i = 0; i < STEPS && !on->wrong; i++) {
        double *then = history + (size_t)i * d;
        bench_verdict verdict = {.place = {.rank = -1}};
        FR_TRY(bench_one_step(rank, true, error));
        FR_TRY(bench_store(rank, error));
        if (written) compare(rank, then, i + 1, &verdict);
        else memcpy(then, rank->state.weights, d * sizeof *then);
        FR_TRY(agree(s, rank, &verdict, on, error));
    }
    return FR_OK;
}

static fr_status soak_steps(void *user, bench_rank *rank, fr_error *error) {
    soak *s = user;
    int own = rank->rank % s->results->conditions.ranks_a_process;
    double *history = s->history + (size_t)own * STEPS * (size_t)rank->plan->features;
    agreement on = {0};
    bool written = s->rounds > 0;
    while (!on.over) {
        FR_TRY(soak_pass(s, rank, history, written, &on, error));
        written = true;
    }
    return FR_OK;
}

/* The fit whose steps are made: its rows are made once, on the host or by the GPUs themselves. */
typedef struct fit {
    bench_problem problem;
    fr_dataset *set;
} fit;

static fr_status make_fit(const bench_settings *settings, fit *f, fr_error *error) {
    bench_problem *p = &f->problem;
    int ranks, processes = fr_world_size(settings->world);
    *p = bench_problem_of(settings);
    FR_TRY(bench_rig_count(settings, p, &p->workers, &ranks, error));
    bool summed = p->workers <= FR_SUMMED_WORKERS_MOST;
    p->features = settings->from > 0 ? settings->from : FEATURES;
    p->samples = (settings->samples > 0 ? settings->samples : ROWS_A_WORKER) * p->workers;
    p->batch = (BATCH + p->workers - 1) / p->workers * p->workers;
    p->collective = summed ? FR_COLLECTIVE_ALLREDUCE : FR_COLLECTIVE_TWO_PHASE;
    p->levels = summed ? bench_known_levels(127 / p->workers) : 127;
    p->step_size = fr_experiment_step_size(p->features, (double)p->batch, p->levels);
    fr_planted planted = {.samples = p->samples, .features = p->features, .seed = 1};
    const fr_plan plan = {.samples = p->samples, .workers = p->workers};
    fr_range own = {fr_world_rank(settings->world) * (ranks / processes), ranks / processes};
    fr_range rows = fr_rows_of_workers(&plan, fr_workers_of_ranks(&plan, ranks, own));
    fr_status status = fr_dataset_generate(&planted, p->precision, &f->set, error);
    if (status == FR_OK && p->gpus == 0) status = fr_dataset_materialize(f->set, rows.first, rows.count, error);
    return fr_world_agree(settings->world, status, error);
}

/* -------------------------------------------------------------------------------------------- rounds */

/* What one round goes through: all exchanges over all sizes, and the steps as the last. */
typedef struct round {
    bench_cases cases;
    int64_t sizes[BENCH_SOAK_SIZES];
    int size_count;
    bench_row *rows; /* one each */
    fit fit;
} round_of;

static int turns(const round_of *r) { return r->cases.count * r->size_count + 1; }

static fr_status take_turn(soak *s, round_of *r, int turn, fr_error *error) {
    const bench_settings *settings = &s->results->settings;
    const bench_case *c = &r->cases.cases[turn % r->cases.count];
    s->row = &r->rows[turn], s->turn_end = fr_seconds() + s->turn;
    stage_begin("soaking, round %" PRId64 ": %s %s %s, %" PRId64 " numbers", s->rounds + 1, s->row->what,
                s->row->collective, s->row->wire, s->row->count);
    if (turn == turns(r) - 1) return bench_rig_run(settings, &r->fit.problem, r->fit.set, soak_steps, s, error);
    return bench_case_run(settings, c, r->sizes[turn / r->cases.count], soak_exchange, s, error);
}

static void name_rows(const soak *s, round_of *r) {
    for (int i = 0; i < turns(r); i++) {
        bool steps = i == turns(r) - 1;
        const bench_case *c = &r->cases.cases[i % r->cases.count];
        bench_row *row = &r->rows[i];
        *row = bench_row_of(steps ? "step" : "exchange");
        row->collective = fr_collective_name(steps ? r->fit.problem.collective : c->collective);
        row->wire = steps ? fr_wire_name(FR_WIRE_INT8) : bench_case_wire(c);
        row->levels = steps ? r->fit.problem.levels : c->levels;
        row->count = steps ? r->fit.problem.features : r->sizes[i / r->cases.count];
        row->units = s->results->conditions.processes * s->results->conditions.ranks_a_process;
    }
}

static fr_status prepare(soak *s, round_of *r, fr_error *error) {
    const bench_settings *settings = &s->results->settings;
    bench_sizes sizes = bench_sizes_of(settings, 1000, 1000000, 10);
    FR_TRY(bench_cases_of(settings, &r->cases, error));
    while (bench_sizes_next(&sizes) && r->size_count < BENCH_SOAK_SIZES) r->sizes[r->size_count++] = sizes.at;
    FR_TRY(make_fit(settings, &r->fit, error));
    int64_t weights = (int64_t)s->results->conditions.ranks_a_process * STEPS * r->fit.problem.features;
    FR_TRY(fr_allocate((void **)&s->history, weights, sizeof *s->history, "weights of the first time", error));
    FR_TRY(fr_allocate((void **)&r->rows, turns(r), sizeof *r->rows, "the results", error));
    s->turn = fmax(TURN_LEAST, fmin(TURN_MOST, settings->soak / (3 * turns(r))));
    name_rows(s, r);
    return FR_OK;
}

/* A line at the start and after rounds 1, 2, 4, .. */
static void tell_progress(const soak *s, const round_of *r, double began) {
    int64_t held = 0, wrong = 0;
    if (!s->results->settings.speaks || (s->rounds & (s->rounds - 1)) != 0) return;
    for (int i = 0; i < turns(r); i++) held += r->rows[i].runs, wrong += r->rows[i].wrong;
    stage_end();
    if (s->rounds == 0)
        fprintf(stderr, "fitrelu: soaking for %.0f s: %d exchanges over %d sizes, and steps\n", s->end - began,
                r->cases.count, r->size_count);
    else fprintf(stderr, "fitrelu: %" PRId64 " rounds in %.0f s: %" PRId64 " results held, %" PRId64 " wrong elements\n",
                 s->rounds, fr_seconds() - began, held, wrong);
}

static fr_status go_round(soak *s, round_of *r, fr_error *error) {
    double began = fr_seconds();
    for (; !s->over; s->rounds++) {
        tell_progress(s, r, began);
        for (int i = 0; i < turns(r) && !s->over; i++) FR_TRY(take_turn(s, r, i, error));
    }
    for (int i = 0; i < turns(r); i++) FR_TRY(bench_add(s->results, &r->rows[i], error));
    return FR_OK;
}

fr_status bench_soak(bench_results *results, fr_error *error) {
    soak s = {.results = results, .end = fr_seconds() + results->settings.soak};
    round_of r = {.size_count = 0};
    interrupt_catch(); /* what was found so far is told */
    fr_status status = prepare(&s, &r, error);
    if (status == FR_OK) status = go_round(&s, &r, error);
    results->rounds = s.rounds;
    fr_dataset_free(r.fit.set);
    free(s.history);
    free(r.rows);
    return status;
}
