/*
 * step.c - the calls of a step on the CUDA engine: each enqueues one kernel of kernels/ on the engine's stream.
 *
 * Nothing here waits or reads back. The number of the step lives in device memory and is moved on by fr_launch_apply;
 * e->step counts what was enqueued, for error lines.
 */
#include "engine/cuda/parts.h"
#include "plan/collective.h"

fr_status fr_cuda_step_gradient(fr_engine *engine, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    const fr_norms norms = {e->norms_arrived, e->norm_bits, engine->buffers.scales, engine->buffers.shared_scale};
    bool finds_norms = engine->config.plan->levels > 0 && engine->config.plan->scale == FR_SCALE_MAX;
    FR_CUDA(fr_launch_relu_gradient(&e->shard, e->state, e->weights_real, e->lane_sums, e->lane_scalars,
                                    finds_norms ? &norms : NULL, engine->buffers.values, e->stream),
            "the gradient");
    e->has_norms = finds_norms;
    return FR_OK;
}

fr_status fr_cuda_step_norm(fr_engine *engine, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    const fr_plan *plan = engine->config.plan;
    const fr_buffers *b = &engine->buffers;
    if (e->has_norms) return FR_OK; /* the gradient left them beside the values */
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    FR_CUDA(fr_launch_norm(plan->precision, plan->scale, b->values, plan->features, e->shard.workers, b->scales,
                           b->shared_scale, e->stream),
            "the norm");
    return FR_OK;
}

/* The levels of an only worker are the sum, and go there at once. */
static bool encodes_fields(const cuda_engine *e) { return e->base.buffers.total_fields && e->shard.workers == 1; }

fr_status fr_cuda_step_encode(fr_engine *engine, bool shared, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    const fr_plan *plan = engine->config.plan;
    const fr_buffers *b = &engine->buffers;
    const fr_encoding encoding = {
        .precision = plan->precision,
        .features = plan->features,
        .first_worker = e->shard.first_worker,
        .workers = e->shard.workers,
        .levels = plan->levels,
        .shared = shared,
        .seed = plan->seed,
        .field_bits = encodes_fields(e) ? fr_summed_field_bits(plan) : 0,
    };
    void *levels = encodes_fields(e) ? (void *)b->total_fields : b->levels;
    const void *scales = shared ? b->shared_scale : b->scales;
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    FR_CUDA(fr_launch_encode(&encoding, e->state, b->values, scales, levels, e->stream), "encoding");
    return FR_OK;
}

fr_status fr_cuda_step_total(fr_engine *engine, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    const fr_plan *plan = engine->config.plan;
    const fr_buffers *b = &engine->buffers;
    int64_t d = plan->features;
    int own = e->shard.workers;
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    if (own == 1) return FR_OK; /* in place already: engine/buffers.c, and encodes_fields */
    if (b->total_fields) {
        FR_CUDA(fr_launch_total_fields(b->levels, d, own, plan->levels, fr_summed_field_bits(plan), b->total_fields, e->stream),
                "summing workers");
        return FR_OK;
    }
    FR_CUDA(plan->levels
                ? fr_launch_total_levels(b->levels, d, own, b->total_levels, e->stream)
                : fr_launch_total_values(plan->precision, b->values, d, own, b->total_values, e->stream),
            "summing workers");
    return FR_OK;
}

fr_status fr_cuda_step_round_to_bf16(fr_engine *engine, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    const fr_plan *plan = engine->config.plan;
    const fr_buffers *b = &engine->buffers;
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    FR_CUDA(fr_launch_round_to_bf16(plan->precision, b->total_values, plan->features, b->total_bf16, e->stream),
            "rounding the sum");
    return FR_OK;
}

fr_status fr_cuda_step_pack(fr_engine *engine, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    const fr_plan *plan = engine->config.plan;
    const fr_buffers *b = &engine->buffers;
    const void *from = plan->levels ? (const void *)b->levels : b->values;
    int bytes = plan->levels ? 1 : (int)e->real;
    if (from == b->outgoing) return FR_OK; /* one rank: already in place */
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    FR_CUDA(fr_launch_pack(from, plan->features, plan->workers, e->shard.workers, bytes, b->outgoing, e->stream),
            "packing");
    return FR_OK;
}

static cudaError_t round_slices(const cuda_engine *e) {
    const fr_plan *plan = e->base.config.plan;
    const fr_buffers *b = &e->base.buffers;
    const fr_requantization how = {
        .precision = plan->precision,
        .scale = plan->scale,
        .features = plan->features,
        .all_workers = plan->workers,
        .first_worker = e->shard.first_worker,
        .workers = e->shard.workers,
        .levels = plan->levels,
        .seed = plan->seed,
    };
    return fr_launch_requantize(&how, e->state, b->incoming, e->slice_sums, e->statistics, b->own_slice,
                                b->own_slice_scales, e->stream);
}

fr_status fr_cuda_step_requantize(fr_engine *engine, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    const fr_plan *plan = engine->config.plan;
    const fr_buffers *b = &engine->buffers;
    int64_t columns = fr_engine_slice(engine).count;
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    FR_CUDA(plan->levels ? round_slices(e)
                         : fr_launch_total_values(plan->precision, b->incoming, columns, plan->workers,
                                                  b->own_values, e->stream),
            "the second rounding");
    return FR_OK;
}

/* What `update` decodes, as kernels/apply.cu takes it. */
static fr_application application_of(const cuda_engine *e, fr_update update) {
    const fr_plan *plan = e->base.config.plan;
    const fr_buffers *b = &e->base.buffers;
    fr_application job = {
        .precision = plan->precision,
        .update = update,
        .features = plan->features,
        .all_workers = plan->workers,
        .levels = plan->levels,
        .steps = e->steps,
        .average_start = e->average_from,
        .momentum = e->momentum,
        .shared_scale = b->shared_scale,
        .block = (int64_t)b->block,
        .block_workers = b->block_workers,
        .weights = e->weights,
        .average = e->average,
        .weights_real = e->weights_real,
    };
    switch (update) {
    case FR_UPDATE_TOTAL_VALUES: job.values = b->total_values; break;
    case FR_UPDATE_TOTAL_BF16: job.values = b->total_bf16; break;
    case FR_UPDATE_TOTAL_LEVELS: job.codes = b->total_levels; break;
    case FR_UPDATE_TOTAL_FIELDS: job.fields = b->total_fields; break;
    case FR_UPDATE_ALL_VALUES: job.values = b->all_values; break;
    case FR_UPDATE_ALL_LEVELS: job.codes = b->all_levels, job.scales = b->all_scales; break;
    case FR_UPDATE_SLICE_LEVELS: job.codes = b->slice_levels, job.scales = b->slice_scales; break;
    case FR_UPDATE_MODEL: break;
    }
    return job;
}

fr_status fr_cuda_step_apply(fr_engine *engine, fr_update update, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    const fr_application job = application_of(e, update);
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    FR_CUDA(fr_launch_apply(&job, e->state, e->stream), "the update");
    e->step++;
    return FR_OK;
}

/* -------------------------------------------------------------------------------------------- loading */

/* Everything that a step or a survey of this plan may launch. */
static fr_status launch_all(cuda_engine *e, fr_error *error) {
    const fr_plan *plan = e->base.config.plan;
    const fr_application job = application_of(e, FR_UPDATE_TOTAL_VALUES);
    FR_CUDA(fr_launch_survey(&e->shard, FR_PASS_LINEAR, e->survey_weights, e->lane_sums, e->survey_scalars, e->sums,
                             e->stream),
            "loading kernels");
    FR_TRY(fr_cuda_step_gradient(&e->base, error));
    FR_TRY(fr_cuda_step_norm(&e->base, error));
    FR_TRY(fr_cuda_step_total(&e->base, error));
    FR_TRY(fr_cuda_step_round_to_bf16(&e->base, error));
    FR_TRY(fr_cuda_step_pack(&e->base, error));
    FR_TRY(fr_cuda_step_requantize(&e->base, error));
    if (plan->levels) FR_TRY(fr_cuda_step_encode(&e->base, true, error));
    FR_CUDA(fr_launch_apply(&job, e->state, e->stream), "loading kernels");
    return FR_OK;
}

fr_status fr_cuda_step_load_kernels(cuda_engine *e, fr_error *error) {
    cudaStream_t stream = e->stream;
    e->stream = FR_LOAD_ONLY;
    fr_status status = launch_all(e, error);
    e->stream = stream;
    e->has_norms = false; /* nothing was launched */
    return status;
}
