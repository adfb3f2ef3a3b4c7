/*
 * norm.cu - N_k of each worker's vector: max |v_i|, or ||v||_2 computed so that it neither overflows nor underflows.
 *
 * One block a worker: the largest magnitude, then (l2) the sum of (v_i 2^-e)^2 in double, e the exponent of the
 * largest, as quantize.c. Traffic: d sizeof(Real) bytes read, twice for l2 (the second time from cache).
 * Order of summation: thread t sums i = t, t + 256, ... in order, then block_sum.
 *
 * The largest N_k is taken by an integer maximum over the bits of numbers that are never negative, which orders them
 * as themselves and puts NaN above all; such a maximum does not depend on the order either.
 */
#include "launch.cuh"

namespace fitrelu {
namespace {

constexpr int norm_threads = 256;

__device__ inline double warp_max(double value) { /* a NaN is taken */
    for (int apart = 16; apart > 0; apart /= 2) {
        const double other = __shfl_xor_sync(all_lanes, value, apart);
        if (!(other <= value) && value == value) value = other;
    }
    return value;
}

__device__ inline double block_max(double value, double *slot) {
    value = warp_max(value);
    if (threadIdx.x % 32 == 0) slot[threadIdx.x / 32] = value;
    __syncthreads();
    value = slot[0];
    for (int warp = 1; warp < norm_threads / 32; warp++)
        if (!(slot[warp] <= value) && value == value) value = slot[warp];
    return value;
}

__device__ inline void raise(float *most, float value) {
    atomicMax(reinterpret_cast<unsigned *>(most), unsigned(__float_as_int(value)));
}
__device__ inline void raise(double *most, double value) {
    atomicMax(reinterpret_cast<unsigned long long *>(most), (unsigned long long)__double_as_longlong(value));
}

template <typename Real>
__global__ void __launch_bounds__(norm_threads)
    norm_kernel(const Real *values, int64_t features, bool l2, Real *scales, Real *shared_scale) {
    __shared__ double slots[2][norm_threads / 32];
    const Real *v = values + int64_t(blockIdx.x) * features;
    double most = 0;
    for (int64_t i = threadIdx.x; i < features; i += norm_threads) {
        double size = fabs(double(v[i]));
        if (!(size <= 1.7976931348623157e308)) size = NAN; /* as quantize.c: what is not finite has no norm */
        if (!(size <= most) && most == most) most = size;
    }
    double norm = block_max(most, slots[0]);
    if (l2 && norm > 0) {
        int exponent;
        frexp(norm, &exponent);
        exponent = exponent < -1023 ? -1023 : exponent;
        const double factor = ldexp(1.0, -exponent);
        double sum = 0;
        for (int64_t i = threadIdx.x; i < features; i += norm_threads) {
            const double part = double(v[i]) * factor;
            sum = fma(part, part, sum);
        }
        norm = ldexp(sqrt(block_sum<norm_threads>(sum, slots[1])), exponent);
    }
    if (threadIdx.x > 0) return;
    const Real rounded = Real(norm);
    scales[blockIdx.x] = rounded;
    raise(shared_scale, rounded == rounded ? rounded : Real(NAN));
}

template <typename Real>
cudaError_t launch(fr_scale scale, const void *values, int64_t features, int workers, void *scales,
                   void *shared_scale, cudaStream_t stream) {
    const cudaError_t result = cudaMemsetAsync(shared_scale, 0, sizeof(Real), stream);
    if (result != cudaSuccess) return result;
    const cudaLaunchConfig_t config = shape(dim3(unsigned(workers)), norm_threads, stream);
    return cudaLaunchKernelEx(&config, norm_kernel<Real>, static_cast<const Real *>(values), features,
                              scale != FR_SCALE_MAX, static_cast<Real *>(scales), static_cast<Real *>(shared_scale));
}

} // namespace
} // namespace fitrelu

cudaError_t fr_launch_norm(fr_precision precision, fr_scale scale, const void *values, int64_t features, int workers,
                           void *scales, void *shared_scale, cudaStream_t stream) {
    return precision == FR_F32
               ? fitrelu::launch<float>(scale, values, features, workers, scales, shared_scale, stream)
               : fitrelu::launch<double>(scale, values, features, workers, scales, shared_scale, stream);
}
