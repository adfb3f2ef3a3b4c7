/*
 * exchange.cu - what the collectives need beside the wire: sums over a device's own workers, columns packed by rank,
 * and the second rounding of two-phase.
 *
 * Order of summation: levels are summed as integers and the statistics of a slice (largest size, sum of squares) by
 * integer atomics, exact in any order; values in double, workers in order. A thread takes one column (the second
 * rounding four, for which one Philox counter serves), so that consecutive threads read consecutive elements of every
 * vector.
 *
 * Each kernel states its traffic; d is `features`, width the columns of the device's slices.
 */
#include "kernels/launch.cuh"
#include "kernels/random.cuh"
#include "kernels/rules/fields.h"

namespace fitrelu {
namespace {

constexpr int exchange_threads = 128;

/* total[j] <- sum over the workers of levels, exact. Traffic: (workers + 1) d bytes. */
__global__ void __launch_bounds__(exchange_threads)
    total_levels_kernel(const int8_t *levels, int64_t features, int workers, int8_t *total) {
    const int64_t j = int64_t(blockIdx.x) * exchange_threads + threadIdx.x;
    if (j >= features) return;
    int sum = 0;
    for (int k = 0; k < workers; k++) sum += levels[k * features + j];
    total[j] = int8_t(sum); /* at most K s <= 127, by fr_plan_begin */
}

/* Levels that become one word, loaded at once where they are aligned. */
template <int Fields> struct alignas(Fields) Levels {
    int8_t at[Fields];
};

/* words <- the sum over the workers of levels, each s up, as fields: a thread a word, exact. Traffic: d bytes a worker, and
 * d f / 8 for the words. */
template <int Bits>
__global__ void __launch_bounds__(exchange_threads)
    total_fields_kernel(const int8_t *levels, int64_t features, int workers, int s, uint32_t *words) {
    constexpr int fields = 32 / Bits;
    const int64_t word = int64_t(blockIdx.x) * exchange_threads + threadIdx.x, first = word * fields;
    if (first >= features) return;
    const int count = int(features - first < fields ? features - first : fields);
    int sum[fields];
#pragma unroll
    for (int i = 0; i < fields; i++) sum[i] = i < count ? workers * s : 0;
    for (int k = 0; k < workers; k++) {
        const int8_t *from = levels + k * features + first;
        Levels<fields> own = {};
        if (features % fields == 0) {
            own = *reinterpret_cast<const Levels<fields> *>(from);
        } else {
#pragma unroll
            for (int i = 0; i < fields; i++) own.at[i] = i < count ? from[i] : int8_t(0);
        }
#pragma unroll
        for (int i = 0; i < fields; i++) sum[i] += own.at[i];
    }
    uint32_t packed = 0;
#pragma unroll
    for (int i = 0; i < fields; i++) packed |= uint32_t(sum[i]) << (i * Bits);
    words[word] = packed;
}

/* Column sums of workers x columns values, in double, workers in order, rounded once.
 * Traffic: (workers + 1) columns sizeof(Real) bytes. */
template <typename Real>
__global__ void __launch_bounds__(exchange_threads)
    total_values_kernel(const Real *values, int64_t columns, int workers, Real *total) {
    const int64_t j = int64_t(blockIdx.x) * exchange_threads + threadIdx.x;
    if (j >= columns) return;
    double sum = 0;
    for (int k = 0; k < workers; k++) sum += double(values[k * columns + j]);
    total[j] = Real(sum);
}

/* Traffic: count (sizeof(Real) + 2) bytes. Nothing is summed. */
template <typename Real>
__global__ void __launch_bounds__(exchange_threads)
    round_to_bf16_kernel(const Real *values, int64_t count, fr_bf16 *out) {
    const int64_t j = int64_t(blockIdx.x) * exchange_threads + threadIdx.x;
    if (j < count) out[j] = narrow(values[j]);
}

/* Columns go by the rank that owns their slice, workers within a rank's columns. Traffic: 2 workers d sizeof(Element)
 * bytes; writes are side by side but for a step at each rank's border. Nothing is summed. */
template <typename Element>
__global__ void __launch_bounds__(exchange_threads)
    pack_kernel(const Element *from, unsigned each, int64_t features, int all_workers, int workers, Element *to) {
    const WorkerBlock here = worker_block(blockIdx.x, each);
    const int64_t j = here.block * exchange_threads + threadIdx.x, k = here.worker;
    if (j >= features) return;
    const int64_t rank = fr_split_group_of(features, all_workers, j) / workers;
    const fr_range columns = fr_split_range(features, all_workers, fr_range{rank * workers, workers});
    to[workers * columns.first + k * columns.count + (j - columns.first)] = from[k * features + j];
}

/* An own slice, counted from the device's first column; the device has `width` columns. */
struct Slice {
    int64_t first, count, width;
};
__device__ inline Slice slice_of(const fr_requantization &job, int own) {
    const int64_t d = job.features, all = job.all_workers;
    const fr_range device = fr_split_range(d, all, fr_range{job.first_worker, job.workers});
    const fr_range slice = fr_split(d, all, job.first_worker + own);
    return {slice.first - device.first, slice.count, device.count};
}

/* sums <- the levels of all workers on own columns, statistics <- largest size or sum of squares a slice: integers,
 * exact in any order. Traffic: K width bytes read, 4 width written. */
__global__ void __launch_bounds__(exchange_threads)
    sum_slices_kernel(fr_requantization job, unsigned each, const int8_t *incoming, int32_t *sums,
                      unsigned long long *statistics) {
    const WorkerBlock here = worker_block(blockIdx.x, each);
    const Slice slice = slice_of(job, here.worker);
    const int64_t j = here.block * exchange_threads + threadIdx.x;
    if (j >= slice.count) return;
    int32_t sum = 0;
    for (int k = 0; k < job.all_workers; k++) sum += incoming[k * slice.width + slice.first + j];
    sums[slice.first + j] = sum;
    const unsigned long long size = (unsigned long long)(sum < 0 ? -sum : sum);
    if (size == 0) return;
    if (job.scale == FR_SCALE_MAX) atomicMax(&statistics[here.worker], size);
    else atomicAdd(&statistics[here.worker], size * size);
}

/* slices <- Q_s of sums, slice by slice, with the Philox stream FR_STREAM_REROUND of its worker. Traffic: 4 width bytes
 * read, from L2, width written. Nothing is summed. */
template <typename Real>
__global__ void __launch_bounds__(exchange_threads)
    round_slices_kernel(fr_requantization job, unsigned each, const fr_device_state *state, const int32_t *sums,
                        const unsigned long long *statistics, int8_t *slices, Real *scales) {
    const WorkerBlock here = worker_block(blockIdx.x, each);
    const Slice slice = slice_of(job, here.worker);
    const int64_t first = (here.block * exchange_threads + threadIdx.x) * 4;
    const double statistic = double(statistics[here.worker]);
    const Real scale = Real(job.scale == FR_SCALE_MAX ? statistic : sqrt(statistic));
    if (first == 0) scales[here.worker] = scale;
    if (first >= slice.count) return;
    const int count = int(slice.count - first < 4 ? slice.count - first : 4);
    const uint64_t q = fr_sequence(FR_STREAM_REROUND, state->run, uint32_t(job.first_worker + here.worker));
    const fr_words draw = random_words(job.seed, q, fr_word_of_step(uint64_t(state->step)) + uint64_t(first));
    for (int e = 0; e < count; e++) {
        const int64_t j = slice.first + first + e;
        slices[j] = scale > 0 ? int8_t(fr_quantize_f64(sums[j], double(scale), job.levels, draw.word[e])) : int8_t(0);
    }
}

template <typename Element>
cudaError_t launch_pack(const void *from, int64_t features, int all_workers, int workers, void *to,
                        cudaStream_t stream) {
    const unsigned each = blocks_for(features, exchange_threads);
    const cudaLaunchConfig_t config = shape(grid_of(workers, each), exchange_threads, stream);
    return FR_LAUNCH(config, pack_kernel<Element>, static_cast<const Element *>(from), each, features,
                              all_workers, workers, static_cast<Element *>(to));
}

template <typename Real>
cudaError_t launch_total(const void *values, int64_t columns, int workers, void *total, cudaStream_t stream) {
    const cudaLaunchConfig_t config = shape(dim3(blocks_for(columns, exchange_threads)), exchange_threads, stream);
    return FR_LAUNCH(config, total_values_kernel<Real>, static_cast<const Real *>(values), columns, workers,
                              static_cast<Real *>(total));
}

} // namespace
} // namespace fitrelu

using namespace fitrelu;

cudaError_t fr_launch_total_levels(const int8_t *levels, int64_t features, int workers, int8_t *total,
                                   cudaStream_t stream) {
    const cudaLaunchConfig_t config = shape(dim3(blocks_for(features, exchange_threads)), exchange_threads, stream);
    return FR_LAUNCH(config, total_levels_kernel, levels, features, workers, total);
}

cudaError_t fr_launch_total_fields(const int8_t *levels, int64_t features, int workers, int s, int bits, uint32_t *words,
                                   cudaStream_t stream) {
    const unsigned blocks = blocks_for(fr_field_words(features, bits), exchange_threads);
    const cudaLaunchConfig_t config = shape(dim3(blocks), exchange_threads, stream);
    switch (bits) {
    case 4: return FR_LAUNCH(config, total_fields_kernel<4>, levels, features, workers, s, words);
    case 8: return FR_LAUNCH(config, total_fields_kernel<8>, levels, features, workers, s, words);
    default: return FR_LAUNCH(config, total_fields_kernel<16>, levels, features, workers, s, words);
    }
}

cudaError_t fr_launch_total_values(fr_precision precision, const void *values, int64_t features, int workers,
                                   void *total, cudaStream_t stream) {
    return precision == FR_F32 ? launch_total<float>(values, features, workers, total, stream)
                               : launch_total<double>(values, features, workers, total, stream);
}

cudaError_t fr_launch_round_to_bf16(fr_precision precision, const void *values, int64_t count, void *out,
                                    cudaStream_t stream) {
    const cudaLaunchConfig_t config = shape(dim3(blocks_for(count, exchange_threads)), exchange_threads, stream);
    fr_bf16 *const to = static_cast<fr_bf16 *>(out);
    if (precision == FR_F32)
        return FR_LAUNCH(config, round_to_bf16_kernel<float>, static_cast<const float *>(values), count, to);
    return FR_LAUNCH(config, round_to_bf16_kernel<double>, static_cast<const double *>(values), count, to);
}

cudaError_t fr_launch_pack(const void *from, int64_t features, int all_workers, int workers, int bytes, void *to,
                           cudaStream_t stream) {
    switch (bytes) {
    case 1: return launch_pack<int8_t>(from, features, all_workers, workers, to, stream);
    case 4: return launch_pack<float>(from, features, all_workers, workers, to, stream);
    default: return launch_pack<double>(from, features, all_workers, workers, to, stream);
    }
}

cudaError_t fr_launch_requantize(const fr_requantization *how, const fr_device_state *state, const int8_t *incoming,
                                 int32_t *sums, uint64_t *statistics, int8_t *slices, void *scales,
                                 cudaStream_t stream) {
    const int64_t longest = (how->features + how->all_workers - 1) / how->all_workers;
    auto *const counted = reinterpret_cast<unsigned long long *>(statistics);
    cudaError_t result = clear(statistics, sizeof(uint64_t) * size_t(how->workers), stream);
    if (result != cudaSuccess) return result;
    unsigned each = blocks_for(longest, exchange_threads);
    cudaLaunchConfig_t config = shape(grid_of(how->workers, each), exchange_threads, stream);
    result = FR_LAUNCH(config, sum_slices_kernel, *how, each, incoming, sums, counted);
    if (result != cudaSuccess) return result;
    each = blocks_for(longest, 4 * exchange_threads);
    config.gridDim = grid_of(how->workers, each);
    return how->precision == FR_F32 ? FR_LAUNCH(config, round_slices_kernel<float>, *how, each, state,
                                                         sums, counted, slices, static_cast<float *>(scales))
                                    : FR_LAUNCH(config, round_slices_kernel<double>, *how, each, state,
                                                         sums, counted, slices, static_cast<double *>(scales));
}
