/*
 * replay_test.cpp - a step recorded once and replayed, what happens where it cannot be, the times of exchanges: none of it
 * changes a bit of the weights.
 */
#include "fit_rig.h"

namespace {

using namespace rig;

class Replay : public OnCpu {};

/* Every kernel is loaded before the first exchange: a launch that loads one waits for the device. Planted rows are made
 * by kernels when an engine is created; rows of one's own are copied. */
TEST_F(Replay, NoLaunchOfAStepOrASurveyLoadsItsKernel) {
    const oracle::Problem p = oracle::random_problem(90, 7, 8);
    for (fr_collective collective : {FR_COLLECTIVE_ALLREDUCE, FR_COLLECTIVE_ALLGATHER, FR_COLLECTIVE_TWO_PHASE})
        for (int levels : {0, 15})
            for (fr_precision precision : {FR_F32, FR_F64}) {
                Wanted wanted;
                wanted.own = &p, wanted.levels = levels, wanted.collective = collective, wanted.precision = precision;
                cuda_on_cpu_reset();
                const Fit fit = fit_on(2, wanted);
                ASSERT_EQ(fit.status, FR_OK) << fit.error.message;
                expect_calls("load by launch", 0);
            }
}

/* Levels and norm in one message; two-phase as few as its two halves: calls of the first step, which alone is made plainly. */
TEST_F(Replay, AStepMakesAsFewExchangesAsCanBe) {
    const struct {
        fr_collective collective;
        int levels;
        unsigned reduces, gathers, sends;
    } cases[] = {{FR_COLLECTIVE_ALLREDUCE, 0, 1, 0, 0},  {FR_COLLECTIVE_ALLREDUCE, 15, 2, 0, 0}, {FR_COLLECTIVE_ALLGATHER, 0, 0, 1, 0},
                 {FR_COLLECTIVE_ALLGATHER, 15, 0, 1, 0}, {FR_COLLECTIVE_MASTER, 15, 0, 1, 0},    {FR_COLLECTIVE_TWO_PHASE, 15, 1, 1, 4}};
    for (const auto &c : cases) {
        Wanted wanted;
        wanted.levels = c.levels, wanted.collective = c.collective, wanted.iterations = 1, wanted.workers = 4;
        cuda_on_cpu_reset();
        ASSERT_EQ(fit_on(4, wanted).status, FR_OK);
        EXPECT_EQ(cuda_on_cpu_calls("ncclAllReduce"), 4u * c.reduces) << fr_collective_name(c.collective) << c.levels;
        EXPECT_EQ(cuda_on_cpu_calls("ncclAllGather"), 4u * c.gathers) << fr_collective_name(c.collective) << c.levels;
        EXPECT_EQ(cuda_on_cpu_calls("ncclSend"), 4u * c.sends) << fr_collective_name(c.collective) << c.levels;
    }
}

/* Kernels of a step: of runs that are looked at as often, the longer one has those of 30 steps more. */
unsigned long long kernels_of_a_step(int gpus, Wanted wanted) {
    unsigned long long before = cuda_on_cpu_kernels_run(), run[2];
    for (int longer : {0, 1}) {
        wanted.iterations = 70 + 30 * longer;
        EXPECT_EQ(fit_on(gpus, wanted).status, FR_OK);
        run[longer] = cuda_on_cpu_kernels_run() - before;
        before += run[longer];
    }
    return (run[1] - run[0]) / static_cast<unsigned>(30 * gpus);
}

/* Gradient, its lanes with the norms, encoding, update; totals where a GPU has several workers, a norm of its own for l2. */
TEST_F(Replay, AStepLaunchesAsFewKernelsAsCanBe) {
    if (!cuda_on_cpu_is_pretending()) GTEST_SKIP() << "a GPU counts nothing";
    const struct {
        fr_collective collective;
        int levels, workers;
        fr_wire wire;
        unsigned kernels;
    } cases[] = {{FR_COLLECTIVE_ALLREDUCE, 0, 2, FR_WIRE_AUTO, 3},   {FR_COLLECTIVE_ALLREDUCE, 15, 2, FR_WIRE_INT8, 4},
                 {FR_COLLECTIVE_ALLREDUCE, 15, 2, FR_WIRE_PACKED, 4}, {FR_COLLECTIVE_ALLREDUCE, 127, 2, FR_WIRE_AUTO, 4},
                 {FR_COLLECTIVE_ALLREDUCE, 15, 4, FR_WIRE_INT8, 5},  {FR_COLLECTIVE_ALLREDUCE, 15, 4, FR_WIRE_PACKED, 5},
                 {FR_COLLECTIVE_ALLGATHER, 15, 2, FR_WIRE_AUTO, 5},  {FR_COLLECTIVE_TWO_PHASE, 15, 2, FR_WIRE_AUTO, 7}};
    for (const auto &c : cases) {
        Wanted wanted;
        wanted.collective = c.collective, wanted.levels = c.levels, wanted.workers = c.workers, wanted.wire = c.wire;
        EXPECT_EQ(kernels_of_a_step(2, wanted), c.kernels)
            << fr_collective_name(c.collective) << ", levels " << c.levels << ", workers " << c.workers;
    }
}

/* After two steps nothing but recorded graphs is launched. */
TEST_F(Replay, AStepIsRecordedOnceAndReplayed) {
    for (int gpus : {1, 2}) {
        Wanted wanted;
        wanted.levels = 31, wanted.iterations = 100;
        cuda_on_cpu_reset();
        ASSERT_EQ(fit_on(gpus, wanted).status, FR_OK);
        EXPECT_EQ(cuda_on_cpu_calls("cudaGraphLaunch"), static_cast<unsigned>(99 * gpus));
        EXPECT_EQ(cuda_on_cpu_calls("cudaStreamBeginCapture"), gpus == 1 ? 1u : 4u) << "with and without the exchanges' times";
    }
}

TEST_F(Replay, WhereAStepCannotBeRecordedTheFitIsTheSame) {
    Wanted wanted;
    wanted.levels = 31;
    for (int gpus : {1, 2})
        for (const char *rule : {"cudaStreamBeginCapture:1+", "cudaGraphInstantiate:1+", "cudaGraphInstantiate:2"}) {
            Fit recorded = fit_on(gpus, wanted);
            set("FAIL", rule);
            Fit plain = fit_on(gpus, wanted);
            set("FAIL", nullptr);
            ASSERT_EQ(plain.status, FR_OK) << plain.error.message;
            EXPECT_EQ(plain.weights, recorded.weights);
            EXPECT_EQ(plain.result.iterations, recorded.result.iterations);
        }
}

/* By an option or by the environment. */
TEST_F(Replay, StepsMayBeAskedToBePlain) {
    for (int gpus : {1, 2}) {
        Wanted wanted;
        wanted.levels = 31;
        const Fit recorded = fit_on(gpus, wanted);
        cuda_on_cpu_reset();
        wanted.plain_steps = true;
        EXPECT_EQ(fit_on(gpus, wanted).weights, recorded.weights);
        wanted.plain_steps = false;
        setenv("FITRELU_GRAPHS", "0", 1);
        EXPECT_EQ(fit_on(gpus, wanted).weights, recorded.weights);
        unsetenv("FITRELU_GRAPHS");
        expect_calls("cudaGraphLaunch", 0);
        expect_calls("cudaStreamBeginCapture", 0);
    }
}

/* NCCL refuses while the step is recorded: every rank leaves its communicator, joins again and goes on plainly. Calls 1
 * to 4 of the four ranks are those of the first step. */
TEST_F(Replay, AnExchangeThatCannotBeRecordedIsMadePlainly) {
    Wanted wanted;
    Fit recorded = fit_on(4, wanted);
    for (const char *rule : {"ncclAllReduce:5", "ncclAllReduce:7", "ncclAllReduce:8"}) {
        set("FAIL", rule);
        cuda_on_cpu_reset();
        Fit plain = fit_on(4, wanted);
        EXPECT_EQ(cuda_on_cpu_calls("cudaGraphLaunch"), 0u) << rule;
        EXPECT_EQ(cuda_on_cpu_calls("ncclCommInitRank"), 8u) << rule;
        set("FAIL", nullptr);
        ASSERT_EQ(plain.status, FR_OK) << rule << ": " << plain.error.message;
        EXPECT_EQ(plain.weights, recorded.weights) << rule;
    }
}

/* One rank that cannot begin or end a recording keeps the others from replaying one. */
TEST_F(Replay, RanksRecordTogetherOrNotAtAll) {
    Wanted wanted;
    wanted.levels = 31;
    for (const char *rule : {"cudaStreamBeginCapture:2", "cudaGraphInstantiate:1"}) {
        set("FAIL", rule);
        cuda_on_cpu_reset();
        ASSERT_EQ(fit_on(4, wanted).status, FR_OK) << rule;
        EXPECT_EQ(cuda_on_cpu_calls("cudaGraphLaunch"), 0u) << rule;
        set("FAIL", nullptr);
    }
}

/* ------------------------------------------------------------------------------ times of exchanges */

/* An exchange that is late by a millisecond takes so long in every step, replayed or not. */
TEST_F(Replay, ExchangesAreTimedOnTheDeviceInEveryStep) {
    Wanted wanted;
    set("DELAY", "ncclAllReduce:1000");
    for (const char *rule : {(const char *)nullptr, "cudaStreamBeginCapture:1+"}) {
        set("FAIL", rule);
        Fit fit = fit_on(2, wanted);
        set("FAIL", nullptr);
        ASSERT_EQ(fit.status, FR_OK) << fit.error.message;
        EXPECT_GE(fit.result.seconds_communicate, 40e-3);
        EXPECT_LE(fit.result.seconds_communicate, fit.result.seconds_total);
        EXPECT_NEAR(fit.result.seconds_compute + fit.result.seconds_communicate, fit.result.seconds_total, 1e-9);
    }
    EXPECT_EQ(fit_on(1, wanted).result.seconds_communicate, 0);
}

} // namespace
