/*
 * reference.c - see reference.h.
 */
#include "bench/reference.h"

#include <math.h>
#include <unistd.h>

#include "bench/timing.h"

static double real_at(const void *vector, int64_t i, fr_precision precision) {
    return precision == FR_F32 ? (double)((const float *)vector)[i] : ((const double *)vector)[i];
}

bench_distance bench_distance_of(const void *found, const void *expected, int64_t count, fr_precision precision,
                                 double allowed) {
    bench_distance d = {.place = {.rank = -1}};
    double most = 0, off = 0, norm = 0;
    if (count == 0 || memcmp(found, expected, (size_t)count * fr_precision_bytes(precision)) == 0) return d;
    for (int64_t i = 0; i < count; i++) most = fmax(most, fabs(real_at(expected, i, precision)));
    for (int64_t i = 0; i < count; i++) {
        double e = real_at(expected, i, precision), f = real_at(found, i, precision);
        off += (f - e) * (f - e), norm += e * e;
        if (fabs(f - e) <= allowed * most) continue; /* what is no number is wrong */
        if (d.wrong++ == 0) d.place = (bench_place){.coordinate = i, .expected = e, .found = f};
    }
    d.error = norm > 0 ? sqrt(off / norm) : off > 0 ? INFINITY : 0;
    return d;
}

double bench_allowed(fr_precision precision, fr_storage storage) {
    if (storage == FR_STORAGE_BF16) return 0.02;
    return precision == FR_F32 ? 1e-4 : 1e-10;
}

fr_status bench_reference_create(const bench_rank *rank, fr_engine **engine, fr_error *error) {
    fr_engine_config config = rank->engine->config;
    config.threads = 1, config.device = -1;
    return fr_engine_cpu_create(&config, engine, error);
}

/* ---------------------------------------------------------------------------------------- bandwidth */

int64_t bench_cache(void) {
#ifdef _SC_LEVEL3_CACHE_SIZE
    long third = sysconf(_SC_LEVEL3_CACHE_SIZE), second = sysconf(_SC_LEVEL2_CACHE_SIZE);
    return third > 0 ? third : second > 0 ? second : 0;
#else
    return 0;
#endif
}

int64_t bench_working_set(const bench_settings *settings) {
    const int64_t columns = 1000;
    if (settings->samples > 0) return settings->samples * columns * (int64_t)fr_precision_bytes(settings->precision);
    double least = 64e6, most = settings->all ? 256e6 : 512e6;
    return (int64_t)fmax(least, fmin(most, 4.0 * (double)bench_cache()));
}

enum { STREAMS = 7 };

typedef struct stream_job {
    const bench_settings *settings;
    bench_row row;
    double bandwidth;
} stream_job;

/* The least of all ranks' rates, each by its own median. */
static fr_status stream(void *user, bench_rank *rank, fr_error *error) {
    stream_job *job = user;
    double seconds[STREAMS], *sorted = seconds;
    size_t size = ((size_t)bench_working_set(job->settings) / FR_STREAM_BLOCK + 1) * FR_STREAM_BLOCK;
    FR_OWNED double *all = NULL;
    FR_TRY(fr_allocate((void **)&all, 2 * rank->ranks, sizeof *all, "the ranks' times", error));
    FR_TRY(rank->engine->ops->stream(rank->engine, size, STREAMS, seconds, error));
    double mine[2] = {bench_percentile(sorted, STREAMS, 50), bench_percentile(sorted, STREAMS, 99)};
    FR_TRY(rank->comm->ops->gather_host(rank->comm, mine, sizeof mine, all, error));
    bench_row row = bench_row_of("read");
    row.wire = "u64", row.size = (double)size, row.count = (int64_t)(size / 8), row.runs = STREAMS, row.units = rank->ranks;
    row.us = row.us_p99 = 0;
    for (int r = 0; r < rank->ranks; r++) {
        if (all[2 * r] * 1e6 > row.us) row.slowest = r;
        row.us = fmax(row.us, all[2 * r] * 1e6), row.us_p99 = fmax(row.us_p99, all[2 * r + 1] * 1e6);
    }
    row.algbw = 1e-3 * row.size / row.us, row.share = 1;
    if (!rank->first) return FR_OK;
    job->row = row, job->bandwidth = 1e9 * row.algbw;
    return FR_OK;
}

fr_status bench_bandwidth(bench_results *results, fr_error *error) {
    stream_job job = {.settings = &results->settings};
    bench_problem problem = bench_problem_of(&results->settings);
    if (results->bandwidth > 0) return FR_OK;
    problem.features = 64;
    FR_TRY(bench_rig_run(&results->settings, &problem, NULL, stream, &job, error));
    results->bandwidth = job.bandwidth;
    return bench_add(results, &job.row, error);
}
