/*
 * norm.cuh - N_k of one worker's vector by one block: max |v_i|, or ||v||_2 computed so that it neither overflows nor
 * underflows: the largest size, then the sum of (v_i 2^-e)^2 in double, e the exponent of the largest, as
 * simd/quantize.c.
 *
 * Order of summation, whatever the block: lane t of 256 sums i = t, t + 256, ... in order; lanes by 32 as warp_sum,
 * then the eight sums in order. A block of fewer than 256 threads takes several lanes a thread, one after another.
 *
 * Traffic: d sizeof(Real) bytes read, twice for l2 (the second time from cache).
 */
#pragma once

#include "kernels/launch.cuh"

namespace fitrelu {

constexpr int norm_lanes = 256, norm_warps = norm_lanes / 32;

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
template <typename Real, int Threads> __device__ inline double norm_of(const Real *v, int64_t features, bool l2) {
    __shared__ double most[Threads / 32], sums[norm_warps];
    const int in_warp = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32;
    double norm = 0;
    for (int64_t i = threadIdx.x; i < features; i += Threads) norm = larger(norm, size_of(v[i]));
    norm = warp_max(norm);
    if (in_warp == 0) most[warp] = norm;
    __syncthreads();
    norm = most[0];
    for (int other = 1; other < Threads / 32; other++) norm = larger(norm, most[other]);
    if (!(l2 && norm > 0)) return norm; /* the same for all threads */
    int exponent;
    frexp(norm, &exponent);
    exponent = exponent < -1023 ? -1023 : exponent;
    const double factor = ldexp(1.0, -exponent);
    for (int group = warp; group < norm_warps; group += Threads / 32) { /* 32 lanes */
        double sum = 0;
        for (int64_t i = group * 32 + in_warp; i < features; i += norm_lanes) {
            const double scaled = double(v[i]) * factor;
            sum = fma(scaled, scaled, sum);
        }
        sum = warp_sum(sum);
        if (in_warp == 0) sums[group] = sum;
    }
    __syncthreads();
    double sum = sums[0];
    for (int other = 1; other < norm_warps; other++) sum += sums[other];
    return ldexp(sqrt(sum), exponent);
}

/* The largest N_k, by an integer maximum over the bits of numbers that are never negative, which orders them as
 * themselves and puts NaN above all; such a maximum does not depend on the order either. */
__device__ inline void raise(float *most, float value) {
    atomicMax(reinterpret_cast<unsigned *>(most), unsigned(__float_as_int(value)));
}
__device__ inline void raise(double *most, double value) {
    atomicMax(reinterpret_cast<unsigned long long *>(most), (unsigned long long)__double_as_longlong(value));
}

/* scales[worker] <- N_k, *shared_scale <- the larger of both. */
template <typename Real, int Threads>
__device__ inline void norm_of_worker(const Real *values, int64_t features, bool l2, int64_t worker, Real *scales,
                                 Real *shared_scale) {
    const Real rounded = Real(norm_of<Real, Threads>(values + worker * features, features, l2));
    if (threadIdx.x > 0) return;
    scales[worker] = rounded;
    raise(shared_scale, rounded == rounded ? rounded : Real(NAN));
}

} // namespace fitrelu
