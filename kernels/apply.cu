/*
 * apply.cu - decode and update (apply.cuh), t <- t + 1.
 *
 * A thread a coordinate; consecutive threads touch consecutive words. The step is read by every block before the last
 * of them to have read it moves it on, so one launch does both. Traffic a coordinate: what is decoded (1 to K
 * elements of 1 to 8 bytes), 16 bytes of w, 4 of its copy in float, 16 more where iterates are averaged. Order of
 * summation: apply.cuh.
 */
#include "kernels/apply.cuh"

namespace fitrelu {
namespace {

constexpr int apply_threads = 128;

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
    return job->precision == FR_F32 ? cudaLaunchKernelEx(&config, apply_kernel<float>, *job, state)
                                    : cudaLaunchKernelEx(&config, apply_kernel<double>, *job, state);
}
