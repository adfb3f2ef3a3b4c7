/*
 * bench_test.cpp - what fitrelu bench rests on: vectors whose sum is known, percentiles, sizes, and that every collective
 * and wire of the library's tables is measured.
 */
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

extern "C" {
#include "bench/exchange.h"
#include "bench/timing.h"
#include "kernels/rules/qsgd.h"
}

namespace {

/* ------------------------------------------------------------------------------------------- vectors */

TEST(BenchKnown, ValuesAreIntegersOfTheirRangeAndTheirSumIsWhatItSays) {
    for (bool tame : {false, true})
        for (int workers : {1, 2, 3, 7, 8})
            for (int64_t d : {1, 2, 8, 101}) {
                const bench_known known = {d, workers, 31, tame, false};
                for (int64_t j = 0; j < d; j++) {
                    int64_t sum = 0;
                    for (int k = 0; k < workers; k++) {
                        EXPECT_LE(std::abs(bench_known_value(&known, k, j)), 31);
                        sum += bench_known_value(&known, k, j);
                    }
                    EXPECT_EQ(bench_known_sum(&known, j), sum) << tame << " " << workers << " " << d << " " << j;
                }
            }
}

/* As sums of bfloat16 want it, which hold no more than eight bits. */
TEST(BenchKnown, WithManyWorkersOneACoordinateHasANumber) {
    fr_plan plan = {};
    plan.features = 100, plan.workers = 200, plan.wire = FR_WIRE_BF16, plan.collective = FR_COLLECTIVE_ALLREDUCE;
    const bench_known known = bench_known_of(&plan);
    for (int64_t j = 0; j < plan.features; j++) {
        int others = 0;
        for (int k = 0; k < plan.workers; k++) others += bench_known_value(&known, k, j) != 0;
        EXPECT_EQ(others, 1);
        EXPECT_EQ(std::abs(bench_known_sum(&known, j)), 1);
    }
    for (int workers : {1, 2, 3, 8, 16}) {
        plan.workers = workers;
        EXPECT_FALSE(bench_known_of(&plan).sparse);
        EXPECT_LE(bench_known_of(&plan).most * workers * workers, 256);
    }
}

/* Its largest entry is the scale, so a worker without an a would be rounded. */
TEST(BenchKnown, EveryWorkerHasItsLargestLevel) {
    const bench_known known = {50, 9, 14, false, false};
    for (int k = 0; k < known.workers; k++) {
        int most = 0;
        for (int64_t j = 0; j < known.features; j++) most = std::max(most, std::abs(bench_known_value(&known, k, j)));
        EXPECT_EQ(most, 14) << k;
    }
}

TEST(BenchKnown, TameSumsStayInRangeWithALargestInEverySlice) {
    for (int workers : {1, 2, 5, 8}) {
        const bench_known known = {103, workers, 127, true, false};
        for (int k = 0; k < workers; k++) {
            const fr_range slice = fr_split(known.features, workers, k);
            int64_t most = 0;
            for (int64_t j = slice.first; j < slice.first + slice.count; j++)
                most = std::max<int64_t>(most, std::abs(bench_known_sum(&known, j)));
            EXPECT_EQ(most, 127) << k << " of " << workers;
        }
    }
}

/* The quantizer gives the integer itself whatever it draws. */
TEST(BenchKnown, NoDrawRoundsALevelThatIsMeasuredWith) {
    const uint32_t draws[] = {0, 1, 0x80000000u, 0xffffffffu}; /* the smallest rounds up whatever can be */
    for (int most = 1; most <= 127; most++) {
        const int s = bench_known_levels(most);
        EXPECT_GT(s, 0);
        EXPECT_LE(s, most);
        for (int v = -s; v <= s; v++)
            for (uint32_t draw : draws) {
                EXPECT_EQ(fr_quantize_f64(v, s, s, draw), v) << s;
                EXPECT_EQ(fr_quantize_f32(static_cast<float>(v), static_cast<float>(s), static_cast<float>(s), draw), v) << s;
            }
    }
    EXPECT_EQ(bench_known_levels(127), 127);
}

TEST(BenchKnown, OneWrongLevelInOneOfAThousandStepsIsFoundAndPlaced) {
    const bench_known known = {1000, 4, 31, false, false};
    std::vector<double> weights;
    for (int64_t j = 0; j < known.features; j++) weights.push_back(-1000.0 * static_cast<double>(bench_known_sum(&known, j)));
    bench_place place = {};
    EXPECT_EQ(bench_known_check(&known, weights.data(), 1000, &place), 0);
    weights[345] = std::nextafter(weights[345], INFINITY);
    EXPECT_EQ(bench_known_check(&known, weights.data(), 1000, &place), 1) << "the last bit";
    weights[345] = -1000.0 * static_cast<double>(bench_known_sum(&known, 345)) - 1;
    EXPECT_EQ(bench_known_check(&known, weights.data(), 1000, &place), 1);
    EXPECT_EQ(place.coordinate, 345);
    EXPECT_EQ(place.step, 1000);
    EXPECT_EQ(place.expected, static_cast<double>(bench_known_sum(&known, 345)));
    EXPECT_EQ(place.found, place.expected + 1);
    weights[0] = NAN;
    EXPECT_EQ(bench_known_check(&known, weights.data(), 1000, &place), 2);
}

/* ---------------------------------------------------------------------------------------- statistics */

TEST(BenchTiming, TheMedianIsTheMiddleAndOthersAreNearestRanks) {
    std::vector<double> values;
    for (int i = 100; i > 0; i--) values.push_back(i);
    EXPECT_EQ(bench_percentile(values.data(), 100, 50), 50.5);
    EXPECT_EQ(bench_percentile(values.data(), 100, 99), 99);
    double one[] = {7}, three[] = {3, 1, 2};
    EXPECT_EQ(bench_percentile(one, 1, 99), 7);
    EXPECT_EQ(bench_percentile(three, 3, 50), 2);
    EXPECT_TRUE(std::isnan(bench_percentile(one, 0, 50)));
}

std::vector<int64_t> sizes_of(const bench_settings &settings) {
    std::vector<int64_t> found;
    bench_sizes sizes = bench_sizes_of(&settings, 1000, 100000, 10);
    while (bench_sizes_next(&sizes)) found.push_back(sizes.at);
    return found;
}

TEST(BenchSizes, GoByFactorOrStepAndEndWithTheLastThatFits) {
    bench_settings settings = {};
    EXPECT_EQ(sizes_of(settings), (std::vector<int64_t>{1000, 10000, 100000}));
    settings.from = 8, settings.to = 64, settings.factor = 2;
    EXPECT_EQ(sizes_of(settings), (std::vector<int64_t>{8, 16, 32, 64}));
    settings.step = 20;
    EXPECT_EQ(sizes_of(settings), (std::vector<int64_t>{8, 28, 48}));
    settings = {};
    settings.to = 10;
    EXPECT_EQ(sizes_of(settings), (std::vector<int64_t>{10}));
    settings = {};
    settings.from = 1000000;
    EXPECT_EQ(sizes_of(settings), (std::vector<int64_t>{1000000}));
    settings = {};
    settings.from = 1, settings.to = 3, settings.factor = 1.1; /* that rounds to the same is still the next */
    EXPECT_EQ(sizes_of(settings), (std::vector<int64_t>{1, 2, 3}));
}

/* ------------------------------------------------------------------------------------------ exchanges */

bench_settings on_cpu() {
    bench_settings settings = {};
    settings.checks = 1, settings.threads = 1, settings.warmup = 0, settings.iterations = 2;
    return settings;
}

/* Whatever the tables say that CPUs carry. */
TEST(BenchExchange, EveryCollectiveIsThereWithEveryWireThatItCarries) {
    const bench_settings settings = on_cpu();
    bench_cases list;
    ASSERT_EQ(bench_cases_of(&settings, &list, nullptr), FR_OK);
    std::set<std::pair<int, int>> found;
    for (int i = 0; i < list.count; i++) found.insert({list.cases[i].collective, list.cases[i].wire});
    for (int c = FR_COLLECTIVE_AUTO + 1; c < FR_COLLECTIVE_COUNT; c++)
        for (int wire = FR_WIRE_FULL; wire <= FR_WIRE_ELIAS; wire++) {
            const bool carries = fr_collectives[c]->wires & FR_CARRIES(wire) && wire != FR_WIRE_BF16;
            EXPECT_EQ(found.count({c, wire}) == 1, carries) << fr_collectives[c]->name << " " << fr_wire_name((fr_wire)wire);
        }
}

struct Spoil {
    int64_t coordinate = -1; /* whose weight is changed after the steps */
    bench_verdict verdict = {};
};

fr_status three_steps(void *user, bench_rank *rank, fr_error *error) {
    auto *spoil = static_cast<Spoil *>(user);
    bench_known known;
    spoil->verdict = {};
    FR_TRY(bench_case_begin(rank, &known, error));
    for (int i = 0; i < 3; i++) FR_TRY(bench_one_step(rank, false, error));
    if (spoil->coordinate >= 0) {
        FR_TRY(bench_store(rank, error));
        rank->state.weights[spoil->coordinate] += 1e-9;
        FR_TRY(rank->engine->ops->load(rank->engine, &rank->state, error));
    }
    return bench_case_check(rank, &known, &spoil->verdict, error);
}

TEST(BenchExchange, ThreeStepsOfEachLeaveThreeTimesTheSumAndAnotherWeightIsFound) {
    const bench_settings settings = on_cpu();
    bench_cases list;
    fr_error error = {};
    ASSERT_EQ(bench_cases_of(&settings, &list, &error), FR_OK);
    for (int i = 0; i < list.count; i++)
        for (int64_t d : {1, 3, 1000}) {
            Spoil spoil;
            ASSERT_EQ(bench_case_run(&settings, &list.cases[i], d, three_steps, &spoil, &error), FR_OK) << error.message;
            EXPECT_EQ(spoil.verdict.wrong, 0) << i << " " << d;
            spoil.coordinate = d - 1;
            ASSERT_EQ(bench_case_run(&settings, &list.cases[i], d, three_steps, &spoil, &error), FR_OK) << error.message;
            EXPECT_EQ(spoil.verdict.wrong, 1) << i << " " << d;
            EXPECT_EQ(spoil.verdict.place.coordinate, d - 1);
        }
}

} // namespace
