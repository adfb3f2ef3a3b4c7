/*
 * engine.c - the compute seam on one NVIDIA GPU: every call enqueues kernels of kernels/ on one stream.
 *
 * It owns the rows of its workers (engine/cuda/memory.c) and everything a step reads and writes, all in device memory;
 * nothing is allocated or read back inside a step. The number of the step lives on the device and is moved on by
 * fr_launch_apply. Only survey, load, store and probe wait. A step is recorded once and then replayed
 * (engine/cuda/replay.c).
 *
 * Calls may come from any thread, one at a time; each makes the engine's device the current one.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/cuda/parts.h"

static fr_status checked(cuda_engine *e, cudaError_t code, const char *what, fr_error *error) {
    return code == cudaSuccess ? FR_OK : fr_cuda_fail(error, code, e->device, e->step, what);
}

fr_status fr_cuda_engine_wait(cuda_engine *e, const char *what, fr_error *error) {
    if (e->ranks.wait) {
        fr_status status = e->ranks.wait(e->ranks.user, e->step, error);
        if (status != FR_OK) return status;
    }
    FR_CUDA(cudaStreamSynchronize(e->stream), what);
    return FR_OK;
}

/* Waits first: a copy to ordinary host memory could not notice that the stream is stuck. */
fr_status fr_cuda_engine_fetch(cuda_engine *e, void *host, const void *from, size_t bytes, const char *what,
                               fr_error *error) {
    fr_status status = fr_cuda_engine_wait(e, what, error);
    if (status != FR_OK) return status;
    FR_CUDA(cudaMemcpyAsync(host, from, bytes, cudaMemcpyDeviceToHost, e->stream), what);
    FR_CUDA(cudaStreamSynchronize(e->stream), what);
    return FR_OK;
}

fr_status fr_cuda_engine_send(cuda_engine *e, void *to, const void *host, size_t bytes, const char *what,
                              fr_error *error) {
    FR_CUDA(cudaMemcpyAsync(to, host, bytes, cudaMemcpyHostToDevice, e->stream), what);
    FR_CUDA(cudaStreamSynchronize(e->stream), what);
    return FR_OK;
}

/* d doubles of the host as real, with the zeros of the stride behind them. */
static fr_status send_weights(cuda_engine *e, void *to, const double *weights, fr_error *error) {
    int64_t d = e->shard.features;
    void *copy = NULL;
    fr_status status = fr_allocate(&copy, e->shard.stride, e->real, "weights", error);
    if (status != FR_OK) return status;
    for (int64_t j = 0; j < d; j++)
        if (e->real == 4) ((float *)copy)[j] = (float)weights[j];
        else ((double *)copy)[j] = weights[j];
    status = fr_cuda_engine_send(e, to, copy, (size_t)e->shard.stride * e->real, "copying weights", error);
    free(copy);
    return status;
}

/* ------------------------------------------------------------------------------------------ survey */

static fr_status cuda_survey(fr_engine *engine, fr_pass pass, const double *weights, double *sums,
                             fr_row_sums *scalars, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    const fr_shard *shard = &e->shard;
    int lanes = shard->full_lanes;
    size_t scalar_count = (size_t)(shard->workers * lanes), cells = (size_t)(shard->workers * shard->features);
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    fr_status status = fr_cuda_engine_wait(e, "waiting", error);
    if (status == FR_OK && weights) status = send_weights(e, e->survey_weights, weights, error);
    if (status != FR_OK) return status;
    FR_CUDA(fr_launch_survey(shard, pass, e->survey_weights, e->lane_sums, e->survey_scalars, sums ? e->sums : NULL,
                             e->stream),
            "a pass over all rows");
    status = fr_cuda_engine_fetch(e, e->host_scalars, e->survey_scalars, scalar_count * sizeof *scalars,
                                  "a pass over all rows", error);
    if (status == FR_OK && sums)
        status = fr_cuda_engine_fetch(e, sums, e->sums, cells * sizeof *sums, "copying sums", error);
    for (int k = 0; status == FR_OK && k < shard->workers; k++) {
        fr_row_sums total = {0};
        for (int l = 0; l < lanes; l++) fr_row_sums_add(&total, &e->host_scalars[k * lanes + l]);
        scalars[k] = total;
    }
    return status;
}

/* ------------------------------------------------------------------------------------------- state */

static fr_status cuda_load(fr_engine *engine, const fr_state *state, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    size_t bytes = (size_t)e->shard.features * sizeof(double);
    fr_device_state start = {.step = state->step, .averaged = state->averaged, .run = (uint32_t)state->run};
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    fr_status status = fr_cuda_engine_wait(e, "waiting", error);
    fr_cuda_engine_forget(e);
    e->step = e->clock.measured = state->step;
    e->steps = fr_steps_from(engine->config.plan, state);
    e->average_from = fr_average_from(engine->config.plan, state->step);
    e->shard.draws = fr_is_full_step(engine->config.plan, state->step) ? 0 : engine->config.plan->draws;
    if (status == FR_OK) status = fr_cuda_engine_send(e, e->state, &start, sizeof start, "copying the state", error);
    if (status == FR_OK) status = fr_cuda_engine_send(e, e->weights, state->weights, bytes, "copying weights", error);
    if (status == FR_OK) status = fr_cuda_engine_send(e, e->average, state->average, bytes, "copying weights", error);
    return status == FR_OK && e->real == 4 ? send_weights(e, e->weights_real, state->weights, error) : status;
}

static fr_status cuda_store(fr_engine *engine, fr_state *state, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    size_t bytes = (size_t)e->shard.features * sizeof(double);
    fr_device_state now;
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    fr_status status = fr_cuda_engine_fetch(e, &now, e->state, sizeof now, "a step", error);
    if (status == FR_OK)
        status = fr_cuda_engine_fetch(e, state->weights, e->weights, bytes, "copying weights", error);
    if (status == FR_OK)
        status = fr_cuda_engine_fetch(e, state->average, e->average, bytes, "copying weights", error);
    if (status != FR_OK) return status;
    state->step = now.step;
    state->run = (int)now.run;
    state->averaged = now.averaged;
    return FR_OK;
}

static fr_status cuda_probe(fr_engine *engine, double *residuals, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    const fr_shard *shard = &e->shard;
    int lanes = shard->draws ? shard->lanes : shard->full_lanes, count = shard->workers * lanes;
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    fr_status status = fr_cuda_engine_fetch(e, e->host_scalars, e->lane_scalars,
                                            (size_t)count * sizeof *e->host_scalars, "a step", error);
    for (int k = 0; status == FR_OK && k < shard->workers; k++) {
        residuals[k] = 0;
        for (int l = 0; l < lanes; l++) residuals[k] += e->host_scalars[k * lanes + l].residual;
    }
    return status;
}

/* -------------------------------------------------------------------------------------------- step */

static fr_status cuda_gradient(fr_engine *engine, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    return checked(e,
                   fr_launch_relu_gradient(&e->shard, e->state, e->weights_real, e->lane_sums, e->lane_scalars,
                                           engine->buffers.values, e->stream),
                   "the gradient", error);
}

static fr_status cuda_norm(fr_engine *engine, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    const fr_plan *plan = engine->config.plan;
    const fr_buffers *b = &engine->buffers;
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    return checked(e,
                   fr_launch_norm(plan->precision, plan->scale, b->values, plan->features, e->shard.workers,
                                  b->scales, b->shared_scale, e->stream),
                   "the norm", error);
}

static fr_status cuda_encode(fr_engine *engine, bool shared, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    const fr_plan *plan = engine->config.plan;
    const fr_buffers *b = &engine->buffers;
    fr_encoding encoding = {plan->precision, plan->features, e->shard.first_worker, e->shard.workers, plan->levels,
                            shared,          plan->seed};
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    return checked(
        e,
        fr_launch_encode(&encoding, e->state, b->values, shared ? b->shared_scale : b->scales, b->levels, e->stream),
        "encoding", error);
}

static fr_status cuda_total(fr_engine *engine, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    const fr_plan *plan = engine->config.plan;
    const fr_buffers *b = &engine->buffers;
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    cudaError_t code =
        plan->levels ? fr_launch_total_levels(b->levels, plan->features, e->shard.workers, b->total_levels, e->stream)
                     : fr_launch_total_values(plan->precision, b->values, plan->features, e->shard.workers,
                                              b->total_values, e->stream);
    return checked(e, code, "summing workers", error);
}

static fr_status cuda_round_to_bf16(fr_engine *engine, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    const fr_plan *plan = engine->config.plan;
    const fr_buffers *b = &engine->buffers;
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    return checked(e, fr_launch_round_to_bf16(plan->precision, b->total_values, plan->features, b->total_bf16, e->stream),
                   "rounding the sum", error);
}

static fr_status cuda_pack(fr_engine *engine, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    const fr_plan *plan = engine->config.plan;
    const fr_buffers *b = &engine->buffers;
    const void *from = plan->levels ? (const void *)b->levels : b->values;
    if (from == b->outgoing) return FR_OK; /* one rank: already in place */
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    return checked(e,
                   fr_launch_pack(from, plan->features, plan->workers, e->shard.workers,
                                  plan->levels ? 1 : (int)e->real, b->outgoing, e->stream),
                   "packing", error);
}

static fr_status cuda_requantize(fr_engine *engine, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    const fr_plan *plan = engine->config.plan;
    const fr_buffers *b = &engine->buffers;
    const fr_requantization how = {plan->precision,       plan->scale,      plan->features, plan->workers,
                                   e->shard.first_worker, e->shard.workers, plan->levels,   plan->seed};
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    cudaError_t code = plan->levels ? fr_launch_requantize(&how, e->state, b->incoming, e->slice_sums, e->statistics,
                                                           b->own_slice, b->own_slice_scales, e->stream)
                                    : fr_launch_total_values(plan->precision, b->incoming, fr_cuda_engine_columns(e),
                                                             plan->workers, b->own_values, e->stream);
    return checked(e, code, "the second rounding", error);
}

fr_application fr_cuda_engine_application(const cuda_engine *e, fr_update update) {
    const fr_plan *plan = e->base.config.plan;
    const fr_buffers *b = &e->base.buffers;
    fr_application job = {
        .precision = plan->precision,
        .features = plan->features,
        .all_workers = plan->workers,
        .levels = plan->levels,
        .steps = e->steps,
        .average_start = e->average_from,
        .shared_scale = b->shared_scale,
        .weights = e->weights,
        .average = e->average,
        .weights_real = e->weights_real,
    };
    switch (update) {
    case FR_UPDATE_TOTAL_VALUES: job.decoding = FR_DECODE_TOTAL_VALUES, job.values = b->total_values; break;
    case FR_UPDATE_TOTAL_BF16: job.decoding = FR_DECODE_TOTAL_BF16, job.values = b->total_bf16; break;
    case FR_UPDATE_TOTAL_LEVELS: job.decoding = FR_DECODE_TOTAL_LEVELS, job.codes = b->total_levels; break;
    case FR_UPDATE_ALL_VALUES: job.decoding = FR_DECODE_ALL_VALUES, job.values = b->all_values; break;
    case FR_UPDATE_ALL_LEVELS:
        job.decoding = FR_DECODE_ALL_LEVELS, job.codes = b->all_levels, job.scales = b->all_scales;
        break;
    case FR_UPDATE_SLICE_LEVELS:
        job.decoding = FR_DECODE_SLICE_LEVELS, job.codes = b->slice_levels, job.scales = b->slice_scales;
        break;
    case FR_UPDATE_MODEL: break; /* GPUs have no master, see solver/place.c */
    }
    return job;
}

static fr_status cuda_apply(fr_engine *engine, fr_update update, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    fr_application job = fr_cuda_engine_application(e, update);
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    FR_CUDA(fr_launch_apply(&job, e->state, e->stream), "the update");
    e->step++;
    return FR_OK;
}

/* --------------------------------------------------------------------------------- create, destroy */

static void cuda_destroy(fr_engine *engine) {
    cuda_engine *e = cuda_of(engine);
    fr_cuda_engine_release(e);
    free(e);
}

static fr_shard shard_of(const fr_engine_config *config) {
    const fr_plan *plan = config->plan;
    int64_t longest = (plan->samples + plan->workers - 1) / plan->workers;
    return (fr_shard){
        .precision = plan->precision,
        .storage = plan->storage,
        .samples = plan->samples,
        .features = plan->features,
        .stride = fr_padded(plan->features, plan->precision, plan->storage),
        .all_workers = plan->workers,
        .first_worker = config->first_worker,
        .workers = config->worker_count,
        .draws = plan->draws,
        .seed = plan->seed,
        .lanes = fr_lanes_for(plan->draws ? plan->draws : longest, plan->workers, plan->features),
        .full_lanes = fr_lanes_for(longest, plan->workers, plan->features),
    };
}

/* For measurements: no GPU has shown yet where it is the faster way. */
static bool asked_for_many(void) {
    const char *asked = getenv("FITRELU_PERSISTENT");
    return asked && strcmp(asked, "1") == 0;
}

fr_status fr_engine_cuda_create(const fr_engine_config *config, fr_engine **engine, fr_error *error) {
    static const fr_engine_ops ops = {
        .name = "cuda",
        .probe_every = 32,
        .destroy = cuda_destroy,
        .survey = cuda_survey,
        .load = cuda_load,
        .store = cuda_store,
        .probe = cuda_probe,
        .gradient = cuda_gradient,
        .norm = cuda_norm,
        .encode = cuda_encode,
        .total = cuda_total,
        .round_to_bf16 = cuda_round_to_bf16,
        .pack = cuda_pack,
        .requantize = cuda_requantize,
        .apply = cuda_apply,
        .step_begin = fr_cuda_engine_begin,
        .step_end = fr_cuda_engine_end,
        .run_steps = fr_cuda_engine_run,
    };
    cuda_engine *e = NULL;
    fr_status status = fr_allocate((void **)&e, 1, sizeof *e, "the engine", error);
    if (status != FR_OK) return status;
    e->base.ops = &ops;
    e->base.config = *config;
    e->device = config->device < 0 ? 0 : config->device;
    e->real = fr_precision_bytes(config->plan->precision);
    e->shard = shard_of(config);
    e->records = true;
    e->many = asked_for_many();
    status = fr_cuda_engine_make(e, error);
    if (status != FR_OK) {
        cuda_destroy(&e->base);
        return status;
    }
    *engine = &e->base;
    return FR_OK;
}

void *fr_engine_cuda_stream(fr_engine *engine) { return cuda_of(engine)->stream; }

void fr_engine_cuda_join(fr_engine *engine, fr_cuda_ranks ranks) { cuda_of(engine)->ranks = ranks; }
