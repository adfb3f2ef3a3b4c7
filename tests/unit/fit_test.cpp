/* Whole fits: the tables of METHOD.md (the project's decisions), tolerance, divergence, ensemble, resume, averaging. */
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "fitrelu.h"
#include "oracle.h"
#include "scratch.h"
extern "C" {
#include "fit/ensemble.h"
#include "fit/fit.h"
}

namespace {

struct Fit {
    fr_status status;
    fr_result result;
    oracle::Vector weights;
    std::string message;
    std::vector<fr_report> reports;
};

int keep_report(const fr_report *report, void *user) {
    static_cast<Fit *>(user)->reports.push_back(*report);
    return 0;
}

fr_options defaults() {
    fr_options options;
    fr_options_default(&options);
    return options;
}

Fit fit(fr_options options, fr_dataset *set) {
    Fit out = {};
    fr_error error = {};
    fr_solver *solver = nullptr;
    fr_model *model = nullptr;
    if (!options.report) options.report = keep_report, options.report_user = &out;
    out.status = fr_solver_create(&options, set, &solver, &error);
    if (out.status == FR_OK) out.status = fr_solver_run(solver, &out.result, &error);
    if (out.status == FR_OK) out.status = fr_solver_model(solver, &model, &error);
    if (model) out.weights.assign(fr_model_weights(model), fr_model_weights(model) + fr_model_features(model));
    out.message = error.message;
    fr_model_free(model);
    fr_solver_free(solver);
    return out;
}

/* The paper's size, made once: n = 10000, d = 1000. */
class Paper : public ::testing::Test {
  protected:
    static fr_dataset *set;
    static void SetUpTestSuite() {
        fr_planted planted = {10000, 1000, 0, 3};
        ASSERT_EQ(fr_dataset_generate(&planted, FR_F64, &set, nullptr), FR_OK);
    }
    static void TearDownTestSuite() { fr_dataset_free(set); }
    static Fit steps(int64_t batch, double eta, int64_t iterations, int workers = 1, int levels = 0,
                     fr_collective collective = FR_COLLECTIVE_AUTO, fr_scale scale = FR_SCALE_AUTO) {
        fr_options options = defaults();
        options.batch = batch, options.step_rule = FR_STEP_NUMBER, options.step_size = eta;
        options.iterations = iterations, options.workers = workers, options.levels = levels;
        options.collective = collective, options.scale = scale;
        return fit(options, set);
    }
};
fr_dataset *Paper::set = nullptr;

}  // namespace

/* Half-loss scale, m / (2 d): after 100 steps 6.9e-2, 1.4e-2, 6.0e-4, 5.4e-6. */
TEST_F(Paper, SectionFoursStepsBelongToHalfTheLoss) {
    const double expected[] = {6.9e-2, 1.4e-2, 6.0e-4, 5.4e-6};
    int64_t batch = 100;
    for (double error : expected) {
        Fit got = steps(batch, static_cast<double>(batch) / 2000, 100);
        EXPECT_NEAR(got.reports.front().relative_error, 0.44, 0.02);
        EXPECT_LT(std::fabs(std::log10(got.result.relative_error / error)), 0.5) << batch;
        batch *= 2;
    }
}

/* The same with m / d on (1.1)'s own gradient: 0.47, 0.79, 63, diverged. */
TEST_F(Paper, UnhalvedStepsDoNotConverge) {
    EXPECT_NEAR(steps(100, 0.1, 100).result.relative_error, 0.47, 0.1);
    EXPECT_NEAR(steps(200, 0.2, 100).result.relative_error, 0.79, 0.3);
    for (int64_t batch : {400, 800}) {
        Fit got = steps(batch, static_cast<double>(batch) / 1000, 100);
        EXPECT_EQ(got.result.outcome, FR_DIVERGED) << batch;
    }
    EXPECT_LE(steps(800, 0.8, 100).result.iterations, 40);
    EXPECT_LE(steps(800, 10, 100).result.iterations, 4);
}

/* Section 6: relative error after 100 and 200 steps at eta = 7 m / (18 d). */
TEST_F(Paper, CollectivesReachTheErrorsOfTheTable) {
    struct Row {
        fr_collective collective;
        fr_scale scale;
        int workers, levels;
        double after100, after200;
    };
    const Row rows[] = {
        {FR_COLLECTIVE_ALLGATHER, FR_SCALE_L2, 4, 127, 4e-6, 6e-11},
        {FR_COLLECTIVE_ALLGATHER, FR_SCALE_L2, 40, 127, 4e-6, 1e-10},
        {FR_COLLECTIVE_TWO_PHASE, FR_SCALE_L2, 4, 127, 3e-6, 6e-11},
        {FR_COLLECTIVE_TWO_PHASE, FR_SCALE_L2, 40, 127, 4e-6, 1e-10},
        {FR_COLLECTIVE_ALLREDUCE, FR_SCALE_L2, 4, 31, 2e-5, 1e-9},
        {FR_COLLECTIVE_ALLREDUCE, FR_SCALE_MAX, 4, 31, 4e-6, 7e-11},
        {FR_COLLECTIVE_ALLREDUCE, FR_SCALE_MAX, 16, 7, 6e-6, 8e-11},
        {FR_COLLECTIVE_ALLREDUCE, FR_SCALE_MAX, 40, 3, 2.5e-3, 3e-5},
    };
    for (const Row &row : rows) {
        Fit got = steps(800, 800 * 7 / 18000.0, 200, row.workers, row.levels, row.collective, row.scale);
        EXPECT_LT(std::fabs(std::log10(got.result.relative_error / row.after200)), 0.9)
            << fr_collective_name(row.collective) << " K " << row.workers << " " << got.result.relative_error;
    }
    Fit stalls = steps(800, 800 * 7 / 18000.0, 200, 8, 15, FR_COLLECTIVE_ALLREDUCE, FR_SCALE_L2);
    EXPECT_GT(stalls.result.relative_error, 1e-3);
    Fit diverges = steps(800, 800 * 7 / 18000.0, 200, 40, 3, FR_COLLECTIVE_ALLREDUCE, FR_SCALE_L2);
    EXPECT_EQ(diverges.result.outcome, FR_DIVERGED);
}

/* Where few levels must do, the scale that is taken by itself is the one that they do with (l2 ends at 8e-2 and 2e-3). */
TEST_F(Paper, TwoPhaseWithFewLevelsConvergesByDefault) {
    for (int levels : {3, 7}) {
        Fit got = steps(800, 800 * 7 / 18000.0, 300, 20, levels, FR_COLLECTIVE_TWO_PHASE);
        EXPECT_EQ(got.result.scale, FR_SCALE_MAX);
        EXPECT_LT(got.result.relative_error, levels == 3 ? 1e-6 : 1e-9);
    }
}

/* Figure 1(b): b = 3..7 converge geometrically at m b / (18 d); a bit more is never clearly slower. */
TEST_F(Paper, EveryNumberOfBitsConvergesGeometrically) {
    for (int bits = 3; bits <= 7; bits++) {
        fr_options options = defaults();
        options.batch = 800, options.step_rule = FR_STEP_EXPERIMENT, options.iterations = 200;
        options.levels = (1 << bits) - 1, options.collective = FR_COLLECTIVE_ALLGATHER;
        options.report_every = 50;
        Fit got = fit(options, set);
        ASSERT_EQ(got.reports.size(), 5u) << bits;
        for (size_t i = 1; i < 5; i++)
            EXPECT_LT(got.reports[i].relative_error, 0.5 * got.reports[i - 1].relative_error) << bits << " " << i;
    }
}

TEST_F(Paper, ThreeRulesConvergeAndReportTheRate) {
    for (fr_step_rule rule : {FR_STEP_AUTO, FR_STEP_THEOREM, FR_STEP_EXPERIMENT}) {
        fr_options options = defaults();
        options.step_rule = rule, options.batch = 800, options.iterations = 100;
        Fit got = fit(options, set);
        EXPECT_LT(got.result.relative_error, rule == FR_STEP_THEOREM ? 6e-2 : 1e-4) << rule;
        EXPECT_DOUBLE_EQ(got.result.rate, fr_theory_rate(1000, 800, 0));
        EXPECT_EQ(got.result.condition_ii, 0);
    }
}

TEST_F(Paper, SameSeedSameBitsForAnyThreads) {
    fr_options options = defaults();
    options.iterations = 20, options.workers = 4, options.levels = 31;
    options.threads = 1;
    Fit one = fit(options, set);
    for (int threads : {2, 3, 8}) {
        options.threads = threads;
        EXPECT_EQ(fit(options, set).weights, one.weights);
    }
    options.seed = 99;
    EXPECT_NE(fit(options, set).weights, one.weights);
}

TEST_F(Paper, ToleranceStopsAndIsReported) {
    fr_options options = defaults();
    options.tolerance = 1e-3;
    Fit got = fit(options, set);
    EXPECT_EQ(got.result.outcome, FR_TOLERANCE);
    EXPECT_LE(got.result.relative_error, 1e-3);
    EXPECT_GT(got.result.relative_error, 1e-4);
    options.iterations = 3;
    EXPECT_EQ(fit(options, set).result.outcome, FR_ITERATIONS);
}

/* Meetings about divergence: every 32 steps at first, and never more than 32 of them while the number of steps doubles. */
TEST(FitSmall, RanksLookTogetherAtStepsThatDependOnNothingElse) {
    for (int64_t step = 1; step < 2048; step++) EXPECT_EQ(fr_fit_looks_together(step), step % 32 == 0) << step;
    for (int64_t from = 2048; from <= 1 << 20; from *= 2) {
        int64_t meetings = 0, last = from;
        for (int64_t step = from + 1; step <= 2 * from; step++) {
            if (!fr_fit_looks_together(step)) continue;
            EXPECT_LE(step - last, from / 16);
            meetings++, last = step;
        }
        EXPECT_GE(meetings, 16) << from;
        EXPECT_LE(meetings, 33) << from;
    }
}

TEST(FitSmall, TinyProblemsOfEveryShape) {
    for (int64_t n : {1, 2, 5, 33})
        for (int64_t d : {1, 2, 9}) {
            fr_planted planted = {n, d, 0, 5};
            fr_dataset *set = nullptr;
            ASSERT_EQ(fr_dataset_generate(&planted, FR_F64, &set, nullptr), FR_OK);
            Fit got = fit(defaults(), set);
            /* With one or two rows all labels may be zero, which is refused as data. */
            EXPECT_TRUE(got.status == FR_OK || got.status == FR_ERROR_DATA) << got.message;
            if (got.status == FR_OK) {
                EXPECT_LE(got.result.loss, got.reports.front().loss * 2) << n << " " << d;
            }
            fr_dataset_free(set);
        }
}

/* Scale-free: weights of norm 1e-3 or 1e6 converge as far as any. */
TEST(FitSmall, ConvergesAtAnyScaleOfTheLabels) {
    oracle::Problem p = oracle::random_problem(600, 20, 21);
    for (double size : {1e-150, 1e-3, 1.0, 1e6, 1e120}) {
        for (int64_t i = 0; i < p.n; i++) {
            double z = 0;
            for (int64_t j = 0; j < p.d; j++) z += p.row(i)[j] * (j % 3 == 0 ? 1 : -0.5);
            p.y[static_cast<size_t>(i)] = size * std::fmax(0.0, z);
        }
        fr_dataset *set = nullptr;
        ASSERT_EQ(fr_dataset_from_arrays(p.n, p.d, p.x.data(), p.y.data(), FR_F64, &set, nullptr), FR_OK);
        fr_options options = defaults();
        options.batch = 100, options.workers = 4, options.levels = 127, options.iterations = 600;
        options.schedule = FR_SCHEDULE_CONSTANT, options.average = 0;
        Fit got = fit(options, set);
        EXPECT_NEAR(got.weights[0] / size, 1, 1e-9) << size;
        fr_dataset_free(set);
    }
}

TEST(FitSmall, UnevenPartsAndFullBatchReachThePlantedWeights) {
    fr_planted planted = {1001, 30, 0, 6};
    fr_dataset *set = nullptr;
    ASSERT_EQ(fr_dataset_generate(&planted, FR_F64, &set, nullptr), FR_OK);
    fr_options options = defaults();
    options.workers = 7, options.batch = FR_BATCH_FULL, options.iterations = 400;
    Fit got = fit(options, set);
    EXPECT_LT(got.result.relative_error, 1e-10);
    EXPECT_EQ(got.result.batch, 1001);
    fr_dataset_free(set);
}

TEST(FitSmall, NoisyLabelsSettleBelowTheFloorOfAConstantStep) {
    fr_planted planted = {4000, 50, 300, 7};
    fr_dataset *set = nullptr;
    ASSERT_EQ(fr_dataset_generate(&planted, FR_F64, &set, nullptr), FR_OK);
    fr_options options = defaults();
    options.batch = 64, options.iterations = 2000;
    double settled = fit(options, set).result.loss;
    options.batch = FR_BATCH_FULL;
    double best = fit(options, set).result.loss;
    options.batch = 64, options.schedule = FR_SCHEDULE_CONSTANT, options.average = 0;
    double rattling = fit(options, set).result.loss;
    EXPECT_LT(settled, 1.003 * best);
    EXPECT_GT(rattling, 1.05 * best);
    fr_dataset_free(set);
}

TEST(FitSmall, EnsembleVotes) {
    const double weights[] = {0, 0, 5, 5, 0.1, 0, 0, 0.1, NAN, 0};
    int agreeing = -1;
    EXPECT_EQ(fr_ensemble_winner(weights, 5, 2, 0.2, &agreeing), 0);
    EXPECT_EQ(agreeing, 3);
    EXPECT_EQ(fr_ensemble_winner(weights + 2, 4, 2, 0.2, &agreeing), 1); /* two of four */
    const double apart[] = {0, 10, 20, 30};
    EXPECT_EQ(fr_ensemble_winner(apart, 4, 1, 1, &agreeing), -1);
    EXPECT_EQ(agreeing, 0);
    fr_planted planted = {1000, 20, 0, 8};
    fr_dataset *set = nullptr;
    ASSERT_EQ(fr_dataset_generate(&planted, FR_F64, &set, nullptr), FR_OK);
    fr_options options = defaults();
    options.ensemble = 5;
    Fit got = fit(options, set);
    EXPECT_EQ(got.result.agreeing, 5);
    EXPECT_LT(got.result.relative_error, 1e-6);
    options.iterations = 2; /* far from converged: runs still differ by less than the ball, or not at all */
    options.step_rule = FR_STEP_NUMBER, options.step_size = 30;
    EXPECT_EQ(fit(options, set).result.outcome, FR_DIVERGED);
    fr_dataset_free(set);
}

class FitFiles : public Scratch {};

TEST_F(FitFiles, ResumedRunsHaveTheBitsOfUninterruptedOnes) {
    fr_planted planted = {800, 40, 0, 9};
    fr_dataset *set = nullptr;
    ASSERT_EQ(fr_dataset_generate(&planted, FR_F64, &set, nullptr), FR_OK);
    fr_options options = defaults();
    options.workers = 4, options.levels = 15, options.iterations = 60;
    Fit whole = fit(options, set);
    std::string path = at("checkpoint");
    options.iterations = 25, options.checkpoint = path.c_str();
    fit(options, set);
    options.iterations = 60, options.checkpoint = nullptr, options.resume = path.c_str();
    Fit resumed = fit(options, set);
    EXPECT_EQ(resumed.status, FR_OK) << resumed.message;
    EXPECT_EQ(resumed.weights, whole.weights);
    EXPECT_EQ(resumed.reports.front().iteration, 25);
    options.levels = 7;
    Fit other = fit(options, set);
    EXPECT_EQ(other.status, FR_ERROR_CHECKPOINT);
    EXPECT_NE(other.message.find("levels=15"), std::string::npos) << other.message;
    std::string bytes = read("checkpoint");
    options.levels = 15;
    for (size_t cut : {size_t{0}, size_t{10}, bytes.size() - 1}) {
        std::string damaged = write("damaged", bytes.substr(0, cut));
        options.resume = damaged.c_str();
        EXPECT_EQ(fit(options, set).status, FR_ERROR_CHECKPOINT) << cut;
    }
    fr_dataset_free(set);
}

TEST(FitRefusals, NameWhatIsWrong) {
    fr_planted planted = {10, 4, 0, 1};
    fr_dataset *set = nullptr;
    ASSERT_EQ(fr_dataset_generate(&planted, FR_F64, &set, nullptr), FR_OK);
    auto refused = [&](auto change, const char *words) {
        fr_options options = defaults();
        change(options);
        Fit got = fit(options, set);
        EXPECT_EQ(got.status, FR_ERROR_USAGE) << words;
        EXPECT_NE(got.message.find(words), std::string::npos) << got.message;
    };
    refused([](fr_options &o) { o.workers = 11; }, "only 10 rows");
    refused([](fr_options &o) { o.workers = 3, o.batch = 10; }, "--batch 10 is not divisible by --workers 3");
    refused([](fr_options &o) { o.step_rule = FR_STEP_NUMBER, o.step_size = 0; }, "--step-size is 0");
    refused([](fr_options &o) { o.step_rule = FR_STEP_NUMBER, o.step_size = -1; }, "--step-size is -1");
    refused([](fr_options &o) { o.levels = 128; }, "from 1 to 127");
    refused([](fr_options &o) { o.ensemble = 0; }, "--ensemble");
    refused([](fr_options &o) { o.average = 2; }, "--average");
    fr_dataset_free(set);
    const double rows[] = {1, 2, 3}, labels[] = {-1, 0, -2};
    ASSERT_EQ(fr_dataset_from_arrays(3, 1, rows, labels, FR_F64, &set, nullptr), FR_OK);
    Fit got = fit(defaults(), set);
    EXPECT_EQ(got.status, FR_ERROR_DATA);
    EXPECT_NE(got.message.find("none of the 3 labels is above 0"), std::string::npos) << got.message;
    fr_dataset_free(set);
}

/* Memory that is not there is refused with its amount before anything is touched. */
TEST(FitRefusals, MoreMemoryThanThereIs) {
    fr_planted planted = {int64_t{1} << 40, 1000, 0, 1};
    fr_dataset *set = nullptr;
    ASSERT_EQ(fr_dataset_generate(&planted, FR_F64, &set, nullptr), FR_OK);
    Fit got = fit(defaults(), set);
    EXPECT_EQ(got.status, FR_ERROR);
    EXPECT_NE(got.message.find("planted rows"), std::string::npos) << got.message;
    fr_dataset_free(set);
}
