/*
 * memory.c - what the CUDA engine owns on its device, how the rows get there, and what passes between host and device.
 *
 * Everything is allocated at creation and nothing after. Rows are copied from the host or, planted, made on the
 * device. Kept as bfloat16, they come in the precision of the fit into the memory of the lanes' sums, which is free
 * then, as many at a time as there are lanes, and are rounded from there.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/cuda/parts.h"
#include "plan/collective.h"

/* -------------------------------------------------------------------------------- to and from the host */

static cudaError_t wait_alone(cuda_engine *e) {
    cudaError_t code = fr_cuda_wait(e->stream, e->base.config.timeout);
    if (code == cudaErrorNotReady) e->lost = true;
    return code;
}

fr_status fr_cuda_memory_wait(cuda_engine *e, const char *what, fr_error *error) {
    if (e->ranks.wait) FR_TRY(e->ranks.wait(e->ranks.user, e->step, error));
    cudaError_t code = wait_alone(e);
    if (e->lost) return fr_cuda_fail_silent(error, e->device, e->step, what, e->base.config.timeout);
    FR_CUDA(code, what);
    return FR_OK;
}

/* Waits first: a copy to ordinary host memory could not notice that the stream is stuck. */
fr_status fr_cuda_memory_fetch(cuda_engine *e, void *host, const void *from, size_t bytes, const char *what,
                               fr_error *error) {
    FR_TRY(fr_cuda_memory_wait(e, what, error));
    FR_CUDA(cudaMemcpyAsync(host, from, bytes, cudaMemcpyDeviceToHost, e->stream), what);
    FR_CUDA(cudaStreamSynchronize(e->stream), what);
    return FR_OK;
}

fr_status fr_cuda_memory_send(cuda_engine *e, void *to, const void *host, size_t bytes, const char *what,
                              fr_error *error) {
    FR_TRY(fr_cuda_memory_wait(e, what, error));
    FR_CUDA(cudaMemcpyAsync(to, host, bytes, cudaMemcpyHostToDevice, e->stream), what);
    FR_CUDA(cudaStreamSynchronize(e->stream), what);
    return FR_OK;
}

/* ---------------------------------------------------------------------------------------------- taking */

/* Zeroed in the order of the stream: kernels count on zeros behind column d - 1 of rows and weights. */
static fr_status take_device(void *user, void **memory, int64_t count, size_t size, const char *what, fr_error *error) {
    cuda_engine *e = user;
    FR_TRY(fr_cuda_allocate(memory, count, size, e->device, what, error));
    cudaError_t code = cudaMemsetAsync(*memory, 0, (size_t)count * size, e->stream);
    if (code != cudaSuccess) cudaFree(*memory);
    FR_CUDA(code, what);
    return FR_OK;
}

static void release_device(void *memory) { cudaFree(memory); }

/* Lanes of a worker that there is memory for: of its draws and, in a survey, of its rows. */
static int most_lanes(const fr_shard *s) { return s->lanes > s->full_lanes ? s->lanes : s->full_lanes; }

static fr_status make_rows(cuda_engine *e, fr_error *error) {
    fr_memory *memory = &e->base.memory;
    fr_shard *s = &e->shard;
    int64_t rows = fr_engine_rows(&e->base).count;
    size_t kept = s->storage == FR_STORAGE_BF16 ? sizeof(fr_bf16) : e->real;
    FR_TRY(fr_memory_take(memory, &s->rows, rows * s->stride, kept, "the rows", error));
    return fr_memory_take(memory, &s->labels, rows, e->real, "the labels", error);
}

static fr_status make_weights(cuda_engine *e, fr_error *error) {
    fr_memory *memory = &e->base.memory;
    int64_t stride = e->shard.stride;
    FR_TRY(fr_memory_take(memory, &e->state, 1, sizeof *e->state, "the state", error));
    FR_TRY(fr_memory_take(memory, &e->weights, stride, sizeof(double), "weights", error));
    FR_TRY(fr_memory_take(memory, &e->average, stride, sizeof(double), "weights", error));
    e->weights_real = e->weights;
    if (e->real == 4) FR_TRY(fr_memory_take(memory, &e->weights_real, stride, e->real, "weights", error));
    return fr_memory_take(memory, &e->survey_weights, stride, e->real, "weights", error);
}

static fr_status make_lanes(cuda_engine *e, fr_error *error) {
    fr_memory *memory = &e->base.memory;
    fr_shard *s = &e->shard;
    int64_t lanes = (int64_t)s->workers * most_lanes(s);
    FR_TRY(fr_memory_take(memory, &e->lane_sums, lanes * s->stride, e->real, "sums of lanes", error));
    FR_TRY(fr_memory_take(memory, &e->lane_scalars, lanes, sizeof(fr_row_sums), "sums of lanes", error));
    FR_TRY(fr_memory_take(memory, &e->survey_scalars, lanes, sizeof(fr_row_sums), "sums of lanes", error));
    FR_TRY(fr_memory_take(memory, &e->sums, s->workers * s->features, sizeof(double), "sums over rows", error));
    return fr_allocate((void **)&e->host_scalars, lanes, sizeof *e->host_scalars, "sums of lanes", error);
}

/* What a gradient finds its norms with; 0 between two steps. */
static fr_status make_norms(cuda_engine *e, fr_error *error) {
    fr_memory *memory = &e->base.memory;
    FR_TRY(fr_memory_take(memory, &e->norms_arrived, 1, sizeof *e->norms_arrived, "norms", error));
    return fr_memory_take(memory, &e->norm_bits, e->shard.workers, e->real, "norms", error);
}

/* What the second rounding of sums keeps between its two kernels. */
static fr_status make_slice_sums(cuda_engine *e, fr_error *error) {
    static const char what[] = "the second rounding";
    const fr_plan *plan = e->base.config.plan;
    fr_memory *memory = &e->base.memory;
    if (!fr_collective_of(plan)->rounds_sums || plan->levels == 0) return FR_OK;
    FR_TRY(fr_memory_take(memory, &e->slice_sums, fr_engine_slice(&e->base).count, sizeof *e->slice_sums, what, error));
    return fr_memory_take(memory, &e->statistics, e->shard.workers, sizeof *e->statistics, what, error);
}

/* --------------------------------------------------------------------------------------------- rows */

/* Rows `these` of the data set, in the precision of the fit, to `rows`, and their labels. */
static fr_status plant_rows(cuda_engine *e, fr_range these, void *rows, void *labels, fr_error *error) {
    const fr_dataset *set = e->base.config.data;
    const void *planted = e->sums; /* filled by fill_rows; free until the first survey */
    FR_CUDA(fr_launch_planted(&e->shard, these.first, these.count, set->recipe.seed, set->recipe.noise, planted, rows,
                              labels, e->stream),
            "planting");
    return FR_OK;
}

static fr_status copy_rows(cuda_engine *e, fr_range these, void *rows, void *labels, fr_error *error) {
    const fr_dataset *set = e->base.config.data;
    FR_TRY(fr_dataset_holds(set, these, error));
    size_t width = (size_t)e->shard.features * e->real, pitch = (size_t)e->shard.stride * e->real;
    const void *from = fr_dataset_at(set, these.first - set->first_row);
    const char *label = (const char *)set->labels + (size_t)(these.first - set->first_row) * e->real;
    FR_CUDA(cudaMemcpy2DAsync(rows, pitch, from, (size_t)set->stride * e->real, width, (size_t)these.count, cudaMemcpyHostToDevice, e->stream),
            "copying rows");
    return fr_cuda_memory_send(e, labels, label, (size_t)these.count * e->real, "copying labels", error);
}

/* Every value must have a bfloat16. */
static fr_status check_range(cuda_engine *e, fr_error *error) {
    fr_device_state seen;
    FR_TRY(fr_cuda_memory_fetch(e, &seen, e->state, sizeof seen, "rounding rows", error));
    if (!seen.too_large) return FR_OK;
    return fr_fail(error, FR_ERROR_DATA,
                   "%s: a value is beyond +-%.4g, the largest bfloat16; --storage bf16 cannot keep it",
                   e->base.config.data->source, FR_BF16_MOST);
}

/* Rows `these` of the data set to their places on this device, whose first row is row `start` of the set. */
static fr_status fill_range(cuda_engine *e, int64_t start, fr_range these, fr_error *error) {
    fr_shard *s = &e->shard;
    bool rounds = s->storage == FR_STORAGE_BF16;
    int64_t at = these.first - start;
    void *rows = rounds ? e->lane_sums : s->rows, *labels = (char *)s->labels + (size_t)at * e->real;
    FR_TRY(e->base.config.data->rows ? copy_rows(e, these, rows, labels, error)
                                     : plant_rows(e, these, rows, labels, error));
    if (!rounds) return FR_OK;
    FR_CUDA(fr_launch_round_rows(s->precision, rows, these.count * s->stride, (fr_bf16 *)s->rows + at * s->stride,
                                 e->state, e->stream),
            "rounding rows");
    return FR_OK;
}

static fr_status fill_rows(cuda_engine *e, fr_error *error) {
    const fr_dataset *set = e->base.config.data;
    const fr_shard *s = &e->shard;
    fr_range own = fr_engine_rows(&e->base);
    bool rounds = s->storage == FR_STORAGE_BF16;
    int64_t most = rounds ? (int64_t)s->workers * most_lanes(s) : own.count, end = own.first + own.count;
    if (!set->rows)
        FR_TRY(fr_cuda_memory_send(e, e->sums, set->planted, (size_t)s->features * sizeof(double), "planting", error));
    for (int64_t first = own.first; first < end; first += most) {
        fr_range these = {first, end - first < most ? end - first : most};
        FR_TRY(fill_range(e, own.first, these, error));
    }
    FR_TRY(fr_cuda_memory_wait(e, "filling in rows", error));
    return rounds ? check_range(e, error) : FR_OK;
}

/* --------------------------------------------------------------------------------------------- whole */

fr_status fr_cuda_memory_make(cuda_engine *e, fr_error *error) {
    const fr_plan *plan = e->base.config.plan;
    fr_memory *memory = &e->base.memory;
    int devices;
    FR_TRY(fr_cuda_count(&devices, error));
    if (e->device >= devices)
        return fr_fail(error, FR_ERROR_DEVICE, "GPU %d was asked for; this machine has %d", e->device, devices);
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    FR_CUDA(cudaStreamCreateWithFlags(&e->stream, cudaStreamNonBlocking), "making a stream");
    *memory = (fr_memory){.allocate = take_device, .release = release_device, .user = e};
    FR_TRY(make_rows(e, error));
    FR_TRY(make_weights(e, error));
    FR_TRY(make_lanes(e, error));
    FR_TRY(make_slice_sums(e, error));
    FR_TRY(make_norms(e, error));
    FR_TRY(fr_buffers_make(plan, fr_engine_workers(&e->base), true, memory, &e->base.buffers, error));
    return fill_rows(e, error);
}

void fr_cuda_memory_release(cuda_engine *e) {
    free(e->host_scalars); /* copies to it are waited for where they are made */
    e->host_scalars = NULL;
    if (e->stream && !e->lost) wait_alone(e); /* nothing may still read what is freed */
    if (e->lost) return;                      /* each call would wait for the device */
    fr_memory_free(&e->base.memory);
    if (e->stream) cudaStreamDestroy(e->stream);
}
