/*
 * storage_test.cpp - rows kept as bfloat16, and gradients that travel as bfloat16.
 */
#include <cmath>
#include <limits>

#include "fit_rig.h"
extern "C" {
#include "kernels/rules/bf16.h"
#include "data/planted.h"
}

namespace {

using namespace rig;

class Storage : public OnCpu {};

/* The nearest of all bfloat16 by search among neighbours; of two equally near the one with an even last bit. */
double nearest(double value) {
    if (value == 0) return value;
    int exponent;
    std::frexp(value, &exponent);
    const double unit = std::ldexp(1.0, std::max(exponent, -125) - 8), below = std::floor(value / unit);
    const double rest = value / unit - below;
    const bool up = rest > 0.5 || (rest == 0.5 && std::fmod(below, 2) != 0);
    return (below + up) * unit;
}

double rounded(double value) { return static_cast<double>(fr_bf16_widen(fr_bf16_of_f64(value))); }
double rounded(float value) { return static_cast<double>(fr_bf16_widen(fr_bf16_of_f32(value))); }

TEST(Bfloat16, RoundsToTheNearestAndTiesToEven) {
    oracle::Random random(3);
    for (int i = 0; i < 20000; i++) {
        const double value = random.normal() * std::exp2(200 * random.uniform() - 100);
        EXPECT_EQ(rounded(value), nearest(value)) << value;
        EXPECT_LE(std::fabs(rounded(value) - value), std::fabs(value) * 0x1p-8);
        EXPECT_EQ(rounded(static_cast<float>(value)), nearest(static_cast<float>(value))) << value;
    }
    for (double tie : {1 + 0x1p-8, 1 + 3 * 0x1p-8, -1 - 0x1p-8})
        for (double beside : {0.0, 0x1p-40, -0x1p-40}) EXPECT_EQ(rounded(tie + beside), nearest(tie + beside));
}

TEST(Bfloat16, KeepsZerosInfinitiesNaNAndTheEnds) {
    const double infinity = std::numeric_limits<double>::infinity();
    EXPECT_EQ(rounded(0.0), 0);
    EXPECT_TRUE(std::signbit(rounded(-0.0)));
    EXPECT_EQ(rounded(infinity), infinity);
    EXPECT_EQ(rounded(-infinity), -infinity);
    EXPECT_TRUE(std::isnan(rounded(std::nan(""))));
    EXPECT_TRUE(std::isnan(rounded(std::nanf(""))));
    EXPECT_EQ(rounded(FR_BF16_MOST), FR_BF16_MOST);
    EXPECT_EQ(rounded(FR_BF16_MOST * 1.001), FR_BF16_MOST);
    EXPECT_EQ(rounded(FR_BF16_MOST * 1.002), infinity);
    EXPECT_EQ(rounded(-1e300), -infinity);
    EXPECT_EQ(rounded(1e-300), 0);
    EXPECT_EQ(rounded(0x1p-133), 0x1p-133); /* the least */
    EXPECT_EQ(rounded(0x1p-134), 0);        /* half of it, to even */
    EXPECT_EQ(rounded(0x1.8p-133), 0x1p-132);
}

oracle::Problem with_rounded_rows(oracle::Problem p) {
    for (double &x : p.x) x = nearest(x);
    return p;
}

double tolerance(fr_precision precision) { return precision == FR_F32 ? 2e-6 : 2e-14; }

/* Kernels on bfloat16 rows against the float64 oracle on rounded rows: nothing is lost but that rounding. */
TEST_F(Storage, GradientIsTheOraclesOnRoundedRows) {
    for (int64_t d : {1, 7, 8, 9, 66, 257, 1000, 1030, 4100, 8200, 16400})
        for (fr_precision precision : {FR_F32, FR_F64}) {
            oracle::Problem p = oracle::random_problem(d < 2000 ? 61 : 9, d, static_cast<uint64_t>(d));
            fr_plan plan = plan_for(p, 1, 0, 0, FR_SCALE_L2, FR_COLLECTIVE_ALLREDUCE, precision);
            plan.storage = FR_STORAGE_BF16;
            fr_dataset *set = dataset_of(p, precision);
            fr_engine *engine = cuda_engine_for(plan, set, 0, 1);
            State state(d);
            state.weights = random_vector(d, 5), state.state.weights = state.weights.data();
            ASSERT_EQ(engine->ops->load(engine, &state.state, nullptr), FR_OK);
            ASSERT_EQ(engine->ops->gradient(engine, nullptr), FR_OK);
            std::vector<int64_t> all;
            for (int64_t i = 0; i < p.n; i++) all.push_back(i);
            EXPECT_LE(oracle::relative(reals_of(engine, engine->buffers.values, static_cast<size_t>(d)),
                                       oracle::gradient(with_rounded_rows(p), state.weights, all)),
                      tolerance(precision))
                << "d = " << d;
            fr_engine_free(engine), fr_dataset_free(set);
        }
}

/* The same draws as the CPU's, on rounded rows. */
TEST_F(Storage, DrawnGradientIsTheCpusOnRoundedRows) {
    for (int64_t d : {3, 130, 1000})
        for (fr_precision precision : {FR_F32, FR_F64}) {
            oracle::Problem p = oracle::random_problem(41, d, 2);
            fr_plan plan = plan_for(p, 2, 28, 0, FR_SCALE_L2, FR_COLLECTIVE_ALLREDUCE, precision), kept = plan;
            kept.storage = FR_STORAGE_BF16;
            fr_dataset *set = dataset_of(p, precision), *coarse = dataset_of(with_rounded_rows(p), precision);
            fr_engine *cpu = engine_for(plan, coarse, 0, 2), *cuda = cuda_engine_for(kept, set, 0, 2);
            State state(d);
            state.weights = random_vector(d, 5), state.state.weights = state.weights.data();
            for (fr_engine *engine : {cpu, cuda}) {
                ASSERT_EQ(engine->ops->load(engine, &state.state, nullptr), FR_OK);
                ASSERT_EQ(engine->ops->gradient(engine, nullptr), FR_OK);
            }
            const size_t cells = static_cast<size_t>(2 * d);
            EXPECT_LE(oracle::relative(reals_of(cuda, cuda->buffers.values, cells),
                                       reals_of(cpu, cpu->buffers.values, cells)),
                      tolerance(precision));
            fr_engine_free(cpu), fr_engine_free(cuda), fr_dataset_free(set), fr_dataset_free(coarse);
        }
}

/* Planted rows made on the device and rounded are the CPU's rows rounded, with the labels of the rows before rounding. */
TEST_F(Storage, PlantedRowsAreTheCpusRoundedWithTheLabelsOfTheUnrounded) {
    for (fr_precision precision : {FR_F32, FR_F64}) {
        fr_planted recipe = {37, 13, 0.5, 99};
        fr_dataset *host = nullptr, *device = nullptr;
        ASSERT_EQ(fr_dataset_generate(&recipe, precision, &host, nullptr), FR_OK);
        ASSERT_EQ(fr_dataset_generate(&recipe, precision, &device, nullptr), FR_OK);
        ASSERT_EQ(fr_dataset_materialize(host, 0, 37, nullptr), FR_OK);
        oracle::Problem p;
        p.n = 37, p.d = 13;
        fr_plan plan = plan_for(p, 3, 6, 0, FR_SCALE_L2, FR_COLLECTIVE_ALLREDUCE, precision);
        plan.storage = FR_STORAGE_BF16;
        fr_engine *made = cuda_engine_for(plan, device, 0, 3);
        for (fr_engine *engine : {made, cuda_engine_for(plan, host, 0, 3)}) {
            oracle::Vector sums(3 * 13);
            fr_row_sums scalars[3];
            ASSERT_EQ(engine->ops->survey(engine, FR_PASS_LABELS, nullptr, sums.data(), scalars, nullptr), FR_OK);
            for (int64_t k = 0, row = 0; k < 3; k++) {
                oracle::Vector expected(13);
                double label = 0, square = 0;
                for (; row < fr_split_start(37, 3, k + 1); row++) {
                    label += fr_dataset_label(host, row);
                    for (int64_t j = 0; j < 13; j++) {
                        const double x = nearest(fr_dataset_value(host, row, j));
                        expected[static_cast<size_t>(j)] += fr_dataset_label(host, row) * x;
                        square += x * x;
                    }
                }
                EXPECT_LE(oracle::relative({sums.begin() + k * 13, sums.begin() + (k + 1) * 13}, expected), 1e-6);
                EXPECT_NEAR(scalars[k].label, label, 1e-9 * std::fabs(label));
                EXPECT_NEAR(scalars[k].square, square, 1e-5 * square);
            }
            fr_engine_free(engine);
        }
        fr_dataset_free(host), fr_dataset_free(device);
    }
}

TEST_F(Storage, AValueWithoutABfloat16IsRefused) {
    oracle::Problem p = oracle::random_problem(9, 5, 1);
    p.x[17] = 1e39;
    fr_dataset *set = dataset_of(p, FR_F64);
    fr_plan plan = plan_for(p, 1, 4, 0, FR_SCALE_L2, FR_COLLECTIVE_ALLREDUCE);
    plan.storage = FR_STORAGE_BF16;
    fr_engine_config config = {};
    config.plan = &plan, config.data = set, config.worker_count = 1;
    fr_engine *engine = nullptr;
    fr_error error = {};
    EXPECT_EQ(fr_engine_cuda_create(&config, &engine, &error), FR_ERROR_DATA);
    EXPECT_NE(std::strstr(error.message, "3.39e+38"), nullptr) << error.message;
    fr_dataset_free(set);
}

/* Labels come from the rows before rounding, so the rounding is noise of the features: a fit gets within 2^-8 of w*, the
 * most that a value is off, and the same fit on full rows goes on. */
TEST_F(Storage, AFitOnRoundedRowsReachesTheirAccuracy) {
    Wanted wanted;
    wanted.samples = 4000, wanted.features = 40, wanted.batch = 64, wanted.iterations = 400;
    Fit full = fit_on(1, wanted);
    wanted.storage = FR_STORAGE_BF16;
    Fit coarse = fit_on(1, wanted);
    ASSERT_EQ(coarse.status, FR_OK) << coarse.error.message;
    EXPECT_EQ(coarse.result.storage, FR_STORAGE_BF16);
    EXPECT_LT(full.result.relative_error, 1e-8);
    EXPECT_LT(coarse.result.relative_error, 0x1p-8);
    EXPECT_GT(coarse.result.relative_error, 1e-6);
    RecordProperty("relative_error", std::to_string(coarse.result.relative_error));
}

TEST_F(Storage, WeightsAreTheSameBitsOnOneTwoAndFourGpus) {
    Wanted wanted;
    wanted.storage = FR_STORAGE_BF16, wanted.levels = 31;
    Fit one = fit_on(1, wanted);
    for (int gpus : gpu_counts(2)) EXPECT_EQ(fit_on(gpus, wanted).weights, one.weights);
}

/* ------------------------------------------------------------------------------ bfloat16 on the wire */

/* On one GPU a step with the sum rounded once, by the formula. */
TEST_F(Storage, TheUpdateTakesTheRoundedSum) {
    for (fr_precision precision : {FR_F32, FR_F64}) {
        oracle::Problem p = oracle::random_problem(12, 35, 1);
        fr_dataset *set = dataset_of(p, precision);
        fr_plan plan = plan_for(p, 4, 12, 0, FR_SCALE_L2, FR_COLLECTIVE_ALLREDUCE, precision);
        plan.wire = FR_WIRE_BF16;
        fr_engine *engine = cuda_engine_for(plan, set, 0, 4);
        State state(35);
        oracle::Vector start = random_vector(35, 4), values = random_vector(4 * 35, 6);
        state.weights = start, state.state.weights = state.weights.data();
        ASSERT_EQ(engine->ops->load(engine, &state.state, nullptr), FR_OK);
        fill_reals(engine, engine->buffers.values, values);
        ASSERT_EQ(engine->ops->total(engine, nullptr), FR_OK);
        ASSERT_EQ(engine->ops->round_to_bf16(engine, nullptr), FR_OK);
        ASSERT_EQ(engine->ops->apply(engine, FR_UPDATE_TOTAL_BF16, nullptr), FR_OK);
        ASSERT_EQ(engine->ops->store(engine, &state.state, nullptr), FR_OK);
        for (size_t j = 0; j < 35; j++) {
            double sum = 0;
            for (size_t k = 0; k < 4; k++) sum += values[k * 35 + j];
            if (precision == FR_F32) sum = static_cast<float>(sum);
            EXPECT_EQ(state.weights[j], start[j] - 0.05 * (nearest(sum) / 4));
        }
        fr_engine_free(engine), fr_dataset_free(set);
    }
}

TEST_F(Storage, FitsOverABfloat16SumConverge) {
    for (fr_precision precision : {FR_F32, FR_F64}) {
        Wanted wanted;
        wanted.wire = FR_WIRE_BF16, wanted.precision = precision, wanted.iterations = 300;
        for (int gpus : gpu_counts()) {
            Fit fit = fit_on(gpus, wanted);
            ASSERT_EQ(fit.status, FR_OK) << fit.error.message;
            EXPECT_EQ(fit.result.wire, FR_WIRE_BF16);
            EXPECT_LT(fit.result.relative_error, 1e-3) << gpus;
        }
    }
}

TEST_F(Storage, WhatBelongsElsewhereIsRefused) {
    Wanted wanted;
    wanted.storage = FR_STORAGE_BF16;
    Fit fit = fit_on(0, wanted);
    EXPECT_EQ(fit.status, FR_ERROR_USAGE);
    EXPECT_STREQ(fit.error.message, "--storage bf16 is for GPUs; it needs --device cuda or --gpus");
    wanted.storage = FR_STORAGE_SAME, wanted.wire = FR_WIRE_BF16;
    EXPECT_STREQ(fit_on(0, wanted).error.message, "--wire bf16 is for GPUs; it needs --device cuda or --gpus");
    wanted.wire = FR_WIRE_ELIAS, wanted.levels = 31, wanted.collective = FR_COLLECTIVE_ALLGATHER;
    fit = fit_on(1, wanted);
    EXPECT_EQ(fit.status, FR_ERROR_USAGE);
    EXPECT_TRUE(says(fit, "is for CPUs; GPUs exchange int8 levels")) << fit.error.message;
    wanted.wire = FR_WIRE_PACKED;
    EXPECT_STREQ(fit_on(1, wanted).error.message, "--wire packed on GPUs needs --collective allreduce; it is allgather");
}

} // namespace
