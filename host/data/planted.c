/*
 * planted.c - the planted model: x_ij ~ N(0, 1), w*_j ~ N(200, 3), y_i = max(0, <w*, x_i>) + sigma N(0, 1).
 *
 * Element (i, j) is word i d4 + j of the stream of rows, d4 being d rounded up to four, so that any rank makes just
 * the rows it holds. Features are float values in either precision: float and double fits see the same problem.
 */
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/threads.h"
#include "simd/kernels.h"
#include "kernels/rules/philox.h"
#include "data/planted.h"

static const double PLANTED_MEAN = 200, PLANTED_VARIANCE = 3;

fr_status fr_planted_check(const fr_planted *planted, fr_precision precision, int ranks, fr_error *error) {
    int64_t cells, rows = planted->samples / ranks + (planted->samples % ranks != 0);
    if (__builtin_mul_overflow(rows, planted->features, &cells))
        return fr_fail(error, FR_ERROR, "planted: %lld rows of %lld features are more than can be counted", (long long)rows,
                       (long long)planted->features);
    return fr_memory_check(cells, fr_precision_bytes(precision), "the planted rows", error);
}

fr_status fr_dataset_generate(const fr_planted *planted, fr_precision precision, fr_dataset **dataset,
                              fr_error *error) {
    fr_dataset *set = NULL;
    const fr_cpu_kernels *kernels = fr_cpu_kernels_for(FR_F64);
    if (planted->samples < 1 || planted->features < 1)
        return fr_fail(error, FR_ERROR_USAGE, "--samples is %lld and --features %lld; both must be 1 or more",
                       (long long)planted->samples, (long long)planted->features);
    if (!(planted->noise >= 0) || isinf(planted->noise))
        return fr_fail(error, FR_ERROR_USAGE, "--noise is %g; it must be 0 or more", planted->noise);
    fr_status status = fr_allocate((void **)&set, 1, sizeof *set, "a data set", error);
    if (status != FR_OK) return status;
    status = fr_allocate((void **)&set->planted, planted->features, sizeof(double), "the planted weights", error);
    if (status != FR_OK) goto fail;
    set->source = strdup("planted");
    if (!set->source) {
        status = fr_fail(error, FR_ERROR, "out of memory for a data set");
        goto fail;
    }
    set->samples = planted->samples;
    set->features = set->stride = planted->features;
    set->precision = precision;
    set->is_planted = true;
    set->recipe = *planted;
    uint64_t recipe[4] = {(uint64_t)planted->samples, (uint64_t)planted->features, 0, planted->seed};
    memcpy(&recipe[2], &planted->noise, sizeof recipe[2]);
    set->fingerprint = set->content = fr_checksum(recipe, sizeof recipe);
    kernels->normals(set->planted, set->features, planted->seed, fr_sequence(FR_STREAM_PLANTED, 0, 0), 0);
    for (int64_t j = 0; j < set->features; j++)
        set->planted[j] = PLANTED_MEAN + sqrt(PLANTED_VARIANCE) * set->planted[j];
    *dataset = set;
    return FR_OK;
fail:
    fr_dataset_free(set);
    return status;
}

static void plant_row(fr_dataset *set, const fr_cpu_kernels *kernels, int64_t at) {
    int64_t d = set->features, row = set->first_row + at;
    uint64_t stride = ((uint64_t)d + 3) / 4 * 4, seed = set->recipe.seed;
    void *x = (char *)set->rows + (size_t)(at * d) * fr_precision_bytes(set->precision);
    kernels->normals(x, d, seed, fr_sequence(FR_STREAM_ROWS, 0, 0), (uint64_t)row * stride);
    double p = kernels->dot(x, set->planted, d), y = p > 0 ? p : 0;
    if (set->recipe.noise > 0) {
        double z;
        fr_cpu_kernels_for(FR_F64)->normals(&z, 1, seed, fr_sequence(FR_STREAM_NOISE, 0, 0), (uint64_t)row * 4);
        y += set->recipe.noise * z;
    }
    fr_dataset_put_label(set, at, y);
}

static void free_rows(fr_dataset *set) {
    free(set->rows);
    free(set->labels);
    set->rows = set->labels = NULL;
    set->local_rows = 0;
}

/* How far the threads are, together. */
typedef struct planting {
    fr_dataset *set;
    const fr_cpu_kernels *kernels;
    int64_t count, made;
    bool stopped;
} planting;

/* One thread's rows, which lie together so that their pages are near it: some tens of milliseconds' worth at a time, so
 * that whoever watches is asked in between, by one thread. */
static void plant_part(planting *p, fr_range own, bool asks) {
    enum { CELLS_AT_ONCE = 1 << 21 };
    const int64_t most = 1 + CELLS_AT_ONCE / p->set->features, end = own.first + own.count;
    bool stopped = false;
    for (int64_t from = own.first; from < end && !stopped; from += most) {
        int64_t until = end - from < most ? end : from + most, made;
        for (int64_t at = from; at < until; at++) plant_row(p->set, p->kernels, at);
#pragma omp atomic capture
        made = p->made += until - from;
        if (asks && made < p->count && p->set->watch && p->set->watch(made, p->count, p->set->watch_user) != 0) {
#pragma omp atomic write
            p->stopped = true;
        }
#pragma omp atomic read
        stopped = p->stopped;
    }
}

static fr_status plant_rows(fr_dataset *set, int64_t count, fr_error *error) {
    planting p = {set, fr_cpu_kernels_for(set->precision), count, 0, false};
#pragma omp parallel num_threads(fr_loop_threads())
    plant_part(&p, fr_split_range(count, omp_get_num_threads(), (fr_range){omp_get_thread_num(), 1}),
               omp_get_thread_num() == 0);
    if (!p.stopped && set->watch) p.stopped = set->watch(count, count, set->watch_user) != 0;
    if (!p.stopped) return FR_OK;
    free_rows(set);
    return fr_fail(error, FR_ERROR, "stopped when %lld of %lld planted rows were made", (long long)p.made, (long long)count);
}

fr_status fr_dataset_materialize(fr_dataset *set, int64_t first, int64_t count, fr_error *error) {
    if (set->rows && set->first_row == first && set->local_rows == count) return FR_OK;
    size_t size = fr_precision_bytes(set->precision);
    int64_t cells;
    free_rows(set);
    if (__builtin_mul_overflow(count, set->features, &cells)) cells = INT64_MAX;
    fr_status status = fr_allocate_unset(&set->rows, cells, size, "the planted rows", error);
    if (status != FR_OK) return status;
    status = fr_allocate(&set->labels, count, size, "the planted labels", error);
    if (status != FR_OK) return status;
    set->first_row = first;
    set->local_rows = count;
    return plant_rows(set, count, error);
}

fr_status fr_planted_rows(const fr_dataset *set, fr_range these, void *rows, void *labels, fr_error *error) {
    fr_dataset made = *set;
    made.rows = rows;
    made.labels = labels;
    made.first_row = these.first;
    made.local_rows = these.count;
    made.watch = NULL; /* who could stop it, and the memory with it */
    return plant_rows(&made, these.count, error);
}
