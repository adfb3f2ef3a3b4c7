/*
 * memory.c - what the CUDA engine owns on its device, and how the rows get there.
 *
 * Everything is allocated at creation and nothing after. Rows are copied from the host or, planted, made on the
 * device. Kept as bfloat16, they come piece by piece into the memory of the lanes' sums, which is free then, in the
 * precision of the fit, and are rounded from there.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/cuda/parts.h"
#include "plan/collective.h"

/* ------------------------------------------------------------------------------------------ buffers */

int64_t fr_cuda_engine_columns(const cuda_engine *e) {
    const fr_plan *plan = e->base.config.plan;
    return fr_slice_start(plan, e->shard.first_worker + e->shard.workers) -
           fr_slice_start(plan, e->shard.first_worker);
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
    int64_t d = plan->features, own = e->shard.workers, all = plan->workers, width = fr_cuda_engine_columns(e);
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
    if (plan->wire == FR_WIRE_BF16) FR_NEED(b->total_bf16, d, sizeof(fr_bf16), "the gradients");
    if (quantized) FR_NEED(b->levels, own * d, 1, "levels");
    fr_needs needs = fr_collective_of(plan)->needs;
    if (needs == FR_NEEDS_SLICES) return make_two_phase(e, error);
    if (needs == FR_NEEDS_TOTAL) {
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

/* Lanes of a worker that there is memory for: of its draws and, in a survey, of its rows. */
static int most_lanes(const fr_shard *s) { return s->lanes > s->full_lanes ? s->lanes : s->full_lanes; }

static fr_status make_state(cuda_engine *e, fr_error *error) {
    fr_shard *s = &e->shard;
    int lanes = most_lanes(s);
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

/* --------------------------------------------------------------------------------------------- rows */

/* Rows first .. first + count - 1 of the data set, in the precision of the fit, to `rows`, and their labels. */
static fr_status plant_rows(cuda_engine *e, int64_t first, int64_t count, void *rows, void *labels, fr_error *error) {
    const fr_dataset *set = e->base.config.data;
    const void *planted = e->sums; /* filled by fill_rows; free until the first survey */
    FR_CUDA(fr_launch_planted(&e->shard, first, count, set->recipe.seed, set->recipe.noise, planted, rows, labels,
                              e->stream),
            "planting");
    return FR_OK;
}

static fr_status copy_rows(cuda_engine *e, int64_t first, int64_t count, void *rows, void *labels, fr_error *error) {
    const fr_dataset *set = e->base.config.data;
    fr_status status = fr_dataset_holds(set, (fr_range){first, count}, error);
    if (status != FR_OK) return status;
    size_t width = (size_t)e->shard.features * e->real, pitch = (size_t)e->shard.stride * e->real;
    const char *from = (const char *)set->rows + (size_t)(first - set->first_row) * width;
    const char *label = (const char *)set->labels + (size_t)(first - set->first_row) * e->real;
    FR_CUDA(cudaMemcpy2DAsync(rows, pitch, from, width, width, (size_t)count, cudaMemcpyHostToDevice, e->stream),
            "copying rows");
    return fr_cuda_engine_send(e, labels, label, (size_t)count * e->real, "copying labels", error);
}

/* Every value must have a bfloat16. */
static fr_status check_range(cuda_engine *e, fr_error *error) {
    fr_device_state seen;
    fr_status status = fr_cuda_engine_fetch(e, &seen, e->state, sizeof seen, "rounding rows", error);
    if (status == FR_OK && seen.too_large)
        status = fr_fail(error, FR_ERROR_DATA,
                         "%s: a value is beyond +-%.4g, the largest bfloat16; --storage bf16 "
                         "cannot keep it",
                         e->base.config.data->source, FR_BF16_MOST);
    return status;
}

static fr_status fill_rows(cuda_engine *e, int64_t first, int64_t count, fr_error *error) {
    const fr_dataset *set = e->base.config.data;
    fr_shard *s = &e->shard;
    bool rounds = s->storage == FR_STORAGE_BF16;
    int64_t piece = rounds ? (int64_t)s->workers * most_lanes(s) : count;
    fr_status status = FR_OK;
    if (!set->rows)
        status =
            fr_cuda_engine_send(e, e->sums, set->planted, (size_t)s->features * sizeof(double), "planting", error);
    for (int64_t at = 0; status == FR_OK && at < count; at += piece) {
        int64_t here = count - at < piece ? count - at : piece;
        void *rows = rounds ? e->lane_sums : s->rows, *labels = (char *)s->labels + (size_t)at * e->real;
        status = set->rows ? copy_rows(e, first + at, here, rows, labels, error)
                           : plant_rows(e, first + at, here, rows, labels, error);
        if (status == FR_OK && rounds)
            FR_CUDA(fr_launch_round_rows(s->precision, rows, here * s->stride, (fr_bf16 *)s->rows + at * s->stride,
                                         e->state, e->stream),
                    "rounding rows");
    }
    if (status == FR_OK) status = fr_cuda_engine_wait(e, "filling in rows", error);
    return status == FR_OK && rounds ? check_range(e, error) : status;
}

/* -------------------------------------------------------------------------------------------- whole */

fr_status fr_cuda_engine_make(cuda_engine *e, fr_error *error) {
    const fr_engine_config *config = &e->base.config;
    const fr_plan *plan = config->plan;
    int64_t n = plan->samples, all = plan->workers, first = fr_split_start(n, all, config->first_worker);
    int64_t count = fr_split_start(n, all, config->first_worker + config->worker_count) - first;
    int devices;
    fr_status status = fr_cuda_count(&devices, error);
    if (status != FR_OK) return status;
    if (e->device >= devices)
        return fr_fail(error, FR_ERROR_DEVICE, "GPU %d was asked for; this machine has %d", e->device, devices);
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    FR_CUDA(cudaStreamCreateWithFlags(&e->stream, cudaStreamNonBlocking), "making a stream");
    size_t kept = e->shard.storage == FR_STORAGE_BF16 ? sizeof(fr_bf16) : e->real;
    FR_NEED(e->shard.rows, count * e->shard.stride, kept, "the rows");
    FR_NEED(e->shard.labels, count, e->real, "the labels");
    status = make_state(e, error);
    if (status == FR_OK) status = make_buffers(e, error);
    return status == FR_OK ? fill_rows(e, first, count, error) : status;
}

void fr_cuda_engine_release(cuda_engine *e) {
    cudaSetDevice(e->device);
    fr_cuda_engine_forget(e);
    if (e->stream) cudaStreamSynchronize(e->stream); /* nothing may still read what is freed */
    for (int i = 0; i < e->owned_count; i++) cudaFree(e->owned[i]);
    for (int i = 0; i < e->clock.made; i++) {
        cudaEventDestroy(e->clock.begin[i]);
        cudaEventDestroy(e->clock.end[i]);
    }
    if (e->stream) cudaStreamDestroy(e->stream);
    cudaGetLastError();
    free(e->host_scalars);
}
