/*
 * persistent.cu - many whole steps in one cooperative launch, for one device that holds all workers: no launch and no
 * host between them. Whether that is faster than the replay of a recorded step, no GPU has said yet; it is off unless
 * asked for (engine/cuda/replay.c).
 *
 * A step: lanes of the gradient | lanes combined | [norms |] encoding, sums over workers, update | with a barrier of
 * the grid at each stroke. The work of each phase is cut as by the separate kernels and dealt to however many blocks
 * fit the device, so the order of every sum, and every bit, is theirs. What a phase has written is read by plain
 * loads. A model that was received (FR_UPDATE_MODEL) belongs to an exchange, and a device that holds all workers has
 * none.
 *
 * Traffic a step: as the separate kernels; weights, lane sums and gradients stay in L2 at the sizes this is for.
 */
#include <cooperative_groups.h>

#include "kernels/apply.cuh"
#include "kernels/combine.cuh"
#include "kernels/encode.cuh"
#include "kernels/norm.cuh"

namespace fitrelu {
namespace {

constexpr int64_t persistent_packs = 1024; /* of 16 bytes a row at most: rows stay in registers */

template <typename Real, typename Kept, int Threads, int Packs>
__device__ inline void partial_gradients(const fr_steps &job, const RowPass &pass, Moment now) {
    const int64_t lanes = int64_t(job.shard.workers) * pass.lanes;
    for (int64_t number = blockIdx.x; number < lanes; number += gridDim.x)
        pass_in_registers<Real, Kept, Threads, Packs, true>(pass, number, now);
}

template <typename Real, int Threads> __device__ inline void combined(const fr_steps &job, const RowPass &pass) {
    const int64_t tiles = (job.shard.features + combine_columns - 1) / combine_columns;
    const double factor = 1 / double(job.shard.draws);
    for (int64_t item = blockIdx.x; item < job.shard.workers * tiles; item += gridDim.x) {
        combine_columns_of<Real, Real, Threads>(pass, item / tiles, item % tiles, factor,
                                                static_cast<Real *>(job.values));
        __syncthreads(); /* before shared memory is written again */
    }
}

template <typename Real, int Threads> __device__ inline void norms(const fr_steps &job) {
    for (int worker = int(blockIdx.x); worker < job.shard.workers; worker += int(gridDim.x)) {
        norm_of_worker<Real, Threads>(static_cast<const Real *>(job.values), job.shard.features,
                                      job.scale != FR_SCALE_MAX, worker, static_cast<Real *>(job.scales),
                                      static_cast<Real *>(job.shared_scale));
        __syncthreads();
    }
}

/* The sum over the workers of coordinate j, in order, as exchange.cu. */
template <typename Real> __device__ inline void total(const fr_steps &job, int64_t j) {
    const int64_t d = job.shard.features;
    const int workers = job.shard.workers;
    if (job.application.update == FR_UPDATE_TOTAL_LEVELS) {
        int sum = 0;
        for (int k = 0; k < workers; k++) sum += job.levels[k * d + j];
        job.total_levels[j] = int8_t(sum);
    } else if (job.application.update == FR_UPDATE_TOTAL_VALUES ||
               job.application.update == FR_UPDATE_TOTAL_BF16) {
        double sum = 0;
        for (int k = 0; k < workers; k++) sum += double(static_cast<const Real *>(job.values)[k * d + j]);
        static_cast<Real *>(job.total_values)[j] = Real(sum);
        if (job.application.update == FR_UPDATE_TOTAL_BF16)
            static_cast<fr_bf16 *>(job.total_bf16)[j] = narrow(Real(sum));
    }
}

/* A thread four coordinates, from encoding to the new weights. */
template <typename Real, int Threads>
__device__ inline void finish(const fr_steps &job, Moment now, int64_t averaged) {
    const int64_t d = job.shard.features, all = int64_t(gridDim.x) * Threads;
    for (int64_t first = (int64_t(blockIdx.x) * Threads + threadIdx.x) * 4; first < d; first += all * 4) {
        for (int k = 0; k < job.shard.workers && job.encoding.levels > 0; k++)
            encode_four(job.encoding, now, static_cast<const Real *>(job.values),
                        static_cast<const Real *>(job.encoding.shared ? job.shared_scale : job.scales), k, first,
                        job.levels);
        for (int64_t j = first; j < first + 4 && j < d; j++) {
            total<Real>(job, j);
            update_weight<Real>(job.application, j, now.step, averaged);
        }
    }
}

template <typename Real, typename Kept, int Threads, int Packs>
__global__ void __launch_bounds__(Threads) steps_kernel(fr_steps job, int64_t count, fr_device_state *state) {
    cooperative_groups::grid_group grid = cooperative_groups::this_grid();
    const RowPass pass = {job.shard,   FR_PASS_GRADIENT, job.shard.lanes, nullptr,
                          job.weights, job.lane_sums,    job.lane_scalars};
    const bool first_thread = blockIdx.x == 0 && threadIdx.x == 0;
    Moment now = {state->step, state->run};
    int64_t averaged = state->averaged;
    for (int64_t made = 0; made < count; made++, now.step++) {
        partial_gradients<Real, Kept, Threads, Packs>(job, pass, now);
        grid.sync();
        if (first_thread) *static_cast<Real *>(job.shared_scale) = 0;
        combined<Real, Threads>(job, pass);
        grid.sync();
        if (job.encoding.levels > 0) {
            norms<Real, Threads>(job);
            grid.sync();
        }
        averaged += now.step >= job.application.average_start;
        finish<Real, Threads>(job, now, averaged);
        grid.sync();
    }
    if (!first_thread) return;
    state->step = now.step; /* every block has read it: a barrier lies between */
    state->averaged = averaged;
}

template <typename Real, typename Kept> struct Steps {
    const fr_steps &job;
    int64_t count;
    fr_device_state *state;
    cudaStream_t stream;

    template <int Threads, int Packs> cudaError_t go() const {
        if constexpr (Packs == 0 || Packs * Threads > persistent_packs) return cudaErrorInvalidValue;
        else return launch(steps_kernel<Real, Kept, Threads, Packs>, Threads);
    }
    /* As many blocks as the device holds at once, which a barrier of the grid needs. */
    template <typename Kernel> cudaError_t launch(Kernel kernel, int threads) const {
        int device, processors, blocks;
        cudaError_t result = cudaGetDevice(&device);
        if (result == cudaSuccess)
            result = cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device);
        if (result == cudaSuccess)
            result = cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, reinterpret_cast<const void *>(kernel),
                                                                   threads, 0);
        if (result != cudaSuccess) return result;
        const int64_t lanes = int64_t(job.shard.workers) * job.shard.lanes, most = int64_t(processors) * blocks;
        cudaLaunchAttribute together = {};
        together.id = cudaLaunchAttributeCooperative;
        together.val.cooperative = 1;
        cudaLaunchConfig_t config = shape(dim3(unsigned(lanes < most ? lanes : most)), unsigned(threads), stream);
        config.attrs = &together;
        config.numAttrs = 1;
        return cudaLaunchKernelEx(&config, kernel, job, count, state);
    }
};

struct StepsOf {
    const fr_steps &job;
    int64_t count;
    fr_device_state *state;
    cudaStream_t stream;
    template <typename Real, typename Kept> cudaError_t go() const {
        return choose_block<Real, Kept>(job.shard.stride, Steps<Real, Kept>{job, count, state, stream});
    }
};

} // namespace
} // namespace fitrelu

bool fr_steps_possible(const fr_shard *shard, fr_update update) {
    const int64_t kept = shard->storage == FR_STORAGE_BF16 ? 2 : shard->precision == FR_F32 ? 4 : 8;
    return shard->draws > 0 && shard->workers == shard->all_workers && update != FR_UPDATE_SLICE_LEVELS &&
           shard->stride * kept <= fitrelu::persistent_packs * 16;
}

cudaError_t fr_launch_steps(const fr_steps *job, int64_t count, fr_device_state *state, cudaStream_t stream) {
    return fitrelu::for_storage(job->shard, fitrelu::StepsOf{*job, count, state, stream});
}
