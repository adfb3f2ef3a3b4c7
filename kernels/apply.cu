/*
 * apply.cu - decode and update: w <- w - eta_t g, g the decoded mean over the K workers; the average of the tail;
 * t <- t + 1. In double, operation by operation as engine_cpu.c, so that the same levels and scales give the CPU's
 * bits.
 *
 * A thread a coordinate. The step is read by every block before the last of them to have read it moves it on, so one
 * launch does both. Traffic a coordinate: what is decoded (1 to K elements), w and its copy in Real (16 to 20 bytes),
 * 16 more where iterates are averaged. Workers are added in order.
 */
#include "launch.cuh"

namespace fitrelu {
namespace {

constexpr int apply_threads = 128;

/* The decoded mean of coordinate j. */
template <typename Real> __device__ inline double decode(const fr_application &job, int64_t j) {
    const Real *values = static_cast<const Real *>(job.values), *scales = static_cast<const Real *>(job.scales);
    const int64_t d = job.features;
    const double workers = job.all_workers, s = job.levels;
    const double shared = job.levels ? double(*static_cast<const Real *>(job.shared_scale)) / (s * workers) : 0;
    double mean = 0;
    switch (job.decoding) {
    case FR_DECODE_TOTAL_VALUES: return double(values[j]) / workers;
    case FR_DECODE_TOTAL_LEVELS: return __dmul_rn(shared, double(job.codes[j]));
    case FR_DECODE_ALL_VALUES:
        for (int k = 0; k < job.all_workers; k++) mean = __dadd_rn(mean, double(values[k * d + j]) / workers);
        return mean;
    case FR_DECODE_ALL_LEVELS:
        for (int k = 0; k < job.all_workers; k++) {
            const double unit = double(scales[k]) / (s * workers);
            mean = __dadd_rn(mean, __dmul_rn(unit, double(job.codes[k * d + j])));
        }
        return mean;
    case FR_DECODE_SLICE_LEVELS: break;
    }
    const int64_t short_part = d / job.all_workers, longer = d % job.all_workers, begin = longer * (short_part + 1);
    const int64_t slice = j < begin ? j / (short_part + 1) : longer + (j - begin) / short_part;
    return __dmul_rn(__dmul_rn(shared, double(scales[slice]) / s), double(job.codes[j]));
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
    if (j >= job.features) return;
    const double eta = fr_step_at(job.steps, step);
    const double w = __dsub_rn(job.weights[j], __dmul_rn(eta, decode<Real>(job, j)));
    job.weights[j] = w;
    if (step >= job.average_start) {
        const double mean = job.average[j];
        job.average[j] = __dadd_rn(mean, __dsub_rn(w, mean) / double(averaged));
    }
    if (sizeof(Real) == 4) static_cast<Real *>(job.weights_real)[j] = Real(w);
}

} // namespace
} // namespace fitrelu

cudaError_t fr_launch_apply(const fr_application *job, fr_device_state *state, cudaStream_t stream) {
    using namespace fitrelu;
    const cudaLaunchConfig_t config = shape(dim3(blocks_for(job->features, apply_threads)), apply_threads, stream);
    return job->precision == FR_F32 ? cudaLaunchKernelEx(&config, apply_kernel<float>, *job, state)
                                    : cudaLaunchKernelEx(&config, apply_kernel<double>, *job, state);
}
