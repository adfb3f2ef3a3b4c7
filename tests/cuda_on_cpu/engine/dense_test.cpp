/*
 * dense_test.cpp - what cuBLAS does: the change of columns and predictions, against the CPU.
 */
#include "fit_rig.h"
extern "C" {
#include "columns/condition.h"
#include "columns/weights.h"
#include "engine/cuda/dense.h"
#include "fit/model.h"
}

namespace {

using namespace rig;

class Dense : public OnCpu {};

/* Columns that hang together, with a constant (the second) and a combination of others (the last). */
oracle::Problem own_data(int64_t n, int64_t d, uint64_t seed) {
    oracle::Problem p = oracle::random_problem(n, d, seed);
    for (int64_t i = 0; i < n; i++) {
        double *x = &p.x[static_cast<size_t>(i * d)];
        for (int64_t j = 1; j < d; j++) x[j] = 3 + x[j] + 0.9 * x[j - 1];
        if (d < 4) continue;
        x[1] = 7;
        x[d - 1] = x[0] + 2 * x[2];
    }
    return p;
}

struct Conditioned {
    fr_dataset *set;
    fr_error error = {};
    fr_status status = FR_ERROR;
    Conditioned(const oracle::Problem &p, int workers, fr_precision precision, bool weighted, bool on_gpu)
        : set(dataset_of(p, precision)) {
        fr_dense *gpu = nullptr;
        fr_plan plan = {};
        plan.samples = p.n, plan.features = p.d, plan.workers = workers;
        oracle::Vector weights;
        for (int64_t i = 0; weighted && i < p.n; i++) weights.push_back(static_cast<double>(i % 4));
        if (weighted) EXPECT_EQ(fr_dataset_set_weights(set, weights.data(), nullptr), FR_OK);
        EXPECT_EQ(fr_weights_settle(set, &plan, nullptr, nullptr), FR_OK);
        fr_conditioning how = {};
        how.scale = how.decorrelate = true;
        if (on_gpu) {
            EXPECT_EQ(fr_dense_create(0, 0, &gpu, nullptr), FR_OK);
            how.device = fr_dense_products(gpu);
        }
        status = fr_dataset_condition(set, how, &plan, 2, nullptr, &error);
        fr_dense_free(gpu);
    }
    ~Conditioned() { fr_dataset_free(set); }
    Conditioned(const Conditioned &) = delete;
    oracle::Vector rows() const {
        oracle::Vector x;
        for (int64_t i = 0; i < set->samples * set->features; i++)
            x.push_back(set->precision == FR_F64 ? static_cast<const double *>(set->rows)[i]
                                                 : static_cast<const float *>(set->rows)[i]);
        return x;
    }
};

void columns_agree(const oracle::Problem &p, int workers, fr_precision precision, bool weighted, double tolerance) {
    const Conditioned cpu(p, workers, precision, weighted, false), gpu(p, workers, precision, weighted, true);
    ASSERT_EQ(gpu.status, FR_OK) << gpu.error.message;
    ASSERT_NE(cpu.set->mix, nullptr) << "the columns were worth decorrelating";
    EXPECT_LE(oracle::relative(gpu.rows(), cpu.rows()), tolerance);
    for (int64_t j = 0; j < p.d; j++)
        EXPECT_EQ(fr_dataset_left_out(gpu.set, j), fr_dataset_left_out(cpu.set, j)) << "column " << j;
}

TEST_F(Dense, ColumnsAreChangedAsByTheCpu) {
    for (int64_t d : {2, 3, 17, 70})
        for (int workers : {1, 3}) {
            columns_agree(own_data(400, d, 5), workers, FR_F64, false, 1e-9);
            columns_agree(own_data(400, d, 5), workers, FR_F64, true, 1e-9);
            columns_agree(own_data(400, d, 5), workers, FR_F32, false, 1e-5);
        }
    expect_calls("cublasDgemm", 0); /* one tile */
}

/* Wider than a tile: its square by syrk, what is right of it by gemm. */
TEST_F(Dense, ManyColumnsTakeSeveralTiles) {
    columns_agree(own_data(FR_DEVICE_TILE + 60, FR_DEVICE_TILE + 20, 6), 1, FR_F64, false, 1e-6);
    if (cuda_on_cpu_is_pretending()) EXPECT_GT(cuda_on_cpu_calls("cublasDgemm"), 0u);
}

/* A worker's rows are cut by their number in the worker, so it does not matter which GPU has it. */
TEST_F(Dense, OwnDataFitToTheSameBitsOnAnyGpus) {
    const oracle::Problem p = own_data(120, 6, 3);
    Wanted wanted;
    wanted.own = &p, wanted.levels = 15, wanted.iterations = 50;
    const Fit cpu = fit_on(0, wanted), one = fit_on(1, wanted);
    ASSERT_EQ(one.status, FR_OK) << one.error.message;
    if (cuda_on_cpu_is_pretending()) {
        EXPECT_GT(cuda_on_cpu_calls("cublasDsyrk"), 0u);
        EXPECT_GT(cuda_on_cpu_calls("cublasDtrsm"), 0u);
    }
    for (int gpus : gpu_counts(2)) EXPECT_EQ(fit_on(gpus, wanted).weights, one.weights) << gpus;
    wanted.levels = 0;
    EXPECT_LE(oracle::relative(fit_on(1, wanted).weights, fit_on(0, wanted).weights), 1e-8);
}

fr_model *model_of(const fr_dataset *set, const oracle::Vector &weights) {
    fr_model *model = nullptr;
    EXPECT_EQ(fr_model_create(set, weights.data(), &model, nullptr), FR_OK);
    return model;
}

TEST_F(Dense, PredictionsAreTheCpus) {
    for (fr_precision precision : {FR_F32, FR_F64})
        for (int64_t d : {1, 5, 130}) {
            const oracle::Problem p = oracle::random_problem(77, d, 4);
            fr_dataset *set = dataset_of(p, precision);
            fr_model *model = model_of(set, random_vector(d, 9));
            oracle::Vector cpu(77), gpu(77);
            fr_error error = {};
            EXPECT_EQ(fr_model_predict_on(model, FR_DEVICE_CPU, set, cpu.data(), &error), FR_OK);
            EXPECT_EQ(fr_model_predict_on(model, FR_DEVICE_CUDA, set, gpu.data(), &error), FR_OK) << error.message;
            EXPECT_LE(oracle::relative(gpu, cpu), precision == FR_F32 ? 1e-6 : 1e-14);
            fr_model_free(model), fr_dataset_free(set);
        }
    if (cuda_on_cpu_is_pretending()) EXPECT_GT(cuda_on_cpu_calls("cublasDgemv"), 0u);
}

TEST_F(Dense, FailuresNameTheDeviceAndWhatFailed) {
    if (!cuda_on_cpu_is_pretending()) GTEST_SKIP() << "nothing can be made to fail";
    const oracle::Problem p = own_data(120, 6, 3);
    Wanted wanted;
    wanted.own = &p;
    for (const char *name : {"cublasCreate", "cublasDsyrk", "cublasDtrsm"}) {
        set("FAIL", (std::string(name) + ":1").c_str());
        const Fit fit = fit_on(2, wanted);
        EXPECT_EQ(fit.status, FR_ERROR_DEVICE) << name;
        EXPECT_TRUE(says(fit, "GPU 0: ") && says(fit, "cuBLAS: ")) << fit.error.message;
    }
}

TEST_F(Dense, AGpuThatStopsAnsweringIsATimeout) {
    if (!cuda_on_cpu_is_pretending()) GTEST_SKIP() << "nothing can be made late";
    const oracle::Problem p = own_data(120, 6, 3);
    Wanted wanted;
    wanted.own = &p;
    set("DELAY", "cublas:400000");
    const Fit fit = fit_on(1, wanted, 0.1);
    EXPECT_EQ(fit.status, FR_ERROR_TIMEOUT);
    EXPECT_TRUE(says(fit, "GPU 0: products of columns had no answer for 0.1 seconds")) << fit.error.message;
    set("DELAY", nullptr);
    cuda_on_cpu_reset();
}

/* In a process of its own, since a library that is open stays so. */
TEST_F(Dense, CublasIsOpenedWhereItIsNeededAndNamedWhereItIsMissing) {
    if (!cuda_on_cpu_is_pretending()) GTEST_SKIP() << "the real one is here";
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    const auto without = [] {
        setenv("FITRELU_CUBLAS", "/nowhere/libcublas.so.13", 1);
        const oracle::Problem p = own_data(120, 6, 3);
        Wanted planted, own;
        own.own = &p;
        const Fit first = fit_on(1, planted), second = fit_on(1, own);
        fprintf(stderr, "%d, %d: %s\n", first.status == FR_OK, second.status == FR_ERROR_DEVICE, second.error.message);
        exit(0);
    };
    EXPECT_EXIT(without(), testing::ExitedWithCode(0), "^1, 1: cuBLAS is not here: /nowhere/libcublas.so.13: ");
}

} // namespace
