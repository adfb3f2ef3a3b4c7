/*
 * exchange.c - every collective with every format that it carries, over sizes: from each worker's vector to the new weights
 * on every rank.
 *
 * What there is stands in the tables of the library: whatever collective carries whatever wire is measured here, where this
 * place can have it. The time is that of the whole: norm, encoding, exchange, decoding, update; `wire` is what of it the
 * ranks spent in the exchange itself, and bandwidths are of that.
 *
 *     algbw = S / wire,   busbw = algbw x factor,
 *
 * S one vector as it travels, with a factor of 2 (R - 1) / R, where a sum comes to all (allreduce, two-phase), or the
 * vectors of all workers, with (R - 1) / R, where these come to all (allgather): as nccl-tests has them. A master that has
 * no workers receives all of S.
 */
#include "bench/exchange.h"

#include <math.h>

#include "bench/bench.h"
#include "bench/timing.h"
#include "exchange/traffic.h"

/* ------------------------------------------------------------------------------------------- cases */

/* The most levels: an int8 takes them all; what packs or codes has something to gain where they are few. */
static int most_levels(fr_wire wire) { return wire == FR_WIRE_INT8 ? 127 : 7; }

static bench_problem problem_of(const bench_settings *settings, const bench_case *c, int64_t features) {
    bench_problem problem = bench_problem_of(settings);
    problem.features = features, problem.precision = c->precision, problem.scale = FR_SCALE_MAX;
    problem.collective = c->collective, problem.wire = c->wire, problem.levels = c->levels;
    problem.workers = c->workers;
    return problem;
}

/* A rank's only worker may be summed where it stands: the next step would start from the sum. Two workers keep theirs. */
static int workers_of(const bench_case *c, int workers, int ranks) {
    bool in_place = fr_collectives[c->collective]->needs == FR_NEEDS_TOTAL && c->levels == 0 && workers == ranks;
    return in_place ? 2 * workers : workers;
}

/* Whether there is such an exchange here. */
static bool exists(const bench_settings *settings, const bench_case *c) {
    bench_problem problem = problem_of(settings, c, 1);
    return bench_rig_check(settings, &problem, NULL) == FR_OK;
}

/* With the most levels that the collective takes. */
static void add_case(const bench_settings *settings, bench_case c, int ranks, bench_cases *list) {
    bool quantized = c.wire != FR_WIRE_FULL && c.wire != FR_WIRE_BF16;
    if (!(fr_collectives[c.collective]->wires & FR_CARRIES(c.wire)) || list->count == BENCH_CASES_MOST) return;
    c.levels = quantized ? bench_known_levels(most_levels(c.wire)) : 0;
    c.workers = workers_of(&c, c.workers, ranks);
    while (c.levels > 1 && !exists(settings, &c)) c.levels = bench_known_levels(c.levels - 1);
    if (exists(settings, &c)) list->cases[list->count++] = c;
}

fr_status bench_cases_of(const bench_settings *settings, bench_cases *list, fr_error *error) {
    int ranks;
    list->count = 0;
    for (fr_collective collective = FR_COLLECTIVE_AUTO + 1; collective < FR_COLLECTIVE_COUNT; collective++) {
        bench_case c = {.collective = collective, .precision = FR_F64};
        bench_problem problem = problem_of(settings, &c, 1);
        FR_TRY(bench_rig_count(settings, &problem, &c.workers, &ranks, error));
        for (fr_wire wire = FR_WIRE_FULL; wire <= FR_WIRE_ELIAS; wire++) {
            c.wire = wire, c.precision = settings->precision;
            if (wire == FR_WIRE_FULL) c.precision = FR_F64, add_case(settings, c, ranks, list), c.precision = FR_F32;
            add_case(settings, c, ranks, list);
        }
    }
    return FR_OK;
}

const char *bench_case_wire(const bench_case *c) {
    return c->wire == FR_WIRE_FULL ? fr_precision_name(c->precision) : fr_wire_name(c->wire);
}

/* ------------------------------------------------------------------------------------------ one case */

fr_status bench_case_begin(bench_rank *rank, bench_known *known, fr_error *error) {
    *known = bench_known_of(rank->plan);
    FR_TRY(bench_known_fill(known, rank, error));
    return bench_case_zero(rank, error);
}

fr_status bench_case_zero(bench_rank *rank, fr_error *error) {
    memset(rank->state.weights, 0, (size_t)rank->plan->features * sizeof(double));
    return bench_load(rank, 0, error);
}

fr_status bench_case_check(bench_rank *rank, const bench_known *known, bench_verdict *verdict, fr_error *error) {
    bench_place place = {.rank = -1};
    FR_TRY(bench_store(rank, error));
    int64_t wrong = bench_known_check(known, rank->state.weights, rank->state.step, &place);
    place.rank = rank->rank;
    if (wrong > 0 && verdict->wrong == 0) verdict->place = place;
    verdict->wrong += wrong;
    return FR_OK;
}

fr_status bench_verdict_gather(bench_rank *rank, bench_verdict *verdict, fr_error *error) {
    FR_OWNED bench_verdict *all = NULL;
    FR_TRY(fr_allocate((void **)&all, rank->ranks, sizeof *all, "the ranks' verdicts", error));
    FR_TRY(rank->comm->ops->gather_host(rank->comm, verdict, sizeof *verdict, all, error));
    *verdict = (bench_verdict){.place = {.rank = -1}};
    for (int r = 0; r < rank->ranks; r++) {
        if (all[r].wrong > 0 && verdict->wrong == 0) verdict->place = all[r].place;
        verdict->wrong += all[r].wrong;
    }
    return FR_OK;
}

/* ------------------------------------------------------------------------------------------ measuring */

typedef struct job {
    const bench_settings *settings;
    const bench_case *way;
    bench_row row;
} job;

static fr_status exchange_once(void *user, bench_rank *rank, fr_error *error) {
    (void)user;
    return bench_one_step(rank, false, error);
}

/* One vector as it travels; of Elias' codes as they were, on whichever ranks have workers. */
static fr_status vector_bytes(bench_rank *rank, double *bytes, fr_error *error) {
    const fr_comm *comm = rank->comm;
    double coded = comm->levels > 0 ? (double)comm->coded / (double)comm->levels * (double)rank->plan->features : 0;
    FR_OWNED double *all = NULL;
    FR_TRY(fr_allocate((void **)&all, rank->ranks, sizeof *all, "the ranks' codes", error));
    FR_TRY(rank->comm->ops->gather_host(rank->comm, &coded, sizeof coded, all, error));
    for (int r = 0; r < rank->ranks; r++) coded = fmax(coded, all[r]);
    *bytes = coded > 0 ? coded : fr_traffic_vector(rank->plan);
    return FR_OK;
}

static void describe(const bench_rank *rank, const bench_case *way, const bench_times *times, double vector,
                     bench_row *row) {
    double ranks = rank->ranks, factor = 2 * (ranks - 1) / ranks, sum = vector;
    if (fr_collective_of(rank->plan)->needs == FR_NEEDS_ALL) {
        sum *= rank->plan->workers;
        factor = rank->plan->dedicated_master ? 1 : (ranks - 1) / ranks;
    }
    *row = bench_row_of("exchange");
    row->collective = fr_collective_name(way->collective), row->wire = bench_case_wire(way), row->levels = way->levels;
    row->size = vector, row->count = rank->plan->features, row->units = rank->ranks;
    row->us = 1e6 * times->median, row->us_p99 = 1e6 * times->p99, row->runs = times->runs, row->slowest = times->slowest;
    if (rank->ranks == 1 || times->wire <= 0) return;
    row->us_wire = 1e6 * times->wire;
    row->algbw = 1e-9 * sum / times->wire;
    row->busbw = row->algbw * factor;
}

static fr_status measure(void *user, bench_rank *rank, fr_error *error) {
    job *j = user;
    bench_known known;
    bench_times times;
    bench_row row;
    double vector;
    bench_verdict verdict = {.place = {.rank = -1}};
    FR_TRY(bench_case_begin(rank, &known, error));
    FR_TRY(bench_time(rank, j->settings, exchange_once, NULL, &times, error));
    FR_TRY(bench_case_check(rank, &known, &verdict, error));
    for (int i = 0; i < j->settings->checks; i++) {
        FR_TRY(bench_case_zero(rank, error));
        FR_TRY(bench_one_step(rank, false, error));
        FR_TRY(bench_case_check(rank, &known, &verdict, error));
    }
    FR_TRY(bench_verdict_gather(rank, &verdict, error));
    FR_TRY(vector_bytes(rank, &vector, error));
    describe(rank, j->way, &times, vector, &row);
    row.wrong = verdict.wrong, row.place = verdict.place;
    if (rank->first) j->row = row;
    return FR_OK;
}

fr_status bench_case_run(const bench_settings *settings, const bench_case *c, int64_t features, bench_body *body, void *user,
                         fr_error *error) {
    bench_problem problem = problem_of(settings, c, features);
    return bench_rig_run(settings, &problem, NULL, body, user, error);
}

fr_status bench_exchange(bench_results *results, fr_error *error) {
    const bench_settings *settings = &results->settings;
    bool brief = settings->all;
    bench_cases list;
    FR_TRY(bench_cases_of(settings, &list, error));
    bench_sizes sizes = bench_sizes_of(settings, 1000, brief ? 100000 : 1000000, brief ? 100 : 10);
    for (; bench_sizes_next(&sizes); ) {
        for (int i = 0; i < list.count; i++) {
            job j = {.settings = settings, .way = &list.cases[i]};
            FR_TRY(bench_case_run(settings, &list.cases[i], sizes.at, measure, &j, error));
            FR_TRY(bench_add(results, &j.row, error));
        }
    }
    return FR_OK;
}
