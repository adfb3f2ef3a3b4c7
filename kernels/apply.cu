/*
 * apply.cu - decode and update: w <- w - eta_t g, g the decoded mean over the K workers (kernels/rules/update.h); the
 * average of the tail; t <- t + 1.
 *
 * In double, operation by operation as engine/cpu/engine.c, so that the same levels and scales give the CPU's bits.
 * A thread a coordinate; consecutive threads touch consecutive words. The step is read by every block before the last
 * of them to have read it moves it on, so one launch does both.
 *
 * Order of summation: workers in order. Traffic a coordinate: what is decoded, one element of a total or K of all
 * workers' (sizeof(Real) bytes, 2 of bfloat16, 1 of levels, f / 8 of
 * fields); 16 bytes of w, 4 of its copy in float, 16 of the average
 * where there is one.
 */
#include "kernels/launch.cuh"
#include "kernels/rules/fields.h"

namespace fitrelu {
namespace {

constexpr int apply_threads = 128;

template <typename Real> __device__ inline const Real *after(const Real *from, int64_t bytes) {
    return reinterpret_cast<const Real *>(reinterpret_cast<const char *>(from) + bytes);
}

/* g at coordinate j. */
template <typename Real> __device__ inline double decode(const fr_application &job, int64_t j) {
    const Real *values = static_cast<const Real *>(job.values), *scales = static_cast<const Real *>(job.scales);
    const int64_t d = job.features;
    const double workers = job.all_workers, s = job.levels;
    const double shared = job.levels ? double(*static_cast<const Real *>(job.shared_scale)) / (s * workers) : 0;
    double mean = 0;
    switch (job.update) {
    case FR_UPDATE_TOTAL_VALUES: return double(values[j]) / workers;
    case FR_UPDATE_TOTAL_BF16: return double(fr_bf16_widen(static_cast<const fr_bf16 *>(job.values)[j])) / workers;
    case FR_UPDATE_TOTAL_LEVELS: return __dmul_rn(shared, double(job.codes[j]));
    case FR_UPDATE_TOTAL_FIELDS: {
        const int most = job.all_workers * job.levels; /* how far the sum was moved up */
        return __dmul_rn(shared, double(int(fr_field_at(job.fields, fr_field_bits(most), j)) - most));
    }
    case FR_UPDATE_ALL_VALUES:
        for (int k = 0; k < job.all_workers; k++) mean = __dadd_rn(mean, double(values[k * d + j]) / workers);
        return mean;
    case FR_UPDATE_ALL_LEVELS: {
        const int8_t *codes = job.codes + j;
        for (int k = 0, left = job.block_workers; k < job.all_workers; k++) {
            const double unit = double(*scales) / (s * workers);
            mean = __dadd_rn(mean, __dmul_rn(unit, double(*codes)));
            codes += d, scales++;
            if (--left > 0) continue; /* on to the next block */
            codes += job.block - job.block_workers * d, left = job.block_workers;
            scales = after(scales - left, job.block);
        }
        return mean;
    }
    case FR_UPDATE_MODEL: return 0; /* the weights have moved */
    case FR_UPDATE_SLICE_LEVELS: break;
    }
    const int slice = int(fr_split_group_of(d, job.all_workers, j)), in_block = slice % job.block_workers;
    const int first = slice - in_block; /* whose slice is the first of the block */
    const int64_t block = first / job.block_workers * job.block;
    const double scale = double(after(scales, block)[in_block]);
    return __dmul_rn(__dmul_rn(shared, scale / s), double(job.codes[block + j - fr_split_start(d, job.all_workers, first)]));
}

/* Step number `step`, the iterate after which is number `averaged` of the average where there is one. */
template <typename Real>
__device__ inline void update_weight(const fr_application &job, int64_t j, int64_t step, int64_t averaged) {
    const double eta = job.update == FR_UPDATE_MODEL ? 0 : fr_step_at(job.steps, step);
    double w = __dsub_rn(job.weights[j], __dmul_rn(eta, decode<Real>(job, j)));
    if (job.momentum > 0 && job.update != FR_UPDATE_MODEL) { /* w is v' so far, and average holds v */
        const double v = w;
        w = __dadd_rn(v, __dmul_rn(job.momentum, __dsub_rn(v, job.average[j])));
        job.average[j] = v;
    }
    job.weights[j] = w;
    if (step >= job.average_start) {
        const double mean = job.average[j];
        job.average[j] = __dadd_rn(mean, __dsub_rn(w, mean) / double(averaged));
    }
    if (sizeof(Real) == 4) static_cast<Real *>(job.weights_real)[j] = Real(w);
}

template <typename Real>
__global__ void __launch_bounds__(apply_threads) apply_kernel(fr_application job, fr_device_state *state) {
    __shared__ int64_t step, averaged;
    const int64_t j = int64_t(blockIdx.x) * apply_threads + threadIdx.x;
    if (threadIdx.x == 0) {
        step = state->step;
        averaged = state->averaged + (step >= job.average_start);
        __threadfence();
        if (atomicAdd(&state->arrived, 1u) == gridDim.x - 1) { /* every block has read the step */
            __threadfence();
            state->step = step + 1;
            state->averaged = averaged;
            state->arrived = 0;
        }
    }
    __syncthreads();
    if (j < job.features) update_weight<Real>(job, j, step, averaged);
}

} // namespace
} // namespace fitrelu

cudaError_t fr_launch_apply(const fr_application *job, fr_device_state *state, cudaStream_t stream) {
    using namespace fitrelu;
    const cudaLaunchConfig_t config = shape(dim3(blocks_for(job->features, apply_threads)), apply_threads, stream);
    return job->precision == FR_F32 ? FR_LAUNCH(config, apply_kernel<float>, *job, state)
                                    : FR_LAUNCH(config, apply_kernel<double>, *job, state);
}
