/*
 * engine.c - the compute seam on one NVIDIA GPU: the object, and the calls that wait (survey, load, store, probe).
 *
 * It owns the rows of its workers and everything a step reads and writes, all in device memory (engine/cuda/memory.c);
 * nothing is allocated or read back inside a step (engine/cuda/step.c), which is recorded once and then replayed
 * (engine/cuda/replay.c).
 *
 * Calls may come from any thread, one at a time; each makes the engine's device the current one.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/cuda/parts.h"

/* d doubles of the host as real, with the zeros of the stride behind them. */
static fr_status send_weights(cuda_engine *e, void *to, const double *weights, fr_error *error) {
    int64_t d = e->shard.features;
    FR_OWNED void *copy = NULL;
    FR_TRY(fr_allocate(&copy, e->shard.stride, e->real, "weights", error));
    for (int64_t j = 0; j < d; j++)
        if (e->real == 4) ((float *)copy)[j] = (float)weights[j];
        else ((double *)copy)[j] = weights[j];
    return fr_cuda_memory_send(e, to, copy, (size_t)e->shard.stride * e->real, "copying weights", error);
}

/* ------------------------------------------------------------------------------------------ survey */

static fr_status cuda_survey(fr_engine *engine, fr_pass pass, const double *weights, double *sums,
                             fr_row_sums *scalars, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    const fr_shard *shard = &e->shard;
    int lanes = shard->full_lanes;
    size_t scalar_count = (size_t)(shard->workers * lanes), cells = (size_t)(shard->workers * shard->features);
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    FR_TRY(fr_cuda_memory_wait(e, "waiting", error));
    if (weights) FR_TRY(send_weights(e, e->survey_weights, weights, error));
    FR_CUDA(fr_launch_survey(shard, pass, e->survey_weights, e->lane_sums, e->survey_scalars, sums ? e->sums : NULL,
                             e->stream),
            "a pass over all rows");
    FR_TRY(fr_cuda_memory_fetch(e, e->host_scalars, e->survey_scalars, scalar_count * sizeof *scalars,
                                "a pass over all rows", error));
    if (sums) FR_TRY(fr_cuda_memory_fetch(e, sums, e->sums, cells * sizeof *sums, "copying sums", error));
    for (int k = 0; k < shard->workers; k++) {
        fr_row_sums total = {0};
        for (int l = 0; l < lanes; l++) fr_row_sums_add(&total, &e->host_scalars[k * lanes + l]);
        scalars[k] = total;
    }
    return FR_OK;
}

/* ------------------------------------------------------------------------------------------- state */

static fr_status cuda_load(fr_engine *engine, const fr_state *state, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    size_t bytes = (size_t)e->shard.features * sizeof(double);
    fr_device_state start = {.step = state->step, .averaged = state->averaged, .run = (uint32_t)state->run};
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    FR_TRY(fr_cuda_memory_wait(e, "waiting", error));
    fr_cuda_replay_forget(e);
    e->step = e->clock.measured = state->step;
    e->steps = fr_steps_from(engine->config.plan, state);
    e->average_from = fr_average_from(engine->config.plan, state->step);
    e->has_norms = false;
    e->momentum = fr_momentum_from(engine->config.plan, state->step);
    e->shard.draws = fr_is_full_step(engine->config.plan, state->step) ? 0 : engine->config.plan->draws;
    FR_TRY(fr_cuda_memory_send(e, e->state, &start, sizeof start, "copying the state", error));
    FR_TRY(fr_cuda_memory_send(e, e->weights, state->weights, bytes, "copying weights", error));
    FR_TRY(fr_cuda_memory_send(e, e->average, state->average, bytes, "copying weights", error));
    return e->real == 4 ? send_weights(e, e->weights_real, state->weights, error) : FR_OK;
}

static fr_status cuda_store(fr_engine *engine, fr_state *state, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    size_t bytes = (size_t)e->shard.features * sizeof(double);
    fr_device_state now;
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    FR_TRY(fr_cuda_memory_fetch(e, &now, e->state, sizeof now, "a step", error));
    FR_TRY(fr_cuda_memory_fetch(e, state->weights, e->weights, bytes, "copying weights", error));
    FR_TRY(fr_cuda_memory_fetch(e, state->average, e->average, bytes, "copying weights", error));
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
    FR_TRY(fr_cuda_memory_fetch(e, e->host_scalars, e->lane_scalars, (size_t)count * sizeof *e->host_scalars, "a step",
                                error));
    for (int k = 0; k < shard->workers; k++) {
        residuals[k] = 0;
        for (int l = 0; l < lanes; l++) residuals[k] += e->host_scalars[k * lanes + l].residual;
    }
    return FR_OK;
}

/* --------------------------------------------------------------------------------- create, destroy */

static void cuda_destroy(fr_engine *engine) {
    cuda_engine *e = cuda_of(engine);
    cudaSetDevice(e->device);
    if (!e->lost) fr_cuda_replay_release(e);
    fr_cuda_memory_release(e);
    cudaGetLastError(); /* a device that has failed fails here too */
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
        .lanes = fr_lanes_for(plan->draws ? plan->draws : longest, plan->draws > 0, plan->features),
        .full_lanes = fr_lanes_for(longest, false, plan->features),
    };
}

/* A way out where a driver or NCCL has trouble with graphs. */
static bool is_refused_by_environment(void) {
    const char *graphs = getenv("FITRELU_GRAPHS");
    return graphs && strcmp(graphs, "0") == 0;
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
        .gradient = fr_cuda_step_gradient,
        .norm = fr_cuda_step_norm,
        .encode = fr_cuda_step_encode,
        .total = fr_cuda_step_total,
        .round_to_bf16 = fr_cuda_step_round_to_bf16,
        .pack = fr_cuda_step_pack,
        .requantize = fr_cuda_step_requantize,
        .apply = fr_cuda_step_apply,
        .step_begin = fr_cuda_replay_begin,
        .step_end = fr_cuda_replay_end,
    };
    cuda_engine *e = NULL;
    FR_TRY(fr_allocate((void **)&e, 1, sizeof *e, "the engine", error));
    e->base.ops = &ops;
    e->base.config = *config;
    e->device = config->device < 0 ? 0 : config->device;
    e->real = fr_precision_bytes(config->plan->precision);
    e->shard = shard_of(config);
    e->records = !config->plain_steps && !is_refused_by_environment();
    fr_status status = fr_cuda_memory_make(e, error);
    if (status == FR_OK) status = fr_cuda_step_load_kernels(e, error);
    if (status == FR_OK) *engine = &e->base;
    else cuda_destroy(&e->base);
    return status;
}

void *fr_engine_cuda_stream(fr_engine *engine) { return cuda_of(engine)->stream; }

void fr_engine_cuda_join(fr_engine *engine, fr_cuda_ranks ranks) { cuda_of(engine)->ranks = ranks; }
