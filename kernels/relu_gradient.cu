/*
 * relu_gradient.cu - v_k, the mean over a worker's drawn rows of
 *
 *     grad l_i(w) = (max(0, <w, x_i>) - y_i)(1 + sgn <w, x_i>) x_i,     (2.1)
 *
 * fused: rows are drawn by Philox in the kernel, and each is read from memory once (row_pass.cuh). One block a lane;
 * a second kernel adds the lanes (combine.cuh).
 *
 * Traffic for m rows on a device: m (stride sizeof(Kept) + sizeof(Real)) bytes read, Kept being bfloat16 with
 * FR_STORAGE_BF16 and Real without; the lanes' sums, lanes x stride sizeof(Real), are written and read once more,
 * mostly in L2. Order of summation: row_pass.cuh; no atomics.
 */
#include "kernels/combine.cuh"
#include "kernels/random.cuh"

namespace fitrelu {
namespace {

/* Draws of (2.1), with the words of the worker's sequence that belong to the step. */
struct DrawnRows {
    static constexpr bool drawn = true;
    uint64_t seed, sequence, step;
    __device__ DrawnRows(const RowPass &pass, const Lane &lane)
        : seed(pass.shard.seed), sequence(fr_sequence(FR_STREAM_SAMPLE, pass.state->run, uint32_t(lane.worker))),
          step(uint64_t(pass.state->step)) {}
    __device__ int64_t at(const Lane &lane, int64_t number) const {
        return sample_row(seed, sequence, step, uint64_t(number), uint64_t(lane.shard_rows));
    }
};

template <typename Real, typename Kept, int Threads, int Packs>
__global__ void __launch_bounds__(Threads) relu_gradient_kernel(RowPass pass) {
    if constexpr (Packs > 0) pass_in_registers<Real, Kept, Threads, Packs, DrawnRows>(pass);
    else pass_in_tiles<Real, Kept, Threads, DrawnRows>(pass);
}

template <typename Real, typename Kept> struct DrawnPass {
    const RowPass &pass;
    cudaStream_t stream;
    template <int Threads, int Packs> cudaError_t go() const {
        const cudaLaunchConfig_t config = shape(dim3(unsigned(pass.shard.workers * pass.lanes)), Threads, stream);
        return FR_LAUNCH(config, relu_gradient_kernel<Real, Kept, Threads, Packs>, pass);
    }
};

struct Gradient {
    const RowPass &pass;
    const fr_norms *norms;
    void *values;
    cudaStream_t stream;
    template <typename Real, typename Kept> cudaError_t go() const {
        const fr_shard &s = pass.shard;
        const DrawnPass<Real, Kept> drawn = {pass, stream};
        const cudaError_t result =
            s.draws > 0 ? choose_block<Real, Kept>(s.stride, drawn) : launch_full_pass(pass, stream);
        if (result != cudaSuccess) return result;
        Real *const out = static_cast<Real *>(values);
        return norms ? launch_combine_with_norms<Real>(pass, mean_factor(s), *norms, out, stream)
                     : launch_combine<Real>(pass, mean_factor(s), out, stream);
    }
};

} // namespace
} // namespace fitrelu

/* A worker may have a device to itself, so what it gets does not shrink with the number of workers: at most 1024 lanes
 * and 16 MB of sums in double, and never fewer than 4. Four rows a lane make its sum worth writing. Small draws have
 * less than that: up to 256 blocks, about two a processor, a row each is what keeps a device busy. */
int fr_lanes_for(int64_t rows_a_worker, bool drawn, int64_t features) {
    const int64_t by_memory = (INT64_C(16) << 20) / (8 * features), most = by_memory < 1024 ? by_memory : 1024;
    const int64_t fours = (rows_a_worker + 3) / 4, few = rows_a_worker < 256 ? rows_a_worker : 256;
    const int64_t wanted = drawn && few > fours ? few : fours;
    return int(wanted < 1 ? 1 : wanted < most ? wanted : most < 4 ? (wanted < 4 ? wanted : 4) : most);
}

cudaError_t fr_launch_relu_gradient(const fr_shard *shard, const fr_device_state *state, const void *weights,
                                    void *lane_sums, fr_row_sums *lane_scalars, const fr_norms *norms, void *values,
                                    cudaStream_t stream) {
    const int lanes = shard->draws > 0 ? shard->lanes : shard->full_lanes;
    const fitrelu::RowPass pass = {*shard, FR_PASS_GRADIENT, lanes, state, weights, lane_sums, lane_scalars};
    return fitrelu::for_storage(*shard, fitrelu::Gradient{pass, norms, values, stream});
}
