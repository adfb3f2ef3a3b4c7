/*
 * step.c - whole steps of a fit on one, two, .. threads, ranks or GPUs: time, speed-up and efficiency, and what 100 steps
 * come to beside one thread of a CPU.
 *
 * K workers are logical, so one number of workers serves all places, and a quantized fit on CPUs must give the reference's
 * bits: levels, sums and weights. A GPU adds rows in another order, so that there an error is told.
 *
 * The first process has all rows and makes the reference; the others get it.
 */
#include <math.h>

#include "base/clock.h"
#include "bench/exchange.h"
#include "bench/reference.h"
#include "bench/timing.h"
#include "data/planted.h"
#include "ranks/world.h"

enum { STEPS = 100, BATCH = 800, WORKERS = 4, ROWS_A_FEATURE = 10, SUMMED_MOST = FR_SUMMED_WORKERS_MOST };

/* Where the steps are made. */
typedef struct spot {
    int units;      /* threads, ranks or GPUs of all processes */
    int gpus, threads;
    bool alone;     /* by the first process, while the others wait */
} spot;

/* What the reference came to after STEPS steps. */
typedef struct outcome {
    double *weights;  /* d */
    int8_t *levels;   /* K x d, and */
    int8_t *sums;     /* d, of a quantized fit */
} outcome;

typedef struct job {
    bench_results *results;
    bench_problem problem;
    fr_dataset *set;
    outcome reference;
    double reference_us;
    spot place;
    bench_row row;
} job;

/* ------------------------------------------------------------------------------------------- places */

static int add_place(spot places[BENCH_PLACES_MOST], int count, spot p) {
    for (int i = 0; i < count; i++)
        if (places[i].units == p.units) return count;
    places[count] = p;
    return count + 1;
}

/* On GPUs those of the list; under mpirun the first process alone and all; else one thread and all of them. */
static int places_of(const bench_settings *settings, int threads, spot places[BENCH_PLACES_MOST]) {
    int processes = fr_world_size(settings->world), count = 0;
    for (int i = 0; i < settings->gpus_count; i++)
        count = add_place(places, count, (spot){.units = settings->gpus[i] * processes, .gpus = settings->gpus[i]});
    if (count > 0) return count;
    if (bench_gpus(settings) > 0) return add_place(places, count, (spot){.units = processes, .gpus = 1});
    if (processes == 1) {
        count = add_place(places, count, (spot){.units = 1, .threads = 1});
        return add_place(places, count, (spot){.units = threads, .threads = threads});
    }
    count = add_place(places, count, (spot){.units = 1, .threads = threads, .alone = true});
    return add_place(places, count, (spot){.units = processes, .threads = threads});
}

/* A number of workers that every place can share out. */
static int workers_for(const spot *places, int count, bool threads) {
    int64_t workers = 1;
    if (threads) return WORKERS;
    for (int i = 0; i < count; i++) {
        int64_t multiple = workers;
        while (multiple % places[i].units) multiple += workers;
        workers = multiple;
    }
    return (int)workers;
}

/* ---------------------------------------------------------------------------------------- reference */

static fr_status take_outcome(int64_t d, int workers, outcome *o, fr_error *error) {
    FR_TRY(fr_allocate((void **)&o->weights, d, sizeof *o->weights, "weights", error));
    FR_TRY(fr_allocate((void **)&o->levels, d * workers, 1, "levels", error));
    return fr_allocate((void **)&o->sums, d, 1, "sums", error);
}

static void free_outcome(outcome *o) {
    free(o->weights), free(o->levels), free(o->sums);
    *o = (outcome){0};
}

/* The sums over workers, whichever buffer the collective leaves them in. */
static const int8_t *sums_of(const fr_engine *engine) {
    const fr_buffers *b = &engine->buffers;
    return fr_collective_of(engine->config.plan)->needs == FR_NEEDS_SLICES ? b->slice_levels : b->total_levels;
}

/* STEPS steps from zero weights. */
static fr_status make_steps(bench_rank *rank, fr_error *error) {
    FR_TRY(bench_case_zero(rank, error));
    for (int i = 0; i < STEPS; i++) FR_TRY(bench_one_step(rank, true, error));
    return bench_store(rank, error);
}

static fr_status run_reference(void *user, bench_rank *rank, fr_error *error) {
    job *j = user;
    size_t d = (size_t)rank->plan->features, all = d * (size_t)rank->plan->workers;
    fr_engine *engine = rank->engine;
    double began = fr_seconds();
    FR_TRY(make_steps(rank, error));
    j->reference_us = 1e6 * (fr_seconds() - began) / STEPS;
    memcpy(j->reference.weights, rank->state.weights, d * sizeof(double));
    if (rank->plan->levels == 0) return FR_OK;
    FR_TRY(engine->ops->read(engine, j->reference.levels, engine->buffers.levels, all, error));
    return engine->ops->read(engine, j->reference.sums, sums_of(engine), d, error);
}

static fr_status share_reference(job *j, fr_error *error) {
    fr_world *world = j->results->settings.world;
    size_t d = (size_t)j->problem.features;
    if (fr_world_size(world) == 1) return FR_OK;
    FR_TRY(fr_world_broadcast(world, &j->reference_us, sizeof j->reference_us, true, error));
    FR_TRY(fr_world_broadcast(world, j->reference.weights, d * sizeof(double), true, error));
    FR_TRY(fr_world_broadcast(world, j->reference.levels, d * (size_t)j->problem.workers, true, error));
    return fr_world_broadcast(world, j->reference.sums, d, true, error);
}

static fr_status make_reference(job *j, fr_error *error) {
    fr_world *world = j->results->settings.world;
    bench_problem problem = j->problem;
    problem.gpus = 0, problem.threads = 1, problem.alone = true;
    fr_status status = take_outcome(problem.features, problem.workers, &j->reference, error);
    if (status == FR_OK && fr_world_rank(world) == 0)
        status = bench_rig_run(&j->results->settings, &problem, j->set, run_reference, j, error);
    FR_TRY(fr_world_agree(world, status, error));
    return share_reference(j, error);
}

/* ------------------------------------------------------------------------------------------- checks */

static int64_t count_different(const int8_t *found, const int8_t *expected, int64_t count, bench_place *place) {
    int64_t wrong = 0;
    for (int64_t i = 0; i < count; i++)
        if (found[i] != expected[i] && wrong++ == 0)
            *place = (bench_place){.step = STEPS, .coordinate = i, .expected = expected[i], .found = found[i]};
    return wrong;
}

/* Levels of own workers and sums. On a GPU the last bits of a gradient differ, and now and then a rounding with them. */
static fr_status check_levels(const job *j, bench_rank *rank, bench_verdict *verdict, fr_error *error) {
    fr_engine *engine = rank->engine;
    int64_t d = rank->plan->features, own = engine->config.worker_count * d;
    bench_place place = {.rank = -1};
    FR_OWNED int8_t *found = NULL;
    if (rank->plan->levels == 0 || engine->buffers.block > 0) return FR_OK; /* in blocks: the weights tell all of it */
    if (sums_of(engine) == engine->buffers.levels) own = 0;                  /* the sum stands where the levels were */
    FR_TRY(fr_allocate((void **)&found, own + d, 1, "levels", error));
    FR_TRY(engine->ops->read(engine, found, engine->buffers.levels, (size_t)own, error));
    FR_TRY(engine->ops->read(engine, found + own, sums_of(engine), (size_t)d, error));
    int64_t wrong = count_different(found + own, j->reference.sums, d, &place);
    wrong += count_different(found, j->reference.levels + engine->config.first_worker * d, own, &place);
    if (wrong <= (engine->config.device < 0 ? 0 : (own + d) / 100)) return FR_OK;
    place.rank = rank->rank;
    if (verdict->wrong == 0) verdict->place = place;
    verdict->wrong += wrong;
    return FR_OK;
}

/* What weights may differ by, of the largest: nothing where integers are summed on CPUs. */
static double allowed(const bench_rank *rank) {
    const fr_plan *plan = rank->plan;
    bool gpu = rank->engine->config.device >= 0;
    if (plan->levels > 0 && !gpu) return 0;
    return plan->precision == FR_F32 ? (plan->levels > 0 ? 0.05 : 1e-3) : 1e-6;
}

static fr_status check(const job *j, bench_rank *rank, bench_row *row, fr_error *error) {
    bench_verdict verdict = {.place = {.rank = -1}};
    FR_OWNED double *errors = NULL;
    FR_TRY(fr_allocate((void **)&errors, rank->ranks, sizeof *errors, "the ranks' errors", error));
    FR_TRY(make_steps(rank, error));
    bench_distance off = bench_distance_of(rank->state.weights, j->reference.weights, rank->plan->features, FR_F64,
                                           allowed(rank));
    off.place.rank = rank->rank, off.place.step = STEPS;
    verdict.wrong = off.wrong, verdict.place = off.place;
    FR_TRY(check_levels(j, rank, &verdict, error));
    FR_TRY(bench_verdict_gather(rank, &verdict, error));
    FR_TRY(rank->comm->ops->gather_host(rank->comm, &off.error, sizeof off.error, errors, error));
    row->wrong = verdict.wrong, row->place = verdict.place, row->error = 0;
    for (int r = 0; r < rank->ranks; r++) row->error = fmax(row->error, errors[r]);
    return FR_OK;
}

/* ------------------------------------------------------------------------------------------ measuring */

static fr_status step_once(void *user, bench_rank *rank, fr_error *error) {
    (void)user;
    return bench_one_step(rank, true, error);
}

static fr_status measure(void *user, bench_rank *rank, fr_error *error) {
    job *j = user;
    const fr_plan *plan = rank->plan;
    bench_row row = bench_row_of("step");
    bench_times times;
    FR_TRY(bench_case_zero(rank, error));
    FR_TRY(bench_time(rank, &j->results->settings, step_once, NULL, &times, error));
    row.collective = fr_collective_name(plan->collective), row.levels = plan->levels;
    row.wire = plan->wire == FR_WIRE_FULL ? fr_precision_name(plan->precision) : fr_wire_name(plan->wire);
    row.count = plan->batch * plan->features;
    row.size = (double)row.count * (double)fr_precision_bytes(plan->precision);
    row.us = 1e6 * times.median, row.us_p99 = 1e6 * times.p99, row.runs = times.runs, row.slowest = times.slowest;
    if (rank->ranks > 1 && times.wire > 0) row.us_wire = 1e6 * times.wire;
    row.algbw = 1e-3 * row.size / row.us; /* of all ranks together */
    row.reference = j->reference_us, row.units = j->place.units;
    FR_TRY(check(j, rank, &row, error));
    if (rank->first) j->row = row;
    return FR_OK;
}

/* The numbers of the first process' row for all; words are each process' own. */
static fr_status share_row(fr_world *world, bench_row *row, fr_error *error) {
    bench_row first = *row;
    FR_TRY(fr_world_broadcast(world, &first, sizeof first, true, error));
    first.what = "step", first.collective = row->collective, first.wire = row->wire;
    *row = first;
    return FR_OK;
}

/* Whoever waits knows the words of the row from a plan that it makes no step of. */
static fr_status measure_at(job *j, spot where, fr_error *error) {
    fr_world *world = j->results->settings.world;
    bench_problem problem = j->problem;
    problem.gpus = where.gpus, problem.threads = where.threads, problem.alone = where.alone;
    j->place = where;
    if (!where.alone) return bench_rig_run(&j->results->settings, &problem, j->set, measure, j, error);
    fr_status status = FR_OK;
    if (fr_world_rank(world) == 0) status = bench_rig_run(&j->results->settings, &problem, j->set, measure, j, error);
    FR_TRY(fr_world_agree(world, status, error));
    return share_row(world, &j->row, error);
}

static fr_status measure_places(job *j, const spot *places, int count, fr_error *error) {
    double first = NAN;
    for (int i = 0; i < count; i++) {
        FR_TRY(measure_at(j, places[i], error));
        if (i == 0) first = j->row.us;
        j->row.speedup = first / j->row.us;
        j->row.efficiency = j->row.speedup * places[0].units / places[i].units;
        FR_TRY(bench_add(j->results, &j->row, error));
    }
    return FR_OK;
}

/* The first process has all rows. */
static fr_status make_rows(const bench_settings *settings, const bench_problem *problem, int units, fr_dataset **set,
                           fr_error *error) {
    int processes = fr_world_size(settings->world), rank = fr_world_rank(settings->world);
    const fr_plan plan = {.samples = problem->samples, .workers = problem->workers};
    fr_range rows = fr_rows_of_workers(&plan, fr_workers_of_ranks(&plan, units, (fr_range){rank * (units / processes),
                                                                                           units / processes}));
    fr_planted planted = {.samples = problem->samples, .features = problem->features, .seed = 1};
    if (rank == 0) rows = (fr_range){0, problem->samples};
    fr_status status = fr_dataset_generate(&planted, problem->precision, set, error);
    if (status == FR_OK) status = fr_dataset_materialize(*set, rows.first, rows.count, error);
    return fr_world_agree(settings->world, status, error);
}

/* Unquantized, and with the most levels that are summed as they are. */
static fr_status measure_methods(job *j, const spot *places, int count, fr_error *error) {
    int workers = j->problem.workers;
    const int levels[] = {0, workers <= SUMMED_MOST ? bench_known_levels(127 / workers) : 127};
    fr_status status = FR_OK;
    for (int i = 0; i < 2 && status == FR_OK; i++) {
        j->problem.levels = levels[i], j->problem.wire = i == 1 ? FR_WIRE_INT8 : FR_WIRE_AUTO;
        j->problem.collective = i == 1 && workers > SUMMED_MOST ? FR_COLLECTIVE_TWO_PHASE : FR_COLLECTIVE_ALLREDUCE;
        j->problem.step_size = fr_experiment_step_size(j->problem.features, (double)j->problem.batch, levels[i]);
        status = make_reference(j, error);
        if (status == FR_OK) status = measure_places(j, places, count, error);
        free_outcome(&j->reference);
    }
    return status;
}

fr_status bench_step(bench_results *results, fr_error *error) {
    const bench_settings *settings = &results->settings;
    spot places[BENCH_PLACES_MOST];
    int count = places_of(settings, bench_threads(settings), places);
    job j = {.results = results, .problem = bench_problem_of(settings)};
    bench_sizes sizes = bench_sizes_of(settings, 1000, 4000, 4);
    bool threads = bench_gpus(settings) == 0 && fr_world_size(settings->world) == 1;
    j.problem.workers = workers_for(places, count, threads);
    j.problem.batch = (BATCH + j.problem.workers - 1) / j.problem.workers * j.problem.workers;
    while (bench_sizes_next(&sizes)) {
        int64_t row = sizes.at * (int64_t)fr_precision_bytes(settings->precision);
        int64_t fitting = bench_working_set(settings) / row, usual = ROWS_A_FEATURE * sizes.at;
        j.problem.features = sizes.at, j.problem.samples = fitting < usual ? fitting : usual;
        if (settings->samples > 0) j.problem.samples = settings->samples * places[count - 1].units;
        if (j.problem.samples < j.problem.workers) j.problem.samples = j.problem.workers;
        fr_status status = make_rows(settings, &j.problem, threads ? 1 : places[count - 1].units, &j.set, error);
        if (status == FR_OK) status = measure_methods(&j, places, count, error);
        fr_dataset_free(j.set);
        j.set = NULL;
        FR_TRY(status);
    }
    return FR_OK;
}
