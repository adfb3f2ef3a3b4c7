/*
 * solver_test.cpp - whole fits on pretended GPUs, through the public interface: rows made on the device, the loop,
 * the collectives over NCCL. For the integer collectives the weights do not depend on the number of GPUs.
 */
#include "fit_rig.h"

namespace {

using namespace rig;

class Solver : public OnCpu {};

const fr_collective collectives[] = {FR_COLLECTIVE_ALLREDUCE, FR_COLLECTIVE_ALLGATHER, FR_COLLECTIVE_TWO_PHASE,
                                     FR_COLLECTIVE_MASTER};

TEST_F(Solver, QuantizedWeightsAreTheSameBitsOnOneTwoAndFourGpus) {
    for (int workers : {4, 8})
        for (fr_precision precision : {FR_F64, FR_F32})
            for (fr_collective collective : collectives) {
                Wanted wanted;
                wanted.workers = workers, wanted.precision = precision, wanted.collective = collective;
                wanted.levels = collective == FR_COLLECTIVE_ALLREDUCE ? 127 / workers : 127;
                Fit one = fit_on(1, wanted);
                ASSERT_EQ(one.status, FR_OK) << one.error.message;
                EXPECT_STREQ(one.result.device, "cuda");
                EXPECT_EQ(one.result.gpus, 1);
                for (int gpus : {2, 4}) {
                    Fit many = fit_on(gpus, wanted);
                    ASSERT_EQ(many.status, FR_OK) << many.error.message;
                    EXPECT_EQ(many.result.gpus, gpus);
                    EXPECT_EQ(many.result.ranks, gpus);
                    EXPECT_EQ(many.weights, one.weights) << gpus << " GPUs, " << fr_collective_name(collective);
                }
            }
}

TEST_F(Solver, UnquantizedFitsAgreeWithTheCpu) {
    for (fr_collective collective : collectives) {
        Wanted wanted;
        wanted.collective = collective;
        Fit cpu = fit_on(0, wanted);
        ASSERT_EQ(cpu.status, FR_OK) << cpu.error.message;
        EXPECT_STREQ(cpu.result.device, "cpu");
        for (int gpus : {1, 2, 4}) {
            Fit cuda = fit_on(gpus, wanted);
            ASSERT_EQ(cuda.status, FR_OK) << cuda.error.message;
            EXPECT_LE(oracle::relative(cuda.weights, cpu.weights), 1e-10);
            EXPECT_NEAR(cuda.result.loss, cpu.result.loss, 1e-8 * cpu.result.loss + 1e-12);
            EXPECT_EQ(cuda.result.iterations, cpu.result.iterations);
        }
    }
}

/* Rows are the same bits on both, and so are codes for the same gradient; gradients differ in their last places, by
 * which a code now and then differs: the fits stay close. */
TEST_F(Solver, QuantizedFitsConvergeAsOnTheCpu) {
    Wanted wanted;
    wanted.levels = 127, wanted.collective = FR_COLLECTIVE_TWO_PHASE, wanted.iterations = 300;
    Fit cpu = fit_on(0, wanted), cuda = fit_on(4, wanted);
    ASSERT_EQ(cuda.status, FR_OK) << cuda.error.message;
    EXPECT_LT(cuda.result.relative_error, 1e-3);
    EXPECT_LT(cuda.result.relative_error, 10 * cpu.result.relative_error);
}

TEST_F(Solver, ReadDataWithAnInterceptFitsToo) {
    Wanted wanted;
    wanted.intercept = true;
    Fit cpu = fit_on(0, wanted), cuda = fit_on(2, wanted);
    ASSERT_EQ(cuda.status, FR_OK) << cuda.error.message;
    EXPECT_LE(oracle::relative(cuda.weights, cpu.weights), 1e-9);
}

TEST_F(Solver, WorkersDefaultToTheGpusAndMustBeAMultipleOfThem) {
    Wanted wanted;
    wanted.workers = 0;
    EXPECT_EQ(fit_on(4, wanted).result.workers, 4);
    wanted.workers = 6;
    Fit refused = fit_on(4, wanted);
    EXPECT_EQ(refused.status, FR_ERROR_USAGE);
    EXPECT_STREQ(refused.error.message, "--workers is 6; it must be a multiple of --gpus 4");
}

TEST_F(Solver, AnInt8SumThatWouldWrapIsRefused) {
    Wanted wanted;
    wanted.levels = 127;
    EXPECT_EQ(fit_on(2, wanted).status, FR_ERROR_USAGE);
}

/* Nothing is allocated inside the loop: twice the steps, the same number of allocations. */
TEST_F(Solver, AStepAllocatesNothing) {
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
TEST_F(Solver, TheOrderOfBlocksAndThreadsChangesNoBit) {
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
TEST_F(Solver, TheSizeOfTheDeviceChangesNoBit) {
    Wanted wanted;
    Fit four = fit_on(1, wanted);
    set("MULTIPROCESSORS", "1");
    EXPECT_EQ(fit_on(1, wanted).weights, four.weights);
    set("MULTIPROCESSORS", nullptr);
}

/* An ensemble runs the loop several times: every run is recorded anew, with its own draws. */
TEST_F(Solver, EnsemblesAgreeWithTheCpu) {
    Wanted wanted;
    wanted.ensemble = 3;
    Fit cpu = fit_on(0, wanted), cuda = fit_on(2, wanted);
    ASSERT_EQ(cuda.status, FR_OK) << cuda.error.message;
    EXPECT_LE(oracle::relative(cuda.weights, cpu.weights), 1e-10);
    EXPECT_EQ(cuda.result.agreeing, cpu.result.agreeing);
}

/* ------------------------------------------------------------------------------------------- faults */

TEST_F(Solver, NoDriverIsSaidAndTheCpuSuggested) {
    set("DEVICES", "0");
    Fit fit = fit_on(4, Wanted());
    EXPECT_EQ(fit.status, FR_ERROR_DEVICE);
    EXPECT_STREQ(fit.error.message, "no NVIDIA driver found; use --device cpu");
    set("DRIVER", "13000");
    EXPECT_STREQ(fit_on(1, Wanted()).error.message, "no GPU found; use --device cpu");
}

TEST_F(Solver, FewerGpusThanAskedIsSaid) {
    set("DEVICES", "2");
    Fit fit = fit_on(4, Wanted());
    EXPECT_EQ(fit.status, FR_ERROR_DEVICE);
    EXPECT_STREQ(fit.error.message, "--gpus is 4; this machine has 2");
}

TEST_F(Solver, OutOfMemoryNamesTheDeviceAndTheBytes) {
    set("MEMORY", "20K");
    Fit fit = fit_on(1, Wanted());
    EXPECT_EQ(fit.status, FR_ERROR_DEVICE);
    EXPECT_TRUE(says(fit, "GPU 0: out of memory: needs 61712 bytes for the rows, 20480 bytes free"))
        << fit.error.message;
    EXPECT_EQ(fit.error.device, 0);
    EXPECT_EQ(fit_on(4, Wanted()).status, FR_ERROR_DEVICE);
}

TEST_F(Solver, EveryAllocationMayFail) {
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

TEST_F(Solver, AFailingKernelEndsEveryRankAndNamesTheDeviceAndTheStep) {
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

TEST_F(Solver, AFailingExchangeEndsEveryRank) {
    for (const char *rule : {"ncclAllReduce:3", "ncclAllReduce:7+", "ncclCommInitRank:2", "ncclGetUniqueId:1"}) {
        set("FAIL", rule);
        Fit fit = fit_on(4, Wanted());
        EXPECT_EQ(fit.status, FR_ERROR_DEVICE) << rule;
        EXPECT_TRUE(says(fit, "failed")) << fit.error.message;
        EXPECT_FALSE(says(fit, "because")) << fit.error.message;
    }
}

TEST_F(Solver, ARankThatStopsAnsweringIsATimeout) {
    for (const char *rule : {"ncclAllReduce:1:4", "ncclCommInitRank:2:1"}) {
        set("HANG", rule);
        Fit fit = fit_on(4, Wanted(), 0.5);
        EXPECT_EQ(fit.status, FR_ERROR_TIMEOUT) << rule << ": " << fit.error.message;
        EXPECT_TRUE(says(fit, "rank ") && says(fit, " at step ") && says(fit, "0.5 seconds")) << fit.error.message;
        set("HANG", nullptr);
    }
}

} // namespace
