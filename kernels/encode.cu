/*
 * encode.cu - levels of Q_s: fr_quantize_f32 / f64 of each coordinate with its own Philox word, so that the codes are
 * those of the CPU, every one, for the same vector, scale, seed, step and worker.
 *
 * A thread four coordinates, which the four words of one Philox block serve; 16-byte loads and 4-byte stores where d is
 * a multiple of four. Traffic: d (sizeof(Real) + 1) bytes a worker; d (sizeof(Real) + f / 8) where levels go as fields of f bits
 * (kernels/rules/fields.h), which is the sum of a device that has one worker. Nothing is summed.
 */
#include "kernels/launch.cuh"
#include "kernels/random.cuh"

namespace fitrelu {
namespace {

constexpr int encode_threads = 128;

__device__ inline int quantize(float v, float norm, float s, uint32_t draw) {
    return fr_quantize_f32(v, norm, s, draw);
}
__device__ inline int quantize(double v, double norm, double s, uint32_t draw) {
    return fr_quantize_f64(v, norm, s, draw);
}

template <typename Real>
__device__ inline void load_four(const Real *from, int64_t first, int count, bool aligned, Real out[4]) {
    if (aligned) {
        Numbers<Real, 4> four;
        load(from, first / 4, &four);
        for (int e = 0; e < 4; e++) out[e] = four.at[e];
    } else {
        for (int e = 0; e < 4; e++) out[e] = e < count ? from[first + e] : Real(0);
    }
}

/* Levels first .. first + count - 1 as fields, s up, those behind them 0: 2, 4 or 8 bytes, in the order of a little-endian
 * machine, as all are here. */
__device__ inline void store_fields(const fr_encoding &job, const int8_t code[4], int64_t first, int count, void *words) {
    uint64_t packed = 0;
#pragma unroll
    for (int e = 0; e < 4; e++)
        if (e < count) packed |= uint64_t(code[e] + job.levels) << (e * job.field_bits);
    switch (job.field_bits) {
    case 4: static_cast<uint16_t *>(words)[first / 4] = uint16_t(packed); break;
    case 8: static_cast<uint32_t *>(words)[first / 4] = uint32_t(packed); break;
    default: { /* a word may end before the fourth */
        uint32_t *const to = static_cast<uint32_t *>(words) + first / 2;
        to[0] = uint32_t(packed);
        if (count > 2) to[1] = uint32_t(packed >> 32);
    }
    }
}

template <typename Real>
__global__ void __launch_bounds__(encode_threads)
    encode_kernel(fr_encoding job, unsigned each, const fr_device_state *state, const Real *values,
                  const Real *scales, void *levels) {
    const WorkerBlock here = worker_block(blockIdx.x, each);
    const int64_t d = job.features, worker = here.worker, first = (here.block * encode_threads + threadIdx.x) * 4;
    if (first >= d) return;
    const int count = int(d - first < 4 ? d - first : 4);
    const bool aligned = d % 4 == 0;
    const Real norm = scales[job.shared ? 0 : worker];
    int8_t code[4] = {0, 0, 0, 0};
    if (norm > 0) { /* Q(0) = 0; a NaN scale makes the weights NaN in apply */
        const uint64_t q = fr_sequence(FR_STREAM_ROUND, state->run, uint32_t(job.first_worker + worker));
        const fr_words draw = random_words(job.seed, q, fr_word_of_step(uint64_t(state->step)) + uint64_t(first));
        Real v[4];
        load_four(values + worker * d, first, count, aligned, v);
        for (int e = 0; e < 4; e++) code[e] = int8_t(quantize(v[e], norm, Real(job.levels), draw.word[e]));
    }
    if (job.field_bits) return store_fields(job, code, first, count, levels);
    int8_t *out = static_cast<int8_t *>(levels) + worker * d + first;
    if (aligned) *reinterpret_cast<char4 *>(out) = make_char4(code[0], code[1], code[2], code[3]);
    else
        for (int e = 0; e < count; e++) out[e] = code[e];
}

template <typename Real>
cudaError_t launch(const fr_encoding &job, const fr_device_state *state, const void *values, const void *scales,
                   void *levels, cudaStream_t stream) {
    const unsigned each = blocks_for(job.features, 4 * encode_threads);
    const cudaLaunchConfig_t config = shape(grid_of(job.workers, each), encode_threads, stream);
    return FR_LAUNCH(config, encode_kernel<Real>, job, each, state, static_cast<const Real *>(values),
                              static_cast<const Real *>(scales), levels);
}

} // namespace
} // namespace fitrelu

cudaError_t fr_launch_encode(const fr_encoding *encoding, const fr_device_state *state, const void *values,
                             const void *scales, void *levels, cudaStream_t stream) {
    return encoding->precision == FR_F32 ? fitrelu::launch<float>(*encoding, state, values, scales, levels, stream)
                                         : fitrelu::launch<double>(*encoding, state, values, scales, levels, stream);
}
