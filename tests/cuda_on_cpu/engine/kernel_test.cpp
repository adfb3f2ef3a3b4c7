/*
 * kernel_test.cpp - gradient, survey and planted rows on the stand-in, against the oracle and the CPU engine.
 */
#include "cuda_rig.h"
#include "curand_words.h"
extern "C" {
#include "kernels/kernels.h"
#include "kernels/rules/philox.h"
#include "data/planted.h"
}

namespace {

using namespace rig;

const std::vector<int64_t> sizes = {1, 2, 3, 4, 5, 7, 31, 65, 127, 130, 257, 513, 1000, 1025, 2050};

class Kernels : public OnCpu {};

double tolerance(fr_precision precision) { return precision == FR_F32 ? 2e-6 : 2e-14; }

void gradient_agrees(const oracle::Problem &p, int workers, int64_t batch, fr_precision precision) {
    fr_plan plan = plan_for(p, workers, batch, 0, FR_SCALE_L2, FR_COLLECTIVE_ALLREDUCE, precision);
    fr_dataset *set = dataset_of(p, precision);
    {
        Pair pair(plan, set, 0, workers);
        pair.load(random_vector(p.d, 5), 3, 2);
        ASSERT_EQ(pair.cpu->ops->gradient(pair.cpu, nullptr), FR_OK);
        ASSERT_EQ(pair.cuda->ops->gradient(pair.cuda, nullptr), FR_OK);
        size_t cells = static_cast<size_t>(workers * p.d);
        oracle::Vector cpu = reals_of(pair.cpu, pair.cpu->buffers.values, cells);
        oracle::Vector cuda = reals_of(pair.cuda, pair.cuda->buffers.values, cells);
        EXPECT_LE(oracle::relative(cuda, cpu), tolerance(precision)) << "d = " << p.d << " n = " << p.n;
        oracle::Vector on_cpu(static_cast<size_t>(workers)), on_cuda = on_cpu;
        ASSERT_EQ(pair.cpu->ops->probe(pair.cpu, on_cpu.data(), nullptr), FR_OK);
        ASSERT_EQ(pair.cuda->ops->probe(pair.cuda, on_cuda.data(), nullptr), FR_OK);
        EXPECT_LE(oracle::relative(on_cuda, on_cpu), 10 * tolerance(precision));
    }
    fr_dataset_free(set);
}

TEST_F(Kernels, DrawnGradientIsTheCpusForAnyLengthOfRows) {
    for (int64_t d : sizes)
        for (fr_precision precision : {FR_F32, FR_F64})
            gradient_agrees(oracle::random_problem(41, d, static_cast<uint64_t>(d)), 2, 28, precision);
}

TEST_F(Kernels, RowsLongerThanABlockAreReadInTiles) {
    gradient_agrees(oracle::random_problem(9, 8201, 1), 1, 6, FR_F32);
    gradient_agrees(oracle::random_problem(9, 8201, 1), 1, 6, FR_F64);
    gradient_agrees(oracle::random_problem(9, 16391, 1), 1, 6, FR_F32);
}

TEST_F(Kernels, FullBatchesWeighUnequalPartsAsTheCpu) {
    for (int64_t d : {1, 6, 130})
        for (fr_precision precision : {FR_F32, FR_F64})
            gradient_agrees(oracle::random_problem(101, d, 7), 3, 0, precision);
}

TEST_F(Kernels, ManyRowsALaneAndManyDrawsAgreeToo) {
    gradient_agrees(oracle::random_problem(3000, 3, 9), 300, 3000, FR_F32);
    gradient_agrees(oracle::random_problem(5000, 2, 9), 256, 0, FR_F64);
    gradient_agrees(oracle::random_problem(2500, 8200, 3), 1, 0, FR_F32);
}

/* One worker of eight GPUs has a GPU to itself: an H100 has 132 processors, and one block each is not enough. */
TEST_F(Kernels, AWorkersLanesKeepAGpuBusy) {
    EXPECT_GE(fr_lanes_for(125000, false, 4000), 2 * 132);
    EXPECT_GE(fr_lanes_for(10000, true, 4000), 2 * 132);
    EXPECT_EQ(fr_lanes_for(100, true, 1000), 100) << "a small draw has a row a lane";
    EXPECT_EQ(fr_lanes_for(800, true, 1000), 256);
    EXPECT_EQ(fr_lanes_for(800, false, 1000), 200);
    EXPECT_EQ(fr_lanes_for(0, false, 3), 1);
    for (int64_t d : {INT64_C(1), INT64_C(5000), INT64_C(100000), INT64_C(1) << 24}) {
        const int64_t lanes = fr_lanes_for(INT64_C(1) << 40, true, d);
        EXPECT_TRUE(lanes == 4 || (lanes <= 1024 && 8 * lanes * d <= 16 << 20)) << "d = " << d;
    }
}

TEST_F(Kernels, FullGradientIsTheOracles) {
    oracle::Problem p = oracle::random_problem(64, 77, 3);
    fr_plan plan = plan_for(p, 1, 0, 0, FR_SCALE_L2, FR_COLLECTIVE_ALLREDUCE);
    fr_dataset *set = dataset_of(p, FR_F64);
    {
        Pair pair(plan, set, 0, 1);
        oracle::Vector w = random_vector(p.d, 8);
        std::vector<int64_t> rows;
        for (int64_t i = 0; i < p.n; i++) rows.push_back(i);
        pair.load(w);
        ASSERT_EQ(pair.cuda->ops->gradient(pair.cuda, nullptr), FR_OK);
        EXPECT_LE(oracle::relative(reals_of(pair.cuda, pair.cuda->buffers.values, 77), oracle::gradient(p, w, rows)),
                  1e-14);
    }
    fr_dataset_free(set);
}

TEST_F(Kernels, InactiveRowsGiveExactlyZero) {
    oracle::Problem p = oracle::random_problem(16, 33, 4);
    for (double &x : p.x) x = std::fabs(x) + 0.1;
    fr_plan plan = plan_for(p, 1, 8, 0, FR_SCALE_L2, FR_COLLECTIVE_ALLREDUCE, FR_F32);
    fr_dataset *set = dataset_of(p, FR_F32);
    {
        Pair pair(plan, set, 0, 1);
        pair.load(oracle::Vector(33, -1.0));
        ASSERT_EQ(pair.cuda->ops->gradient(pair.cuda, nullptr), FR_OK);
        for (double v : reals_of(pair.cuda, pair.cuda->buffers.values, 33)) EXPECT_EQ(v, 0);
    }
    fr_dataset_free(set);
}

TEST_F(Kernels, SurveysAreTheCpus) {
    for (fr_precision precision : {FR_F32, FR_F64})
        for (int64_t d : {1, 5, 66, 515}) {
            oracle::Problem p = oracle::random_problem(67, d, 11);
            fr_plan plan = plan_for(p, 4, 8, 0, FR_SCALE_L2, FR_COLLECTIVE_ALLREDUCE, precision);
            fr_dataset *set = dataset_of(p, precision);
            Pair pair(plan, set, 1, 2);
            oracle::Vector w = random_vector(d, 13);
            for (fr_pass pass : {FR_PASS_GRADIENT, FR_PASS_LABELS, FR_PASS_LINEAR, FR_PASS_LOSS}) {
                oracle::Vector cpu(static_cast<size_t>(2 * d)), cuda(static_cast<size_t>(2 * d));
                fr_row_sums on_cpu[2], on_cuda[2];
                const double *at = pass == FR_PASS_LABELS ? nullptr : w.data();
                bool sums = pass != FR_PASS_LOSS;
                ASSERT_EQ(pair.cpu->ops->survey(pair.cpu, pass, at, sums ? cpu.data() : nullptr, on_cpu, nullptr),
                          FR_OK);
                ASSERT_EQ(pair.cuda->ops->survey(pair.cuda, pass, at, sums ? cuda.data() : nullptr, on_cuda, nullptr),
                          FR_OK);
                if (sums)
                    EXPECT_LE(oracle::relative(cuda, cpu), tolerance(precision)) << "pass " << pass << " d " << d;
                for (int k = 0; k < 2; k++) {
                    double near = 10 * tolerance(precision);
                    EXPECT_NEAR(on_cuda[k].residual, on_cpu[k].residual, near * on_cpu[k].residual);
                    EXPECT_EQ(on_cuda[k].active, on_cpu[k].active);
                    EXPECT_NEAR(on_cuda[k].label, on_cpu[k].label, near * 100);
                    EXPECT_NEAR(on_cuda[k].label2, on_cpu[k].label2, near * on_cpu[k].label2);
                    EXPECT_NEAR(on_cuda[k].square, on_cpu[k].square, near * on_cpu[k].square);
                }
            }
            fr_dataset_free(set);
        }
}

/* Rows made on the device are the CPU's to the bit, so that both fit one problem. */
TEST_F(Kernels, PlantedRowsAndLabelsAreTheCpusToTheBit) {
    for (fr_precision precision : {FR_F32, FR_F64})
        for (int64_t d : {1, 2, 3, 6, 13, 130}) {
            fr_planted recipe = {37, d, 0.5, 99};
            fr_dataset *host = nullptr, *device = nullptr;
            ASSERT_EQ(fr_dataset_generate(&recipe, precision, &host, nullptr), FR_OK);
            ASSERT_EQ(fr_dataset_generate(&recipe, precision, &device, nullptr), FR_OK);
            ASSERT_EQ(fr_dataset_materialize(host, 0, 37, nullptr), FR_OK);
            oracle::Problem p;
            p.n = 37, p.d = d;
            fr_plan plan = plan_for(p, 3, 6, 0, FR_SCALE_L2, FR_COLLECTIVE_ALLREDUCE, precision);
            fr_engine *copied = cuda_engine_for(plan, host, 1, 2), *made = cuda_engine_for(plan, device, 1, 2);
            oracle::Vector w = random_vector(d, 3), a(static_cast<size_t>(2 * d)), b = a;
            fr_row_sums first[2], second[2];
            for (fr_pass pass : {FR_PASS_LABELS, FR_PASS_LINEAR}) {
                ASSERT_EQ(copied->ops->survey(copied, pass, w.data(), a.data(), first, nullptr), FR_OK);
                ASSERT_EQ(made->ops->survey(made, pass, w.data(), b.data(), second, nullptr), FR_OK);
                EXPECT_EQ(a, b);
                for (int k = 0; k < 2; k++) {
                    EXPECT_EQ(first[k].label, second[k].label);
                    EXPECT_EQ(first[k].label2, second[k].label2);
                    EXPECT_EQ(first[k].residual, second[k].residual);
                }
            }
            fr_engine_free(copied), fr_engine_free(made);
            fr_dataset_free(host), fr_dataset_free(device);
        }
}

/* Word p of sequence q is what curand_init(seed, q, p) gives, across steps too. */
TEST_F(Kernels, PhiloxIsCurands) {
    unsigned *words = nullptr;
    ASSERT_EQ(cudaMalloc(reinterpret_cast<void **>(&words), curand_word_count * sizeof *words), cudaSuccess);
    for (uint64_t seed : {uint64_t(0), uint64_t(42), ~uint64_t(0)})
        for (uint64_t q : {uint64_t(0), fr_sequence(FR_STREAM_ROUND, 3, 7), fr_sequence(FR_STREAM_NOISE, 0, 0)})
            for (uint64_t offset : {uint64_t(0), uint64_t(5), fr_word_of_step(1), fr_word_of_step(123456) + 4094}) {
                unsigned got[curand_word_count];
                ASSERT_EQ(launch_curand_words(seed, q, offset, words, nullptr), cudaSuccess);
                ASSERT_EQ(cudaMemcpy(got, words, sizeof got, cudaMemcpyDeviceToHost), cudaSuccess);
                for (unsigned i = 0; i < curand_word_count; i++) {
                    uint64_t p = offset + i;
                    EXPECT_EQ(got[i], fr_philox(seed, q, p / 4).word[p % 4]) << "word " << p << " of " << q;
                }
            }
    EXPECT_EQ(cudaFree(words), cudaSuccess);
}

} // namespace
