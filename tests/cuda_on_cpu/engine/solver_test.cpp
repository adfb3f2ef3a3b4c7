/*
 * solver_test.cpp - whole fits on pretended GPUs, through the public interface: rows made on the device, the loop,
 * the collectives over NCCL. For the integer collectives the weights do not depend on the number of GPUs.
 */
#include "fit_rig.h"
#include "weighted.h"

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
                for (int gpus : gpu_counts(2)) {
                    Fit many = fit_on(gpus, wanted);
                    ASSERT_EQ(many.status, FR_OK) << many.error.message;
                    EXPECT_EQ(many.result.gpus, gpus);
                    EXPECT_EQ(many.result.ranks, gpus);
                    EXPECT_EQ(many.weights, one.weights) << gpus << " GPUs, " << fr_collective_name(collective);
                }
            }
}

/* Fields of 4, 8 and 16 bits: on any GPUs the same bits, and those of int8 where both fit. */
TEST_F(Solver, SumsInFieldsGiveTheBitsOfInt8OnAnyGpus) {
    const int cases[][2] = {{4, 1}, {4, 31}, {8, 15}, {8, 127}};
    for (const auto &c : cases) {
        Wanted wanted;
        wanted.workers = c[0], wanted.levels = c[1], wanted.wire = FR_WIRE_PACKED;
        Fit one = fit_on(1, wanted);
        ASSERT_EQ(one.status, FR_OK) << one.error.message;
        EXPECT_EQ(one.result.wire, FR_WIRE_PACKED);
        for (int gpus : gpu_counts(2)) EXPECT_EQ(fit_on(gpus, wanted).weights, one.weights) << gpus;
        wanted.wire = FR_WIRE_AUTO;
        Fit automatic = fit_on(gpu_counts().back(), wanted);
        EXPECT_EQ(automatic.result.wire, c[0] * c[1] <= 127 ? FR_WIRE_INT8 : FR_WIRE_PACKED);
        EXPECT_EQ(automatic.weights, one.weights);
    }
}

TEST_F(Solver, UnquantizedFitsAgreeWithTheCpu) {
    for (fr_collective collective : collectives) {
        Wanted wanted;
        wanted.collective = collective;
        Fit cpu = fit_on(0, wanted);
        ASSERT_EQ(cpu.status, FR_OK) << cpu.error.message;
        EXPECT_STREQ(cpu.result.device, "cpu");
        for (int gpus : gpu_counts()) {
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
    Fit cpu = fit_on(0, wanted), cuda = fit_on(gpu_counts().back(), wanted);
    ASSERT_EQ(cuda.status, FR_OK) << cuda.error.message;
    EXPECT_LT(cuda.result.relative_error, 1e-3);
    EXPECT_LT(cuda.result.relative_error, 10 * cpu.result.relative_error);
}

TEST_F(Solver, ReadDataWithAnInterceptFitsToo) {
    Wanted wanted;
    wanted.intercept = true;
    Fit cpu = fit_on(0, wanted), cuda = fit_on(std::min(2, gpu_counts().back()), wanted);
    ASSERT_EQ(cuda.status, FR_OK) << cuda.error.message;
    EXPECT_LE(oracle::relative(cuda.weights, cpu.weights), 1e-9);
}

/* Full batches with momentum under the stopping rule, a smaller eta in mid-run: each load records the step anew. */
TEST_F(Solver, OwnDataSettleAsOnTheCpuAndQuantizedToTheBitOnAnyGpus) {
    const oracle::Problem p = oracle::random_problem(90, 3, 8);
    Wanted wanted;
    wanted.own = &p, wanted.batch = FR_BATCH_AUTO, wanted.iterations = -1;
    Fit cpu = fit_on(0, wanted), cuda = fit_on(gpu_counts().back(), wanted);
    ASSERT_EQ(cuda.status, FR_OK) << cuda.error.message;
    EXPECT_TRUE(cuda.result.converged);
    EXPECT_NEAR(cuda.result.loss, cpu.result.loss, 1e-3 * cpu.result.loss);
    wanted.levels = 15, wanted.collective = FR_COLLECTIVE_ALLREDUCE;
    Fit one = fit_on(1, wanted);
    ASSERT_EQ(one.status, FR_OK) << one.error.message;
    for (int gpus : gpu_counts(2)) EXPECT_EQ(fit_on(gpus, wanted).weights, one.weights) << gpus;
}

/* Rows with weights go to the devices as rows times their roots: with full gradients the fit is that of each row as often
 * as its weight says; quantized, the same bits on any GPUs. */
TEST_F(Solver, WeightsOfRowsAreRowsAsOftenAsTheySay) {
    const oracle::Weighted w = oracle::weighted_problem(143, 5, 21);
    const oracle::Problem often = oracle::expanded(w);
    for (fr_precision precision : {FR_F64, FR_F32}) {
        Wanted wanted;
        wanted.precision = precision, wanted.batch = FR_BATCH_FULL, wanted.intercept = true;
        wanted.own = &often;
        Fit expected = fit_on(0, wanted);
        wanted.own = &w.rows, wanted.own_weights = &w.weights;
        for (int gpus : gpu_counts()) {
            Fit cuda = fit_on(gpus, wanted);
            ASSERT_EQ(cuda.status, FR_OK) << cuda.error.message;
            EXPECT_LE(oracle::relative(cuda.weights, expected.weights), precision == FR_F64 ? 1e-9 : 2e-4);
            EXPECT_NEAR(cuda.result.r_squared, expected.result.r_squared, precision == FR_F64 ? 1e-9 : 2e-4);
        }
    }
    Wanted wanted;
    wanted.own = &w.rows, wanted.own_weights = &w.weights, wanted.levels = 15, wanted.storage = FR_STORAGE_BF16;
    Fit one = fit_on(1, wanted);
    ASSERT_EQ(one.status, FR_OK) << one.error.message;
    for (int gpus : gpu_counts(2)) EXPECT_EQ(fit_on(gpus, wanted).weights, one.weights) << gpus;
}

TEST_F(Solver, WorkersDefaultToTheGpusAndMustBeAMultipleOfThem) {
    Wanted wanted;
    wanted.workers = 0;
    if (gpu_counts().back() < 4) GTEST_SKIP() << "fewer than four GPUs";
    EXPECT_EQ(fit_on(4, wanted).result.workers, 4);
    wanted.workers = 6;
    Fit refused = fit_on(4, wanted);
    EXPECT_EQ(refused.status, FR_ERROR_USAGE);
    EXPECT_STREQ(refused.error.message, "--workers is 6; it must be a multiple of --gpus 4");
}

TEST_F(Solver, AnInt8SumThatWouldWrapIsRefused) {
    Wanted wanted;
    wanted.levels = 127, wanted.wire = FR_WIRE_INT8;
    EXPECT_EQ(fit_on(1, wanted).status, FR_ERROR_USAGE);
}

/* An ensemble runs the loop several times: every run is recorded anew, with its own draws. */
TEST_F(Solver, EnsemblesAgreeWithTheCpu) {
    Wanted wanted;
    wanted.ensemble = 3;
    Fit cpu = fit_on(0, wanted), cuda = fit_on(std::min(2, gpu_counts().back()), wanted);
    ASSERT_EQ(cuda.status, FR_OK) << cuda.error.message;
    EXPECT_LE(oracle::relative(cuda.weights, cpu.weights), 1e-10);
    EXPECT_EQ(cuda.result.agreeing, cpu.result.agreeing);
}

} // namespace
