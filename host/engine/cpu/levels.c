/*
 * levels.c - from gradients to levels and back to sums, on the CPU engine: norms, Q_s, the exact sum of
 * workers, and the slices of two-phase with their second rounding.
 */
#include <math.h>
#include <string.h>

#include "engine/cpu/parts.h"
#include "kernels/rules/fields.h"
#include "plan/collective.h"
#include "simd/quantize.h"

enum { ENCODE_COLUMNS = 4096 }; /* columns of one item of work; a multiple of 64, as the loops want */
enum { FIELD_COLUMNS = 1024 };  /* and whole words */

/* ---------------------------------------------------------------------------------------- levels */

static void norm_item(void *context, int64_t k, int thread) {
    cpu_engine *e = context;
    fr_buffers *b = &e->base.buffers;
    const fr_plan *plan = e->base.config.plan;
    (void)thread;
    put(e, b->scales, k, fr_norm(e->kernels, at(e, b->values, k * plan->features), plan->features, plan->scale));
}

fr_status fr_cpu_norm(fr_engine *engine, fr_error *error) {
    cpu_engine *e = of(engine);
    fr_buffers *b = &engine->buffers;
    double most = 0;
    (void)error;
    fr_team_run(e->team, engine->config.worker_count, norm_item, e);
    for (int k = 0; k < engine->config.worker_count; k++) {
        double norm = get(e, b->scales, k);
        if (!(norm <= most)) most = norm; /* a NaN is taken */
        if (isnan(norm)) break;
    }
    put(e, b->shared_scale, 0, most);
    return FR_OK;
}

typedef struct encoding {
    cpu_engine *engine;
    bool shared; /* under the shared scale, else each worker's own */
} encoding;

static void encode_item(void *context, int64_t item, int thread) {
    const encoding *how = context;
    cpu_engine *e = how->engine;
    const fr_plan *plan = e->base.config.plan;
    fr_buffers *b = &e->base.buffers;
    int64_t d = plan->features, k = item / tiles(e, ENCODE_COLUMNS);
    fr_range columns = tile_of(e, ENCODE_COLUMNS, item % tiles(e, ENCODE_COLUMNS));
    double norm = how->shared ? get(e, b->shared_scale, 0) : get(e, b->scales, k);
    uint64_t q = fr_sequence(FR_STREAM_ROUND, (uint32_t)e->run, (uint32_t)(e->base.config.first_worker + k));
    (void)thread;
    if (norm > 0)
        e->kernels->encode(at(e, b->values, k * d), columns.first, columns.count, norm, plan->levels, plan->seed, q,
                           fr_word_of_step((uint64_t)e->step), b->levels + k * d);
    else /* Q(0) = 0; a NaN scale makes the weights NaN in apply */
        memset(b->levels + k * d + columns.first, 0, (size_t)columns.count);
}

fr_status fr_cpu_encode(fr_engine *engine, bool shared, fr_error *error) {
    encoding how = {of(engine), shared};
    (void)error;
    fr_team_run(how.engine->team, engine->config.worker_count * tiles(how.engine, ENCODE_COLUMNS), encode_item, &how);
    return FR_OK;
}

/* The sum over own workers, W s up, as fields of words. */
static void total_fields_item(void *context, int64_t item, int thread) {
    cpu_engine *e = context;
    const fr_plan *plan = e->base.config.plan;
    fr_buffers *b = &e->base.buffers;
    int workers = e->base.config.worker_count, bits = fr_summed_field_bits(plan), each = (int)fr_fields_a_word(bits);
    fr_range columns = tile_of(e, FIELD_COLUMNS, item);
    uint32_t sum[FIELD_COLUMNS] = {0}, *words = b->total_fields + columns.first / each;
    (void)thread;
    for (int64_t j = 0; j < columns.count; j++) sum[j] = (uint32_t)(workers * plan->levels);
    for (int k = 0; k < workers; k++)
        for (int64_t j = 0; j < columns.count; j++) sum[j] += (uint32_t)b->levels[k * plan->features + columns.first + j];
    for (int64_t w = 0; w < fr_field_words(columns.count, bits); w++) {
        words[w] = 0;
        for (int i = 0; i < each; i++) words[w] |= sum[w * each + i] << (i * bits);
    }
}

fr_status fr_cpu_total(fr_engine *engine, fr_error *error) {
    cpu_engine *e = of(engine);
    fr_buffers *b = &engine->buffers;
    int64_t d = engine->config.plan->features;
    int workers = engine->config.worker_count;
    (void)error;
    if (b->total_fields) {
        fr_team_run(e->team, tiles(e, FIELD_COLUMNS), total_fields_item, e);
        return FR_OK;
    }
    if (engine->config.plan->levels) {
        if (b->total_levels == b->levels) return FR_OK; /* of a worker alone */
        memcpy(b->total_levels, b->levels, (size_t)d);
        for (int k = 1; k < workers; k++) /* at most 127 in size, as allreduce and fr_is_hierarchical check */
            for (int64_t j = 0; j < d; j++) b->total_levels[j] = (int8_t)(b->total_levels[j] + b->levels[k * d + j]);
        return FR_OK;
    }
    for (int64_t j = 0; j < d; j++) {
        double sum = 0;
        for (int k = 0; k < workers; k++) sum += get(e, b->values, k * d + j);
        put(e, b->total_values, j, sum);
    }
    return FR_OK;
}

/* -------------------------------------------------------------------------------------- two-phase */

fr_status fr_cpu_pack(fr_engine *engine, fr_error *error) {
    cpu_engine *e = of(engine);
    const fr_plan *plan = engine->config.plan;
    fr_buffers *b = &engine->buffers;
    int each = engine->config.worker_count, ranks = plan->workers / each;
    size_t size = plan->levels ? 1 : e->real;
    const char *from = plan->levels ? (const char *)b->levels : (const char *)b->values;
    char *to = b->outgoing;
    (void)error;
    if (from == to) return FR_OK; /* one rank: already in place */
    for (int r = 0; r < ranks; r++) {
        fr_range slice = fr_slice_of_workers(plan, (fr_range){r * each, each});
        size_t bytes = (size_t)slice.count * size;
        for (int k = 0; k < each; k++, to += bytes)
            memcpy(to, from + (size_t)(k * plan->features + slice.first) * size, bytes);
    }
    return FR_OK;
}

/* Slices to be rounded once more: those of `workers`, as sums of `count` vectors of levels over their columns. */
typedef struct requantization {
    cpu_engine *engine;
    fr_range workers;
    const int8_t *incoming;
    int count;
    int8_t *levels;
    void *scales;
} requantization;

/* The exact sum of one slice's levels, rounded to s levels of its own scale. */
static void requantize_item(void *context, int64_t k, int thread) {
    const requantization *r = context;
    cpu_engine *e = r->engine;
    const fr_plan *plan = e->base.config.plan;
    int64_t worker = r->workers.first + k;
    fr_range all = fr_slice_of_workers(plan, r->workers), slice = fr_slice_of_workers(plan, (fr_range){worker, 1});
    int64_t first = slice.first - all.first, count = slice.count;
    (void)thread;
    double *sums = e->lane_sums + first; /* free between two gradients, and at least d long */
    const fr_cpu_kernels *kernels = fr_cpu_kernels_for(FR_F64);
    for (int64_t j = 0; j < count; j++) {
        int32_t sum = 0;
        for (int w = 0; w < r->count; w++) sum += r->incoming[w * all.count + first + j];
        sums[j] = sum;
    }
    double norm = count ? fr_norm(kernels, sums, count, plan->scale) : 0;
    put(e, r->scales, k, norm);
    norm = get(e, r->scales, k); /* as it travels */
    if (norm > 0)
        kernels->encode(sums, 0, count, norm, plan->levels, plan->seed,
                        fr_sequence(FR_STREAM_REROUND, (uint32_t)e->run, (uint32_t)worker),
                        fr_word_of_step((uint64_t)e->step), r->levels + first);
    else
        memset(r->levels + first, 0, (size_t)count);
}

fr_status fr_cpu_requantize_slices(fr_engine *engine, int first, int slices, const int8_t *incoming, int count,
                                   int8_t *levels, void *scales, fr_error *error) {
    requantization how = {of(engine), {first, slices}, incoming, count, levels, scales};
    (void)error;
    fr_team_run(how.engine->team, slices, requantize_item, &how);
    return FR_OK;
}

fr_status fr_cpu_requantize(fr_engine *engine, fr_error *error) {
    cpu_engine *e = of(engine);
    const fr_plan *plan = engine->config.plan;
    fr_buffers *b = &engine->buffers;
    int64_t width = fr_engine_slice(engine).count;
    if (plan->levels == 0) { /* workers in order, in double */
        for (int64_t j = 0; j < width; j++) {
            double sum = 0;
            for (int w = 0; w < plan->workers; w++) sum += get(e, b->incoming, w * width + j);
            put(e, b->own_values, j, sum);
        }
        return FR_OK;
    }
    return fr_cpu_requantize_slices(engine, engine->config.first_worker, engine->config.worker_count, b->incoming,
                                    plan->workers, b->own_slice, b->own_slice_scales, error);
}
