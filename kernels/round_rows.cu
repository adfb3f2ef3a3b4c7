/*
 * round_rows.cu - rows to bfloat16, once, when they are stored.
 *
 * Nearest even (kernels/rules/bf16.h): each value is off by a relative 2^-8 at most. Rows are made or
 * copied in the precision of the fit, some at a time, and labels come from those, not from the rounded rows: what is
 * kept is a coarser copy of the same problem, as it is where labels come from a file.
 *
 * Traffic a value: sizeof(Real) read, 2 bytes written. Nothing is summed.
 */
#include "kernels/launch.cuh"

namespace fitrelu {
namespace {

constexpr int round_threads = 256;

/* A thread a pack of eight; count is a multiple of eight, as rows are padded. */
template <typename Real>
__global__ void __launch_bounds__(round_threads)
    round_rows_kernel(const Real *rows, int64_t packs, fr_bf16 *out, fr_device_state *state) {
    const int64_t pack = int64_t(blockIdx.x) * round_threads + threadIdx.x;
    if (pack >= packs) return;
    Numbers<Real, 8> row;
    Numbers<fr_bf16, 8> rounded;
    bool infinite = false;
    load(rows, pack, &row);
    for (int e = 0; e < 8; e++) {
        rounded.at[e] = narrow(row.at[e]);
        infinite |= (rounded.at[e].bits & 0x7fffu) == 0x7f80u;
    }
    store(out, pack, rounded);
    if (infinite) atomicOr(&state->too_large, 1u);
}

} // namespace
} // namespace fitrelu

cudaError_t fr_launch_round_rows(fr_precision precision, const void *rows, int64_t count, void *out,
                                 fr_device_state *state, cudaStream_t stream) {
    using namespace fitrelu;
    const cudaLaunchConfig_t config = shape(dim3(blocks_for(count / 8, round_threads)), round_threads, stream);
    fr_bf16 *const to = static_cast<fr_bf16 *>(out);
    return precision == FR_F32 ? FR_LAUNCH(config, round_rows_kernel<float>,
                                                    static_cast<const float *>(rows), count / 8, to, state)
                               : FR_LAUNCH(config, round_rows_kernel<double>,
                                                    static_cast<const double *>(rows), count / 8, to, state);
}
