/*
 * engine.c - the compute seam on a CPU: a team of threads over the vector loops of simd/kernels.c.
 *
 * It owns the weights in double (a float copy feeds the float loops), the sums of the lanes and the exchange
 * buffers. Here stand the object itself, its state, and decode and apply; see engine/cpu/parts.h for the rest.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/cpu/parts.h"
#include "plan/collective.h"

/* ------------------------------------------------------------------------------------------ apply */

/* The decoded mean over workers for columns first .. last - 1. */
static void decode(const cpu_engine *e, fr_update update, int64_t first, int64_t last, double *mean) {
    const fr_plan *plan = e->base.config.plan;
    const fr_buffers *b = &e->base.buffers;
    int64_t d = plan->features, count = last - first;
    double workers = plan->workers, s = plan->levels;
    double shared = plan->levels ? get(e, b->shared_scale, 0) / (s * workers) : 0;
    memset(mean, 0, (size_t)count * sizeof *mean);
    switch (update) {
    case FR_UPDATE_TOTAL_VALUES:
        for (int64_t j = 0; j < count; j++) mean[j] = get(e, b->total_values, first + j) / workers;
        break;
    case FR_UPDATE_TOTAL_LEVELS:
        for (int64_t j = 0; j < count; j++) mean[j] = shared * b->total_levels[first + j];
        break;
    case FR_UPDATE_ALL_VALUES:
        for (int k = 0; k < plan->workers; k++)
            for (int64_t j = 0; j < count; j++) mean[j] += get(e, b->all_values, k * d + first + j) / workers;
        break;
    case FR_UPDATE_ALL_LEVELS:
        for (int k = 0; k < plan->workers; k++) {
            double unit = get(e, b->all_scales, k) / (s * workers);
            for (int64_t j = 0; j < count; j++) mean[j] += unit * b->all_levels[k * d + first + j];
        }
        break;
    case FR_UPDATE_SLICE_LEVELS:
        for (int k = 0; k < plan->workers; k++) {
            int64_t from = fr_slice_start(plan, k), to = fr_slice_start(plan, k + 1);
            double unit = shared * (get(e, b->slice_scales, k) / s);
            from = from < first ? first : from;
            for (int64_t j = from; j < to && j < last; j++) mean[j - first] = unit * b->slice_levels[j];
        }
        break;
    case FR_UPDATE_MODEL: break; /* nothing to decode: the step was made elsewhere */
    case FR_UPDATE_TOTAL_BF16: break; /* on GPUs alone, see solver/place.c */
    }
}

typedef struct application {
    cpu_engine *engine;
    fr_update update;
    double eta;
    bool averages;
} application;

static void apply_item(void *context, int64_t block, int thread) {
    const application *how = context;
    cpu_engine *e = how->engine;
    int64_t d = e->base.config.plan->features, first = block * APPLY_COLUMNS;
    int64_t last = first + APPLY_COLUMNS < d ? first + APPLY_COLUMNS : d;
    double mean[APPLY_COLUMNS];
    bool received = how->update == FR_UPDATE_MODEL;
    (void)thread;
    if (!received) decode(e, how->update, first, last, mean);
    for (int64_t j = first; j < last; j++) {
        if (!received) e->weights[j] -= how->eta * mean[j - first];
        if (how->averages) e->average[j] += (e->weights[j] - e->average[j]) / (double)e->averaged;
        if (e->weights_real != e->weights) put(e, e->weights_real, j, e->weights[j]);
    }
}

static fr_status cpu_apply(fr_engine *engine, fr_update update, fr_error *error) {
    cpu_engine *e = of(engine);
    const fr_plan *plan = engine->config.plan;
    application how = {e, update, fr_step_at(plan->steps, e->step), e->step >= plan->average_start};
    (void)error;
    if (how.averages) e->averaged++;
    fr_team_run(e->team, blocks_of(e, APPLY_COLUMNS), apply_item, &how);
    e->step++;
    return FR_OK;
}

/* ------------------------------------------------------------------------------------------ state */

static fr_status cpu_load(fr_engine *engine, const fr_state *state, fr_error *error) {
    cpu_engine *e = of(engine);
    size_t bytes = (size_t)engine->config.plan->features * sizeof(double);
    (void)error;
    e->step = state->step;
    e->run = state->run;
    e->averaged = state->averaged;
    memcpy(e->weights, state->weights, bytes);
    memcpy(e->average, state->average, bytes);
    if (e->weights_real != e->weights)
        for (int64_t j = 0; j < engine->config.plan->features; j++) put(e, e->weights_real, j, e->weights[j]);
    return FR_OK;
}

static fr_status cpu_store(fr_engine *engine, fr_state *state, fr_error *error) {
    cpu_engine *e = of(engine);
    size_t bytes = (size_t)engine->config.plan->features * sizeof(double);
    (void)error;
    state->step = e->step;
    state->run = e->run;
    state->averaged = e->averaged;
    memcpy(state->weights, e->weights, bytes);
    memcpy(state->average, e->average, bytes);
    return FR_OK;
}

static fr_status cpu_probe(fr_engine *engine, fr_probe *probe, fr_error *error) {
    (void)error;
    probe->batch_loss = of(engine)->batch_residual;
    return FR_OK;
}

/* --------------------------------------------------------------------------------- create, destroy */

static void free_table(lane_table *table) {
    free(table->lanes);
    free(table->start);
}

static void cpu_destroy(fr_engine *engine) {
    cpu_engine *e = of(engine);
    fr_buffers *b = &engine->buffers;
    if (b->outgoing != b->levels && b->outgoing != b->values) free(b->outgoing);
    if (b->incoming != b->levels && b->incoming != b->values) free(b->incoming);
    if (b->own_slice != b->slice_levels) free(b->own_slice);
    if (b->own_slice_scales != b->slice_scales) free(b->own_slice_scales);
    if (b->own_values != b->total_values) free(b->own_values);
    if (b->all_values != b->values) free(b->all_values);
    if (b->all_levels != b->levels) free(b->all_levels);
    if (b->all_scales != b->scales) free(b->all_scales);
    free(b->slice_levels);
    free(b->slice_scales);
    free(b->total_levels);
    free(b->total_values);
    free(b->shared_scale);
    free(b->scales);
    free(b->levels);
    free(b->values);
    if (e->weights_real != e->weights) free(e->weights_real);
    free(e->weights);
    free(e->average);
    free(e->lane_sums);
    free(e->lane_scalars);
    free(e->lane_reads);
    fr_cpu_idle_free(e);
    free(e->scratch);
    free_table(&e->drawn);
    free_table(&e->full);
    fr_team_free(e->team);
    free(e);
}

#define FR_NEED(pointer, count, size)                                                                       \
    do {                                                                                                    \
        fr_status need_status = fr_allocate((void **)&(pointer), (count), (size), "the engine", error);     \
        if (need_status != FR_OK) return need_status;                                                       \
    } while (0)

/* Where one engine holds all workers, what is gathered is what is here: those names share buffers. */
static fr_status make_buffers(cpu_engine *e, fr_error *error) {
    const fr_engine_config *config = &e->base.config;
    const fr_plan *plan = config->plan;
    fr_buffers *b = &e->base.buffers;
    int64_t d = plan->features, own = config->worker_count, all = plan->workers;
    int64_t width = fr_slice_start(plan, config->first_worker + config->worker_count) -
                    fr_slice_start(plan, config->first_worker);
    bool whole = own == all, quantized = plan->levels > 0;
    FR_NEED(b->values, own * d, e->real);
    FR_NEED(b->scales, own, e->real);
    FR_NEED(b->shared_scale, 1, e->real);
    FR_NEED(b->total_values, d, e->real);
    if (quantized) FR_NEED(b->levels, own * d, 1);
    switch (fr_collective_of(plan)->needs) {
    case FR_NEEDS_TOTAL:
        if (quantized) FR_NEED(b->total_levels, d, 1);
        break;
    case FR_NEEDS_SLICES:
        if (quantized) {
            FR_NEED(b->slice_levels, d, 1);
            FR_NEED(b->slice_scales, all, e->real);
        }
        b->outgoing = b->incoming = quantized ? (void *)b->levels : b->values;
        b->own_slice = b->slice_levels, b->own_slice_scales = b->slice_scales, b->own_values = b->total_values;
        if (whole) break;
        b->outgoing = b->incoming = b->own_slice_scales = b->own_values = NULL, b->own_slice = NULL;
        if (quantized) FR_NEED(b->total_levels, d, 1);
        FR_NEED(b->outgoing, own * d, quantized ? 1 : e->real);
        FR_NEED(b->incoming, all * width, quantized ? 1 : e->real);
        FR_NEED(b->own_values, width, e->real);
        FR_NEED(b->own_slice, width, 1);
        FR_NEED(b->own_slice_scales, own, e->real);
        break;
    default:
        if (whole) b->all_values = b->values, b->all_levels = b->levels, b->all_scales = b->scales;
        else if (plan->dedicated_master && own > 0) break; /* what others send goes to the master alone */
        else if (quantized) {
            FR_NEED(b->all_levels, all * d, 1);
            FR_NEED(b->all_scales, all, e->real);
        } else {
            FR_NEED(b->all_values, all * d, e->real);
        }
    }
    return FR_OK;
}

static fr_status make_engine(cpu_engine *e, fr_error *error) {
    const fr_plan *plan = e->base.config.plan;
    int64_t d = plan->features;
    FR_NEED(e->weights, d, sizeof(double));
    FR_NEED(e->average, d, sizeof(double));
    e->weights_real = e->base.buffers.model = e->weights;
    if (e->real == 4) {
        e->weights_real = NULL;
        FR_NEED(e->weights_real, d, e->real);
    }
    int64_t start = shard_start(e, 0);
    fr_range own = {start, shard_start(e, e->base.config.worker_count) - start};
    fr_status status = fr_dataset_holds(e->base.config.data, own, error);
    if (status == FR_OK) status = fr_team_create(e->threads, &e->team, error);
    if (status == FR_OK) status = fr_cpu_cut_lanes(e, true, &e->drawn, error);
    if (status == FR_OK) status = fr_cpu_cut_lanes(e, false, &e->full, error);
    if (status != FR_OK) return status;
    int lanes = e->drawn.count > e->full.count ? e->drawn.count : e->full.count;
    FR_NEED(e->lane_sums, (int64_t)lanes * d, sizeof(double));
    FR_NEED(e->lane_scalars, lanes, sizeof(fr_row_sums));
    FR_NEED(e->lane_reads, lanes, sizeof(int64_t));
    FR_NEED(e->scratch, (int64_t)e->threads * d, e->real);
    status = fr_cpu_idle_create(e, error);
    return status == FR_OK ? make_buffers(e, error) : status;
}

fr_status fr_engine_cpu_create(const fr_engine_config *config, fr_engine **engine, fr_error *error) {
    static const fr_engine_ops ops = {
        .name = "cpu",
        .probe_every = 1,
        .destroy = cpu_destroy,
        .survey = fr_cpu_survey,
        .load = cpu_load,
        .store = cpu_store,
        .probe = cpu_probe,
        .gradient = fr_cpu_gradient,
        .norm = fr_cpu_norm,
        .encode = fr_cpu_encode,
        .total = fr_cpu_total,
        .pack = fr_cpu_pack,
        .requantize = fr_cpu_requantize,
        .requantize_slices = fr_cpu_requantize_slices,
        .apply = cpu_apply,
    };
    cpu_engine *e = NULL;
    fr_status status = fr_allocate((void **)&e, 1, sizeof *e, "the engine", error);
    if (status != FR_OK) return status;
    e->base.ops = &ops;
    e->base.config = *config;
    e->kernels = fr_cpu_kernels_for(config->plan->precision);
    e->real = fr_precision_bytes(config->plan->precision);
    e->threads = config->threads < 1 ? 1 : config->threads;
    status = make_engine(e, error);
    if (status != FR_OK) {
        cpu_destroy(&e->base);
        return status;
    }
    *engine = &e->base;
    return FR_OK;
}
