/*
 * apply.cuh - decode and update of one coordinate: w <- w - eta_t g, g the decoded mean over the K workers; the average
 * of the tail. In double, operation by operation as engine/cpu/engine.c, so that the same levels and scales give the CPU's
 * bits. Workers are added in order.
 */
#pragma once

#include "kernels/launch.cuh"

namespace fitrelu {

/* The decoded mean of coordinate j. */
template <typename Real> __device__ inline double decode(const fr_application &job, int64_t j) {
    const Real *values = static_cast<const Real *>(job.values), *scales = static_cast<const Real *>(job.scales);
    const int64_t d = job.features;
    const double workers = job.all_workers, s = job.levels;
    const double shared = job.levels ? double(*static_cast<const Real *>(job.shared_scale)) / (s * workers) : 0;
    double mean = 0;
    switch (job.decoding) {
    case FR_DECODE_TOTAL_VALUES: return double(values[j]) / workers;
    case FR_DECODE_TOTAL_BF16: return double(fr_bf16_widen(static_cast<const fr_bf16 *>(job.values)[j])) / workers;
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

/* Step number `step`, the iterate after which is number `averaged` of the average where there is one. */
template <typename Real>
__device__ inline void update_weight(const fr_application &job, int64_t j, int64_t step, int64_t averaged) {
    const double eta = fr_step_at(job.steps, step);
    const double w = __dsub_rn(job.weights[j], __dmul_rn(eta, decode<Real>(job, j)));
    job.weights[j] = w;
    if (step >= job.average_start) {
        const double mean = job.average[j];
        job.average[j] = __dadd_rn(mean, __dsub_rn(w, mean) / double(averaged));
    }
    if (sizeof(Real) == 4) static_cast<Real *>(job.weights_real)[j] = Real(w);
}

} // namespace fitrelu
