/*
 * planted.cu - the planted model on the device: x_ij ~ N(0, 1), y_i = max(0, <w*, x_i>) + sigma N(0, 1).
 *
 * The same words, the same formulas and the same order of operations as data/planted.c and simd/kernels.c, each
 * rounded on its own (no contraction), so that a CPU and a GPU fit the same problem to the bit. Box-Muller on pairs
 * of Philox words: element (i, j) is word i d4 + j of the stream of rows, d4 being d rounded up to four.
 *
 * Traffic: rows x stride sizeof(Real) written, then read once for the labels. Order of a label's dot product: eight
 * lanes j = l, l + 8, ... in double, added as ((0+4)+(2+6))+((1+5)+(3+7)), as simd/kernels_real.h.
 */
#include "kernels/launch.cuh"
#include "kernels/random.cuh"

namespace fitrelu {
namespace {

constexpr int planted_threads = 128;

__device__ inline float times(float a, float b) { return __fmul_rn(a, b); }
__device__ inline float plus(float a, float b) { return __fadd_rn(a, b); }

/* ln u for u in (0, 1]: u = 2^e m with m in [0.7, 1.4), ln m = 2 artanh((m - 1) / (m + 1)) as a series. */
__device__ inline float log_of(float u) {
    const int bits = __float_as_int(u), e = (bits - 0x3f330000) >> 23;
    const float m = __int_as_float(bits - (e * (1 << 23)));
    const float s = __fdiv_rn(plus(m, -1.0f), plus(m, 1.0f)), z = times(s, s), twice = times(2, s);
    float series = plus(1.0f / 7, times(z, 1.0f / 9));
    series = plus(1.0f / 5, times(z, series));
    series = plus(1.0f / 3, times(z, series));
    return plus(times(float(e), 0.693147180559945f), plus(twice, times(twice, times(z, series))));
}

/* Sine and cosine of (r + 1/2) 2^-32 turns. The nearest quarter turn is taken off as an integer, exactly. */
__device__ inline void sine_cosine(uint32_t r, float *sine, float *cosine) {
    const uint32_t quarter = (r + 0x20000000u) >> 30;
    const int rest = int(r - (quarter << 30));
    const float x = times(plus(float(rest), 0.5f), 1.46291808e-9f), z = times(x, x); /* 2 pi / 2^32 */
    float s = plus(-1.0f / 5040, times(z, 1.0f / 362880));
    s = plus(1.0f / 120, times(z, s));
    s = plus(-1.0f / 6, times(z, s));
    s = plus(x, times(x, times(z, s)));
    float c = plus(-1.0f / 720, times(z, 1.0f / 40320));
    c = plus(1.0f / 24, times(z, c));
    c = plus(-0.5f, times(z, c));
    c = plus(1.0f, times(z, c));
    const bool swapped = quarter & 1;
    *sine = swapped ? c : s;
    *cosine = swapped ? s : c;
    if (quarter & 2) *sine = -*sine;
    if ((quarter + 1) & 2) *cosine = -*cosine;
}

/* Two normals for two words. */
__device__ inline void normal_pair(uint32_t first, uint32_t second, float *even, float *odd) {
    const float u = plus(times(float(first), 0x1p-32f), 0x1p-33f), radius = __fsqrt_rn(times(-2.0f, log_of(u)));
    float sine, cosine;
    sine_cosine(second, &sine, &cosine);
    *even = times(radius, sine);
    *odd = times(radius, cosine);
}

/* A thread four elements, from the four words of one Philox counter. Traffic: stride sizeof(Real) bytes written a row.
 * Nothing is summed. */
template <typename Real>
__global__ void __launch_bounds__(planted_threads)
    planted_rows_kernel(Real *rows, int64_t stride, int64_t features, int64_t first, int64_t count, uint64_t seed) {
    const int64_t fours_a_row = (features + 3) / 4;
    const int64_t at = int64_t(blockIdx.x) * planted_threads + threadIdx.x,
                  step = int64_t(gridDim.x) * planted_threads;
    const uint64_t q = fr_sequence(FR_STREAM_ROWS, 0, 0);
    for (int64_t i = at; i < count * fours_a_row; i += step) {
        const int64_t row = i / fours_a_row, four = i % fours_a_row;
        const fr_words r = random_words(seed, q, uint64_t((first + row) * fours_a_row + four) * 4);
        float z[4];
        normal_pair(r.word[0], r.word[1], &z[0], &z[1]);
        normal_pair(r.word[2], r.word[3], &z[2], &z[3]);
        Real *out = rows + row * stride + four * 4;
        for (int e = 0; e < 4; e++)
            if (four * 4 + e < stride) out[e] = four * 4 + e < features ? Real(z[e]) : Real(0);
    }
}

/* Eight threads a row, one a lane. Traffic: (stride sizeof(Real) + sizeof(Real)) bytes a row, w* from cache. */
template <typename Real>
__global__ void __launch_bounds__(planted_threads)
    planted_labels_kernel(const Real *rows, int64_t stride, int64_t features, int64_t first, int64_t count,
                          uint64_t seed, double noise, const double *planted, Real *labels) {
    const int lane = int(threadIdx.x) % 8;
    const int64_t row = int64_t(blockIdx.x) * (planted_threads / 8) + threadIdx.x / 8;
    const Real *x = rows + (row < count ? row : 0) * stride;
    double sum = 0;
    for (int64_t j = lane; j < features; j += 8) sum = __dadd_rn(sum, __dmul_rn(double(x[j]), planted[j]));
    for (int apart = 4; apart > 0; apart /= 2) sum = __dadd_rn(sum, __shfl_xor_sync(all_lanes, sum, apart));
    if (lane > 0 || row >= count) return;
    double y = sum > 0 ? sum : 0;
    if (noise > 0) {
        const fr_words r = random_words(seed, fr_sequence(FR_STREAM_NOISE, 0, 0), uint64_t(first + row) * 4);
        float z, unused;
        normal_pair(r.word[0], r.word[1], &z, &unused);
        y = __dadd_rn(y, __dmul_rn(noise, double(z)));
    }
    labels[row] = Real(y);
}

template <typename Real>
cudaError_t launch(const fr_shard &shard, int64_t first, int64_t count, uint64_t seed, double noise,
                   const double *planted, Real *rows, Real *labels, cudaStream_t stream) {
    const int64_t fours = count * ((shard.features + 3) / 4);
    const unsigned wanted = fours > (INT64_C(1) << 22) ? 1u << 15 : blocks_for(fours, planted_threads);
    cudaLaunchConfig_t config = shape(dim3(wanted), planted_threads, stream);
    const cudaError_t result = FR_LAUNCH(config, planted_rows_kernel<Real>, rows, shard.stride,
                                                  shard.features, first, count, seed);
    if (result != cudaSuccess) return result;
    config.gridDim = dim3(blocks_for(count, planted_threads / 8));
    return FR_LAUNCH(config, planted_labels_kernel<Real>, static_cast<const Real *>(rows), shard.stride,
                              shard.features, first, count, seed, noise, planted, labels);
}

} // namespace
} // namespace fitrelu

cudaError_t fr_launch_planted(const fr_shard *shard, int64_t first, int64_t count, uint64_t seed, double noise,
                              const double *planted, void *rows, void *labels, cudaStream_t stream) {
    return shard->precision == FR_F32
               ? fitrelu::launch(*shard, first, count, seed, noise, planted, static_cast<float *>(rows),
                                 static_cast<float *>(labels), stream)
               : fitrelu::launch(*shard, first, count, seed, noise, planted, static_cast<double *>(rows),
                                 static_cast<double *>(labels), stream);
}
