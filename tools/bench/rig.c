/*
 * rig.c - see rig.h.
 */
#include "bench/rig.h"

#include <stdlib.h>

#include "data/planted.h"
#include "ranks/world.h"
#include "solver/place.h"

/* Of one process that has all workers: enough that they must be put together. */
enum { WORKERS_ALONE = 4 };

/* ------------------------------------------------------------------------------------------- problem */

bench_problem bench_problem_of(const bench_settings *settings) {
    return (bench_problem){.precision = settings->precision,
                           .collective = FR_COLLECTIVE_ALLREDUCE,
                           .step_size = 1,
                           .gpus = bench_gpus(settings),
                           .threads = settings->threads};
}

static fr_options options_of(const bench_settings *settings, const bench_problem *problem) {
    fr_options options;
    fr_options_default(&options);
    options.batch = problem->batch, options.workers = problem->workers, options.iterations = 1 << 30;
    options.step_rule = FR_STEP_NUMBER, options.step_size = problem->step_size;
    options.schedule = FR_SCHEDULE_CONSTANT, options.average = 0, options.init = FR_INIT_ZERO;
    options.levels = problem->levels, options.scale = problem->scale, options.storage = problem->storage;
    options.collective = problem->collective, options.wire = problem->wire;
    options.world = problem->alone ? NULL : settings->world;
    options.device = problem->gpus > 0 ? FR_DEVICE_CUDA : FR_DEVICE_CPU;
    options.gpus = problem->gpus, options.threads = problem->threads > 0 ? problem->threads : bench_threads(settings), options.timeout = settings->timeout;
    return options;
}

/* One run of the rig. */
typedef struct rig {
    const bench_problem *problem;
    fr_options options;
    fr_place place;
    fr_plan plan;
    fr_dataset *set;
    bool owns_set;
    bench_body *body;
    void *user;
} rig;

static fr_status make_plan(rig *r, fr_error *error) {
    const fr_spectrum any = {1, 1, 0};
    FR_TRY(fr_plan_begin(&r->options, r->set, r->place.dedicated_master, &r->plan, error));
    return fr_plan_finish(&r->options, r->set, &any, &r->plan, error);
}

/* The rows of each worker are one, where nobody says how many: they are not read. */
static fr_status make_set(rig *r, fr_dataset *held, fr_error *error) {
    const bench_problem *p = r->problem;
    fr_planted planted = {.samples = p->samples > 0 ? p->samples : r->options.workers, .features = p->features, .seed = 1};
    r->set = held, r->owns_set = held == NULL;
    if (r->options.batch == 0) r->options.batch = r->options.workers;
    return held ? FR_OK : fr_dataset_generate(&planted, p->precision, &r->set, error);
}

static fr_status begin(const bench_settings *settings, const bench_problem *problem, fr_dataset *held, rig *r,
                       fr_error *error) {
    *r = (rig){.problem = problem, .options = options_of(settings, problem)};
    bool alone = problem->gpus <= 1 && fr_world_size(r->options.world) == 1;
    if (problem->workers == 0 && alone) r->options.workers = WORKERS_ALONE;
    FR_TRY(fr_place_make(&r->options, &r->place, error));
    FR_TRY(make_set(r, held, error));
    return make_plan(r, error);
}

static void end(rig *r) {
    fr_place_free(&r->place);
    if (r->owns_set) fr_dataset_free(r->set);
}

/* A set of so few features that nothing is drawn for it. */
fr_status bench_rig_check(const bench_settings *settings, const bench_problem *problem, fr_error *error) {
    bench_problem small = *problem;
    rig r;
    small.features = 1, small.samples = 0, small.batch = 0;
    fr_status status = begin(settings, &small, NULL, &r, error);
    end(&r);
    return status;
}

fr_status bench_rig_count(const bench_settings *settings, const bench_problem *problem, int *workers, int *ranks,
                          fr_error *error) {
    bench_problem small = *problem;
    rig r;
    small.features = 1, small.samples = 0, small.batch = 0, small.levels = 0, small.wire = FR_WIRE_AUTO;
    fr_status status = begin(settings, &small, NULL, &r, error);
    *workers = r.options.workers, *ranks = r.place.all_ranks;
    end(&r);
    return status;
}

fr_status bench_rig_cards(const bench_settings *settings, unsigned char (*ids)[16], int *numbers, int most, int *count,
                          fr_error *error) {
    bench_problem problem = bench_problem_of(settings);
    rig r;
    problem.features = 1;
    fr_status status = begin(settings, &problem, NULL, &r, error);
    status = fr_world_agree(r.options.world, status, error);
    if (status == FR_OK) status = fr_place_share_devices(&r.place, error);
    *count = 0;
    for (int i = 0; status == FR_OK && i < r.place.ranks && i < most; i++, ++*count) {
        numbers[i] = r.place.devices[i];
        status = fr_place_identify(&r.place, i, ids[i], error);
    }
    end(&r);
    return status;
}

/* --------------------------------------------------------------------------------------------- ranks */

/* Zero rows of this process' ranks, which an engine on CPUs wants to be there. A GPU makes planted rows itself. */
static fr_status hold_rows(rig *r, fr_error *error) {
    fr_dataset *set = r->set;
    fr_range ranks = {fr_world_rank(r->options.world) * r->place.ranks, r->place.ranks};
    fr_range own = fr_rows_of_workers(&r->plan, fr_workers_of_ranks(&r->plan, r->place.all_ranks, ranks));
    size_t size = fr_precision_bytes(set->precision);
    if (!r->owns_set || (r->place.cuda && !r->problem->host_rows)) return FR_OK;
    FR_TRY(fr_allocate(&set->rows, own.count * set->features + 1, size, "rows", error));
    FR_TRY(fr_allocate(&set->labels, own.count + 1, size, "labels", error));
    set->first_row = own.first, set->local_rows = own.count;
    return FR_OK;
}

static fr_status work(rig *r, bench_rank *rank, fr_error *error) {
    int64_t d = r->plan.features;
    FR_OWNED double *memory = NULL;
    FR_TRY(fr_allocate((void **)&memory, 2 * d, sizeof *memory, "weights", error));
    rank->state = (fr_state){.weights = memory, .average = memory + d};
    rank->rank = rank->comm->rank, rank->ranks = rank->comm->size;
    return r->body(r->user, rank, error);
}

static fr_status run_rank(void *user, int number, fr_error *error) {
    rig *r = user;
    bench_rank rank = {.first = number == 0, .plan = &r->plan, .set = r->set};
    fr_status status =
        fr_place_engine(&r->place, number, &r->plan, r->set, r->options.threads, &rank.engine, error);
    if (r->place.ranks == 1) status = fr_world_agree(r->place.world, status, error);
    if (status == FR_OK) status = fr_place_comm(&r->place, number, &r->plan, rank.engine, &rank.comm, error);
    if (status == FR_OK) status = work(r, &rank, error);
    fr_comm_free(rank.comm);
    fr_engine_free(rank.engine);
    return status;
}

fr_status bench_rig_run(const bench_settings *settings, const bench_problem *problem, fr_dataset *held, bench_body *body,
                        void *user, fr_error *error) {
    rig r;
    fr_status status = begin(settings, problem, held, &r, error);
    r.body = body, r.user = user;
    if (status == FR_OK) status = hold_rows(&r, error);
    status = fr_world_agree(r.options.world, status, error);
    if (status == FR_OK) status = fr_place_share_devices(&r.place, error);
    if (status == FR_OK) status = fr_place_run(&r.place, run_rank, &r, error);
    end(&r);
    return status;
}

/* --------------------------------------------------------------------------------------------- steps */

fr_status bench_one_step(bench_rank *rank, bool gradient, fr_error *error) {
    fr_engine *engine = rank->engine;
    bool replayed = false, again = true;
    while (again && !replayed) {
        again = false;
        if (engine->ops->step_begin) FR_TRY(engine->ops->step_begin(engine, rank->looked_at, &replayed, error));
        if (replayed) break;
        if (gradient) FR_TRY(engine->ops->gradient(engine, error));
        FR_TRY(fr_collective_step(engine, rank->comm, error));
        if (engine->ops->step_end) FR_TRY(engine->ops->step_end(engine, &again, error));
    }
    return FR_OK;
}

fr_status bench_load(bench_rank *rank, int64_t step, fr_error *error) {
    rank->state.step = step;
    return rank->engine->ops->load(rank->engine, &rank->state, error);
}

fr_status bench_store(bench_rank *rank, fr_error *error) {
    return rank->engine->ops->store(rank->engine, &rank->state, error);
}

fr_status bench_wait(bench_rank *rank, fr_error *error) {
    FR_OWNED double *residuals = NULL;
    if (rank->engine->config.device < 0) return FR_OK; /* a CPU's calls are done when they return */
    FR_TRY(fr_allocate((void **)&residuals, rank->engine->config.worker_count + 1, sizeof *residuals, "residuals", error));
    return rank->engine->ops->probe(rank->engine, residuals, error);
}
