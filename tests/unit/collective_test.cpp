/* The collectives: (2.2) to the letter, exact int8 sums, unbiasedness, and the same bits wherever workers sit. */
#include <cmath>
#include <set>

#include "rig.h"

using oracle::Vector;

namespace {

struct Worked { /* the vectors v_k of one step, from the oracle's gradient on the drawn rows */
    std::vector<Vector> v;
};

Worked worker_vectors(const oracle::Problem &p, const fr_plan &plan, const Vector &w, uint64_t step) {
    Worked out;
    for (int k = 0; k < plan.workers; k++) {
        int64_t start = p.n / plan.workers * k, length = p.n / plan.workers; /* n divisible in these tests */
        std::vector<int64_t> rows;
        for (int64_t j = 0; j < plan.draws; j++)
            rows.push_back(start + fr_sample_row(plan.seed, fr_sequence(FR_STREAM_SAMPLE, 0, static_cast<uint32_t>(k)),
                                                 step, static_cast<uint64_t>(j), static_cast<uint64_t>(length)));
        out.v.push_back(oracle::gradient(p, w, rows));
    }
    return out;
}

const fr_collective COLLECTIVES[] = {FR_COLLECTIVE_ALLREDUCE, FR_COLLECTIVE_ALLGATHER, FR_COLLECTIVE_TWO_PHASE,
                                     FR_COLLECTIVE_MASTER};

}  // namespace

TEST(Collective, AllgatherIsEquation22) {
    oracle::Problem p = oracle::random_problem(120, 50, 4);
    fr_dataset *set = rig::dataset_of(p, FR_F64);
    Vector w(50, 0.2);
    fr_plan plan = rig::plan_for(p, 4, 40, 31, FR_SCALE_L2, FR_COLLECTIVE_ALLGATHER);
    Worked worked = worker_vectors(p, plan, w, 0);
    Vector expected = w;
    for (int k = 0; k < 4; k++) {
        std::vector<int8_t> levels(50);
        const Vector &v = worked.v[static_cast<size_t>(k)];
        double N = fr_quantize(v.data(), 50, 31, FR_SCALE_L2, 42, 0, static_cast<uint32_t>(k), levels.data());
        for (size_t j = 0; j < 50; j++) expected[j] -= 0.05 / 4 * N * levels[j] / 31;
    }
    EXPECT_LT(oracle::relative(rig::run_ranks(plan, set, w, 1, 1), expected), 1e-12);
    fr_dataset_free(set);
}

/* Every worker at +s or -s in every coordinate: the sum is K s, and must not wrap, for every K and s allowed. */
TEST(Collective, AllreduceIsExactAtTheLargestLevels) {
    for (int workers : {1, 2, 3, 4, 5, 7, 8, 16, 31, 63, 127})
        for (int sign : {1, -1}) {
            int s = 127 / workers;
            oracle::Problem p;
            p.n = workers, p.d = 1;
            p.x.assign(static_cast<size_t>(workers), 1.0);
            p.y.assign(static_cast<size_t>(workers), sign > 0 ? 1.0 : 5.0); /* w = 3: gradient 2 (3 - y) = +-4 */
            fr_dataset *set = rig::dataset_of(p, FR_F64);
            fr_plan plan = rig::plan_for(p, workers, workers, s, FR_SCALE_MAX, FR_COLLECTIVE_ALLREDUCE);
            Vector end = rig::run_ranks(plan, set, {3.0}, 1, 1);
            EXPECT_NEAR(end[0], 3 - 0.05 * 4 * sign, 1e-14) << workers;
            if (workers % 4 == 0) {
                EXPECT_EQ(rig::run_ranks(plan, set, {3.0}, 1, 4), end);
            }
            fr_dataset_free(set);
        }
}

TEST(Collective, AllreduceBeyondAnInt8IsRefusedAndNamesTheLargestS) {
    fr_options options;
    fr_error error;
    fr_planted planted = {100, 5, 0, 1};
    fr_dataset *set = nullptr;
    ASSERT_EQ(fr_dataset_generate(&planted, FR_F64, &set, &error), FR_OK);
    for (int workers = 1; workers <= 100; workers++) {
        fr_options_default(&options);
        fr_plan plan;
        options.workers = workers, options.batch = workers, options.collective = FR_COLLECTIVE_ALLREDUCE;
        options.levels = 127 / workers, options.wire = FR_WIRE_INT8;
        EXPECT_EQ(fr_plan_make(&options, set, &plan, &error), FR_OK) << workers;
        if (workers == 1) continue;
        options.levels = 127 / workers + 1;
        EXPECT_EQ(fr_plan_make(&options, set, &plan, &error), FR_ERROR_USAGE) << workers;
        std::string largest = "the largest --levels here is " + std::to_string(127 / workers) + " ";
        EXPECT_NE(std::string(error.message).find(largest), std::string::npos) << error.message;
    }
    fr_dataset_free(set);
}

/* The mean over many seeds of the decoded step is the mean of the v_k. */
TEST(Collective, AllAreUnbiasedWithBothScales) {
    oracle::Problem p = oracle::random_problem(60, 24, 12);
    fr_dataset *set = rig::dataset_of(p, FR_F64);
    Vector w(24, 0.3);
    const int runs = 3000;
    for (fr_collective collective : COLLECTIVES)
        for (fr_scale scale : {FR_SCALE_L2, FR_SCALE_MAX}) {
            fr_plan plan = rig::plan_for(p, 3, 0, 5, scale, collective);
            fr_engine *engine = rig::engine_for(plan, set, 0, 3);
            fr_comm *comm = nullptr;
            ASSERT_EQ(fr_comm_local_create(&plan, &comm, nullptr), FR_OK);
            Vector mean(24, 0.0), square(24, 0.0);
            for (int t = 0; t < runs; t++) {
                rig::State state(24);
                state.weights = w;
                state.state.weights = state.weights.data();
                state.state.step = t;
                plan.steps = {1, 1, 0};
                engine->ops->load(engine, &state.state, nullptr);
                engine->ops->gradient(engine, nullptr);
                ASSERT_EQ(fr_collective_step(engine, comm, nullptr), FR_OK);
                engine->ops->store(engine, &state.state, nullptr);
                for (size_t j = 0; j < 24; j++) {
                    double g = w[j] - state.weights[j];
                    mean[j] += g / runs, square[j] += g * g / runs;
                }
            }
            std::vector<int64_t> all(60);
            for (int64_t i = 0; i < 60; i++) all[static_cast<size_t>(i)] = i;
            Vector exact = oracle::gradient(p, w, all);
            for (size_t j = 0; j < 24; j++) {
                double deviation = std::sqrt(std::fmax(0, square[j] - mean[j] * mean[j]) / runs);
                EXPECT_NEAR(mean[j], exact[j], 4.5 * deviation + 1e-12) << fr_collective_name(collective) << " " << j;
            }
            fr_comm_free(comm);
            fr_engine_free(engine);
        }
    fr_dataset_free(set);
}

/* K = 8 workers on 1, 2, 4 and 8 ranks, and on 1, 2 and 5 threads: every bit of the weights is the same. */
TEST(Collective, WeightsDoNotDependOnRanksOrThreads) {
    oracle::Problem p = oracle::random_problem(203, 77, 13);
    Vector w(77, 0.1);
    for (fr_precision precision : {FR_F64, FR_F32}) {
        fr_dataset *set = rig::dataset_of(p, precision);
        for (fr_collective collective : COLLECTIVES)
            for (int64_t batch : {int64_t{0}, int64_t{80}}) {
                fr_plan plan = rig::plan_for(p, 8, batch, 15, FR_SCALE_MAX, collective, precision);
                Vector one = rig::run_ranks(plan, set, w, 6, 1);
                EXPECT_NE(one, w);
                for (int ranks : {2, 4, 8})
                    EXPECT_EQ(rig::run_ranks(plan, set, w, 6, ranks), one) << fr_collective_name(collective) << ranks;
                for (int threads : {2, 5})
                    EXPECT_EQ(rig::run_ranks(plan, set, w, 6, 1, threads), one) << fr_collective_name(collective);
            }
        fr_dataset_free(set);
    }
}

/* Unquantized, all exchanges compute the same mean; allgather and two-phase to the same bits on any ranks. */
TEST(Collective, FloatExchangesAgree) {
    oracle::Problem p = oracle::random_problem(160, 33, 14);
    fr_dataset *set = rig::dataset_of(p, FR_F64);
    Vector w(33, 0.1), first;
    for (fr_collective collective : COLLECTIVES) {
        fr_plan plan = rig::plan_for(p, 4, 40, 0, FR_SCALE_L2, collective);
        Vector one = rig::run_ranks(plan, set, w, 5, 1);
        if (first.empty()) first = one;
        EXPECT_LT(oracle::relative(one, first), 1e-14) << fr_collective_name(collective);
        Vector four = rig::run_ranks(plan, set, w, 5, 4);
        if (collective == FR_COLLECTIVE_ALLREDUCE) EXPECT_LT(oracle::relative(four, one), 1e-14);
        else EXPECT_EQ(four, one) << fr_collective_name(collective);
    }
    fr_dataset_free(set);
}

/* More workers than columns: empty slices are nobody's trouble. */
TEST(Collective, TwoPhaseWithMoreWorkersThanColumns) {
    oracle::Problem p = oracle::random_problem(64, 3, 15);
    fr_dataset *set = rig::dataset_of(p, FR_F64);
    fr_plan plan = rig::plan_for(p, 8, 64, 127, FR_SCALE_L2, FR_COLLECTIVE_TWO_PHASE);
    Vector one = rig::run_ranks(plan, set, {0.1, 0.2, 0.3}, 20, 1);
    EXPECT_EQ(rig::run_ranks(plan, set, {0.1, 0.2, 0.3}, 20, 4), one);
    for (double x : one) EXPECT_TRUE(std::isfinite(x));
    fr_dataset_free(set);
}

/* The list is complete, its names are words of their own, and each collective carries what travels anywhere. */
TEST(Collective, EveryOneIsInTheListUnderANameOfItsOwn) {
    std::set<std::string> names;
    for (int c = 0; c < FR_COLLECTIVE_COUNT; c++) {
        const fr_collective_ops *ops = fr_collectives[c];
        ASSERT_NE(ops, nullptr) << c;
        EXPECT_TRUE(names.insert(fr_collective_name(static_cast<fr_collective>(c))).second) << c;
        if (c == FR_COLLECTIVE_AUTO) continue;
        EXPECT_TRUE(ops->step && ops->traffic && ops->work) << ops->name;
        EXPECT_NE(ops->needs, FR_NEEDS_NOTHING) << ops->name;
        EXPECT_NE(ops->scale, FR_SCALE_AUTO) << ops->name;
        EXPECT_TRUE(ops->wires & FR_CARRIES(FR_WIRE_FULL)) << ops->name;
        EXPECT_TRUE(ops->wires & FR_CARRIES(FR_WIRE_INT8)) << ops->name;
    }
}

/* A wire that a collective cannot carry is refused with the collectives that can. */
TEST(Collective, AWireThatItCannotCarryIsRefusedAndNamesThoseThatCan) {
    fr_plan plan = {};
    fr_error error;
    plan.workers = 4, plan.levels = 7, plan.collective = FR_COLLECTIVE_TWO_PHASE, plan.wire = FR_WIRE_ELIAS;
    EXPECT_EQ(fr_collective_check(&plan, &error), FR_ERROR_USAGE);
    EXPECT_STREQ(error.message, "--wire elias needs --collective allgather or master; it is two-phase");
    plan.collective = FR_COLLECTIVE_ALLREDUCE;
    EXPECT_EQ(fr_collective_check(&plan, &error), FR_ERROR_USAGE);
    EXPECT_STREQ(error.message, "--wire elias needs --collective allgather or master; it is allreduce");
    plan.collective = FR_COLLECTIVE_MASTER, plan.wire = FR_WIRE_BF16, plan.levels = 0;
    EXPECT_EQ(fr_collective_check(&plan, &error), FR_ERROR_USAGE);
    EXPECT_STREQ(error.message, "--wire bf16 needs --collective allreduce; it is master");
    plan.wire = FR_WIRE_FULL;
    EXPECT_EQ(fr_collective_check(&plan, &error), FR_OK);
}

/* In one process Elias' codes are measured: as many copies of a worker's vector as it would send. */
TEST(Collective, OneProcessCountsWhatItsWorkersWouldSendOfEliasCodes) {
    oracle::Problem p = oracle::random_problem(60, 24, 12);
    fr_dataset *set = rig::dataset_of(p, FR_F64);
    for (int workers : {1, 3})
        for (fr_collective collective : {FR_COLLECTIVE_ALLGATHER, FR_COLLECTIVE_MASTER}) {
            fr_plan plan = rig::plan_for(p, workers, 0, 5, FR_SCALE_L2, collective);
            plan.wire = FR_WIRE_ELIAS;
            fr_engine *engine = rig::engine_for(plan, set, 0, workers);
            fr_comm *comm = nullptr;
            ASSERT_EQ(fr_comm_local_create(&plan, &comm, nullptr), FR_OK);
            engine->ops->gradient(engine, nullptr);
            ASSERT_EQ(fr_collective_step(engine, comm, nullptr), FR_OK);
            EXPECT_EQ(comm->levels, static_cast<uint64_t>(24 * workers));
            uint64_t copies = collective == FR_COLLECTIVE_MASTER ? 1 : static_cast<uint64_t>(workers - 1);
            EXPECT_EQ(comm->sent, comm->coded / static_cast<uint64_t>(workers) * copies);
            fr_comm_free(comm);
            fr_engine_free(engine);
        }
    fr_dataset_free(set);
}
