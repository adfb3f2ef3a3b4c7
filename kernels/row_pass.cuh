/*
 * row_pass.cuh - one pass over rows, shared by the gradient (relu_gradient.cu) and the survey (survey.cu).
 *
 * A worker's rows are cut into lanes by counts of the plan alone; one block a lane. Where a row fits a block's
 * registers it is read from memory once, by 16-byte loads, and stays there between the dot product with w and the
 * accumulation, while the next row is on its way. Longer rows go in tiles, four rows at a time: dot products, then
 * the same rows again (from L2, which holds them) into the sum of the lane.
 *
 * Rows are kept as float, double or bfloat16 (`Kept`) and worked on in the precision of the fit (`Real`): widening is
 * exact, so bfloat16 costs the one rounding to 2^-8 of each value when the rows were stored, and nothing after.
 *
 * Traffic of a lane of r rows: r (stride sizeof(Kept) + sizeof(Real)) bytes read, stride sizeof(Real) written; in tiles
 * the rows twice (the second time from L2) and the sum twice for every four rows.
 *
 * Order of summation. Dot product: each thread its packs in order in Real, then doubles over warp and block in the
 * fixed order of block_sum. Sum of a lane: rows in order in Real, in groups of 256 rows that are added in order.
 * Lanes: eight groups of lanes, each in order, groups in order, in double (combine.cuh).
 *
 * Loops over the packs of a row are unrolled throughout: an array that is indexed at run time leaves the registers.
 */
#pragma once

#include "kernels/launch.cuh"

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

/* The rows of this block's lane. A pass goes by the type of its rows: AllRows here, DrawnRows in relu_gradient.cu. */
struct Lane {
    int64_t worker;                  /* among all */
    int64_t shard_first, shard_rows; /* on this device */
    int64_t first, count;            /* among the worker's draws or rows */
};

struct AllRows {
    static constexpr bool drawn = false;
    __device__ AllRows(const RowPass &, const Lane &) {}
    /* Which row of the shard is number `number` of those that the worker takes. */
    __device__ int64_t at(const Lane &, int64_t number) const { return number; }
};

template <bool Drawn> __device__ inline Lane lane_of(const RowPass &pass) {
    const fr_shard &s = pass.shard;
    const int64_t number = blockIdx.x; /* in 64 bits: nvcc divides by a call then, and holds no registers for it later */
    const int64_t all = s.all_workers, own = s.first_worker + number / pass.lanes;
    const fr_range shard = fr_split(s.samples, all, own);
    const fr_range rows = fr_split(Drawn ? s.draws : shard.count, pass.lanes, number % pass.lanes);
    Lane lane = {};
    lane.worker = own;
    lane.shard_first = shard.first - fr_split_start(s.samples, all, s.first_worker);
    lane.shard_rows = shard.count;
    lane.first = rows.first;
    lane.count = rows.count;
    return lane;
}

/* index[i] <- the row that is number first + i of the lane, for one group. The whole block takes part. */
template <typename Rows, int Threads>
__device__ inline void find_rows(const Rows &rows, const Lane &lane, int64_t first, int count, int64_t *index) {
    __syncthreads(); /* the group before is done with */
    for (int i = int(threadIdx.x); i < count; i += Threads)
        index[i] = lane.shard_first + rows.at(lane, lane.first + first + i);
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
    const double residual = fr_relu(p) - y;
    sums->residual = fma(residual, residual, sums->residual);
    sums->active += p > 0;
    return fr_pass_coefficient(kind, p, y);
}

/* sum + <row, weights>, value by value. */
template <typename Real, int Size>
__device__ inline Real dot_on(const Numbers<Real, Size> &row, const Numbers<Real, Size> &weights, Real sum) {
#pragma unroll
    for (int e = 0; e < Size; e++) sum = fused(row.at[e], weights.at[e], sum);
    return sum;
}
template <typename Real, int Size>
__device__ inline void add_row(Real c, const Numbers<Real, Size> &row, Numbers<Real, Size> *total) {
#pragma unroll
    for (int e = 0; e < Size; e++) total->at[e] = fused(c, row.at[e], total->at[e]);
}

/* A lane whose rows fit registers: Threads * Packs packs hold one. Every thread of the block takes part. */
template <typename Real, typename Kept, int Threads, int Packs, typename Rows>
__device__ inline void pass_in_registers(const RowPass &pass) {
    using Row = RowPack<Kept>;
    using Vector = Numbers<Real, Row::size>;
    __shared__ double slots[2][Threads / 32];
    __shared__ int64_t index[group_rows];
    constexpr bool hold_weights = Packs <= 4 && Packs * sizeof(Vector) <= 128; /* in registers; else from L1 */
    const fr_shard &s = pass.shard;
    const Kept *rows = static_cast<const Kept *>(s.rows);
    const Real *labels = static_cast<const Real *>(s.labels), *w = static_cast<const Real *>(pass.weights);
    const int packs = int(s.stride / Row::size), thread = int(threadIdx.x);
    const Lane lane = lane_of<Rows::drawn>(pass);
    const Rows taken(pass, lane);
    Real *sum = static_cast<Real *>(pass.lane_sums) + blockIdx.x * s.stride;
    const bool by_label = pass.kind == FR_PASS_LABELS, accumulates = pass.kind != FR_PASS_LOSS;
    fr_row_sums scalars = {};
    Vector weights[hold_weights ? Packs : 1] = {};
    if constexpr (hold_weights) {
#pragma unroll
        for (int i = 0; i < Packs; i++)
            if (!by_label && thread + i * Threads < packs) load(w, thread + i * Threads, &weights[i]);
    }
    for (int64_t first = 0; first == 0 || first < lane.count; first += group_rows) {
        const int here = int(lane.count - first < group_rows ? lane.count - first : group_rows);
        find_rows<Rows, Threads>(taken, lane, first, here, index);
        Row row[Packs] = {}, next[Packs] = {};
        Vector total[Packs] = {};
#pragma unroll
        for (int i = 0; i < Packs; i++)
            if (here > 0 && thread + i * Threads < packs)
                next[i] = load_row(rows + index[0] * s.stride, thread + i * Threads);
        for (int r = 0; r < here; r++) {
            const double y = double(labels[index[r]]);
#pragma unroll
            for (int i = 0; i < Packs; i++) row[i] = next[i];
            if (r + 1 < here) {
                const Kept *after = rows + index[r + 1] * s.stride;
#pragma unroll
                for (int i = 0; i < Packs; i++)
                    if (thread + i * Threads < packs) next[i] = load_row(after, thread + i * Threads);
            }
            Real product = 0;
#pragma unroll
            for (int i = 0; i < Packs; i++) {
                const Vector v = widen<Real>(row[i]);
                Vector x = {};
                if (by_label) x = v;
                else if constexpr (hold_weights) x = weights[i];
                else if (thread + i * Threads < packs) load(w, thread + i * Threads, &x);
                product = dot_on(v, x, product);
            }
            const double p = block_sum<Threads>(double(product), slots[r % 2]);
            const Real c = Real(weigh_row(pass.kind, p, y, &scalars));
            if (c == 0 || !accumulates) continue; /* the same for all threads */
#pragma unroll
            for (int i = 0; i < Packs; i++) add_row(c, widen<Real>(row[i]), &total[i]);
        }
#pragma unroll
        for (int i = 0; i < Packs; i++) {
            const int pack = thread + i * Threads;
            if (!accumulates || pack >= packs) continue;
            if (first > 0) {
                Vector before;
                load(sum, pack, &before); /* written by this thread */
#pragma unroll
                for (int e = 0; e < Row::size; e++) total[i].at[e] += before.at[e];
            }
            store(sum, pack, total[i]);
        }
    }
    if (thread == 0) pass.lane_scalars[blockIdx.x] = scalars;
}

/* Rows of any length, four at a time. */
template <typename Real, typename Kept, int Threads, typename Rows>
__device__ inline void pass_in_tiles(const RowPass &pass) {
    using Row = RowPack<Kept>;
    using Vector = Numbers<Real, Row::size>;
    __shared__ double slots[2][Threads / 32];
    __shared__ int64_t index[group_rows];
    const fr_shard &s = pass.shard;
    const Kept *rows = static_cast<const Kept *>(s.rows);
    const Real *labels = static_cast<const Real *>(s.labels), *w = static_cast<const Real *>(pass.weights);
    const int64_t packs = s.stride / Row::size;
    const Lane lane = lane_of<Rows::drawn>(pass);
    const Rows taken(pass, lane);
    Real *sum = static_cast<Real *>(pass.lane_sums) + blockIdx.x * s.stride;
    const bool by_label = pass.kind == FR_PASS_LABELS, accumulates = pass.kind != FR_PASS_LOSS;
    fr_row_sums scalars = {};
    if (accumulates)
        for (int64_t pack = threadIdx.x; pack < packs; pack += Threads) store(sum, pack, Vector{});
    for (int64_t first = 0; first < lane.count; first += group_rows) {
        const int here = int(lane.count - first < group_rows ? lane.count - first : group_rows);
        find_rows<Rows, Threads>(taken, lane, first, here, index);
        for (int r = 0; r < here; r += 4) {
            const int four = here - r < 4 ? here - r : 4;
            const Kept *row[4];
            double product[4] = {}, p[4];
            Real c[4] = {};
            for (int q = 0; q < 4; q++) row[q] = rows + index[r + (q < four ? q : 0)] * s.stride;
            for (int64_t pack = threadIdx.x; pack < packs; pack += Threads) {
                Vector x = {};
                if (!by_label) load(w, pack, &x);
                for (int q = 0; q < four; q++) {
                    const Vector v = widen<Real>(load_row(row[q], pack));
                    product[q] += double(dot_on(v, by_label ? v : x, Real(0)));
                }
            }
            for (int q = 0; q < 4; q++) p[q] = block_sum<Threads>(product[q], slots[q % 2]);
            for (int q = 0; q < four; q++)
                c[q] = Real(weigh_row(pass.kind, p[q], double(labels[index[r + q]]), &scalars));
            if (!accumulates || (c[0] == 0 && c[1] == 0 && c[2] == 0 && c[3] == 0)) continue;
            for (int64_t pack = threadIdx.x; pack < packs; pack += Threads) {
                Vector total;
                load(sum, pack, &total);
                for (int q = 0; q < 4; q++)
                    if (c[q] != 0) add_row(c[q], widen<Real>(load_row(row[q], pack)), &total);
                store(sum, pack, total);
            }
        }
    }
    if (threadIdx.x == 0) pass.lane_scalars[blockIdx.x] = scalars;
}

/* The shape of a block by the length of a row, and so by d, the precision and the storage alone:
 * Choice::go<threads, packs>, with packs 0 for tiles. A bfloat16 pack is 8 values in Real, two or four times the
 * registers of another, so long rows go in tiles earlier. */
template <typename Real, typename Kept, typename Choice>
inline cudaError_t choose_block(int64_t stride, const Choice &choice) {
    constexpr int wide = int(RowPack<Kept>::size * sizeof(Real)); /* bytes of registers a pack: 16, 32 or 64 */
    const int64_t packs = stride / RowPack<Kept>::size;
    if (packs <= 32) return choice.template go<32, 1>();
    if (packs <= 128) return choice.template go<32, 4>();
    if (packs <= 256) return choice.template go<64, 4>();
    if (packs <= 512) return choice.template go<128, 4>();
    if (packs <= 1024) return choice.template go<256, 4>();
    if constexpr (wide == 16) {
        if (packs <= 2048) return choice.template go<256, 8>();
        if (packs <= 4096) return choice.template go<512, 8>();
    } else if constexpr (wide == 32) {
        if (packs <= 2048) return choice.template go<512, 4>();
    }
    return choice.template go<256, 0>();
}

/* Calls Call::go<Real, Kept>() for the shard. */
template <typename Call> inline cudaError_t for_storage(const fr_shard &shard, const Call &call) {
    const bool narrow = shard.storage == FR_STORAGE_BF16;
    if (shard.precision == FR_F32)
        return narrow ? call.template go<float, fr_bf16>() : call.template go<float, float>();
    return narrow ? call.template go<double, fr_bf16>() : call.template go<double, double>();
}

/* Over all rows, by survey.cu: lane sums and scalars, not yet combined. */
cudaError_t launch_full_pass(const RowPass &pass, cudaStream_t stream);

} // namespace fitrelu
