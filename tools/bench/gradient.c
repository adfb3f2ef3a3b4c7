/*
 * gradient.c - the gradient of (1.1) on each rank, from drawn rows and from all rows, beside one thread of a CPU.
 *
 * Rows come from more memory than caches hold, and each run draws others: the step must move on, which the update does,
 * whose own time is measured alone and taken off. Bytes are those of the rows that are read.
 */
#include <math.h>

#include "base/clock.h"
#include "bench/reference.h"
#include "bench/timing.h"
#include "data/planted.h"

enum { DRAWS = 800, REFERENCE_RUNS = 3 };

typedef struct job {
    bench_results *results;
    int64_t draws; /* a worker; 0: all rows */
    bench_row row;
} job;

static fr_status update(void *user, bench_rank *rank, fr_error *error) {
    (void)user;
    FR_TRY(rank->engine->ops->total(rank->engine, error));
    return rank->engine->ops->apply(rank->engine, FR_UPDATE_TOTAL_VALUES, error);
}
static fr_status gradient(void *user, bench_rank *rank, fr_error *error) {
    (void)user;
    return rank->engine->ops->gradient(rank->engine, error);
}
static fr_status gradient_and_update(void *user, bench_rank *rank, fr_error *error) {
    FR_TRY(gradient(user, rank, error));
    return update(user, rank, error);
}

/* Half way from 0 to w*, half of the rows are active. */
static fr_status load(bench_rank *rank, int64_t step, fr_error *error) {
    for (int64_t j = 0; j < rank->plan->features; j++) rank->state.weights[j] = rank->set->planted[j] / 2;
    return bench_load(rank, step, error);
}

/* One gradient of the engine and of the reference, at `step`. */
static fr_status compare(bench_rank *rank, fr_engine *reference, int64_t step, bench_row *row, fr_error *error) {
    const fr_plan *plan = rank->plan;
    int64_t count = rank->engine->config.worker_count * plan->features;
    size_t size = (size_t)count * fr_precision_bytes(plan->precision);
    FR_OWNED char *found = NULL;
    FR_TRY(fr_allocate((void **)&found, (int64_t)size + 1, 1, "a gradient", error));
    FR_TRY(load(rank, step, error));
    FR_TRY(rank->engine->ops->gradient(rank->engine, error));
    FR_TRY(rank->engine->ops->read(rank->engine, found, rank->engine->buffers.values, size, error));
    FR_TRY(reference->ops->load(reference, &rank->state, error));
    double began = fr_seconds();
    FR_TRY(reference->ops->gradient(reference, error));
    double us = 1e6 * (fr_seconds() - began);
    row->reference = isnan(row->reference) ? us : fmin(row->reference, us);
    bench_distance off = bench_distance_of(found, reference->buffers.values, count, plan->precision,
                                           bench_allowed(plan->precision, plan->storage));
    off.place.rank = rank->rank, off.place.step = step;
    if (off.wrong > 0 && row->wrong == 0) row->place = off.place;
    row->wrong += off.wrong;
    row->error = fmax(isnan(row->error) ? 0 : row->error, off.error);
    return FR_OK;
}

static fr_status check(bench_rank *rank, int checks, bench_row *row, fr_error *error) {
    fr_engine *reference = NULL;
    fr_status status = bench_reference_create(rank, &reference, error);
    for (int i = 0; i < checks && status == FR_OK; i++) status = compare(rank, reference, i, row, error);
    fr_engine_free(reference);
    return status;
}

/* All ranks' rows into one: what is wrong anywhere is wrong, and the first place of it; the largest error. */
static fr_status join(bench_rank *rank, bench_row *row, fr_error *error) {
    FR_OWNED bench_row *all = NULL;
    FR_TRY(fr_allocate((void **)&all, rank->ranks, sizeof *all, "the ranks' rows", error));
    FR_TRY(rank->comm->ops->gather_host(rank->comm, row, sizeof *row, all, error));
    row->wrong = 0, row->place.rank = -1;
    for (int r = 0; r < rank->ranks; r++) {
        if (all[r].wrong > 0 && row->wrong == 0) row->place = all[r].place;
        row->wrong += all[r].wrong;
        row->error = fmax(row->error, all[r].error);
        row->reference = fmax(row->reference, all[r].reference);
    }
    return FR_OK;
}

static fr_status measure(void *user, bench_rank *rank, fr_error *error) {
    job *j = user;
    const bench_settings *settings = &j->results->settings;
    const fr_plan *plan = rank->plan;
    bench_times whole, alone = {0};
    bench_row row = bench_row_of("gradient");
    FR_TRY(load(rank, 0, error));
    FR_TRY(bench_time(rank, settings, j->draws > 0 ? gradient_and_update : gradient, NULL, &whole, error));
    if (j->draws > 0) FR_TRY(bench_time(rank, settings, update, NULL, &alone, error));
    double rows = (double)(j->draws > 0 ? j->draws : fr_engine_rows(rank->engine).count);
    double kept = plan->storage == FR_STORAGE_BF16 ? 2 : (double)fr_precision_bytes(plan->precision);
    row.wire = plan->storage == FR_STORAGE_BF16 ? "bf16" : fr_precision_name(plan->precision);
    row.count = (int64_t)rows * plan->features, row.size = kept * (double)row.count;
    row.us = 1e6 * (whole.median - alone.median), row.us_p99 = 1e6 * (whole.p99 - alone.median);
    row.runs = whole.runs, row.slowest = whole.slowest, row.units = rank->ranks;
    row.algbw = 1e-3 * row.size / row.us, row.share = 1e9 * row.algbw / j->results->bandwidth;
    FR_TRY(check(rank, settings->checks + REFERENCE_RUNS - 1, &row, error));
    FR_TRY(join(rank, &row, error));
    if (rank->first) j->row = row;
    return FR_OK;
}

/* Rows of this process' ranks, for all that is measured with so many features. */
static fr_status make_rows(const bench_settings *settings, const bench_problem *problem, int ranks, fr_dataset **set,
                           fr_error *error) {
    int processes = fr_world_size(settings->world);
    const fr_plan plan = {.samples = problem->samples, .workers = ranks};
    fr_range own = {fr_world_rank(settings->world) * (ranks / processes), ranks / processes};
    fr_range rows = fr_rows_of_workers(&plan, own);
    fr_planted planted = {.samples = problem->samples, .features = problem->features, .seed = 1};
    fr_status status = fr_dataset_generate(&planted, problem->precision, set, error);
    if (status == FR_OK) status = fr_dataset_materialize(*set, rows.first, rows.count, error);
    return fr_world_agree(settings->world, status, error);
}

static fr_status measure_rows(bench_results *results, bench_problem *problem, fr_dataset *set, fr_error *error) {
    const int64_t draws[] = {DRAWS, 0};
    for (fr_storage storage = FR_STORAGE_SAME; storage <= (problem->gpus > 0 ? FR_STORAGE_BF16 : FR_STORAGE_SAME); storage++)
        for (int i = 0; i < 2; i++) {
            job j = {.results = results, .draws = draws[i]};
            problem->batch = draws[i] > 0 ? draws[i] * problem->workers : FR_BATCH_FULL;
            problem->storage = storage;
            FR_TRY(bench_rig_run(&results->settings, problem, set, measure, &j, error));
            FR_TRY(bench_add(results, &j.row, error));
        }
    return FR_OK;
}

fr_status bench_gradient(bench_results *results, fr_error *error) {
    const bench_settings *settings = &results->settings;
    bench_problem problem = bench_problem_of(settings);
    int workers, ranks;
    FR_TRY(bench_bandwidth(results, error));
    FR_TRY(bench_rig_count(settings, &problem, &workers, &ranks, error));
    bench_sizes sizes = bench_sizes_of(settings, 1000, 4000, 4);
    problem.workers = ranks, problem.step_size = 1e-12; /* weights stay where half of the rows are active */
    while (bench_sizes_next(&sizes)) {
        fr_dataset *set = NULL;
        int64_t row = sizes.at * (int64_t)fr_precision_bytes(problem.precision), fitting = bench_working_set(settings) / row;
        if (settings->samples > 0) fitting = settings->samples;
        problem.features = sizes.at, problem.samples = ranks * (fitting > 0 ? fitting : 1);
        fr_status status = make_rows(settings, &problem, ranks, &set, error);
        if (status == FR_OK) status = measure_rows(results, &problem, set, error);
        fr_dataset_free(set);
        FR_TRY(status);
    }
    return FR_OK;
}
