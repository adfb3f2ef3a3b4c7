/*
 * norm.cu - N_k of each worker's vector and the largest of them, for the l2 scale, and for the max scale of vectors that no
 * gradient has left (combine.cuh finds that in passing). One block a worker.
 *
 * N_k is max |v_i|, or ||v||_2 computed so that it neither overflows nor underflows: the largest size, then the sum of
 * (v_i 2^-e)^2 in double, e the exponent of the largest, as simd/quantize.c.
 *
 * Order of summation: thread t of 256 sums i = t, t + 256, ... in order, threads as block_sum. Traffic a worker:
 * d sizeof(Real) bytes read, twice for l2 (the second time from cache).
 */
#include "kernels/norm_bits.cuh"

namespace fitrelu {
namespace {

constexpr int norm_threads = 256, norm_warps = norm_threads / 32;

__device__ inline double larger(double a, double b) { return !(b <= a) && a == a ? b : a; } /* a NaN is taken */

__device__ inline double warp_max(double value) {
    for (int apart = 16; apart > 0; apart /= 2) value = larger(value, __shfl_xor_sync(all_lanes, value, apart));
    return value;
}

/* As simd/quantize.c: what is not finite has no norm. */
template <typename Real> __device__ inline double size_of(Real v) {
    const double size = fabs(double(v));
    return size <= 1.7976931348623157e308 ? size : NAN;
}

/* The same in every thread of the block. */
template <typename Real> __device__ inline double norm_of(const Real *v, int64_t features, bool l2) {
    __shared__ double slot[2][norm_warps];
    const int in_warp = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32;
    double norm = 0;
    for (int64_t i = threadIdx.x; i < features; i += norm_threads) norm = larger(norm, size_of(v[i]));
    norm = warp_max(norm);
    if (in_warp == 0) slot[0][warp] = norm;
    __syncthreads();
    norm = slot[0][0];
    for (int other = 1; other < norm_warps; other++) norm = larger(norm, slot[0][other]);
    if (!(l2 && norm > 0)) return norm; /* the same for all threads */
    int exponent;
    frexp(norm, &exponent);
    exponent = exponent < -1023 ? -1023 : exponent;
    const double factor = ldexp(1.0, -exponent);
    double sum = 0;
    for (int64_t i = threadIdx.x; i < features; i += norm_threads) {
        const double scaled = double(v[i]) * factor;
        sum = fma(scaled, scaled, sum);
    }
    return ldexp(sqrt(block_sum<norm_threads>(sum, slot[1])), exponent);
}

/* scales[k] <- N_k, *shared_scale <- the larger of both. */
template <typename Real>
__global__ void __launch_bounds__(norm_threads)
    norm_kernel(const Real *values, int64_t features, bool l2, Real *scales, Real *shared_scale) {
    const int64_t worker = blockIdx.x;
    const Real rounded = Real(norm_of(values + worker * features, features, l2));
    if (threadIdx.x > 0) return;
    scales[worker] = rounded;
    atomicMax(reinterpret_cast<BitsOf<Real> *>(shared_scale), size_bits(rounded));
}

template <typename Real>
cudaError_t launch(fr_scale scale, const void *values, int64_t features, int workers, void *scales,
                   void *shared_scale, cudaStream_t stream) {
    const cudaError_t result = clear(shared_scale, sizeof(Real), stream);
    if (result != cudaSuccess) return result;
    const cudaLaunchConfig_t config = shape(dim3(unsigned(workers)), norm_threads, stream);
    return FR_LAUNCH(config, norm_kernel<Real>, static_cast<const Real *>(values), features,
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
