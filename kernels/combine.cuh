/*
 * combine.cuh - the sum over the lanes of each worker.
 *
 * Columns go by 32, a warp's width, and lanes in eight groups: each group in order, then the groups in order, all in
 * double. A warp's 32 columns are 128 or 256 bytes side by side, and eight groups keep eight loads a column in flight.
 *
 * Traffic: workers x lanes x d sizeof(Real) bytes read, mostly from L2, workers x d sizeof(Out) written.
 */
#pragma once

#include "kernels/row_pass.cuh"

namespace fitrelu {

constexpr int combine_columns = 32, combine_groups = 8;

/* out[worker d + j] <- factor times the sum over the lanes. A block takes 32 columns of a worker, a warp a group. */
template <typename Real, typename Out>
__global__ void __launch_bounds__(combine_columns *combine_groups)
    combine_lanes_kernel(RowPass pass, unsigned each, double factor, Out *out) {
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
    if (group > 0 || j >= d) return;
    for (int other = 1; other < combine_groups; other++) sum += partial[other][column];
    out[worker * d + j] = Out(factor * sum);
}

template <typename Real, typename Out>
inline cudaError_t launch_combine(const RowPass &pass, double factor, Out *out, cudaStream_t stream) {
    const unsigned each = blocks_for(pass.shard.features, combine_columns);
    const cudaLaunchConfig_t config =
        shape(grid_of(pass.shard.workers, each), combine_columns * combine_groups, stream);
    return FR_LAUNCH(config, combine_lanes_kernel<Real, Out>, pass, each, factor, out);
}

/* The mean over a worker's draws, or K / n times the sum over all its rows. */
inline double mean_factor(const fr_shard &s) {
    return s.draws > 0 ? 1 / double(s.draws) : double(s.all_workers) / double(s.samples);
}

} // namespace fitrelu
