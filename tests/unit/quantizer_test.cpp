/* Q_s of section 2.2: unbiased, variance of Lemma 6.3, zero, powers of two, largest level, extremes. */
#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>
#include <set>
#include <vector>

#include "fitrelu.h"
#include "oracle.h"

static oracle::Vector gaussian(size_t d, uint64_t seed) {
    oracle::Random random(seed);
    oracle::Vector v(d);
    for (double &x : v) x = random.normal();
    return v;
}

struct Case {
    int levels;
    fr_scale scale;
};
class Quantizer : public ::testing::TestWithParam<Case> {};

TEST_P(Quantizer, IsUnbiasedWithTheVarianceOfTheLemma) {
    const int s = GetParam().levels, runs = 4000;
    const size_t d = 200;
    oracle::Vector v = gaussian(d, 3), mean(d, 0);
    std::vector<int8_t> levels(d);
    double variance = 0, exact = 0, N = 0;
    for (int t = 0; t < runs; t++) {
        N = fr_quantize(v.data(), d, s, GetParam().scale, 9, static_cast<uint64_t>(t), 2, levels.data());
        for (size_t i = 0; i < d; i++) {
            double q = N * levels[i] / s;
            mean[i] += q / runs;
            variance += (q - v[i]) * (q - v[i]) / runs;
        }
    }
    for (size_t i = 0; i < d; i++) {
        double u = std::fabs(v[i]) * s / N, part = u - std::floor(u), coordinate = N * N / (s * s) * part * (1 - part);
        exact += coordinate;
        EXPECT_NEAR(mean[i], v[i], 4.5 * std::sqrt(coordinate / runs) + 1e-12) << i;
    }
    double norm2 = oracle::norm(v) * oracle::norm(v);
    EXPECT_LE(variance, fr_theory_lemma_variance(d, s) * norm2);
    EXPECT_NEAR(variance / exact, 1, 0.05);
}
INSTANTIATE_TEST_SUITE_P(Levels, Quantizer,
                         ::testing::Values(Case{1, FR_SCALE_L2}, Case{7, FR_SCALE_L2}, Case{15, FR_SCALE_L2},
                                           Case{127, FR_SCALE_L2}, Case{1, FR_SCALE_MAX}, Case{31, FR_SCALE_MAX},
                                           Case{127, FR_SCALE_MAX}));

TEST(QuantizerEdges, ZeroIsZero) {
    oracle::Vector v(100, 0.0);
    std::vector<int8_t> levels(100, 5);
    EXPECT_EQ(fr_quantize(v.data(), 100, 127, FR_SCALE_L2, 1, 1, 0, levels.data()), 0);
    for (int8_t level : levels) EXPECT_EQ(level, 0);
}

TEST(QuantizerEdges, ScalesWithPowersOfTwoToTheBit) {
    oracle::Vector v = gaussian(150, 4), scaled(150);
    for (fr_scale scale : {FR_SCALE_L2, FR_SCALE_MAX}) {
        std::vector<int8_t> levels(150), other(150);
        double N = fr_quantize(v.data(), 150, 31, scale, 8, 3, 1, levels.data());
        for (int k : {-1000, -500, -60, 1, 60, 500, 1000}) {
            for (size_t i = 0; i < v.size(); i++) scaled[i] = std::ldexp(v[i], k);
            EXPECT_EQ(fr_quantize(scaled.data(), 150, 31, scale, 8, 3, 1, other.data()), std::ldexp(N, k)) << k;
            EXPECT_EQ(levels, other) << k;
        }
    }
}

TEST(QuantizerEdges, TheLargestLevelIsS) {
    for (double size : {1.0, 3.0, 0.1, 1e-300, 1e300, DBL_MIN * 1e-10, DBL_MAX})
        for (int s : {1, 3, 100, 127})
            for (fr_scale scale : {FR_SCALE_L2, FR_SCALE_MAX})
                for (uint64_t t = 0; t < 20; t++) {
                    oracle::Vector v(7, 0.0);
                    std::vector<int8_t> levels(7);
                    v[2] = -size;
                    double N = fr_quantize(v.data(), 7, s, scale, 1, t, 0, levels.data());
                    ASSERT_EQ(levels[2], -s) << size;
                    ASSERT_EQ(N, size);
                    ASSERT_EQ(levels[0], 0);
                }
}

TEST(QuantizerEdges, TinyAndHugeVectorsKeepTheirNorm) {
    for (double size : {1e-310, 1e-200, 1e-160, 1e160, 1e300}) {
        oracle::Vector v(100, size);
        std::vector<int8_t> levels(100);
        double N = fr_quantize(v.data(), 100, 127, FR_SCALE_L2, 1, 1, 0, levels.data());
        EXPECT_NEAR(N / size, 10, 1e-5) << size;
        for (int8_t level : levels) {
            EXPECT_GE(level, 12);
            EXPECT_LE(level, 13);
        }
    }
}

TEST(QuantizerEdges, DrawsDifferByStepWorkerAndSeed) {
    oracle::Vector v = gaussian(400, 6);
    std::set<std::vector<int8_t>> seen;
    std::vector<int8_t> levels(400), again(400);
    for (uint64_t seed : {1u, 2u})
        for (uint64_t step : {0u, 1u})
            for (uint32_t worker : {0u, 1u}) {
                fr_quantize(v.data(), 400, 15, FR_SCALE_MAX, seed, step, worker, levels.data());
                fr_quantize(v.data(), 400, 15, FR_SCALE_MAX, seed, step, worker, again.data());
                EXPECT_EQ(levels, again);
                seen.insert(levels);
            }
    EXPECT_EQ(seen.size(), 8u);
}
