/*
 * row_pass.cuh - one pass over rows, shared by the gradient (relu_gradient.cu) and the survey (survey.cu).
 *
 * A worker's rows are cut into lanes by counts of the plan alone; one block a lane. Where a row fits a block's
 * registers it is read from memory once, by 16-byte loads, and stays there between the dot product with w and the
 * accumulation, while the next row is on its way. Longer rows go in tiles, four rows at a time: dot products, then
 * the same rows again (from L2, which holds them) into the sum of the lane.
 *
 * Traffic of a lane of r rows: r (stride + 1) sizeof(Real) bytes read, stride sizeof(Real) written; in tiles the rows
 * twice (the second time from L2) and the sum twice for every four rows.
 *
 * Order of summation. Dot product: each thread its packs in order in Real, then doubles over warp and block in the
 * fixed order of block_sum. Sum of a lane: rows in order in Real, in groups of 256 rows that are added in order.
 * Lanes: eight groups of lanes, each in order, groups in order, in double.
 */
#pragma once

#include "launch.cuh"

namespace fitrelu {

constexpr int group_rows = 256; /* rows whose indices are drawn at once and whose sum is kept in registers */

struct RowPass {
    fr_shard shard;
    fr_pass kind;
    int lanes;
    const fr_device_state *state;
    const void *weights;
    void *lane_sums;
    fr_row_sums *lane_scalars;
};

/* The rows of one lane of one worker. */
struct Lane {
    int64_t shard_first, shard_rows; /* on this device */
    int64_t first, count;            /* among the worker's draws or rows */
    uint64_t sequence, step;
};

template <bool Drawn> __device__ inline Lane lane_of_block(const RowPass &pass) {
    const fr_shard &s = pass.shard;
    const int worker = int(blockIdx.x) / pass.lanes, number = int(blockIdx.x) % pass.lanes;
    const int64_t all = s.all_workers, own = s.first_worker + worker;
    Lane lane = {};
    lane.shard_first = fr_part_start(s.samples, all, own);
    lane.shard_rows = fr_part_start(s.samples, all, own + 1) - lane.shard_first;
    lane.shard_first -= fr_part_start(s.samples, all, s.first_worker);
    const int64_t rows = Drawn ? s.draws : lane.shard_rows;
    lane.first = fr_part_start(rows, pass.lanes, number);
    lane.count = fr_part_start(rows, pass.lanes, number + 1) - lane.first;
    if (Drawn) {
        lane.sequence = fr_sequence(FR_STREAM_SAMPLE, pass.state->run, uint32_t(own));
        lane.step = uint64_t(pass.state->step);
    }
    return lane;
}

/* index[i] <- the row that is number first + i of the lane, for one group. The whole block takes part. */
template <bool Drawn, int Threads>
__device__ inline void find_rows(const Lane &lane, uint64_t seed, int64_t first, int count, int64_t *index) {
    __syncthreads(); /* the group before is done with */
    for (int i = int(threadIdx.x); i < count; i += Threads) {
        const int64_t number = lane.first + first + i;
        index[i] = lane.shard_first +
                   (Drawn ? fr_sample_row(seed, lane.sequence, lane.step, uint64_t(number), uint64_t(lane.shard_rows))
                          : number);
    }
    __syncthreads();
}

/* c of c x for a row with product p and label y; p is ||x||^2 for FR_PASS_LABELS. Adds to the scalars. */
__device__ inline double weigh_row(fr_pass kind, double p, double y, fr_row_sums *sums) {
    if (kind == FR_PASS_LABELS) {
        sums->residual = fma(y, y, sums->residual); /* as at w = 0, where p = 0 */
        sums->label += y;
        sums->label2 = fma(y, y, sums->label2);
        sums->square += p;
        return y;
    }
    const double residual = (p > 0 ? p : 0) - y;
    sums->residual = fma(residual, residual, sums->residual);
    sums->active += p > 0;
    return kind == FR_PASS_GRADIENT ? fr_relu_coefficient(p, y) : kind == FR_PASS_LINEAR ? p : 0;
}

/* Rows in registers: Threads * Packs packs hold one. */
template <typename Real, int Threads, int Packs, bool Drawn>
__device__ inline void pass_in_registers(const RowPass &pass) {
    using Vector = Pack<Real>;
    __shared__ double slots[2][Threads / 32];
    __shared__ int64_t index[group_rows];
    constexpr bool hold_weights = Packs <= 4; /* in registers; else from L1 */
    const fr_shard &s = pass.shard;
    const Real *rows = static_cast<const Real *>(s.rows), *labels = static_cast<const Real *>(s.labels);
    const Real *w = static_cast<const Real *>(pass.weights);
    const int packs = int(s.stride / Vector::size), thread = int(threadIdx.x);
    const Lane lane = lane_of_block<Drawn>(pass);
    Real *sum = static_cast<Real *>(pass.lane_sums) + int64_t(blockIdx.x) * s.stride;
    const bool by_label = pass.kind == FR_PASS_LABELS, accumulates = pass.kind != FR_PASS_LOSS;
    fr_row_sums scalars = {};
    Vector weights[hold_weights ? Packs : 1] = {};
    if constexpr (hold_weights)
        for (int i = 0; i < Packs; i++)
            if (!by_label && thread + i * Threads < packs) weights[i] = load_pack(w, thread + i * Threads);
    for (int64_t first = 0; first == 0 || first < lane.count; first += group_rows) {
        const int here = int(lane.count - first < group_rows ? lane.count - first : group_rows);
        find_rows<Drawn, Threads>(lane, s.seed, first, here, index);
        Vector row[Packs] = {}, next[Packs] = {}, total[Packs] = {};
        for (int i = 0; i < Packs && here > 0; i++)
            if (thread + i * Threads < packs) next[i] = load_pack(rows + index[0] * s.stride, thread + i * Threads);
        for (int r = 0; r < here; r++) {
            const double y = double(labels[index[r]]);
#pragma unroll
            for (int i = 0; i < Packs; i++) row[i] = next[i];
            if (r + 1 < here) {
                const Real *after = rows + index[r + 1] * s.stride;
#pragma unroll
                for (int i = 0; i < Packs; i++)
                    if (thread + i * Threads < packs) next[i] = load_pack(after, thread + i * Threads);
            }
            Real part = 0;
#pragma unroll
            for (int i = 0; i < Packs; i++) {
                Vector x = {};
                if (by_label) x = row[i];
                else if constexpr (hold_weights) x = weights[i];
                else if (thread + i * Threads < packs) x = load_pack(w, thread + i * Threads);
#pragma unroll
                for (int e = 0; e < Vector::size; e++) part = fused(row[i].at[e], x.at[e], part);
            }
            const double p = block_sum<Threads>(double(part), slots[r % 2]);
            const Real c = Real(weigh_row(pass.kind, p, y, &scalars));
            if (c == 0 || !accumulates) continue; /* the same for all threads */
#pragma unroll
            for (int i = 0; i < Packs; i++)
#pragma unroll
                for (int e = 0; e < Vector::size; e++) total[i].at[e] = fused(c, row[i].at[e], total[i].at[e]);
        }
        for (int i = 0; i < Packs && accumulates; i++) {
            const int pack = thread + i * Threads;
            if (pack >= packs) continue;
            if (first > 0) {
                Vector before;
                memcpy(&before, sum + int64_t(pack) * Vector::size, sizeof before); /* written by this thread */
                for (int e = 0; e < Vector::size; e++) total[i].at[e] += before.at[e];
            }
            store_pack(sum, pack, total[i]);
        }
    }
    if (thread == 0) pass.lane_scalars[blockIdx.x] = scalars;
}

/* Rows of any length, four at a time. */
template <typename Real, int Threads, bool Drawn> __device__ inline void pass_in_tiles(const RowPass &pass) {
    using Vector = Pack<Real>;
    __shared__ double slots[2][Threads / 32];
    __shared__ int64_t index[group_rows];
    const fr_shard &s = pass.shard;
    const Real *rows = static_cast<const Real *>(s.rows), *labels = static_cast<const Real *>(s.labels);
    const Real *w = static_cast<const Real *>(pass.weights);
    const int64_t packs = s.stride / Vector::size;
    const Lane lane = lane_of_block<Drawn>(pass);
    Real *sum = static_cast<Real *>(pass.lane_sums) + int64_t(blockIdx.x) * s.stride;
    const bool by_label = pass.kind == FR_PASS_LABELS, accumulates = pass.kind != FR_PASS_LOSS;
    fr_row_sums scalars = {};
    if (accumulates)
        for (int64_t pack = threadIdx.x; pack < packs; pack += Threads) store_pack(sum, pack, Vector{});
    for (int64_t first = 0; first < lane.count; first += group_rows) {
        const int here = int(lane.count - first < group_rows ? lane.count - first : group_rows);
        find_rows<Drawn, Threads>(lane, s.seed, first, here, index);
        for (int r = 0; r < here; r += 4) {
            const int four = here - r < 4 ? here - r : 4;
            const Real *row[4];
            double part[4] = {}, p[4];
            Real c[4] = {};
            for (int q = 0; q < 4; q++) row[q] = rows + index[r + (q < four ? q : 0)] * s.stride;
            for (int64_t pack = threadIdx.x; pack < packs; pack += Threads) {
                const Vector x = by_label ? Vector{} : load_pack(w, pack);
                for (int q = 0; q < four; q++) {
                    const Vector v = load_pack(row[q], pack);
                    Real product = 0;
                    for (int e = 0; e < Vector::size; e++)
                        product = fused(v.at[e], by_label ? v.at[e] : x.at[e], product);
                    part[q] += double(product);
                }
            }
            for (int q = 0; q < 4; q++) p[q] = block_sum<Threads>(part[q], slots[q % 2]);
            for (int q = 0; q < four; q++)
                c[q] = Real(weigh_row(pass.kind, p[q], double(labels[index[r + q]]), &scalars));
            if (!accumulates || (c[0] == 0 && c[1] == 0 && c[2] == 0 && c[3] == 0)) continue;
            for (int64_t pack = threadIdx.x; pack < packs; pack += Threads) {
                Vector total;
                memcpy(&total, sum + pack * Vector::size, sizeof total);
                for (int q = 0; q < 4; q++) {
                    if (c[q] == 0) continue;
                    const Vector v = load_pack(row[q], pack);
                    for (int e = 0; e < Vector::size; e++) total.at[e] = fused(c[q], v.at[e], total.at[e]);
                }
                store_pack(sum, pack, total);
            }
        }
    }
    if (threadIdx.x == 0) pass.lane_scalars[blockIdx.x] = scalars;
}

constexpr int combine_columns = 32, combine_groups = 8;

/* out[k d + j] <- factor times the sum over the lanes of worker k, column j. Reads workers x lanes x d Real, mostly
 * from L2, writes workers x d. A block: 32 columns x 8 groups of lanes. */
template <typename Real, typename Out>
__global__ void __launch_bounds__(combine_columns *combine_groups)
    combine_lanes_kernel(const Real *lane_sums, int64_t stride, int64_t features, int lanes, double factor,
                         Out *out) {
    __shared__ double part[combine_groups][combine_columns];
    const int column = int(threadIdx.x) % combine_columns, group = int(threadIdx.x) / combine_columns;
    const int64_t j = int64_t(blockIdx.x) * combine_columns + column, worker = blockIdx.y;
    const int first = int(fr_part_start(lanes, combine_groups, group));
    const int last = int(fr_part_start(lanes, combine_groups, group + 1));
    double sum = 0;
    if (j < features)
        for (int lane = first; lane < last; lane++) sum += double(lane_sums[(worker * lanes + lane) * stride + j]);
    part[group][column] = sum;
    __syncthreads();
    if (group > 0 || j >= features) return;
    for (int other = 1; other < combine_groups; other++) sum += part[other][column];
    out[worker * features + j] = Out(factor * sum);
}

template <typename Real, typename Out>
inline cudaError_t launch_combine(const RowPass &pass, double factor, Out *out, cudaStream_t stream) {
    const fr_shard &s = pass.shard;
    const dim3 grid(blocks_for(s.features, combine_columns), unsigned(s.workers));
    const cudaLaunchConfig_t config = shape(grid, combine_columns * combine_groups, stream);
    return cudaLaunchKernelEx(&config, combine_lanes_kernel<Real, Out>, static_cast<const Real *>(pass.lane_sums),
                              s.stride, s.features, pass.lanes, factor, out);
}

/* The shape of a block by the length of a row, and so by d and the precision alone: Choice::go<threads, packs>, with
 * packs 0 for tiles. */
template <typename Choice> inline cudaError_t choose_block(int64_t packs, const Choice &choice) {
    if (packs <= 32) return choice.template go<32, 1>();
    if (packs <= 128) return choice.template go<32, 4>();
    if (packs <= 256) return choice.template go<64, 4>();
    if (packs <= 512) return choice.template go<128, 4>();
    if (packs <= 1024) return choice.template go<256, 4>();
    if (packs <= 2048) return choice.template go<256, 8>();
    if (packs <= 4096) return choice.template go<512, 8>();
    return choice.template go<256, 0>();
}

/* Over all rows, by survey.cu: lane sums and scalars, not yet combined. */
cudaError_t launch_full_pass(const RowPass &pass, cudaStream_t stream);

} // namespace fitrelu
