/* The one gradient: against finite differences, against the oracle, on every path, for odd sizes. */
#include <cmath>

#include "rig.h"
extern "C" {
#include "simd/kernels.h"
}

using oracle::Vector;

TEST(Gradient, OracleMatchesFiniteDifferences) {
    oracle::Problem p = oracle::random_problem(50, 7, 1);
    Vector w = {0.3, -1, 0.5, 2, -0.2, 0.1, 0.7};
    std::vector<int64_t> all(50);
    for (int64_t i = 0; i < 50; i++) all[static_cast<size_t>(i)] = i;
    Vector g = oracle::gradient(p, w, all);
    for (size_t j = 0; j < 7; j++) {
        Vector up = w, down = w;
        up[j] += 1e-6, down[j] -= 1e-6;
        EXPECT_NEAR(g[j], (oracle::loss(p, up) - oracle::loss(p, down)) / 2e-6, 1e-7) << j;
    }
}

TEST(Gradient, CoefficientAtTheKink) {
    EXPECT_DOUBLE_EQ(fr_relu_coefficient(0, 3), -3); /* sgn(0) = 0: (0 - 3)(1 + 0) */
    EXPECT_DOUBLE_EQ(fr_relu_coefficient(-1, 3), 0);
    EXPECT_DOUBLE_EQ(fr_relu_coefficient(2, 3), -2);
}

class GradientSizes : public ::testing::TestWithParam<int64_t> {};

/* Full gradient through the engine, (K / n) sums averaged, equals the oracle's; also when n is not divisible by K. */
TEST_P(GradientSizes, FullBatchEqualsTheOracle) {
    int64_t d = GetParam();
    for (fr_precision precision : {FR_F64, FR_F32})
        for (int workers : {1, 3}) {
            oracle::Problem p = oracle::random_problem(101, d, 5);
            fr_dataset *set = rig::dataset_of(p, precision);
            oracle::Random random(9);
            Vector w(static_cast<size_t>(d));
            for (double &x : w) x = static_cast<float>(random.normal());
            fr_plan plan = rig::plan_for(p, workers, 0, 0, FR_SCALE_L2, FR_COLLECTIVE_ALLREDUCE, precision);
            Vector moved = rig::run_ranks(plan, set, w, 1, 1, 2);
            std::vector<int64_t> all(101);
            for (int64_t i = 0; i < 101; i++) all[static_cast<size_t>(i)] = i;
            Vector g = oracle::gradient(p, w, all), got(g.size());
            for (size_t j = 0; j < g.size(); j++) got[j] = (w[j] - moved[j]) / 0.05;
            EXPECT_LT(oracle::relative(got, g), precision == FR_F64 ? 1e-13 : 2e-6) << d << " K " << workers;
            fr_dataset_free(set);
        }
}
INSTANTIATE_TEST_SUITE_P(Sizes, GradientSizes, ::testing::Values(1, 2, 3, 7, 8, 15, 16, 17, 63, 64, 65, 100, 1000, 1027));

/* The sampled step draws exactly the indices of the Philox rule, from the worker's own part. */
TEST(Gradient, SampledStepEqualsTheOracleOnTheDrawnRows) {
    oracle::Problem p = oracle::random_problem(103, 37, 6);
    fr_dataset *set = rig::dataset_of(p, FR_F64);
    Vector w(37, 0.1), expected(37, 0.0);
    const int workers = 4, draws = 25;
    fr_plan plan = rig::plan_for(p, workers, workers * draws, 0, FR_SCALE_L2, FR_COLLECTIVE_ALLREDUCE);
    for (int k = 0; k < workers; k++) {
        int64_t start = k < 3 ? k * 26 : 78, length = k < 3 ? 26 : 25; /* 103 = 26 + 26 + 26 + 25 */
        std::vector<int64_t> rows;
        for (uint64_t j = 0; j < draws; j++)
            rows.push_back(start + fr_sample_row(42, fr_sequence(FR_STREAM_SAMPLE, 0, static_cast<uint32_t>(k)), 0, j,
                                                 static_cast<uint64_t>(length)));
        Vector g = oracle::gradient(p, w, rows);
        for (size_t j = 0; j < 37; j++) expected[j] += g[j] / workers;
    }
    Vector moved = rig::run_ranks(plan, set, w, 1, 1);
    Vector got(37);
    for (size_t j = 0; j < 37; j++) got[j] = (w[j] - moved[j]) / 0.05;
    EXPECT_LT(oracle::relative(got, expected), 1e-13);
    fr_dataset_free(set);
}

TEST(Gradient, AllPathsGiveTheSameBits) {
    for (fr_precision precision : {FR_F64, FR_F32}) {
        oracle::Problem p = oracle::random_problem(64, 333, 8);
        fr_dataset *set = rig::dataset_of(p, precision);
        std::vector<float> w32(333);
        Vector w64(333), reference;
        oracle::Random random(3);
        for (size_t j = 0; j < 333; j++) w64[j] = w32[j] = static_cast<float>(random.normal());
        const void *w = precision == FR_F32 ? static_cast<const void *>(w32.data()) : w64.data();
        for (const char *path : {"portable", "avx2", "avx512"}) {
            const fr_cpu_kernels *kernels = fr_cpu_kernels_named(path, precision);
            if (!kernels) continue;
            std::vector<char> sum(333 * 8, 0);
            fr_row_sums scalars = {};
            kernels->pass(FR_PASS_GRADIENT, set->rows, set->labels, nullptr, 61, 333, 333, w, sum.data(), &scalars, nullptr);
            Vector all;
            for (size_t j = 0; j < 333; j++)
                all.push_back(precision == FR_F32 ? static_cast<double>(reinterpret_cast<float *>(sum.data())[j])
                                                  : reinterpret_cast<double *>(sum.data())[j]);
            all.push_back(scalars.residual);
            all.push_back(kernels->sum_squares(set->rows, 333, 0.5));
            if (reference.empty()) reference = all;
            EXPECT_EQ(all, reference) << path;
        }
        fr_dataset_free(set);
    }
}

TEST(Gradient, InactiveRowsGiveExactlyZero) {
    oracle::Problem p = oracle::random_problem(40, 5, 2);
    for (double &x : p.x) x = std::fabs(x) + 0.1;
    Vector w(5, -1.0);
    fr_dataset *set = rig::dataset_of(p, FR_F64);
    for (int levels : {0, 15})
        for (fr_collective collective :
             {FR_COLLECTIVE_ALLREDUCE, FR_COLLECTIVE_ALLGATHER, FR_COLLECTIVE_TWO_PHASE, FR_COLLECTIVE_MASTER}) {
            fr_plan plan = rig::plan_for(p, 4, 40, levels, FR_SCALE_L2, collective);
            EXPECT_EQ(rig::run_ranks(plan, set, w, 3, 1), w) << fr_collective_name(collective);
        }
    fr_dataset_free(set);
}
