/*
 * coding.c - from values to levels, and from levels to new weights, on each rank: what quantizing itself costs.
 *
 *   encode int8    norm and Q_s: a vector read, its levels written
 *   decode int8    the update: levels read, weights read and written
 *   encode, decode of the other wires: levels to bytes and back, on one thread of a CPU, as ranks do before they send
 *
 * Small vectors stay in caches, as they do in a fit, so that their share of the read bandwidth can exceed 1.
 */
#include <math.h>

#include "base/clock.h"
#include "bench/exchange.h"
#include "bench/reference.h"
#include "bench/timing.h"
#include "wire/wire.h"

/* Of the wires that gain by few levels. */
enum { FEW_LEVELS = 7 };

typedef struct job {
    bench_results *results;
    bool decodes;
    fr_wire wire;
    int levels;
    int8_t *from, *to; /* of this rank: levels before, and after their way */
    uint8_t *bytes;
    size_t length;
    bench_row row;
} job;

/* ------------------------------------------------------------------------------------- by the engine */

static fr_status encode(void *user, bench_rank *rank, fr_error *error) {
    (void)user;
    FR_TRY(rank->engine->ops->norm(rank->engine, error));
    return rank->engine->ops->encode(rank->engine, true, error);
}

static fr_status decode(void *user, bench_rank *rank, fr_error *error) {
    (void)user;
    return rank->engine->ops->apply(rank->engine, FR_UPDATE_TOTAL_LEVELS, error);
}

/* Numbers between integers, so that all are rounded, by a draw each. */
static fr_status fill(bench_rank *rank, fr_engine *engine, fr_error *error) {
    const bench_known known = bench_known_of(rank->plan);
    int64_t d = rank->plan->features;
    size_t size = fr_precision_bytes(rank->plan->precision);
    FR_OWNED char *vector = NULL;
    FR_TRY(fr_allocate((void **)&vector, d, size, "a vector", error));
    for (int64_t j = 0; j < d; j++) {
        double value = bench_known_value(&known, rank->rank, j) + 1.0 / (double)(3 + j % 7);
        if (size == 4) ((float *)(void *)vector)[j] = (float)value;
        else ((double *)(void *)vector)[j] = value;
    }
    return engine->ops->write(engine, engine->buffers.values, vector, (size_t)d * size, error);
}

/* Levels of the engine against those of one thread of a CPU: they are equal, or wrong. */
static fr_status check_levels(bench_rank *rank, fr_engine *reference, bench_row *row, fr_error *error) {
    int64_t d = rank->plan->features;
    FR_OWNED int8_t *found = NULL;
    FR_TRY(fr_allocate((void **)&found, d, 1, "levels", error));
    FR_TRY(bench_load(rank, 0, error));
    FR_TRY(encode(NULL, rank, error));
    FR_TRY(rank->engine->ops->read(rank->engine, found, rank->engine->buffers.levels, (size_t)d, error));
    FR_TRY(reference->ops->load(reference, &rank->state, error));
    FR_TRY(fill(rank, reference, error));
    double began = fr_seconds();
    FR_TRY(reference->ops->norm(reference, error));
    FR_TRY(reference->ops->encode(reference, true, error));
    row->reference = 1e6 * (fr_seconds() - began);
    for (int64_t j = 0; j < d; j++) {
        double expected = reference->buffers.levels[j];
        if (found[j] == expected) continue;
        if (row->wrong++ == 0) row->place = (bench_place){rank->rank, 0, j, expected, found[j]};
    }
    return FR_OK;
}

/* After i updates from zero weights by own levels alone, w = -i v. */
static fr_status check_weights(bench_rank *rank, fr_engine *reference, bench_row *row, fr_error *error) {
    const bench_known known = bench_known_of(rank->plan);
    FR_TRY(bench_store(rank, error));
    double before = (double)(rank->state.step - 1);
    for (int64_t j = 0; j < known.features; j++) {
        double expected = bench_known_value(&known, rank->engine->config.first_worker, j);
        double found = -rank->state.weights[j] - before * expected;
        if (found == expected) continue;
        if (row->wrong++ == 0) row->place = (bench_place){rank->rank, rank->state.step, j, expected, found};
    }
    FR_TRY(bench_known_fill(&known, &(bench_rank){.plan = rank->plan, .engine = reference}, error));
    FR_TRY(reference->ops->norm(reference, error));
    FR_TRY(reference->ops->encode(reference, true, error));
    FR_TRY(reference->ops->total(reference, error));
    double began = fr_seconds();
    FR_TRY(reference->ops->apply(reference, FR_UPDATE_TOTAL_LEVELS, error));
    row->reference = 1e6 * (fr_seconds() - began);
    return FR_OK;
}

static fr_status prepare(const job *j, bench_rank *rank, fr_error *error) {
    const bench_known known = bench_known_of(rank->plan);
    memset(rank->state.weights, 0, (size_t)rank->plan->features * sizeof(double));
    FR_TRY(bench_load(rank, 0, error));
    if (!j->decodes) return fill(rank, rank->engine, error);
    FR_TRY(bench_known_fill(&known, rank, error));
    FR_TRY(encode(NULL, rank, error));
    return rank->engine->ops->total(rank->engine, error);
}

static fr_status check(const job *j, bench_rank *rank, bench_row *row, fr_error *error) {
    fr_engine *reference = NULL;
    fr_status status = bench_reference_create(rank, &reference, error);
    for (int i = 0; i < (j->decodes ? 1 : j->results->settings.checks) && status == FR_OK; i++)
        status = j->decodes ? check_weights(rank, reference, row, error) : check_levels(rank, reference, row, error);
    fr_engine_free(reference);
    return status;
}

/* ---------------------------------------------------------------------------------------- by the wire */

static fr_status write_bytes(void *user, bench_rank *rank, fr_error *error) {
    job *j = user;
    (void)error;
    j->length = fr_wire_encode(j->wire, j->from, rank->plan->features, j->levels, j->bytes);
    return FR_OK;
}

static fr_status read_bytes(void *user, bench_rank *rank, fr_error *error) {
    job *j = user;
    return fr_wire_decode(j->wire, j->bytes, j->length, rank->plan->features, j->levels, j->to, error);
}

static fr_status time_wire(job *j, bench_rank *rank, bench_times *times, bench_row *row, fr_error *error) {
    int64_t d = rank->plan->features;
    bench_known known = {.features = d, .workers = rank->ranks, .most = j->levels};
    FR_OWNED int8_t *from = NULL, *to = NULL;
    FR_OWNED uint8_t *bytes = NULL;
    FR_TRY(fr_allocate((void **)&from, d, 1, "levels", error));
    FR_TRY(fr_allocate((void **)&to, d, 1, "levels", error));
    FR_TRY(fr_allocate((void **)&bytes, (int64_t)fr_wire_most(j->wire, d, j->levels), 1, "coded levels", error));
    j->from = from, j->to = to, j->bytes = bytes;
    for (int64_t i = 0; i < d; i++) from[i] = (int8_t)bench_known_value(&known, rank->rank, i);
    FR_TRY(write_bytes(j, rank, error));
    FR_TRY(bench_time(rank, &j->results->settings, j->decodes ? read_bytes : write_bytes, j, times, error));
    FR_TRY(read_bytes(j, rank, error));
    for (int64_t i = 0; i < d; i++)
        if (to[i] != from[i] && row->wrong++ == 0) row->place = (bench_place){rank->rank, 0, i, from[i], to[i]};
    row->size = (double)d + (double)j->length;
    return FR_OK;
}

/* -------------------------------------------------------------------------------------------- rows */

static fr_status join(bench_rank *rank, bench_row *row, fr_error *error) {
    bench_verdict verdict = {row->wrong, row->place};
    FR_OWNED double *all = NULL;
    FR_TRY(fr_allocate((void **)&all, rank->ranks, sizeof *all, "the ranks' times", error));
    FR_TRY(bench_verdict_gather(rank, &verdict, error));
    FR_TRY(rank->comm->ops->gather_host(rank->comm, &row->reference, sizeof row->reference, all, error));
    row->wrong = verdict.wrong, row->place = verdict.place;
    for (int r = 0; r < rank->ranks; r++) row->reference = fmax(row->reference, all[r]);
    return FR_OK;
}

static fr_status measure(void *user, bench_rank *rank, fr_error *error) {
    job own = *(job *)user, *j = user; /* ranks of one process write each their own */
    double real = (double)fr_precision_bytes(rank->plan->precision), d = (double)rank->plan->features;
    bench_row row = bench_row_of(own.decodes ? "decode" : "encode");
    bench_times times;
    if (own.wire == FR_WIRE_INT8) {
        FR_TRY(prepare(&own, rank, error));
        FR_TRY(bench_time(rank, &own.results->settings, own.decodes ? decode : encode, NULL, &times, error));
        FR_TRY(check(&own, rank, &row, error));
        row.size = d * (own.decodes ? 17 + (real == 4 ? 4 : 0) : real + 1);
    } else {
        FR_TRY(time_wire(&own, rank, &times, &row, error));
    }
    FR_TRY(join(rank, &row, error));
    row.wire = fr_wire_name(own.wire), row.levels = own.levels, row.count = rank->plan->features;
    row.us = 1e6 * times.median, row.us_p99 = 1e6 * times.p99, row.runs = times.runs, row.slowest = times.slowest;
    row.units = rank->ranks;
    row.algbw = 1e-3 * row.size / row.us, row.share = 1e9 * row.algbw / own.results->bandwidth;
    if (rank->first) j->row = row;
    return FR_OK;
}

static fr_status run(bench_results *results, bool decodes, fr_error *error) {
    const bench_settings *settings = &results->settings;
    bench_problem problem = bench_problem_of(settings);
    int workers, ranks;
    FR_TRY(bench_bandwidth(results, error));
    FR_TRY(bench_rig_count(settings, &problem, &workers, &ranks, error));
    bench_sizes sizes = bench_sizes_of(settings, 1000, 1000000, settings->all ? 1000 : 10);
    problem.workers = ranks, problem.scale = FR_SCALE_MAX, problem.host_rows = true;
    if (ranks > 127) problem.collective = FR_COLLECTIVE_TWO_PHASE; /* of int8 sums so many are too many */
    while (bench_sizes_next(&sizes))
        for (fr_wire wire = FR_WIRE_INT8; wire <= FR_WIRE_ELIAS; wire++) {
            bool coded = wire != FR_WIRE_INT8;
            if (coded && problem.gpus > 0) break; /* GPUs send int8 levels */
            job j = {.results = results, .decodes = decodes, .wire = wire, .levels = FEW_LEVELS};
            problem.features = sizes.at, problem.levels = bench_known_levels(ranks < 127 ? 127 / ranks : 1);
            if (!coded) j.levels = problem.levels;
            FR_TRY(bench_rig_run(settings, &problem, NULL, measure, &j, error));
            FR_TRY(bench_add(results, &j.row, error));
        }
    return FR_OK;
}

fr_status bench_encode(bench_results *results, fr_error *error) { return run(results, false, error); }
fr_status bench_decode(bench_results *results, fr_error *error) { return run(results, true, error); }
