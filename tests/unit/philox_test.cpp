/* Philox and everything drawn from it: published vectors, Random123, vector paths, indices, normals. */
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

extern "C" {
#include "simd/kernels.h"
}
#include "kernels/rules/philox.h"
#include "kernels/rules/qsgd.h"
#ifdef FR_HAVE_RANDOM123
#include <Random123/philox.h>
#endif

static const char *const PATHS[] = {"portable", "avx2", "avx512"};

TEST(Philox, MatchesThePublishedVectors) {
    fr_words zero = fr_philox(0, 0, 0);
    EXPECT_EQ(zero.word[0], 0x6627e8d5u);
    EXPECT_EQ(zero.word[1], 0xe169c58du);
    EXPECT_EQ(zero.word[2], 0xbc57ac4cu);
    EXPECT_EQ(zero.word[3], 0x9b00dbd8u);
    fr_words ones = fr_philox(UINT64_MAX, UINT64_MAX, UINT64_MAX);
    EXPECT_EQ(ones.word[0], 0x408f276du);
    EXPECT_EQ(ones.word[1], 0x41c83b0eu);
    EXPECT_EQ(ones.word[2], 0xa20bc7c6u);
    EXPECT_EQ(ones.word[3], 0x6d5451fdu);
    fr_words pi = fr_philox(0x299f31d0a4093822u, 0x0370734413198a2eu, 0x85a308d3243f6a88u);
    EXPECT_EQ(pi.word[0], 0xd16cfe09u);
    EXPECT_EQ(pi.word[1], 0x94fdccebu);
    EXPECT_EQ(pi.word[2], 0x5001e420u);
    EXPECT_EQ(pi.word[3], 0x24126ea1u);
}

#ifdef FR_HAVE_RANDOM123
TEST(Philox, MatchesRandom123) {
    for (uint64_t i = 0; i < 4000; i++) {
        uint64_t seed = i * 0x9E3779B97F4A7C15u, q = fr_sequence(i % 7, i % 5, i), block = (i << 33) ^ (i * 77);
        r123::Philox4x32 generator;
        r123::Philox4x32::ctr_type counter = {{static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32),
                                               static_cast<uint32_t>(q), static_cast<uint32_t>(q >> 32)}};
        r123::Philox4x32::key_type key = {{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)}};
        r123::Philox4x32::ctr_type expected = generator(counter, key);
        fr_words got = fr_philox(seed, q, block);
        for (int w = 0; w < 4; w++) ASSERT_EQ(got.word[w], expected[static_cast<size_t>(w)]) << i;
    }
}
#endif

/* The vector paths draw the very words that the scalar rule names, across the carry of the block counter too. */
TEST(Philox, VectorPathsRoundByTheScalarRule) {
    for (uint64_t first : {uint64_t{0}, (uint64_t{1} << 34) - 256, fr_word_of_step(12345)}) {
        std::vector<float> v(333);
        std::vector<double> v64(333);
        for (size_t i = 0; i < v.size(); i++) v64[i] = v[i] = static_cast<float>(std::sin(1.0 + static_cast<double>(i)));
        for (const char *path : PATHS) {
            const fr_cpu_kernels *k32 = fr_cpu_kernels_named(path, FR_F32), *k64 = fr_cpu_kernels_named(path, FR_F64);
            if (!k32) continue;
            std::vector<int8_t> out(333), out64(333);
            uint64_t q = fr_sequence(FR_STREAM_ROUND, 3, 9);
            k32->encode(v.data(), 0, 333, 1.5, 100, 77, q, first, out.data());
            k64->encode(v64.data(), 0, 333, 1.5, 100, 77, q, first, out64.data());
            for (size_t i = 0; i < v.size(); i++) {
                uint32_t draw = fr_philox(77, q, (first + i) / 4).word[(first + i) % 4];
                ASSERT_EQ(out[i], fr_quantize_f32(v[i], 1.5f, 100, draw)) << path << " " << i << " first " << first;
                ASSERT_EQ(out64[i], fr_quantize_f64(v64[i], 1.5, 100, draw)) << path << " " << i;
            }
        }
    }
}

TEST(Philox, IndexIsTheHighWordOfTheProduct) {
    for (uint64_t n : {uint64_t{1}, uint64_t{7}, uint64_t{10000}, (uint64_t{1} << 33) + 5, uint64_t{1} << 62})
        for (uint64_t i = 0; i < 200; i++) {
            uint64_t draw = (i + 1) * 0xD1342543DE82EF95u;
            auto expected = static_cast<int64_t>((static_cast<unsigned __int128>(draw) * n) >> 64);
            ASSERT_EQ(fr_index_of_draw(static_cast<uint32_t>(draw), static_cast<uint32_t>(draw >> 32), n), expected);
        }
}

TEST(Philox, IndicesAreUniform) {
    const uint64_t n = 97, draws = 200000;
    std::vector<double> count(n, 0);
    for (uint64_t i = 0; i < draws; i++)
        count[static_cast<size_t>(fr_sample_row(5, fr_sequence(FR_STREAM_SAMPLE, 0, 1), i / 100, i % 100, n))]++;
    double chi2 = 0, expected = static_cast<double>(draws) / n;
    for (double c : count) chi2 += (c - expected) * (c - expected) / expected;
    EXPECT_LT(chi2, 96 + 4 * std::sqrt(2 * 96.0)); /* mean 96, variance 192 */
    EXPECT_GT(chi2, 96 - 4 * std::sqrt(2 * 96.0));
}

TEST(Philox, NormalsFollowBoxMullerAndAreTheSameOnEveryPath) {
    const uint64_t q = fr_sequence(FR_STREAM_ROWS, 0, 0);
    std::vector<float> reference(100000);
    fr_cpu_kernels_named("portable", FR_F32)->normals(reference.data(), 100000, 11, q, 64);
    double worst = 0, sum = 0, sum2 = 0, sum4 = 0;
    for (size_t i = 0; i < reference.size(); i += 2) {
        fr_words r = fr_philox(11, q, (64 + i) / 4);
        size_t at = (64 + i) % 4;
        double u = r.word[at] * 0x1p-32 + 0x1p-33, v = r.word[at + 1] * 0x1p-32 + 0x1p-33;
        double radius = std::sqrt(-2 * std::log(u)), angle = 6.283185307179586477 * v;
        worst = std::fmax(worst, std::fabs(reference[i] - radius * std::sin(angle)));
        worst = std::fmax(worst, std::fabs(reference[i + 1] - radius * std::cos(angle)));
    }
    for (float z : reference) sum += z, sum2 += z * z, sum4 += double(z) * z * z * z;
    EXPECT_LT(worst, 3e-6);
    double n = static_cast<double>(reference.size());
    EXPECT_NEAR(sum / n, 0, 4 / std::sqrt(n));
    EXPECT_NEAR(sum2 / n, 1, 4 * std::sqrt(2 / n));
    EXPECT_NEAR(sum4 / n, 3, 4 * std::sqrt(96 / n));
    for (const char *path : PATHS) {
        if (!fr_cpu_kernels_named(path, FR_F32)) continue;
        std::vector<float> z(reference.size());
        std::vector<double> z64(1000);
        fr_cpu_kernels_named(path, FR_F32)->normals(z.data(), 100000, 11, q, 64);
        fr_cpu_kernels_named(path, FR_F64)->normals(z64.data(), 1000, 11, q, 64);
        EXPECT_EQ(std::memcmp(z.data(), reference.data(), z.size() * sizeof(float)), 0) << path;
        for (size_t i = 0; i < z64.size(); i++) ASSERT_EQ(z64[i], reference[i]) << path;
    }
}
