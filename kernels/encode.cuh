/*
 * encode.cuh - levels of Q_s for four coordinates of one worker: fr_quantize_f32 / f64 of each with its own Philox
 * word, so that the codes are those of the CPU, every one, for the same vector, scale, seed, step and worker.
 *
 * The four words of one Philox block serve four coordinates; 16-byte loads and 4-byte stores where d is a multiple of
 * four. Nothing is summed.
 */
#pragma once

#include "kernels/row_pass.cuh"

namespace fitrelu {

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

/* Coordinates first .. first + 3 of own worker `worker`. */
template <typename Real>
__device__ inline void encode_four(const fr_encoding &job, Moment now, const Real *values, const Real *scales,
                                   int64_t worker, int64_t first, int8_t *levels) {
    const int64_t d = job.features;
    const int count = int(d - first < 4 ? d - first : 4);
    const bool aligned = d % 4 == 0;
    const Real norm = scales[job.shared ? 0 : worker];
    int8_t code[4] = {0, 0, 0, 0};
    if (norm > 0) { /* Q(0) = 0; a NaN scale makes the weights NaN in apply */
        const uint64_t q = fr_sequence(FR_STREAM_ROUND, now.run, uint32_t(job.first_worker + worker));
        const fr_words draw = fr_philox(job.seed, q, (fr_word_of_step(uint64_t(now.step)) + uint64_t(first)) / 4);
        Real v[4];
        load_four(values + worker * d, first, count, aligned, v);
        for (int e = 0; e < 4; e++) code[e] = int8_t(quantize(v[e], norm, Real(job.levels), draw.word[e]));
    }
    int8_t *out = levels + worker * d + first;
    if (aligned) *reinterpret_cast<char4 *>(out) = make_char4(code[0], code[1], code[2], code[3]);
    else
        for (int e = 0; e < count; e++) out[e] = code[e];
}

} // namespace fitrelu
