/*
 * combine.cuh - the sum over the lanes of each worker.
 *
 * Columns go by 32, a warp's width, and lanes in eight groups: each group in order, then the groups in order, all in
 * double. A warp's 32 columns are 128 or 256 bytes side by side, and eight groups keep eight loads a column in flight.
 *
 * Traffic: workers x lanes x d sizeof(Real) bytes read, mostly from L2, workers x d sizeof(Out) written.
 *
 * Under the max scale the norms are found in passing: the largest bits of each block's columns go to a maximum over the
 * worker's blocks, and the last block to come writes N_k and the largest of them, and leaves all at 0 for the next step.
 */
#pragma once

#include "kernels/norm_bits.cuh"
#include "kernels/row_pass.cuh"

namespace fitrelu {

constexpr int combine_columns = 32, combine_groups = 8;

/* By one warp of each block, which has `value` in each lane. */
template <typename Real>
__device__ inline void gather_norms(const fr_norms &norms, int worker, int workers, Real value) {
    using Bits = BitsOf<Real>;
    Bits *most = static_cast<Bits *>(norms.most), largest = warp_max_bits(size_bits(value));
    const int lane = int(threadIdx.x) % 32;
    int last = 0;
    if (lane == 0) {
        atomicMax(&most[worker], largest);
        __threadfence();
        last = atomicAdd(norms.arrived, 1u) == gridDim.x - 1;
    }
    if (!__shfl_sync(all_lanes, last, 0)) return;
    __threadfence();
    largest = 0;
    for (int k = lane; k < workers; k += 32) {
        const Bits bits = atomicExch(&most[k], Bits(0));
        static_cast<Real *>(norms.scales)[k] = number_of_bits(bits);
        largest = bits > largest ? bits : largest;
    }
    largest = warp_max_bits(largest);
    if (lane > 0) return;
    *static_cast<Real *>(norms.shared_scale) = number_of_bits(largest);
    *norms.arrived = 0;
}

/* out[worker d + j] <- factor times the sum over the lanes. A block takes 32 columns of a worker, a warp a group. */
template <typename Real, typename Out, bool Norms>
__global__ void __launch_bounds__(combine_columns *combine_groups)
    combine_lanes_kernel(RowPass pass, unsigned each, double factor, fr_norms norms, Out *out) {
    __shared__ double partial[combine_groups][combine_columns];
    const WorkerBlock here = worker_block(blockIdx.x, each);
    const Real *sums = static_cast<const Real *>(pass.lane_sums);
    const int column = int(threadIdx.x) % combine_columns, group = int(threadIdx.x) / combine_columns;
    const int64_t worker = here.worker, j = here.block * combine_columns + column, d = pass.shard.features;
    const fr_range lanes = fr_split(pass.lanes, combine_groups, group);
    double sum = 0;
    if (j < d)
        for (int lane = int(lanes.first); lane < int(lanes.first + lanes.count); lane++)
            sum += double(sums[(worker * pass.lanes + lane) * pass.shard.stride + j]);
    partial[group][column] = sum;
    __syncthreads();
    if (group > 0 || (!Norms && j >= d)) return;
    for (int other = 1; other < combine_groups; other++) sum += partial[other][column];
    const Out value = Out(factor * sum);
    if (j < d) out[worker * d + j] = value;
    if constexpr (Norms) gather_norms(norms, here.worker, pass.shard.workers, value); /* behind column d - 1 it is 0 */
}

inline cudaLaunchConfig_t shape_of_combine(const RowPass &pass, unsigned each, cudaStream_t stream) {
    return shape(grid_of(pass.shard.workers, each), combine_columns * combine_groups, stream);
}

template <typename Real, typename Out>
inline cudaError_t launch_combine(const RowPass &pass, double factor, Out *out, cudaStream_t stream) {
    const unsigned each = blocks_for(pass.shard.features, combine_columns);
    const cudaLaunchConfig_t config = shape_of_combine(pass, each, stream);
    return FR_LAUNCH(config, combine_lanes_kernel<Real, Out, false>, pass, each, factor, fr_norms{}, out);
}

template <typename Real>
inline cudaError_t launch_combine_with_norms(const RowPass &pass, double factor, const fr_norms &norms, Real *out,
                                             cudaStream_t stream) {
    const unsigned each = blocks_for(pass.shard.features, combine_columns);
    const cudaLaunchConfig_t config = shape_of_combine(pass, each, stream);
    return FR_LAUNCH(config, combine_lanes_kernel<Real, Real, true>, pass, each, factor, norms, out);
}

/* The mean over a worker's draws, or K / n times the sum over all its rows. */
inline double mean_factor(const fr_shard &s) {
    return s.draws > 0 ? 1 / double(s.draws) : double(s.all_workers) / double(s.samples);
}

} // namespace fitrelu
