/*
 * survey.cu - passes over all rows of a device: sum_i c_i x_i by fr_pass, with loss, activity and label sums.
 *
 * The same fused pass as the gradient's, over rows in order instead of drawn ones. Traffic: every row once,
 * n (stride sizeof(Kept) + sizeof(Real)) bytes. Order of summation: row_pass.cuh.
 */
#include "kernels/combine.cuh"

namespace fitrelu {
namespace {

template <typename Real, typename Kept, int Threads, int Packs>
__global__ void __launch_bounds__(Threads) survey_kernel(RowPass pass) {
    if constexpr (Packs > 0) pass_in_registers<Real, Kept, Threads, Packs, AllRows>(pass);
    else pass_in_tiles<Real, Kept, Threads, AllRows>(pass);
}

template <typename Real, typename Kept> struct FullPass {
    const RowPass &pass;
    cudaStream_t stream;
    template <int Threads, int Packs> cudaError_t go() const {
        const cudaLaunchConfig_t config = shape(dim3(unsigned(pass.shard.workers * pass.lanes)), Threads, stream);
        return FR_LAUNCH(config, survey_kernel<Real, Kept, Threads, Packs>, pass);
    }
};

struct Survey {
    const RowPass &pass;
    cudaStream_t stream;
    template <typename Real, typename Kept> cudaError_t go() const {
        return choose_block<Real, Kept>(pass.shard.stride, FullPass<Real, Kept>{pass, stream});
    }
};

} // namespace

cudaError_t launch_full_pass(const RowPass &pass, cudaStream_t stream) {
    return for_storage(pass.shard, Survey{pass, stream});
}

} // namespace fitrelu

cudaError_t fr_launch_survey(const fr_shard *shard, fr_pass kind, const void *weights, void *lane_sums,
                             fr_row_sums *lane_scalars, double *sums, cudaStream_t stream) {
    const fr_pass pass_kind = sums || kind == FR_PASS_LABELS ? kind : FR_PASS_LOSS;
    const fitrelu::RowPass pass = {*shard, pass_kind, shard->full_lanes, nullptr, weights, lane_sums, lane_scalars};
    const cudaError_t result = fitrelu::launch_full_pass(pass, stream);
    if (result != cudaSuccess || !sums) return result;
    return shard->precision == FR_F32 ? fitrelu::launch_combine<float>(pass, 1, sums, stream)
                                      : fitrelu::launch_combine<double>(pass, 1, sums, stream);
}
