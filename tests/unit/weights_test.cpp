/*
 * Weights of rows: with full gradients a weight of 2 is the row twice and 0 its absence, to rounding; with drawn rows and
 * levels in the mean. What is reported is held against sums written out here.
 */
#include <functional>
#include <limits>

#include "fit_problem.h"
#include "scratch.h"
#include "weighted.h"

using oracle::Change;
using oracle::fit;
using oracle::Fitted;
using oracle::Problem;
using oracle::Vector;
using oracle::Weighted;

namespace {

void same_unit(const Fitted &one, const Fitted &other, double tolerance) {
    ASSERT_EQ(one.status, FR_OK) << one.error.message;
    ASSERT_EQ(other.status, FR_OK) << other.error.message;
    EXPECT_LT(oracle::relative(one.weights, other.weights), tolerance);
    EXPECT_NEAR(one.result.loss, other.result.loss, tolerance * other.result.loss);
    EXPECT_NEAR(one.result.r_squared, other.result.r_squared, tolerance);
    EXPECT_NEAR(one.result.step_size, other.result.step_size, tolerance * other.result.step_size);
    EXPECT_EQ(one.result.iterations, other.result.iterations);
    EXPECT_EQ(one.left_out, other.left_out);
}

const Change FIXED = [](fr_options *o) {
    o->batch = FR_BATCH_FULL, o->iterations = 30, o->intercept = true, o->init = FR_INIT_GRADIENT;
};

/* Every way that columns are prepared, from a fixed start and by the search of `auto`. */
TEST(Weights, AreRowsAsOftenAsTheySay) {
    Weighted w = oracle::weighted_problem(211, 5, 3);
    Problem often = oracle::expanded(w);
    const Change ways[] = {
        FIXED,
        [](fr_options *o) { FIXED(o), o->intercept = false; },
        [](fr_options *o) { FIXED(o), o->intercept = false, o->standardize = true; },
        [](fr_options *o) { FIXED(o), o->init = FR_INIT_AUTO; },
        [](fr_options *o) { o->intercept = true; },
        [](fr_options *o) { o->intercept = true, o->tolerance = 1e-6; },
        [](fr_options *) {},
    };
    for (const Change &way : ways) {
        SCOPED_TRACE(&way - ways);
        same_unit(fit(w.rows, way, &w.weights), fit(often, way), 1e-9);
    }
}

/* Columns as they are, and steps of a given size. */
TEST(Weights, CountInColumnsAsTheyAre) {
    Weighted w = oracle::weighted_problem(120, 1, 5);
    Change way = [](fr_options *o) {
        FIXED(o), o->intercept = false, o->step_rule = FR_STEP_NUMBER, o->step_size = 1;
    };
    same_unit(fit(w.rows, way, &w.weights), fit(oracle::expanded(w), way), 1e-12);
}

TEST(Weights, AreRowsAsOftenAsTheySayForManyWorkersAndInFloat) {
    Weighted w = oracle::weighted_problem(307, 70, 4);
    Problem often = oracle::expanded(w);
    for (fr_precision precision : {FR_F64, FR_F32})
        for (int workers : {1, 4}) {
            SCOPED_TRACE(workers);
            Change way = [&](fr_options *o) { FIXED(o), o->workers = workers; };
            same_unit(fit(w.rows, way, &w.weights, precision), fit(often, way, nullptr, precision),
                      precision == FR_F64 ? 1e-9 : 2e-4);
        }
}

/* More columns than rows that count: as with the rows absent, columns are not combined. */
TEST(Weights, OfZeroLeaveTooFewRowsToTellColumnsApart) {
    Weighted w = oracle::weighted_problem(60, 40, 6);
    for (size_t i = 20; i < w.weights.size(); i++) w.weights[i] = 0;
    same_unit(fit(w.rows, FIXED, &w.weights), fit(oracle::expanded(w), FIXED), 1e-8);
}

TEST(Weights, OfZeroDoNotKeepAColumnFromBeingConstant) {
    Weighted w = oracle::weighted_problem(90, 3, 7);
    for (int64_t i = 0; i < w.rows.n; i++) w.rows.x[static_cast<size_t>(3 * i + 1)] = i == 0 ? 8 : 1;
    Change way = [](fr_options *o) { FIXED(o), o->intercept = false; }; /* the constant column serves as one */
    same_unit(fit(w.rows, way, &w.weights), fit(oracle::expanded(w), way), 1e-9);
    same_unit(fit(w.rows, FIXED, &w.weights), fit(oracle::expanded(w), FIXED), 1e-9);
    EXPECT_EQ(fit(w.rows, FIXED, &w.weights).left_out[1], FR_COLUMN_CONSTANT);
}

/* One scale of all weights is no other problem; one and the same weight is none at all. */
TEST(Weights, CountRelativeToEachOther) {
    Weighted w = oracle::weighted_problem(150, 4, 8);
    Vector tiny = w.weights, same(w.weights.size(), 7);
    for (double &u : tiny) u *= 1e-200;
    Fitted expected = fit(w.rows, FIXED, &w.weights);
    same_unit(fit(w.rows, FIXED, &tiny), expected, 1e-12);
    same_unit(fit(w.rows, FIXED, &same), fit(w.rows, FIXED), 1e-12);
}

TEST(Weights, AreInTheLossAndInRSquared) {
    Weighted w = oracle::weighted_problem(200, 4, 9);
    w.weights[0] = 1e-9;
    for (size_t i = 1; i < w.weights.size(); i++) w.weights[i] += 0.25;
    Fitted fitted = fit(w.rows, [](fr_options *o) { o->intercept = true; }, &w.weights);
    ASSERT_EQ(fitted.status, FR_OK) << fitted.error.message;
    double all = 0, mean = 0, residual = 0, spread = 0, active = 0;
    for (size_t i = 0; i < w.weights.size(); i++) all += w.weights[i], mean += w.weights[i] * w.rows.y[i];
    mean /= all;
    for (size_t i = 0; i < w.weights.size(); i++) {
        double p = oracle::dot(fitted.weights.data(), w.rows.row(static_cast<int64_t>(i)), 4) + fitted.weights[4];
        double off = std::fmax(0.0, p) - w.rows.y[i], apart = w.rows.y[i] - mean;
        residual += w.weights[i] * off * off, spread += w.weights[i] * apart * apart, active += p > 0;
    }
    EXPECT_NEAR(fitted.result.loss, residual / all, 1e-8 * residual / all);
    EXPECT_NEAR(fitted.result.r_squared, 1 - residual / spread, 1e-8);
    EXPECT_NEAR(fitted.result.active, active / 200, 1e-12);
}

/* A step on drawn rows, with levels and without, is in the mean over draws the step of full gradients. */
TEST(Weights, ActInTheMeanOfDrawnRowsAndLevels) {
    Weighted w = oracle::weighted_problem(40, 1, 10);
    const double start[] = {w.rows.d * 0.4};
    for (int levels : {0, 3}) {
        double mean = 0, square = 0;
        const int runs = 600;
        auto step = [&](int64_t batch, uint64_t seed, int s) {
            return fit(w.rows, [&](fr_options *o) {
                o->batch = batch, o->iterations = 1, o->init = FR_INIT_GIVEN, o->init_weights = start;
                o->step_rule = FR_STEP_NUMBER, o->step_size = 1e-4, o->schedule = FR_SCHEDULE_CONSTANT;
                o->seed = seed, o->levels = s, o->workers = 2, o->average = 0;
            }, &w.weights).weights[0] - start[0];
        };
        for (int run = 0; run < runs; run++) {
            double moved = step(8, static_cast<uint64_t>(run + 1), levels);
            mean += moved / runs, square += moved * moved / runs;
        }
        double full = step(FR_BATCH_FULL, 1, 0), deviation = std::sqrt((square - mean * mean) / runs);
        EXPECT_NE(full, 0);
        EXPECT_LT(std::fabs(mean - full), 4 * deviation + 1e-12) << levels << " levels, " << mean << " and " << full;
    }
}

/* Drawn rows, then full gradients: the weights of a run on the rows as often as they say. */
TEST(Weights, SettleDrawnRowsToo) {
    Weighted w = oracle::weighted_problem(400, 6, 11);
    Change way = [](fr_options *o) { o->batch = 40, o->intercept = true, o->iterations = 4000; };
    Fitted drawn = fit(w.rows, way, &w.weights);
    Fitted full = fit(oracle::expanded(w), [](fr_options *o) { o->intercept = true; });
    ASSERT_EQ(drawn.status, FR_OK) << drawn.error.message;
    EXPECT_LT(drawn.result.loss, 1.02 * full.result.loss);
}

/* -------------------------------------------------------------------------------------------- refusals */

TEST(Weights, ThatAreNoneAreRefused) {
    Weighted w = oracle::weighted_problem(9, 1, 12);
    fr_error error = {};
    fr_dataset *set = nullptr;
    ASSERT_EQ(fr_dataset_from_arrays(9, 1, w.rows.x.data(), w.rows.y.data(), FR_F64, &set, &error), FR_OK);
    for (double wrong : {-1.0, std::nan(""), std::numeric_limits<double>::infinity(), 2e150}) {
        Vector u = w.weights;
        u[6] = wrong;
        EXPECT_EQ(fr_dataset_set_weights(set, u.data(), &error), FR_ERROR_DATA);
        EXPECT_NE(std::string(error.message).find("u[6]"), std::string::npos) << error.message;
    }
    EXPECT_EQ(fr_dataset_set_weights(set, nullptr, &error), FR_OK);
    fr_dataset_free(set);
    Vector none(9, 0);
    Fitted fitted = fit(w.rows, [](fr_options *) {}, &none);
    EXPECT_EQ(fitted.status, FR_ERROR_DATA);
    EXPECT_NE(std::string(fitted.error.message).find("weights of all 9 rows are 0"), std::string::npos);
    for (size_t i = 0; i < 9; i++) none[i] = w.rows.y[i] > 0 ? 0 : 1; /* the rows that count have nothing to fit */
    w.rows.y[3] = -1, none[3] = 1;
    EXPECT_EQ(fit(w.rows, [](fr_options *) {}, &none).status, FR_ERROR_DATA);
}

TEST(Weights, AreForRowsOfOnesOwn) {
    fr_planted planted = {20, 2, 0, 1};
    fr_error error = {};
    fr_dataset *set = nullptr;
    Vector ones(20, 1);
    ASSERT_EQ(fr_dataset_generate(&planted, FR_F64, &set, &error), FR_OK);
    EXPECT_EQ(fr_dataset_set_weights(set, ones.data(), &error), FR_ERROR_USAGE);
    fr_dataset_free(set);
}

/* A set serves several fits of one kind; rows that were made ready for one are refused to another. */
TEST(Weights, AreAppliedOnce) {
    Weighted w = oracle::weighted_problem(50, 2, 13);
    fr_error error = {};
    fr_options options;
    fr_dataset *set = nullptr;
    fr_options_default(&options);
    options.threads = 1;
    ASSERT_EQ(fr_dataset_from_arrays(50, 2, w.rows.x.data(), w.rows.y.data(), FR_F64, &set, &error), FR_OK);
    ASSERT_EQ(fr_dataset_set_weights(set, w.weights.data(), &error), FR_OK);
    double losses[2] = {0, 0};
    options.step_rule = FR_STEP_NUMBER, options.step_size = 1e-6, options.iterations = 3;
    for (double &loss : losses) {
        fr_solver *solver = nullptr;
        fr_result result = {};
        ASSERT_EQ(fr_solver_create(&options, set, &solver, &error), FR_OK) << error.message;
        ASSERT_EQ(fr_solver_run(solver, &result, &error), FR_OK) << error.message;
        loss = result.loss;
        fr_solver_free(solver);
    }
    EXPECT_EQ(losses[0], losses[1]);
    EXPECT_EQ(fr_dataset_set_weights(set, w.weights.data(), &error), FR_ERROR_USAGE);
    options.step_rule = FR_STEP_AUTO;
    fr_solver *solver = nullptr;
    EXPECT_EQ(fr_solver_create(&options, set, &solver, &error), FR_ERROR_USAGE);
    fr_solver_free(solver);
    fr_dataset_free(set);
}

/* ------------------------------------------------------------------------------------------------ files */

class WeightFiles : public Scratch {
  protected:
    static void expect(const Read &got, const Vector &weights) {
        ASSERT_NE(got.set, nullptr);
        ASSERT_NE(got.set->weights, nullptr);
        for (size_t i = 0; i < weights.size(); i++) EXPECT_EQ(got.set->weights[i], weights[i]) << "row " << i;
    }
};

TEST_F(WeightFiles, AreColumnsThatAreNoFeatures) {
    write("rows.csv", "a,u,b,y\n1,2,3,4\n5,0,7,8\n");
    write("last.csv", "a;b;y;u\n1;3;4;2\n5;7;8;0\n");
    fr_read_options options = {};
    options.weight_column = "u";
    for (const char *name : {"rows.csv", "last.csv"}) {
        Read got(at(name), options);
        got.expect(2, 2, {1, 3, 5, 7}, {4, 8});
        expect(got, {2, 0});
        ASSERT_NE(fr_dataset_names(got.set), nullptr);
        EXPECT_STREQ(fr_dataset_names(got.set)[1], "b");
        EXPECT_STREQ(fr_dataset_label_name(got.set), "y");
    }
    options.weight_column = "4", options.label_column = "1";
    Read got(at("rows.csv"), options);
    got.expect(2, 2, {2, 3, 0, 7}, {1, 5});
    expect(got, {4, 8});
    options.label_column = "y";
    Refusal(at("rows.csv"), options).expect(FR_ERROR_USAGE, {"--weight-column 4", "labels"});
    options.weight_column = "none";
    Refusal(at("rows.csv"), options).expect(FR_ERROR_USAGE, {"--weight-column none"});
}

TEST_F(WeightFiles, AreTextOrNpy) {
    write("rows.csv", "1,4\n5,8\n6,9\n");
    write("u.txt", "weight\n0.5\n0\n3\n");
    write("u.npy", npy<float>("<f4", "(3,)", {0.5f, 0, 3}));
    write("rows.npy", npy<double>("<f8", "(3, 1)", {1, 5, 6}));
    fr_read_options options = {};
    for (const char *name : {"u.txt", "u.npy"}) {
        std::string path = at(name);
        options.weights = path.c_str();
        options.precision = FR_F32;
        Read got(at("rows.csv"), options);
        got.expect(3, 1, {1, 5, 6}, {4, 8, 9});
        expect(got, {0.5, 0, 3});
        options.without_labels = true;
        expect(Read(at("rows.npy"), options), {0.5, 0, 3});
        options.without_labels = false;
    }
}

/* Each rank keeps the weights of its own rows. */
TEST_F(WeightFiles, AreKeptWithTheirRows) {
    write("rows.csv", "a,u,y\n1,10,4\n2,20,8\n3,30,9\n4,40,9\n5,50,9\n");
    write("u.txt", "10\n20\n30\n40\n50\n");
    std::string path = at("u.txt");
    fr_read_options options = {};
    options.all_workers = 2, options.first_worker = 1, options.worker_count = 1;
    options.weight_column = "u";
    expect(Read(at("rows.csv"), options), {40, 50});
    options.weight_column = nullptr, options.weights = path.c_str();
    expect(Read(at("rows.csv"), options), {40, 50});
}

TEST_F(WeightFiles, ThatLackAValueLeaveTheRowOut) {
    write("rows.csv", "a,u,y\n1,10,4\n2,NA,8\n3,30,\n4,40,9\n");
    write("bare.csv", "a,y\n1,4\n2,8\n3,\n4,9\n");
    write("u.txt", "10\nNA\n30\n40\n");
    write("u.npy", npy<double>("<f8", "(4,)", {10, std::nan(""), 30, 40}));
    fr_read_options options = {};
    options.missing = FR_MISSING_DROP;
    options.weight_column = "u";
    Read inside(at("rows.csv"), options);
    inside.expect(2, 1, {1, 4}, {4, 9});
    expect(inside, {10, 40});
    options.weight_column = nullptr;
    for (const char *name : {"u.txt", "u.npy"}) {
        std::string path = at(name);
        options.weights = path.c_str();
        Read apart(at("bare.csv"), options);
        apart.expect(2, 1, {1, 4}, {4, 9});
        expect(apart, {10, 40});
    }
}

TEST_F(WeightFiles, AreRefusedByRow) {
    write("rows.csv", "a,u,y\n1,10,4\n2,-20,8\n");
    write("word.csv", "a,u,y\n1,10,4\n2,NA,8\n");
    write("bare.csv", "1,4\n2,8\n");
    write("u.txt", "10\n-3\n");
    write("inf.txt", "10\ninf\n");
    write("few.txt", "10\n");
    write("u.npy", npy<double>("<f8", "(2,)", {10, -3}));
    fr_read_options options = {};
    options.weight_column = "u";
    Refusal(at("rows.csv"), options).expect(FR_ERROR_DATA, {"rows.csv:3", "column 2 (\"u\")", "-20", "weight from 0"});
    Refusal(at("word.csv"), options).expect(FR_ERROR_DATA, {"word.csv:3", "column 2", "NA"});
    options.weight_column = nullptr;
    auto refuse = [&](const char *name, const std::vector<std::string> &words) {
        std::string path = at(name);
        options.weights = path.c_str();
        Refusal(at("bare.csv"), options).expect(FR_ERROR_DATA, words);
    };
    refuse("u.txt", {"u.txt:2", "-3", "weight from 0"});
    refuse("inf.txt", {"inf.txt:2", "weight from 0"});
    refuse("few.txt", {"few.txt has 1 weights", "expected 2"});
    refuse("u.npy", {"u.npy: u[1] is -3", "weight from 0"});
    options.weights = "u.txt", options.weight_column = "u";
    Refusal(at("rows.csv"), options).expect(FR_ERROR_USAGE, {"--weights u.txt", "--weight-column u"});
}

/* Other weights are other data to ranks and to checkpoints. */
TEST_F(WeightFiles, AreInTheFingerprint) {
    write("rows.csv", "1,4\n2,8\n");
    write("one.txt", "1\n2\n");
    write("other.txt", "1\n3\n");
    std::string one = at("one.txt"), other = at("other.txt");
    fr_read_options options = {};
    Read without(at("rows.csv"), options);
    options.weights = one.c_str();
    Read with(at("rows.csv"), options), again(at("rows.csv"), options);
    options.weights = other.c_str();
    Read changed(at("rows.csv"), options);
    EXPECT_EQ(with.set->fingerprint, again.set->fingerprint);
    EXPECT_NE(with.set->fingerprint, changed.set->fingerprint);
    EXPECT_NE(with.set->fingerprint, without.set->fingerprint);
}

} // namespace
