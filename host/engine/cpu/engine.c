/*
 * engine.c - the compute seam on a CPU: a team of threads over the vector loops of simd/kernels.c.
 *
 * It owns the weights in double (a float copy feeds the float loops), the sums of the lanes and the buffers. Here stand
 * the object itself, its state, and decode and apply; see engine/cpu/parts.h for the rest.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/cpu/parts.h"
#include "kernels/rules/bf16.h"
#include "kernels/rules/fields.h"
#include "plan/collective.h"

/* ------------------------------------------------------------------------------------------ apply */

/* Columns first .. first + count - 1 of g, the decoded mean over the K workers (kernels/rules/update.h). Workers are
 * added in order, each in double, as kernels/apply.cu does: the same levels and scales give the same bits there. */
static void decode(const cpu_engine *e, fr_update update, int64_t first, int64_t count, double *mean) {
    const fr_plan *plan = e->base.config.plan;
    const fr_buffers *b = &e->base.buffers;
    const fr_bf16 *rounded = b->total_bf16;
    int64_t d = plan->features;
    double workers = plan->workers, s = plan->levels;
    double shared = plan->levels ? get(e, b->shared_scale, 0) / (s * workers) : 0;
    memset(mean, 0, (size_t)count * sizeof *mean);
    switch (update) {
    case FR_UPDATE_TOTAL_VALUES:
        for (int64_t j = 0; j < count; j++) mean[j] = get(e, b->total_values, first + j) / workers;
        break;
    case FR_UPDATE_TOTAL_BF16:
        for (int64_t j = 0; j < count; j++) mean[j] = (double)fr_bf16_widen(rounded[first + j]) / workers;
        break;
    case FR_UPDATE_TOTAL_LEVELS:
        for (int64_t j = 0; j < count; j++) mean[j] = shared * b->total_levels[first + j];
        break;
    case FR_UPDATE_TOTAL_FIELDS: {
        int bits = fr_summed_field_bits(plan), most = plan->workers * plan->levels;
        for (int64_t j = 0; j < count; j++)
            mean[j] = shared * ((int)fr_field_at(b->total_fields, bits, first + j) - most);
        break;
    }
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
            fr_range slice = fr_slice_of_workers(plan, (fr_range){k, 1});
            double unit = shared * (get(e, b->slice_scales, k) / s);
            int64_t from = slice.first < first ? first : slice.first, end = slice.first + slice.count;
            for (int64_t j = from; j < end && j < first + count; j++) mean[j - first] = unit * b->slice_levels[j];
        }
        break;
    case FR_UPDATE_MODEL: break; /* 0: the weights have moved */
    }
}

typedef struct application {
    cpu_engine *engine;
    fr_update update;
    double eta;
    bool averages;
} application;

static void apply_item(void *context, int64_t tile, int thread) {
    const application *how = context;
    cpu_engine *e = how->engine;
    fr_range columns = tile_of(e, APPLY_COLUMNS, tile);
    double mean[APPLY_COLUMNS];
    (void)thread;
    decode(e, how->update, columns.first, columns.count, mean);
    for (int64_t i = 0; i < columns.count; i++) {
        int64_t j = columns.first + i;
        if (how->update != FR_UPDATE_MODEL) {
            double v = e->weights[j] - how->eta * mean[i];
            e->weights[j] = e->momentum > 0 ? v + e->momentum * (v - e->average[j]) : v;
            if (e->momentum > 0) e->average[j] = v;
        }
        if (how->averages) e->average[j] += (e->weights[j] - e->average[j]) / (double)e->averaged;
        if (e->weights_real != e->weights) put(e, e->weights_real, j, e->weights[j]);
    }
}

static fr_status cpu_apply(fr_engine *engine, fr_update update, fr_error *error) {
    cpu_engine *e = of(engine);
    application how = {e, update, fr_step_at(e->steps, e->step), e->step >= e->average_from};
    (void)error;
    if (how.averages) e->averaged++;
    fr_team_run(e->team, tiles(e, APPLY_COLUMNS), apply_item, &how);
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
    e->draws = !fr_is_full_step(engine->config.plan, state->step);
    e->steps = fr_steps_from(engine->config.plan, state);
    e->average_from = fr_average_from(engine->config.plan, state->step);
    e->momentum = fr_momentum_from(engine->config.plan, state->step);
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

/* --------------------------------------------------------------------------------- create, destroy */

static fr_status take_host(void *user, void **memory, int64_t count, size_t size, const char *what, fr_error *error) {
    (void)user;
    return fr_allocate(memory, count, size, what, error);
}

static void cpu_destroy(fr_engine *engine) {
    cpu_engine *e = of(engine);
    fr_team_free(e->team);
    fr_memory_free(&engine->memory);
    free(e);
}

static fr_status make_weights(cpu_engine *e, fr_error *error) {
    fr_memory *memory = &e->base.memory;
    int64_t d = e->base.config.plan->features;
    FR_TRY(fr_memory_take(memory, &e->weights, d, sizeof(double), "weights", error));
    FR_TRY(fr_memory_take(memory, &e->average, d, sizeof(double), "the average of weights", error));
    e->weights_real = e->base.buffers.model = e->weights;
    return e->real == 4 ? fr_memory_take(memory, &e->weights_real, d, e->real, "weights", error) : FR_OK;
}

/* The lanes of a step and of a survey, and memory for the more of them. */
static fr_status make_lanes(cpu_engine *e, fr_error *error) {
    fr_memory *memory = &e->base.memory;
    int64_t d = e->base.config.plan->features;
    FR_TRY(fr_cpu_cut_lanes(e, true, &e->drawn, error));
    FR_TRY(fr_cpu_cut_lanes(e, false, &e->full, error));
    int64_t lanes = e->drawn.count > e->full.count ? e->drawn.count : e->full.count;
    FR_TRY(fr_memory_take(memory, &e->lane_sums, lanes * d, sizeof(double), "sums of lanes", error));
    FR_TRY(fr_memory_take(memory, &e->lane_scalars, lanes, sizeof(fr_row_sums), "sums of lanes", error));
    FR_TRY(fr_memory_take(memory, &e->lane_reads, lanes, sizeof(int64_t), "sums of lanes", error));
    return fr_memory_take(memory, &e->scratch, (int64_t)e->threads * d, e->real, "sums of threads", error);
}

static fr_status make_engine(cpu_engine *e, fr_error *error) {
    const fr_engine_config *config = &e->base.config;
    FR_TRY(make_weights(e, error));
    FR_TRY(fr_dataset_holds(config->data, fr_engine_rows(&e->base), error));
    FR_TRY(fr_team_create(e->threads, &e->team, error));
    FR_TRY(make_lanes(e, error));
    FR_TRY(fr_cpu_idle_create(e, error));
    return fr_buffers_make(config->plan, fr_engine_workers(&e->base), false, &e->base.memory, &e->base.buffers, error);
}

fr_status fr_engine_cpu_create(const fr_engine_config *config, fr_engine **engine, fr_error *error) {
    static const fr_engine_ops ops = {
        .name = "cpu",
        .probe_every = 1,
        .destroy = cpu_destroy,
        .survey = fr_cpu_survey,
        .load = cpu_load,
        .store = cpu_store,
        .probe = fr_cpu_probe,
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
    FR_TRY(fr_allocate((void **)&e, 1, sizeof *e, "the engine", error));
    e->base.ops = &ops;
    e->base.config = *config;
    e->base.memory = (fr_memory){.allocate = take_host, .release = free};
    e->kernels = fr_cpu_kernels_for(config->plan->precision);
    e->real = fr_precision_bytes(config->plan->precision);
    e->threads = config->threads < 1 ? 1 : config->threads;
    fr_status status = make_engine(e, error);
    if (status == FR_OK) *engine = &e->base;
    else cpu_destroy(&e->base);
    return status;
}
