/*
 * engine_cuda.c - the compute seam on one NVIDIA GPU: every call enqueues kernels of kernels/ on one stream.
 *
 * It owns the rows of its workers, copied once from the host or generated on the device, and everything a step reads
 * and writes, all in device memory; nothing is allocated or read back inside a step. The number of the step lives on
 * the device and is moved on by fr_launch_apply. Only survey, load, store and probe wait.
 *
 * A step is recorded once as a CUDA graph and then replayed: exchange included, one launch a step.
 *
 * Calls may come from any thread, one at a time; each makes the engine's device the current one.
 */
#include "engine_cuda.h"

#include <stdlib.h>
#include <string.h>

#include "collective.h"
#include "cuda_status.h"
#include "kernels.h"

enum { MOST_BUFFERS = 40 };

typedef struct cuda_engine {
    fr_engine base;
    int device;
    fr_shard shard;
    size_t real; /* bytes */
    cudaStream_t stream;
    int64_t step; /* steps enqueued, for error lines */
    fr_device_state *state;
    double *weights, *average;
    void *weights_real;   /* the same as real; weights itself in double */
    void *survey_weights; /* stride real */
    void *lane_sums;
    fr_row_sums *lane_scalars, *survey_scalars;
    double *sums; /* of a survey, workers x d */
    fr_row_sums *host_scalars;
    int32_t *slice_sums; /* two-phase */
    uint64_t *statistics;
    fr_cuda_wait wait;
    void *wait_user;
    cudaGraphExec_t graph;     /* a step, once recorded */
    bool recording, records;   /* between begin and end of a recorded step; whether this device can */
    int plain_steps;           /* since load */
    void *owned[MOST_BUFFERS]; /* all device memory */
    int owned_count;
} cuda_engine;

static cuda_engine *of(fr_engine *engine) { return (cuda_engine *)engine; }

static fr_status checked(cuda_engine *e, cudaError_t code, const char *what, fr_error *error) {
    return code == cudaSuccess ? FR_OK : fr_cuda_fail(error, code, e->device, e->step, what);
}

/* Leaves the calling function where a CUDA call fails. */
#define FR_CUDA(call, what)                                                                            \
    do {                                                                                               \
        cudaError_t cuda_code = (call);                                                                \
        if (cuda_code != cudaSuccess) return fr_cuda_fail(error, cuda_code, e->device, e->step, what); \
    } while (0)

static void forget_graph(cuda_engine *e);

static fr_status wait_for_stream(cuda_engine *e, const char *what, fr_error *error) {
    if (e->wait) {
        fr_status status = e->wait(e->wait_user, e->step, error);
        if (status != FR_OK) return status;
    }
    FR_CUDA(cudaStreamSynchronize(e->stream), what);
    return FR_OK;
}

/* Waits first: a copy to ordinary host memory could not notice that the stream is stuck. */
static fr_status fetch(cuda_engine *e, void *host, const void *from, size_t bytes, const char *what,
                       fr_error *error) {
    fr_status status = wait_for_stream(e, what, error);
    if (status != FR_OK) return status;
    FR_CUDA(cudaMemcpyAsync(host, from, bytes, cudaMemcpyDeviceToHost, e->stream), what);
    FR_CUDA(cudaStreamSynchronize(e->stream), what);
    return FR_OK;
}

static fr_status send(cuda_engine *e, void *to, const void *host, size_t bytes, const char *what, fr_error *error) {
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
    status = send(e, to, copy, (size_t)e->shard.stride * e->real, "copying weights", error);
    free(copy);
    return status;
}

/* ------------------------------------------------------------------------------------------ survey */

static fr_status cuda_survey(fr_engine *engine, fr_pass pass, const double *weights, double *sums,
                             fr_row_sums *scalars, fr_error *error) {
    cuda_engine *e = of(engine);
    const fr_shard *shard = &e->shard;
    int lanes = shard->full_lanes;
    size_t scalar_count = (size_t)(shard->workers * lanes), cells = (size_t)(shard->workers * shard->features);
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    fr_status status = wait_for_stream(e, "waiting", error);
    if (status == FR_OK && weights) status = send_weights(e, e->survey_weights, weights, error);
    if (status != FR_OK) return status;
    FR_CUDA(fr_launch_survey(shard, pass, e->survey_weights, e->lane_sums, e->survey_scalars, sums ? e->sums : NULL,
                             e->stream),
            "a pass over all rows");
    status =
        fetch(e, e->host_scalars, e->survey_scalars, scalar_count * sizeof *scalars, "a pass over all rows", error);
    if (status == FR_OK && sums) status = fetch(e, sums, e->sums, cells * sizeof *sums, "copying sums", error);
    for (int k = 0; status == FR_OK && k < shard->workers; k++) {
        fr_row_sums total = {0};
        for (int l = 0; l < lanes; l++) fr_row_sums_add(&total, &e->host_scalars[k * lanes + l]);
        scalars[k] = total;
    }
    return status;
}

/* ------------------------------------------------------------------------------------------- state */

static fr_status cuda_load(fr_engine *engine, const fr_state *state, fr_error *error) {
    cuda_engine *e = of(engine);
    size_t bytes = (size_t)e->shard.features * sizeof(double);
    fr_device_state start = {state->step, state->averaged, (uint32_t)state->run, 0};
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    fr_status status = wait_for_stream(e, "waiting", error);
    forget_graph(e);
    e->step = state->step;
    if (status == FR_OK) status = send(e, e->state, &start, sizeof start, "copying the state", error);
    if (status == FR_OK) status = send(e, e->weights, state->weights, bytes, "copying weights", error);
    if (status == FR_OK) status = send(e, e->average, state->average, bytes, "copying weights", error);
    return status == FR_OK && e->real == 4 ? send_weights(e, e->weights_real, state->weights, error) : status;
}

static fr_status cuda_store(fr_engine *engine, fr_state *state, fr_error *error) {
    cuda_engine *e = of(engine);
    size_t bytes = (size_t)e->shard.features * sizeof(double);
    fr_device_state now;
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    fr_status status = fetch(e, &now, e->state, sizeof now, "a step", error);
    if (status == FR_OK) status = fetch(e, state->weights, e->weights, bytes, "copying weights", error);
    if (status == FR_OK) status = fetch(e, state->average, e->average, bytes, "copying weights", error);
    if (status != FR_OK) return status;
    state->step = now.step;
    state->run = (int)now.run;
    state->averaged = now.averaged;
    return FR_OK;
}

static fr_status cuda_probe(fr_engine *engine, fr_probe *probe, fr_error *error) {
    cuda_engine *e = of(engine);
    const fr_plan *plan = engine->config.plan;
    const fr_shard *shard = &e->shard;
    int count = shard->workers * (shard->draws ? shard->lanes : shard->full_lanes);
    double residual = 0, rows = (double)(plan->draws * shard->workers);
    if (!plan->draws)
        rows = (double)(fr_part_start(plan->samples, plan->workers, shard->first_worker + shard->workers) -
                        fr_part_start(plan->samples, plan->workers, shard->first_worker));
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    fr_status status =
        fetch(e, e->host_scalars, e->lane_scalars, (size_t)count * sizeof *e->host_scalars, "a step", error);
    for (int l = 0; status == FR_OK && l < count; l++) residual += e->host_scalars[l].residual;
    probe->batch_loss = residual / rows;
    return status;
}

/* -------------------------------------------------------------------------------------------- step */

static fr_status cuda_gradient(fr_engine *engine, fr_error *error) {
    cuda_engine *e = of(engine);
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    return checked(e,
                   fr_launch_relu_gradient(&e->shard, e->state, e->weights_real, e->lane_sums, e->lane_scalars,
                                           engine->buffers.values, e->stream),
                   "the gradient", error);
}

static fr_status cuda_magnitude(fr_engine *engine, fr_error *error) {
    cuda_engine *e = of(engine);
    const fr_plan *plan = engine->config.plan;
    const fr_buffers *b = &engine->buffers;
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    return checked(e,
                   fr_launch_norm(plan->precision, plan->scale, b->values, plan->features, e->shard.workers,
                                  b->scales, b->shared_scale, e->stream),
                   "the norm", error);
}

static fr_status cuda_encode(fr_engine *engine, bool shared, fr_error *error) {
    cuda_engine *e = of(engine);
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
    cuda_engine *e = of(engine);
    const fr_plan *plan = engine->config.plan;
    const fr_buffers *b = &engine->buffers;
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    cudaError_t code =
        plan->levels ? fr_launch_total_levels(b->levels, plan->features, e->shard.workers, b->total_levels, e->stream)
                     : fr_launch_total_values(plan->precision, b->values, plan->features, e->shard.workers,
                                              b->total_values, e->stream);
    return checked(e, code, "summing workers", error);
}

static fr_status cuda_pack(fr_engine *engine, fr_error *error) {
    cuda_engine *e = of(engine);
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

static int64_t own_columns(const cuda_engine *e) {
    const fr_plan *plan = e->base.config.plan;
    return fr_slice_start(plan, e->shard.first_worker + e->shard.workers) -
           fr_slice_start(plan, e->shard.first_worker);
}

static fr_status cuda_requantize(fr_engine *engine, fr_error *error) {
    cuda_engine *e = of(engine);
    const fr_plan *plan = engine->config.plan;
    const fr_buffers *b = &engine->buffers;
    const fr_requantization how = {plan->precision,       plan->scale,      plan->features, plan->workers,
                                   e->shard.first_worker, e->shard.workers, plan->levels,   plan->seed};
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    cudaError_t code = plan->levels ? fr_launch_requantize(&how, e->state, b->incoming, e->slice_sums, e->statistics,
                                                           b->own_slice, b->own_slice_scales, e->stream)
                                    : fr_launch_total_values(plan->precision, b->incoming, own_columns(e),
                                                             plan->workers, b->own_values, e->stream);
    return checked(e, code, "the second rounding", error);
}

static fr_status cuda_apply(fr_engine *engine, fr_update update, fr_error *error) {
    cuda_engine *e = of(engine);
    const fr_plan *plan = engine->config.plan;
    const fr_buffers *b = &engine->buffers;
    fr_application job = {
        .precision = plan->precision,
        .features = plan->features,
        .all_workers = plan->workers,
        .levels = plan->levels,
        .steps = plan->steps,
        .average_start = plan->average_start,
        .shared_scale = b->shared_scale,
        .weights = e->weights,
        .average = e->average,
        .weights_real = e->weights_real,
    };
    switch (update) {
    case FR_UPDATE_TOTAL_VALUES: job.decoding = FR_DECODE_TOTAL_VALUES, job.values = b->total_values; break;
    case FR_UPDATE_TOTAL_LEVELS: job.decoding = FR_DECODE_TOTAL_LEVELS, job.codes = b->total_levels; break;
    case FR_UPDATE_ALL_VALUES: job.decoding = FR_DECODE_ALL_VALUES, job.values = b->all_values; break;
    case FR_UPDATE_ALL_LEVELS:
        job.decoding = FR_DECODE_ALL_LEVELS, job.codes = b->all_levels, job.scales = b->all_scales;
        break;
    case FR_UPDATE_SLICE_LEVELS:
        job.decoding = FR_DECODE_SLICE_LEVELS, job.codes = b->slice_levels, job.scales = b->slice_scales;
    }
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    FR_CUDA(fr_launch_apply(&job, e->state, e->stream), "the update");
    e->step++;
    return FR_OK;
}

/* ------------------------------------------------------------------------------------------ replay */

/* The graph holds eta and pointers of one run; it goes with the run. */
static void forget_graph(cuda_engine *e) {
    cudaGraph_t unfinished = NULL;
    if (e->recording) cudaStreamEndCapture(e->stream, &unfinished);
    if (unfinished) cudaGraphDestroy(unfinished);
    if (e->graph) cudaGraphExecDestroy(e->graph);
    e->graph = NULL;
    e->recording = false;
    e->plain_steps = 0;
}

/* The first step of a run is made plainly, which loads the kernels and connects the ranks; the second is recorded. */
static fr_status cuda_step_begin(fr_engine *engine, bool *replayed, fr_error *error) {
    cuda_engine *e = of(engine);
    *replayed = false;
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    if (e->graph) {
        FR_CUDA(cudaGraphLaunch(e->graph, e->stream), "replaying a step");
        e->step++;
        *replayed = true;
    } else if (e->records && e->plain_steps++ > 0) {
        e->recording = cudaStreamBeginCapture(e->stream, cudaStreamCaptureModeThreadLocal) == cudaSuccess;
        e->records = e->recording;
        if (!e->recording) cudaGetLastError();
    }
    return FR_OK;
}

/* Where a step cannot be recorded, the run goes on without. */
static fr_status cuda_step_end(fr_engine *engine, bool *again, fr_error *error) {
    cuda_engine *e = of(engine);
    cudaGraph_t graph = NULL;
    *again = false;
    if (!e->recording) return FR_OK;
    e->recording = false;
    cudaError_t code = cudaStreamEndCapture(e->stream, &graph);
    if (code == cudaSuccess) code = cudaGraphInstantiate(&e->graph, graph, 0);
    if (graph) cudaGraphDestroy(graph);
    if (code == cudaSuccess) {
        FR_CUDA(cudaGraphLaunch(e->graph, e->stream), "replaying a step");
        return FR_OK;
    }
    cudaGetLastError();
    e->graph = NULL;
    e->records = false;
    e->step--;
    *again = true;
    return FR_OK;
}

/* --------------------------------------------------------------------------------- create, destroy */

static void cuda_destroy(fr_engine *engine) {
    cuda_engine *e = of(engine);
    cudaSetDevice(e->device);
    forget_graph(e);
    if (e->stream) cudaStreamSynchronize(e->stream); /* nothing may still read what is freed */
    for (int i = 0; i < e->owned_count; i++) cudaFree(e->owned[i]);
    if (e->stream) cudaStreamDestroy(e->stream);
    cudaGetLastError();
    free(e->host_scalars);
    free(e);
}

static fr_status need(cuda_engine *e, void *pointer, int64_t count, size_t size, const char *what, fr_error *error) {
    void *memory;
    fr_status status = fr_cuda_allocate(&memory, count, size, e->device, what, error);
    if (status != FR_OK) return status;
    e->owned[e->owned_count++] = memory;
    memcpy(pointer, &memory, sizeof memory);
    FR_CUDA(cudaMemsetAsync(memory, 0, (size_t)count * size, e->stream), what);
    return FR_OK;
}

#define FR_NEED(pointer, count, size, what)                                        \
    do {                                                                           \
        fr_status need_status = need(e, &(pointer), (count), (size), what, error); \
        if (need_status != FR_OK) return need_status;                              \
    } while (0)

static fr_status make_two_phase(cuda_engine *e, fr_error *error) {
    const fr_plan *plan = e->base.config.plan;
    fr_buffers *b = &e->base.buffers;
    int64_t d = plan->features, own = e->shard.workers, all = plan->workers, width = own_columns(e);
    size_t wire = plan->levels ? 1 : e->real;
    if (plan->levels) {
        FR_NEED(b->slice_levels, d, 1, "levels");
        FR_NEED(b->slice_scales, all, e->real, "scales");
        FR_NEED(e->slice_sums, width, sizeof(int32_t), "the second rounding");
        FR_NEED(e->statistics, own, sizeof(uint64_t), "the second rounding");
    }
    b->outgoing = b->incoming = plan->levels ? (void *)b->levels : b->values;
    b->own_slice = b->slice_levels, b->own_slice_scales = b->slice_scales, b->own_values = b->total_values;
    if (own == all) return FR_OK;
    FR_NEED(b->outgoing, own * d, wire, "the exchange");
    FR_NEED(b->incoming, all * width, wire, "the exchange");
    FR_NEED(b->own_values, width, e->real, "the exchange");
    FR_NEED(b->own_slice, width, 1, "the exchange");
    FR_NEED(b->own_slice_scales, own, e->real, "the exchange");
    return FR_OK;
}

/* Where one engine holds all workers, what is gathered is what is here: those names share buffers. */
static fr_status make_buffers(cuda_engine *e, fr_error *error) {
    const fr_plan *plan = e->base.config.plan;
    fr_buffers *b = &e->base.buffers;
    int64_t d = plan->features, own = e->shard.workers, all = plan->workers;
    bool quantized = plan->levels > 0;
    FR_NEED(b->values, own * d, e->real, "the gradients");
    FR_NEED(b->scales, own, e->real, "scales");
    FR_NEED(b->shared_scale, 1, sizeof(double), "scales");
    FR_NEED(b->total_values, d, e->real, "the gradients");
    if (quantized) FR_NEED(b->levels, own * d, 1, "levels");
    if (plan->collective == FR_COLLECTIVE_TWO_PHASE) return make_two_phase(e, error);
    if (plan->collective == FR_COLLECTIVE_ALLREDUCE) {
        if (quantized) FR_NEED(b->total_levels, d, 1, "levels");
    } else if (own == all) {
        b->all_values = b->values, b->all_levels = b->levels, b->all_scales = b->scales;
    } else if (quantized) {
        FR_NEED(b->all_levels, all * d, 1, "levels of all workers");
        FR_NEED(b->all_scales, all, e->real, "scales");
    } else {
        FR_NEED(b->all_values, all * d, e->real, "gradients of all workers");
    }
    return FR_OK;
}

static fr_status make_state(cuda_engine *e, fr_error *error) {
    fr_shard *s = &e->shard;
    int lanes = s->lanes > s->full_lanes ? s->lanes : s->full_lanes;
    FR_NEED(e->state, 1, sizeof *e->state, "the state");
    FR_NEED(e->weights, s->stride, sizeof(double), "weights");
    FR_NEED(e->average, s->stride, sizeof(double), "weights");
    e->weights_real = e->weights;
    if (e->real == 4) FR_NEED(e->weights_real, s->stride, e->real, "weights");
    FR_NEED(e->survey_weights, s->stride, e->real, "weights");
    FR_NEED(e->lane_sums, s->workers * lanes * s->stride, e->real, "partial sums");
    FR_NEED(e->lane_scalars, s->workers * lanes, sizeof(fr_row_sums), "partial sums");
    FR_NEED(e->survey_scalars, s->workers * lanes, sizeof(fr_row_sums), "partial sums");
    FR_NEED(e->sums, s->workers * s->features, sizeof(double), "sums over rows");
    return fr_allocate((void **)&e->host_scalars, s->workers * lanes, sizeof *e->host_scalars, "partial sums", error);
}

static fr_status plant_rows(cuda_engine *e, int64_t first, int64_t count, fr_error *error) {
    const fr_dataset *set = e->base.config.data;
    fr_shard *s = &e->shard;
    void *planted = e->sums; /* free until the first survey, and at least d long */
    fr_status status = send(e, planted, set->planted, (size_t)s->features * sizeof(double), "planting", error);
    if (status != FR_OK) return status;
    FR_CUDA(fr_launch_planted(s, first, count, set->recipe.seed, set->recipe.noise, planted, e->stream), "planting");
    return wait_for_stream(e, "planting", error);
}

static fr_status copy_rows(cuda_engine *e, int64_t first, int64_t count, fr_error *error) {
    const fr_dataset *set = e->base.config.data;
    fr_shard *s = &e->shard;
    size_t width = (size_t)s->features * e->real, pitch = (size_t)s->stride * e->real;
    fr_status status = fr_dataset_holds(set, (fr_range){first, count}, error);
    if (status != FR_OK) return status;
    const char *rows = (const char *)set->rows + (size_t)(first - set->first_row) * width;
    const char *labels = (const char *)set->labels + (size_t)(first - set->first_row) * e->real;
    FR_CUDA(cudaMemcpy2DAsync(s->rows, pitch, rows, width, width, (size_t)count, cudaMemcpyHostToDevice, e->stream),
            "copying rows");
    return send(e, s->labels, labels, (size_t)count * e->real, "copying labels", error);
}

static fr_status make_engine(cuda_engine *e, fr_error *error) {
    const fr_engine_config *config = &e->base.config;
    const fr_plan *plan = config->plan;
    int64_t n = plan->samples, all = plan->workers, first = fr_part_start(n, all, config->first_worker);
    int64_t count = fr_part_start(n, all, config->first_worker + config->worker_count) - first;
    int devices;
    fr_status status = fr_cuda_count(&devices, error);
    if (status != FR_OK) return status;
    if (e->device >= devices)
        return fr_fail(error, FR_ERROR_DEVICE, "GPU %d was asked for; this machine has %d", e->device, devices);
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    FR_CUDA(cudaStreamCreateWithFlags(&e->stream, cudaStreamNonBlocking), "making a stream");
    FR_NEED(e->shard.rows, count * e->shard.stride, e->real, "the rows");
    FR_NEED(e->shard.labels, count, e->real, "the labels");
    status = make_state(e, error);
    if (status == FR_OK) status = make_buffers(e, error);
    if (status != FR_OK) return status;
    return config->data->rows ? copy_rows(e, first, count, error) : plant_rows(e, first, count, error);
}

static fr_shard shard_of(const fr_engine_config *config) {
    const fr_plan *plan = config->plan;
    int64_t longest = (plan->samples + plan->workers - 1) / plan->workers;
    return (fr_shard){
        .precision = plan->precision,
        .samples = plan->samples,
        .features = plan->features,
        .stride = fr_padded(plan->features, plan->precision),
        .all_workers = plan->workers,
        .first_worker = config->first_worker,
        .workers = config->worker_count,
        .draws = plan->draws,
        .seed = plan->seed,
        .lanes = fr_lanes_for(plan->draws ? plan->draws : longest, plan->workers, plan->features),
        .full_lanes = fr_lanes_for(longest, plan->workers, plan->features),
    };
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
        .magnitude = cuda_magnitude,
        .encode = cuda_encode,
        .total = cuda_total,
        .pack = cuda_pack,
        .requantize = cuda_requantize,
        .apply = cuda_apply,
        .step_begin = cuda_step_begin,
        .step_end = cuda_step_end,
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
    status = make_engine(e, error);
    if (status != FR_OK) {
        cuda_destroy(&e->base);
        return status;
    }
    *engine = &e->base;
    return FR_OK;
}

void fr_engine_cuda_forget(fr_engine *engine) { forget_graph(of(engine)); }

void *fr_engine_cuda_stream(fr_engine *engine) { return of(engine)->stream; }

void fr_engine_cuda_wait_by(fr_engine *engine, fr_cuda_wait wait, void *user) {
    of(engine)->wait = wait;
    of(engine)->wait_user = user;
}
