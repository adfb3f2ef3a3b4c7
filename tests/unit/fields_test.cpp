/* Sums of levels as fields of words: no sum carries, for any number of workers, levels and field; the bits of int8 sums where
 * both fit; what is refused, and what a plan takes by itself. */
#include "rig.h"
extern "C" {
#include "kernels/rules/fields.h"
#include "wire/wire.h"
}

using oracle::Vector;

namespace {

/* The fields of a word whose levels are 2 s, 0, 2 s, ... up (or 0, 2 s, ...) on all workers. */
uint32_t one_worker(int bits, int s, int first) {
    uint32_t word = 0;
    for (int i = 0; i < 32 / bits; i++) word |= uint32_t(i % 2 == first ? 2 * s : 0) << (i * bits);
    return word;
}

} // namespace

/* Every K and s there is, each at its edge: neighbours at the most and the least that they can be, and all at the most. */
TEST(Fields, NoSumCarriesForAnyWorkersAndLevels) {
    int64_t checked = 0;
    for (int s = 1; s <= 127; s++)
        for (int64_t workers = 1; workers * s <= FR_FIELDS_MOST; workers++, checked++) {
            const int64_t most = 2 * workers * s;
            const int bits = fr_field_bits(workers * s);
            ASSERT_LT(most, int64_t{1} << bits) << workers << " x " << s;
            ASSERT_TRUE(bits == 4 || most >= int64_t{1} << (bits / 2)) << "the smallest that fits";
            for (int first : {0, 1}) {
                const uint32_t sum = uint32_t(workers) * one_worker(bits, s, first);
                for (int i = 0; i < 32 / bits; i++)
                    ASSERT_EQ(fr_field_at(&sum, bits, i), i % 2 == first ? uint32_t(most) : 0u) << workers << " x " << s;
            }
            const uint32_t all = uint32_t(workers) * (one_worker(bits, s, 0) + one_worker(bits, s, 1));
            for (int i = 0; i < 32 / bits; i++) ASSERT_EQ(fr_field_at(&all, bits, i), uint32_t(most));
        }
    EXPECT_GT(checked, 170000);
    EXPECT_EQ(fr_field_bits(FR_FIELDS_MOST + 1), 0);
}

/* The engine's own sums and the update, with every worker at +s or -s, at the first and last K s of each field. */
TEST(Fields, AStepIsExactAtTheEdgesOfEveryField) {
    const struct {
        int workers, levels, bits;
    } cases[] = {{1, 1, 4},   {7, 1, 4},    {1, 7, 4},     {3, 2, 4},     {8, 1, 8},      {1, 8, 8},        {127, 1, 8},
                 {1, 127, 8}, {4, 31, 8},   {128, 1, 16},  {2, 127, 16},  {258, 127, 16}, {300, 109, 16},   {32767, 1, 16}};
    for (const auto &c : cases)
        for (int sign : {1, -1}) {
            oracle::Problem p;
            p.n = c.workers, p.d = 3;
            p.x.assign(static_cast<size_t>(3 * c.workers), 1.0);
            p.y.assign(static_cast<size_t>(c.workers), sign > 0 ? 1.0 : 5.0); /* <w, x> = 3: gradient 2 (3 - y) = +-4 */
            fr_dataset *set = rig::dataset_of(p, FR_F64);
            fr_plan plan = rig::plan_for(p, c.workers, 0, c.levels, FR_SCALE_MAX, FR_COLLECTIVE_ALLREDUCE);
            plan.wire = FR_WIRE_PACKED;
            EXPECT_EQ(fr_summed_field_bits(&plan), c.bits);
            Vector end = rig::run_ranks(plan, set, {1, 1, 1}, 1, 1);
            for (double w : end) EXPECT_NEAR(w, 1 - 0.05 * 4 * sign, 1e-13) << c.workers << " x " << c.levels;
            for (int ranks : {2, 3, 4})
                if (c.workers % ranks == 0) EXPECT_EQ(rig::run_ranks(plan, set, {1, 1, 1}, 1, ranks), end);
            fr_dataset_free(set);
        }
}

/* Of the same levels: on 1, 2, 4 and 8 ranks and several threads, more columns than a tile and none that fills its last word. */
TEST(Fields, WeightsAreThoseOfInt8OnAnyRanksAndThreads) {
    const struct {
        int workers, levels;
    } cases[] = {{4, 1}, {8, 15}, {8, 127}};
    for (const auto &c : cases)
        for (int64_t d : {int64_t{77}, int64_t{1061}})
            for (fr_precision precision : {FR_F64, FR_F32}) {
                oracle::Problem p = oracle::random_problem(203, d, 13);
                Vector w(static_cast<size_t>(d), 0.1);
                fr_dataset *set = rig::dataset_of(p, precision);
                fr_plan plan = rig::plan_for(p, c.workers, 80, c.levels, FR_SCALE_MAX, FR_COLLECTIVE_ALLREDUCE, precision);
                plan.wire = FR_WIRE_INT8;
                Vector int8 = rig::run_ranks(plan, set, w, 4, 1);
                plan.wire = FR_WIRE_PACKED;
                Vector one = rig::run_ranks(plan, set, w, 4, 1);
                EXPECT_NE(one, w);
                if (c.workers * c.levels <= 127) EXPECT_EQ(one, int8);
                for (int ranks : {2, 4, 8})
                    if (c.workers % ranks == 0) EXPECT_EQ(rig::run_ranks(plan, set, w, 4, ranks), one) << ranks;
                EXPECT_EQ(rig::run_ranks(plan, set, w, 4, 1, 3), one);
                fr_dataset_free(set);
            }
}

/* Levels that no int8 sum holds: the mean of the decoded steps over many seeds is the gradient. */
TEST(Fields, SumsOfSixteenBitsAreUnbiased) {
    const int runs = 2000, d = 24;
    oracle::Problem p = oracle::random_problem(60, d, 12);
    fr_dataset *set = rig::dataset_of(p, FR_F64);
    Vector w(d, 0.3), mean(d, 0.0), square(d, 0.0);
    fr_plan plan = rig::plan_for(p, 3, 0, 60, FR_SCALE_L2, FR_COLLECTIVE_ALLREDUCE);
    plan.wire = FR_WIRE_PACKED, plan.steps = {1, 1, 0};
    fr_engine *engine = rig::engine_for(plan, set, 0, 3);
    fr_comm *comm = nullptr;
    ASSERT_EQ(fr_comm_local_create(&plan, &comm, nullptr), FR_OK);
    for (int t = 0; t < runs; t++) {
        rig::State state(d);
        state.weights = w;
        state.state.weights = state.weights.data(), state.state.step = t;
        engine->ops->load(engine, &state.state, nullptr);
        engine->ops->gradient(engine, nullptr);
        ASSERT_EQ(fr_collective_step(engine, comm, nullptr), FR_OK);
        engine->ops->store(engine, &state.state, nullptr);
        for (size_t j = 0; j < d; j++) {
            double g = w[j] - state.weights[j];
            mean[j] += g / runs, square[j] += g * g / runs;
        }
    }
    std::vector<int64_t> all(60);
    for (int64_t i = 0; i < 60; i++) all[static_cast<size_t>(i)] = i;
    Vector exact = oracle::gradient(p, w, all);
    for (size_t j = 0; j < d; j++) {
        double deviation = std::sqrt(std::fmax(0, square[j] - mean[j] * mean[j]) / runs);
        EXPECT_NEAR(mean[j], exact[j], 4.5 * deviation + 1e-12) << j;
    }
    fr_comm_free(comm), fr_engine_free(engine), fr_dataset_free(set);
}

namespace {

class PlannedFields : public ::testing::Test {
  protected:
    void SetUp() override {
        fr_planted planted = {40000, 5, 0, 1};
        ASSERT_EQ(fr_dataset_generate(&planted, FR_F64, &set, nullptr), FR_OK);
    }
    void TearDown() override { fr_dataset_free(set); }
    fr_status make(int workers, int levels, fr_wire wire, fr_collective collective = FR_COLLECTIVE_ALLREDUCE, int gpus = 0) {
        fr_options options;
        fr_options_default(&options);
        options.workers = workers, options.batch = workers, options.levels = levels, options.wire = wire;
        options.collective = collective, options.gpus = gpus;
        return fr_plan_make(&options, set, &plan, &error);
    }
    fr_dataset *set = nullptr;
    fr_plan plan = {};
    fr_error error = {};
};

} // namespace

/* An all-reduce that was asked for takes fields where no int8 holds the sums; which collective auto takes stays. */
TEST_F(PlannedFields, AutoIsInt8WhileItFitsAndFieldsBeyond) {
    const struct {
        int workers, levels, gpus;
        fr_wire wire;
    } cases[] = {{4, 31, 0, FR_WIRE_INT8},     {4, 32, 0, FR_WIRE_PACKED}, {127, 1, 0, FR_WIRE_INT8}, {128, 1, 0, FR_WIRE_PACKED},
                 {258, 127, 0, FR_WIRE_PACKED}, {7, 1, 0, FR_WIRE_INT8},    {4, 31, 4, FR_WIRE_INT8}, {8, 127, 8, FR_WIRE_PACKED}};
    for (const auto &c : cases) {
        ASSERT_EQ(make(c.workers, c.levels, FR_WIRE_AUTO, FR_COLLECTIVE_ALLREDUCE, c.gpus), FR_OK) << error.message;
        EXPECT_EQ(plan.wire, c.wire) << c.workers << " x " << c.levels;
    }
    ASSERT_EQ(make(4, 32, FR_WIRE_AUTO, FR_COLLECTIVE_AUTO), FR_OK);
    EXPECT_EQ(plan.collective, FR_COLLECTIVE_TWO_PHASE);
    ASSERT_EQ(make(4, 31, FR_WIRE_AUTO, FR_COLLECTIVE_AUTO), FR_OK);
    EXPECT_EQ(plan.collective, FR_COLLECTIVE_ALLREDUCE);
    EXPECT_EQ(plan.wire, FR_WIRE_INT8);
}

TEST_F(PlannedFields, WhatNoFieldHoldsIsRefusedWithTheLargestLevels) {
    for (fr_wire wire : {FR_WIRE_AUTO, FR_WIRE_PACKED}) {
        EXPECT_EQ(make(258, 127, wire), FR_OK);
        EXPECT_EQ(make(259, 127, wire), FR_ERROR_USAGE);
        EXPECT_STREQ(error.message, "--collective allreduce sums 259 workers' levels in a field of 16 bits, and 259 x 127 exceed "
                                    "32767; the largest --levels here is 126 (or use two-phase or allgather)");
        EXPECT_EQ(make(32768, 1, wire), FR_ERROR_USAGE);
        EXPECT_STREQ(error.message, "--collective allreduce sums levels of at most 32767 workers in a field of 16 bits, and "
                                    "there are 32768; use two-phase or allgather");
    }
    EXPECT_EQ(make(128, 1, FR_WIRE_INT8), FR_ERROR_USAGE);
    EXPECT_STREQ(error.message, "--collective allreduce sums levels of at most 127 workers in an int8, and there are 128; use "
                                "--wire packed, two-phase or allgather");
}

TEST_F(PlannedFields, GpusPackSumsAlone) {
    EXPECT_EQ(make(4, 7, FR_WIRE_PACKED, FR_COLLECTIVE_ALLREDUCE, 4), FR_OK);
    for (fr_collective collective : {FR_COLLECTIVE_ALLGATHER, FR_COLLECTIVE_TWO_PHASE, FR_COLLECTIVE_MASTER}) {
        EXPECT_EQ(make(4, 7, FR_WIRE_PACKED, collective, 4), FR_ERROR_USAGE);
        EXPECT_EQ(std::string(error.message),
                  std::string("--wire packed on GPUs needs --collective allreduce; it is ") + fr_collective_name(collective));
    }
}
