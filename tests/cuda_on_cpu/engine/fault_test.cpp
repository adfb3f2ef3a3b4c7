/*
 * fault_test.cpp - what only the stand-in can do to a fit: count its calls, run blocks and threads in another order, make
 * calls, kernels and exchanges fail or hang. Each failure ends with one line that names device, rank and step.
 */
#include "fit_rig.h"

namespace {

using namespace rig;

class Faults : public OnCpu {};

/* Nothing is allocated inside the loop: twice the steps, the same number of allocations. */
TEST_F(Faults, AStepAllocatesNothing) {
    Wanted wanted;
    wanted.levels = 31, wanted.iterations = 32;
    cuda_on_cpu_reset();
    fit_on(2, wanted);
    unsigned long long short_run = cuda_on_cpu_calls("cudaMalloc");
    cuda_on_cpu_reset();
    wanted.iterations = 200;
    fit_on(2, wanted);
    EXPECT_EQ(cuda_on_cpu_calls("cudaMalloc"), short_run);
}

/* Weights depend on no order in which blocks and threads happen to run, quantized or not. */
TEST_F(Faults, TheOrderOfBlocksAndThreadsChangesNoBit) {
    for (int levels : {0, 31})
        for (int gpus : {1, 2}) {
            Wanted wanted;
            wanted.levels = levels;
            Fit forward = fit_on(gpus, wanted);
            for (const char *order : {"reverse", "random:7"}) {
                set("ORDER", order);
                EXPECT_EQ(fit_on(gpus, wanted).weights, forward.weights) << order;
                set("ORDER", nullptr);
            }
        }
}

/* Nor on how many multiprocessors the device has. */
TEST_F(Faults, TheSizeOfTheDeviceChangesNoBit) {
    Wanted wanted;
    Fit four = fit_on(1, wanted);
    set("MULTIPROCESSORS", "1");
    EXPECT_EQ(fit_on(1, wanted).weights, four.weights);
    set("MULTIPROCESSORS", nullptr);
}

/* Where a run ends does not depend on time: ranks agree by the clock when to meet, but look for divergence at fixed steps. */
TEST_F(Faults, ADivergingFitEndsAtTheSameStepHoweverSlow) {
    Wanted wanted;
    wanted.levels = 31, wanted.step_size = 1.3, wanted.iterations = 5000;
    const Fit fast = fit_on(4, wanted);
    ASSERT_EQ(fast.status, FR_OK) << fast.error.message;
    EXPECT_EQ(fast.result.outcome, FR_DIVERGED);
    for (const char *late : {"kernel:300", "ncclAllReduce:3000"}) {
        set("DELAY", late);
        const Fit slow = fit_on(4, wanted);
        set("DELAY", nullptr);
        EXPECT_EQ(slow.result.outcome, FR_DIVERGED);
        EXPECT_EQ(slow.result.iterations, fast.result.iterations);
        EXPECT_EQ(slow.result.loss, fast.result.loss);
    }
}

/* Eight workers on one, two, four and eight GPUs. */
TEST_F(Faults, EightGpusHaveTheBitsOfOne) {
    set("DEVICES", "8");
    cuda_on_cpu_reset();
    for (fr_collective collective : {FR_COLLECTIVE_ALLREDUCE, FR_COLLECTIVE_ALLGATHER, FR_COLLECTIVE_TWO_PHASE}) {
        Wanted wanted;
        wanted.workers = 8, wanted.levels = 15, wanted.collective = collective;
        const Fit one = fit_on(1, wanted);
        ASSERT_EQ(one.status, FR_OK) << one.error.message;
        for (int gpus : {2, 4, 8}) {
            const Fit more = fit_on(gpus, wanted);
            ASSERT_EQ(more.status, FR_OK) << more.error.message;
            EXPECT_EQ(more.weights, one.weights) << gpus << " GPUs, " << fr_collective_name(collective);
        }
    }
}

/* ------------------------------------------------------------------------------------------- faults */

TEST_F(Faults, NoDriverIsSaidAndTheCpuSuggested) {
    set("DEVICES", "0");
    Fit fit = fit_on(4, Wanted());
    EXPECT_EQ(fit.status, FR_ERROR_DEVICE);
    EXPECT_STREQ(fit.error.message, "no NVIDIA driver found; use --device cpu");
    set("DRIVER", "13000");
    EXPECT_STREQ(fit_on(1, Wanted()).error.message, "no GPU found; use --device cpu");
}

TEST_F(Faults, FewerGpusThanAskedIsSaid) {
    set("DEVICES", "2");
    Fit fit = fit_on(4, Wanted());
    EXPECT_EQ(fit.status, FR_ERROR_DEVICE);
    EXPECT_STREQ(fit.error.message, "--gpus is 4; this machine has 2");
}

/* In a process of its own, since a library that is open stays so. */
TEST_F(Faults, NcclIsOpenedOnlyForSeveralGpusAndNamedWhereItIsMissing) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    const auto without = [] {
        setenv("FITRELU_NCCL", "/nowhere/libnccl.so.2", 1);
        const Fit one = fit_on(1, Wanted()), two = fit_on(2, Wanted());
        fprintf(stderr, "%d, %d: %s\n", one.status == FR_OK, two.status == FR_ERROR_DEVICE, two.error.message);
        exit(0);
    };
    EXPECT_EXIT(without(), testing::ExitedWithCode(0), "^1, 1: NCCL is not here: /nowhere/libnccl.so.2: ");
}

TEST_F(Faults, InfoTellsTheVersionsOfNcclAndCublas) {
    char text[4000];
    fr_build_info(text, sizeof text);
    EXPECT_TRUE(strstr(text, "\nNCCL: 2.") && strstr(text, " (libnccl.so.2)\n")) << text;
    EXPECT_TRUE(strstr(text, "\ncuBLAS: 1") && strstr(text, " (libcublas.so.13)\n")) << text;
}

TEST_F(Faults, OutOfMemoryNamesTheDeviceAndTheBytes) {
    set("MEMORY", "20K");
    Fit fit = fit_on(1, Wanted());
    EXPECT_EQ(fit.status, FR_ERROR_DEVICE);
    EXPECT_TRUE(says(fit, "GPU 0: out of memory: needs 61712 bytes for the rows, 20480 bytes free"))
        << fit.error.message;
    EXPECT_EQ(fit.error.device, 0);
    EXPECT_EQ(fit_on(4, Wanted()).status, FR_ERROR_DEVICE);
}

TEST_F(Faults, EveryAllocationMayFail) {
    for (int n = 1; n < 40; n += 5) {
        set("FAIL", ("cudaMalloc:" + std::to_string(n)).c_str());
        Wanted wanted;
        wanted.levels = 31, wanted.iterations = 3;
        Fit fit = fit_on(2, wanted);
        if (fit.status == FR_OK) continue; /* fewer allocations than that */
        EXPECT_EQ(fit.status, FR_ERROR_DEVICE);
        EXPECT_TRUE(says(fit, "out of memory")) << fit.error.message;
    }
}

TEST_F(Faults, AFailingKernelEndsEveryRankAndNamesTheDeviceAndTheStep) {
    set("FAULT", "sticky");
    for (int gpus : {1, 2, 4}) {
        set("FAIL", "kernel:90");
        Fit fit = fit_on(gpus, Wanted());
        EXPECT_EQ(fit.status, FR_ERROR_DEVICE) << gpus << " GPUs";
        EXPECT_TRUE(says(fit, "GPU ") && says(fit, " at step ")) << fit.error.message;
        EXPECT_FALSE(says(fit, "because")) << "the rank that failed first speaks: " << fit.error.message;
        set("FAIL", nullptr);
        for (int device = 0; device < 4; device++) cudaSetDevice(device), cudaDeviceReset();
        cuda_on_cpu_reset();
    }
}

TEST_F(Faults, AFailingExchangeEndsEveryRank) {
    for (const char *rule : {"ncclAllReduce:3", "ncclAllReduce:7+", "ncclCommInitRank:2", "ncclGetUniqueId:1"}) {
        set("FAIL", rule);
        Fit fit = fit_on(4, Wanted());
        EXPECT_EQ(fit.status, FR_ERROR_DEVICE) << rule;
        EXPECT_TRUE(says(fit, "failed")) << fit.error.message;
        EXPECT_FALSE(says(fit, "because")) << fit.error.message;
    }
}

TEST_F(Faults, ARankThatStopsAnsweringIsATimeout) {
    for (const char *rule : {"ncclAllReduce:1:4", "ncclCommInitRank:2:1"}) {
        set("HANG", rule);
        Fit fit = fit_on(4, Wanted(), 0.5);
        EXPECT_EQ(fit.status, FR_ERROR_TIMEOUT) << rule << ": " << fit.error.message;
        EXPECT_TRUE(says(fit, "rank ") && says(fit, " at step ") && says(fit, "0.5 seconds")) << fit.error.message;
        set("HANG", nullptr);
    }
}

/* Alone too. What the device still holds is left to it, since each call would wait; here the stand-in is asked again. */
TEST_F(Faults, AGpuThatStopsAnsweringIsATimeout) {
    set("DELAY", "kernel:400000");
    const Fit fit = fit_on(1, Wanted(), 0.1);
    EXPECT_EQ(fit.status, FR_ERROR_TIMEOUT);
    EXPECT_TRUE(says(fit, "GPU 0: ") && says(fit, "had no answer for 0.1 seconds")) << fit.error.message;
    EXPECT_EQ(fit.error.device, 0);
    set("DELAY", nullptr);
    cuda_on_cpu_reset();
}

} // namespace
