/*
 * norm.cu - N_k of each worker's vector and the largest of them (norm.cuh). One block a worker.
 *
 * Traffic a worker: d sizeof(Real) bytes read, twice for l2 (the second time from cache). Order of summation: norm.cuh;
 * the largest norm by an integer maximum, the same in any order.
 */
#include "kernels/norm.cuh"

namespace fitrelu {
namespace {

constexpr int norm_threads = norm_lanes;

template <typename Real>
__global__ void __launch_bounds__(norm_threads)
    norm_kernel(const Real *values, int64_t features, bool l2, Real *scales, Real *shared_scale) {
    norm_of_worker<Real, norm_threads>(values, features, l2, blockIdx.x, scales, shared_scale);
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
