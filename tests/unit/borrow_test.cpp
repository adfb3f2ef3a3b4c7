/*
 * Rows that are borrowed: a fit of them has the bits of a fit of rows that were copied, it never writes them, and it
 * copies them where columns change and nowhere else.
 */
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <functional>

#include "fitrelu.h"
#include "oracle.h"
#include "scratch.h"

using oracle::Problem;
using oracle::Vector;

namespace {

/* n x d values with a gap behind each row, in pages that nobody can write. */
class ReadOnly {
  public:
    int64_t stride;
    fr_precision precision;
    ReadOnly(const Problem &p, int64_t gap, fr_precision kind) : stride(p.d + gap), precision(kind) {
        size_t value = kind == FR_F32 ? sizeof(float) : sizeof(double), page = static_cast<size_t>(getpagesize());
        bytes = (static_cast<size_t>(p.n * stride) * value + page - 1) / page * page;
        memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        for (int64_t i = 0; i < p.n; i++)
            for (int64_t j = 0; j < stride; j++) {
                double x = j < p.d ? p.row(i)[j] : NAN;
                if (kind == FR_F32) static_cast<float *>(memory)[i * stride + j] = static_cast<float>(x);
                else static_cast<double *>(memory)[i * stride + j] = x;
            }
        EXPECT_EQ(mprotect(memory, bytes, PROT_READ), 0);
    }
    ~ReadOnly() { munmap(memory, bytes); }
    ReadOnly(const ReadOnly &) = delete;
    ReadOnly &operator=(const ReadOnly &) = delete;
    const void *rows() const { return memory; }

  private:
    void *memory = nullptr;
    size_t bytes = 0;
};

using Change = std::function<void(fr_options *)>;

struct Fitted {
    Vector weights;
    double loss = NAN;
    bool borrows = false;
};

Fitted fit(fr_dataset *set, const Change &change) {
    Fitted out;
    fr_error error = {};
    fr_options options;
    fr_result result = {};
    fr_solver *solver = nullptr;
    fr_model *model = nullptr;
    fr_options_default(&options);
    change(&options);
    EXPECT_EQ(fr_solver_create(&options, set, &solver, &error), FR_OK) << error.message;
    if (solver) EXPECT_EQ(fr_solver_run(solver, &result, &error), FR_OK) << error.message;
    if (solver) EXPECT_EQ(fr_solver_model(solver, &model, &error), FR_OK) << error.message;
    if (model) {
        out.weights.assign(fr_model_weights(model), fr_model_weights(model) + fr_model_features(model));
        out.weights.push_back(fr_model_intercept(model));
        out.loss = result.loss;
    }
    out.borrows = fr_dataset_borrows(set);
    fr_model_free(model), fr_solver_free(solver), fr_dataset_free(set);
    return out;
}

class Borrowed : public Scratch {
  protected:
    Problem p = oracle::random_problem(600, 7, 5);

    fr_dataset *borrow(const ReadOnly &rows, const double *weights = nullptr) {
        fr_dataset *set = nullptr;
        fr_error error = {};
        EXPECT_EQ(fr_dataset_borrow(p.n, p.d, rows.rows(), rows.stride, rows.precision, p.y.data(), &set, &error), FR_OK)
            << error.message;
        EXPECT_TRUE(fr_dataset_borrows(set));
        if (weights) EXPECT_EQ(fr_dataset_set_weights(set, weights, &error), FR_OK) << error.message;
        return set;
    }
    fr_dataset *copy(fr_precision precision, const double *weights = nullptr) {
        fr_dataset *set = nullptr;
        fr_error error = {};
        EXPECT_EQ(fr_dataset_from_arrays(p.n, p.d, p.x.data(), p.y.data(), precision, &set, &error), FR_OK);
        EXPECT_FALSE(fr_dataset_borrows(set));
        if (weights) EXPECT_EQ(fr_dataset_set_weights(set, weights, &error), FR_OK);
        return set;
    }
    void same(const Change &change, bool copies, const double *weights = nullptr) {
        for (fr_precision precision : {FR_F64, FR_F32})
            for (int64_t gap : {0, 3}) {
                ReadOnly rows(p, gap, precision);
                Fitted borrowed = fit(borrow(rows, weights), change), copied = fit(copy(precision, weights), change);
                EXPECT_EQ(borrowed.weights, copied.weights) << gap;
                EXPECT_EQ(borrowed.loss, copied.loss) << gap;
                EXPECT_EQ(borrowed.borrows, !copies) << gap;
            }
    }
};

TEST_F(Borrowed, AreCopiedWhereColumnsChange) {
    same([](fr_options *) {}, true);
    same([](fr_options *o) { o->intercept = true; }, true);
    same([](fr_options *o) { o->standardize = o->keep_columns = true; }, true);
    same([](fr_options *o) { o->intercept = o->keep_columns = true; }, true);
    Vector weights(static_cast<size_t>(p.n), 1);
    weights[3] = 0, weights[5] = 4;
    same([](fr_options *o) { o->keep_columns = true; }, true, weights.data());
}

TEST_F(Borrowed, AreReadWhereTheyLieOtherwise) {
    same([](fr_options *o) { o->keep_columns = true; }, false);
    same([](fr_options *o) { o->keep_columns = true, o->batch = 60, o->workers = 3, o->levels = 7; }, false);
    same([](fr_options *o) { o->step_rule = FR_STEP_NUMBER, o->step_size = 0.1, o->batch = 32, o->iterations = 50; }, false);
}

/* To what the stopping rule leaves. */
TEST_F(Borrowed, KeptColumnsHaveTheSameBestUnit) {
    ReadOnly rows(p, 1, FR_F64);
    Fitted kept = fit(borrow(rows), [](fr_options *o) { o->keep_columns = true; });
    Fitted changed = fit(borrow(rows), [](fr_options *) {});
    EXPECT_LT(oracle::relative(kept.weights, changed.weights), 1e-2);
    EXPECT_NEAR(kept.loss, changed.loss, 1e-5 * changed.loss);
}

TEST_F(Borrowed, PredictAndAreWrittenAsOthersAre) {
    fr_error error = {};
    ReadOnly rows(p, 2, FR_F32);
    fr_dataset *borrowed = borrow(rows), *copied = copy(FR_F32);
    Vector one(static_cast<size_t>(p.n)), other(one);
    fr_options options;
    fr_solver *solver = nullptr;
    fr_result result;
    fr_model *model = nullptr;
    fr_options_default(&options);
    fr_dataset *fitted = copy(FR_F32);
    ASSERT_EQ(fr_solver_create(&options, fitted, &solver, &error), FR_OK) << error.message;
    ASSERT_EQ(fr_solver_run(solver, &result, &error), FR_OK);
    ASSERT_EQ(fr_solver_model(solver, &model, &error), FR_OK);
    EXPECT_EQ(fr_model_predict(model, borrowed, one.data(), &error), FR_OK) << error.message;
    EXPECT_EQ(fr_model_predict(model, copied, other.data(), &error), FR_OK);
    EXPECT_EQ(one, other);
    EXPECT_EQ(fr_dataset_write(borrowed, at("one.npy").c_str(), &error), FR_OK) << error.message;
    EXPECT_EQ(fr_dataset_write(copied, at("other.npy").c_str(), &error), FR_OK);
    EXPECT_EQ(read("one.npy"), read("other.npy"));
    EXPECT_EQ(read("one-labels.npy"), read("other-labels.npy"));
    EXPECT_TRUE(fr_dataset_borrows(borrowed));
    fr_model_free(model), fr_solver_free(solver);
    for (fr_dataset *set : {borrowed, copied, fitted}) fr_dataset_free(set);
}

/* Rows, names and weights that are known give the file that a fit would have written. */
TEST_F(Borrowed, NamesAndWeightsMakeAModel) {
    fr_error error = {};
    ReadOnly rows(p, 1, FR_F64);
    const char *const names[] = {"a", "b", "c", "d", "e", "f", "g"};
    fr_dataset *set = borrow(rows);
    ASSERT_EQ(fr_dataset_set_names(set, names, "y", &error), FR_OK) << error.message;
    EXPECT_STREQ(fr_dataset_names(set)[6], "g");
    EXPECT_STREQ(fr_dataset_label_name(set), "y");
    EXPECT_EQ(fr_dataset_set_names(set, names, "y", &error), FR_ERROR_USAGE);
    const double weights[] = {1, -2, 3, 0, 0.5, 0, 4};
    fr_model *model = nullptr, *back = nullptr;
    ASSERT_EQ(fr_model_from_weights(7, weights, -1.5, fr_dataset_names(set), "y", &model, &error), FR_OK);
    ASSERT_EQ(fr_model_write(model, at("model").c_str(), &error), FR_OK);
    ASSERT_EQ(fr_model_read(at("model").c_str(), &back, &error), FR_OK) << error.message;
    Vector predicted(static_cast<size_t>(p.n));
    ASSERT_EQ(fr_model_predict(back, set, predicted.data(), &error), FR_OK);
    for (int64_t i = 0; i < p.n; i++)
        EXPECT_NEAR(predicted[static_cast<size_t>(i)], std::fmax(0.0, oracle::dot(weights, p.row(i), 7) - 1.5), 1e-12);
    EXPECT_STREQ(fr_model_names(back)[1], "b");
    fr_model_free(model), fr_model_free(back), fr_dataset_free(set);
    const double endless[] = {1, INFINITY};
    EXPECT_EQ(fr_model_from_weights(2, endless, 0, nullptr, nullptr, &model, &error), FR_ERROR_USAGE);
    EXPECT_EQ(fr_model_from_weights(0, weights, 0, nullptr, nullptr, &model, &error), FR_ERROR_USAGE);
    EXPECT_EQ(model, nullptr);
}

/* Rows come out as they were given, and planted ones as a file of them has them. */
TEST_F(Borrowed, RowsComeOutAgain) {
    fr_error error = {};
    ReadOnly rows(p, 2, FR_F64);
    fr_dataset *set = borrow(rows), *planted = nullptr;
    Vector x(21), y(3);
    ASSERT_EQ(fr_dataset_rows(set, 5, 3, x.data(), y.data(), &error), FR_OK) << error.message;
    EXPECT_EQ(x, Vector(p.x.begin() + 35, p.x.begin() + 56));
    EXPECT_EQ(y, Vector(p.y.begin() + 5, p.y.begin() + 8));
    EXPECT_EQ(fr_dataset_rows(set, 598, 3, x.data(), nullptr, &error), FR_ERROR_USAGE);
    EXPECT_EQ(fr_dataset_rows(set, -1, 3, x.data(), nullptr, &error), FR_ERROR_USAGE);
    fr_planted recipe = {20, 7, 1.5, 3};
    ASSERT_EQ(fr_dataset_generate(&recipe, FR_F64, &planted, &error), FR_OK);
    Vector whole(140), labels(20);
    ASSERT_EQ(fr_dataset_rows(planted, 0, 20, whole.data(), labels.data(), &error), FR_OK);
    ASSERT_EQ(fr_dataset_rows(planted, 8, 3, x.data(), nullptr, &error), FR_OK);
    EXPECT_EQ(x, Vector(whole.begin() + 56, whole.begin() + 77));
    ASSERT_EQ(fr_dataset_write(planted, at("rows.npy").c_str(), &error), FR_OK);
    std::string file = read("rows.npy"), told = read("rows-labels.npy");
    EXPECT_EQ(std::memcmp(file.data() + 128, whole.data(), 140 * sizeof(double)), 0);
    EXPECT_EQ(std::memcmp(told.data() + 128, labels.data(), 20 * sizeof(double)), 0);
    fr_dataset_free(set), fr_dataset_free(planted);
}

void expect_refused(fr_status status, fr_status expected, const fr_error &error, const std::string &words) {
    EXPECT_EQ(status, expected);
    EXPECT_NE(std::string(error.message).find(words), std::string::npos) << error.message;
}

TEST_F(Borrowed, AreRefusedWhereTheyCannotBeRead) {
    fr_dataset *set = nullptr;
    fr_error error = {};
    const double *x = p.x.data(), *y = p.y.data();
    expect_refused(fr_dataset_borrow(p.n, p.d, nullptr, p.d, FR_F64, y, &set, &error), FR_ERROR_USAGE, error, "NULL");
    expect_refused(fr_dataset_borrow(p.n, p.d, x, p.d - 1, FR_F64, y, &set, &error), FR_ERROR_USAGE, error, "stride is 6");
    const void *across = reinterpret_cast<const char *>(x) + 4;
    expect_refused(fr_dataset_borrow(p.n - 1, p.d, across, p.d, FR_F64, y, &set, &error), FR_ERROR_USAGE, error, "aligned");
    EXPECT_EQ(set, nullptr);
    /* The first in the order of rows, whichever thread finds one first. */
    p = oracle::random_problem(30000, 7, 5);
    p.x[7 * 20000 + 4] = p.x[7 * 29999] = NAN;
    expect_refused(fr_dataset_borrow(p.n, p.d, p.x.data(), p.d, FR_F64, p.y.data(), &set, &error), FR_ERROR_DATA, error,
                   "X[20000,4] is nan");
    p.x[7 * 20000 + 4] = p.x[7 * 29999] = 1, p.y[9] = INFINITY;
    expect_refused(fr_dataset_borrow(p.n, p.d, p.x.data(), p.d, FR_F64, p.y.data(), &set, &error), FR_ERROR_DATA, error,
                   "y[9] is inf");
    EXPECT_EQ(set, nullptr);
}

} // namespace
