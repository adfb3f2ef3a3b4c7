/*
 * persistent_test.cpp - many steps in one cooperative launch: the same bits as step by step.
 */
#include <cstdlib>

#include "fit_rig.h"

namespace {

using namespace rig;

class Persistent : public OnCpu {
  protected:
    void TearDown() override {
        unsetenv("FITRELU_PERSISTENT");
        OnCpu::TearDown();
    }
};

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
    expect_calls("cudaGraphLaunch", 0);
    expect_calls("cudaStreamBeginCapture", 0);
}

TEST_F(Persistent, ManyStepsInOneLaunchAreTheSameBits) {
    for (fr_precision precision : {FR_F32, FR_F64})
        for (int workers : {1, 4})
            for (int levels : {0, 31}) {
                Wanted wanted;
                wanted.precision = precision, wanted.workers = workers, wanted.levels = levels;
                wanted.iterations = 10; /* launches of 1, 1, 2, 4 and 2 */
                same_in_one_launch(wanted);
            }
}

TEST_F(Persistent, ManyStepsInOneLaunchForOtherCollectivesStoragesAndSizes) {
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
TEST_F(Persistent, WhatDoesNotSuitOneLaunchIsMadeStepByStep) {
    setenv("FITRELU_PERSISTENT", "1", 1);
    for (int kind = 0; kind < 3; kind++) {
        Wanted wanted;
        wanted.iterations = 4, wanted.samples = 40;
        if (kind == 0) wanted.features = 2100;
        if (kind == 1) wanted.batch = FR_BATCH_FULL;
        if (kind == 2) wanted.collective = FR_COLLECTIVE_TWO_PHASE, wanted.levels = 127;
        cuda_on_cpu_reset();
        ASSERT_EQ(fit_on(1, wanted).status, FR_OK);
        expect_calls("cudaGraphLaunch", 3);
    }
}

} // namespace
