/*
 * encode.cu - levels of Q_s, four coordinates a thread (encode.cuh). Traffic: d (sizeof(Real) + 1) bytes a worker.
 * Nothing is summed.
 */
#include "kernels/encode.cuh"

namespace fitrelu {
namespace {

constexpr int encode_threads = 128;

template <typename Real>
__global__ void __launch_bounds__(encode_threads)
    encode_kernel(fr_encoding job, unsigned each, const fr_device_state *state, const Real *values,
                  const Real *scales, int8_t *levels) {
    const WorkerBlock here = worker_block(blockIdx.x, each);
    const int64_t first = (here.block * encode_threads + threadIdx.x) * 4;
    if (first < job.features)
        encode_four(job, Moment{state->step, state->run}, values, scales, here.worker, first, levels);
}

template <typename Real>
cudaError_t launch(const fr_encoding &job, const fr_device_state *state, const void *values, const void *scales,
                   int8_t *levels, cudaStream_t stream) {
    const unsigned each = blocks_for(job.features, 4 * encode_threads);
    const cudaLaunchConfig_t config = shape(grid_of(job.workers, each), encode_threads, stream);
    return cudaLaunchKernelEx(&config, encode_kernel<Real>, job, each, state, static_cast<const Real *>(values),
                              static_cast<const Real *>(scales), levels);
}

} // namespace
} // namespace fitrelu

cudaError_t fr_launch_encode(const fr_encoding *encoding, const fr_device_state *state, const void *values,
                             const void *scales, int8_t *levels, cudaStream_t stream) {
    return encoding->precision == FR_F32 ? fitrelu::launch<float>(*encoding, state, values, scales, levels, stream)
                                         : fitrelu::launch<double>(*encoding, state, values, scales, levels, stream);
}
