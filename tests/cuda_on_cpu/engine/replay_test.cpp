/*
 * replay_test.cpp - a step recorded once and replayed, what happens where it cannot be, the times of exchanges, and many
 * steps in one launch: none of it changes a bit of the weights.
 */
#include <cstdlib>

#include "fit_rig.h"

namespace {

using namespace rig;

class Replay : public OnCpu {
  protected:
    void TearDown() override {
        unsetenv("FITRELU_PERSISTENT");
        OnCpu::TearDown();
    }
};

/* After two steps nothing but the recorded graph is launched. */
TEST_F(Replay, AStepIsRecordedOnceAndReplayed) {
    for (int gpus : {1, 2}) {
        Wanted wanted;
        wanted.levels = 31, wanted.iterations = 100;
        cuda_on_cpu_reset();
        ASSERT_EQ(fit_on(gpus, wanted).status, FR_OK);
        EXPECT_EQ(cuda_on_cpu_calls("cudaGraphLaunch"), static_cast<unsigned>(99 * gpus));
        EXPECT_EQ(cuda_on_cpu_calls("cudaStreamBeginCapture"), static_cast<unsigned>(gpus));
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

/* ----------------------------------------------------------------------------- many steps a launch */

/* Steps in one cooperative launch give the bits of steps launched one by one. */
void same_in_one_launch(const Wanted &wanted) {
    Fit one_by_one = fit_on(1, wanted);
    ASSERT_EQ(one_by_one.status, FR_OK) << one_by_one.error.message;
    setenv("FITRELU_PERSISTENT", "1", 1);
    cuda_on_cpu_reset();
    Fit together = fit_on(1, wanted);
    unsetenv("FITRELU_PERSISTENT");
    ASSERT_EQ(together.status, FR_OK) << together.error.message;
    EXPECT_EQ(together.weights, one_by_one.weights);
    EXPECT_EQ(together.result.iterations, one_by_one.result.iterations);
    EXPECT_EQ(together.result.loss, one_by_one.result.loss);
    EXPECT_EQ(cuda_on_cpu_calls("cudaGraphLaunch"), 0u);
    EXPECT_EQ(cuda_on_cpu_calls("cudaStreamBeginCapture"), 0u);
}

TEST_F(Replay, ManyStepsInOneLaunchAreTheSameBits) {
    for (fr_precision precision : {FR_F32, FR_F64})
        for (int workers : {1, 4})
            for (int levels : {0, 31}) {
                Wanted wanted;
                wanted.precision = precision, wanted.workers = workers, wanted.levels = levels;
                wanted.iterations = 10; /* launches of 1, 1, 2, 4 and 2 */
                same_in_one_launch(wanted);
            }
}

TEST_F(Replay, ManyStepsInOneLaunchForOtherCollectivesStoragesAndSizes) {
    Wanted wanted;
    wanted.iterations = 9, wanted.average = 0.5;
    wanted.collective = FR_COLLECTIVE_ALLGATHER;
    for (int levels : {0, 127}) wanted.levels = levels, same_in_one_launch(wanted);
    wanted = Wanted();
    wanted.iterations = 3, wanted.precision = FR_F32, wanted.samples = 40;
    for (int64_t features : {1, 130, 1100}) {
        wanted.features = features, wanted.levels = 31, wanted.storage = FR_STORAGE_SAME;
        same_in_one_launch(wanted);
        wanted.levels = 0, wanted.storage = FR_STORAGE_BF16, wanted.wire = FR_WIRE_BF16;
        same_in_one_launch(wanted);
        wanted.wire = FR_WIRE_AUTO;
    }
}

/* Rows too long for it, full batches and two-phase are made step by step. */
TEST_F(Replay, WhatDoesNotSuitOneLaunchIsMadeStepByStep) {
    setenv("FITRELU_PERSISTENT", "1", 1);
    for (int kind = 0; kind < 3; kind++) {
        Wanted wanted;
        wanted.iterations = 4, wanted.samples = 40;
        if (kind == 0) wanted.features = 2100;
        if (kind == 1) wanted.batch = FR_BATCH_FULL;
        if (kind == 2) wanted.collective = FR_COLLECTIVE_TWO_PHASE, wanted.levels = 127;
        cuda_on_cpu_reset();
        ASSERT_EQ(fit_on(1, wanted).status, FR_OK);
        EXPECT_EQ(cuda_on_cpu_calls("cudaGraphLaunch"), 3u) << kind;
    }
}

} // namespace
