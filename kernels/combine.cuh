/*
 * combine.cuh - the sum over the lanes of each worker.
 *
 * Columns go by 32, a warp's width, and lanes in eight groups: each group in order, then the groups in order, all in
 * double. A block of any number of warps may do it, so that the kernel of its own and the persistent step give the same
 * bits. A warp's 32 columns are 128 or 256 bytes side by side, and eight groups keep eight loads a column in flight.
 *
 * Traffic: workers x lanes x d sizeof(Real) bytes read, mostly from L2, workers x d sizeof(Out) written.
 */
#pragma once

#include "kernels/row_pass.cuh"

namespace fitrelu {

constexpr int combine_columns = 32, combine_groups = 8;

/* out[worker d + j] <- factor times the sum over the lanes, for 32 columns from 32 * tile on. */
template <typename Real, typename Out, int Threads>
__device__ inline void combine_columns_of(const RowPass &pass, int64_t worker, int64_t tile, double factor, Out *out) {
    __shared__ double partial[combine_groups][combine_columns];
    const Real *sums = static_cast<const Real *>(pass.lane_sums);
    const int column = int(threadIdx.x) % combine_columns, warp = int(threadIdx.x) / combine_columns;
    const int64_t j = tile * combine_columns + column, d = pass.shard.features;
    for (int group = warp; group < combine_groups; group += Threads / combine_columns) {
        const fr_range lanes = fr_split(pass.lanes, combine_groups, group);
        double sum = 0;
        if (j < d)
            for (int lane = int(lanes.first); lane < int(lanes.first + lanes.count); lane++)
                sum += double(sums[(worker * pass.lanes + lane) * pass.shard.stride + j]);
        partial[group][column] = sum;
    }
    __syncthreads();
    if (warp > 0 || j >= d) return;
    double sum = partial[0][column];
    for (int other = 1; other < combine_groups; other++) sum += partial[other][column];
    out[worker * d + j] = Out(factor * sum);
}

template <typename Real, typename Out>
__global__ void __launch_bounds__(combine_columns *combine_groups)
    combine_lanes_kernel(RowPass pass, unsigned each, double factor, Out *out) {
    const WorkerBlock here = worker_block(blockIdx.x, each);
    combine_columns_of<Real, Out, combine_columns * combine_groups>(pass, here.worker, here.block, factor, out);
}

template <typename Real, typename Out>
inline cudaError_t launch_combine(const RowPass &pass, double factor, Out *out, cudaStream_t stream) {
    const unsigned each = blocks_for(pass.shard.features, combine_columns);
    const cudaLaunchConfig_t config =
        shape(grid_of(pass.shard.workers, each), combine_columns * combine_groups, stream);
    return cudaLaunchKernelEx(&config, combine_lanes_kernel<Real, Out>, pass, each, factor, out);
}

/* The mean over a worker's draws, or K / n times the sum over all its rows. */
inline double mean_factor(const fr_shard &s) {
    return s.draws > 0 ? 1 / double(s.draws) : double(s.all_workers) / double(s.samples);
}

} // namespace fitrelu
