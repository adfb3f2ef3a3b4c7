/*
 * holdout_test.cpp - rows held out of a fit: which ones they are, from any format, for any ranks, beside missing values.
 */
#include <cmath>
#include <set>

#include "scratch.h"

namespace {

class Holdout : public Scratch {
  protected:
    static constexpr int N = 200;
    fr_read_options options{};
    void SetUp() override {
        Scratch::SetUp();
        options.holdout = 0.3;
        options.holdout_seed = 5;
    }
    /* Row i of the file is i, 2 i and the label 3 i. */
    std::string csv() {
        std::string text;
        for (int i = 0; i < N; i++)
            text += std::to_string(i) + "," + std::to_string(2 * i) + "," + std::to_string(3 * i) + "\n";
        return write("rows.csv", text);
    }
    /* The first column; checks the others. */
    static std::set<int> rows_of(const fr_dataset *set) {
        std::set<int> rows;
        for (int64_t i = 0; i < set->local_rows; i++) {
            double row = fr_dataset_value(set, i, 0);
            EXPECT_EQ(fr_dataset_value(set, i, 1), 2 * row);
            if (set->labels) EXPECT_EQ(fr_dataset_label(set, i), 3 * row);
            EXPECT_TRUE(rows.insert((int)row).second);
        }
        return rows;
    }
    static std::set<int> all() {
        std::set<int> rows;
        for (int i = 0; i < N; i++) rows.insert(i);
        return rows;
    }
    static std::set<int> united(std::set<int> one, const std::set<int> &other) {
        one.insert(other.begin(), other.end());
        return one;
    }
};

TEST_F(Holdout, RowsAreDividedByTheirNumberAndTheSeed) {
    Read first(csv(), options);
    const fr_dataset *held = fr_dataset_held_out(first.set);
    ASSERT_NE(held, nullptr);
    std::set<int> fitted = rows_of(first.set), apart = rows_of(held);
    EXPECT_EQ(fr_dataset_samples(first.set) + fr_dataset_samples(held), N);
    EXPECT_EQ(united(fitted, apart), all());
    EXPECT_NEAR((double)apart.size(), 0.3 * N, 4 * std::sqrt(0.21 * N));
    EXPECT_EQ(rows_of(fr_dataset_held_out(Read(at("rows.csv"), options).set)), apart);
    options.holdout_seed = 6;
    EXPECT_NE(rows_of(fr_dataset_held_out(Read(at("rows.csv"), options).set)), apart);
    options.holdout_seed = 5;
    options.holdout = 0.1; /* a smaller share is a part of a larger one */
    std::set<int> fewer = rows_of(fr_dataset_held_out(Read(at("rows.csv"), options).set));
    EXPECT_EQ(united(fewer, apart), apart);
    EXPECT_LT(fewer.size(), apart.size());
    EXPECT_EQ(fr_dataset_held_out(Read(at("rows.csv")).set), nullptr);
}

TEST_F(Holdout, EveryFormatHoldsOutTheSameRows) {
    std::set<int> expected = rows_of(fr_dataset_held_out(Read(csv(), options).set));
    std::vector<double> x, y;
    std::string libsvm, labels;
    for (int i = 0; i < N; i++) {
        x.insert(x.end(), {(double)i, 2.0 * i});
        y.push_back(3 * i);
        libsvm += std::to_string(3 * i) + " 1:" + std::to_string(i) + " 2:" + std::to_string(2 * i) + "\n";
        labels += std::to_string(3 * i) + "\n";
    }
    const std::string rows = npy<double>("<f8", "(200, 2)", x), values = npy<double>("<f8", "(200,)", y);
    write("labels.npy", values);
    fr_read_options apart = options;
    const std::string text = write("labels", labels), array = at("labels.npy");
    for (const std::string &name : {text, array}) {
        apart.labels = name.c_str();
        EXPECT_EQ(rows_of(fr_dataset_held_out(Read(write("x.npy", rows), apart).set)), expected);
    }
    EXPECT_EQ(rows_of(fr_dataset_held_out(Read(write("x.svm", libsvm), options).set)), expected);
#ifdef FR_HAVE_LIBZIP
    EXPECT_EQ(rows_of(fr_dataset_held_out(Read(archive("x.npz", {{"X.npy", rows}, {"y.npy", values}}, true), options).set)),
              expected);
#endif
}

TEST_F(Holdout, PartsOfRanksMakeTheWhole) {
    Read whole(csv(), options);
    std::set<int> fitted, apart;
    options.all_workers = 3;
    options.worker_count = 1;
    for (options.first_worker = 0; options.first_worker < 3; options.first_worker++) {
        Read part(at("rows.csv"), options);
        EXPECT_EQ(fr_dataset_samples(part.set), fr_dataset_samples(whole.set));
        fitted = united(fitted, rows_of(part.set));
        apart = united(apart, rows_of(fr_dataset_held_out(part.set)));
    }
    EXPECT_EQ(fitted, rows_of(whole.set));
    EXPECT_EQ(apart, rows_of(fr_dataset_held_out(whole.set)));
}

/* Rows that lack something are in neither part, and move no other row. */
TEST_F(Holdout, MissingValuesChangeNoOtherRow) {
    std::set<int> expected = rows_of(fr_dataset_held_out(Read(csv(), options).set));
    std::string text = read("rows.csv");
    int held = *expected.begin(), fitted = held ? 0 : 1;
    while (expected.count(fitted)) fitted++;
    for (int row : {held, fitted}) {
        std::string line = std::to_string(row) + "," + std::to_string(2 * row) + ",";
        size_t at = row ? text.find("\n" + line) + 1 : 0;
        text.replace(at, line.size(), "NA,0,");
    }
    write("gaps.csv", text);
    options.missing = FR_MISSING_DROP;
    Read left(at("gaps.csv"), options);
    expected.erase(held);
    EXPECT_EQ(rows_of(fr_dataset_held_out(left.set)), expected);
    EXPECT_EQ(left.set->lacking, 2);
    EXPECT_EQ(fr_dataset_samples(left.set) + (int64_t)expected.size(), N - 2);
}

/* What is put in place of a missing value comes from the rows of the fit, in all formats, for both parts. */
TEST_F(Holdout, MeansAreThoseOfTheFit) {
    std::set<int> apart = rows_of(fr_dataset_held_out(Read(csv(), options).set));
    int held = *apart.rbegin();
    double sum = 0, count = 0;
    std::string text = "a,b,y\n", libsvm;
    std::vector<double> x;
    for (int i = 0; i < N; i++) {
        bool gap = i == held;
        if (!apart.count(i)) sum += i * i, count++;
        text += std::to_string(i) + "," + (gap ? "NA" : std::to_string(i * i)) + "," + std::to_string(3 * i) + "\n";
        libsvm += std::to_string(3 * i) + " 1:" + std::to_string(i) + " 2:" + (gap ? "nan" : std::to_string(i * i)) + "\n";
        x.insert(x.end(), {(double)i, gap ? NAN : (double)i * i});
    }
    options.missing = FR_MISSING_MEAN;
    std::string labels;
    for (int i = 0; i < N; i++) labels += std::to_string(3 * i) + "\n";
    write("labels", labels);
    for (const std::string &path : {write("a.csv", text), write("a.svm", libsvm), write("a.npy", npy<double>("<f8", "(200, 2)", x))}) {
        fr_read_options now = options;
        std::string file = at("labels");
        if (path == at("a.npy")) now.labels = file.c_str();
        Read data(path, now);
        const fr_dataset *rows = fr_dataset_held_out(data.set);
        ASSERT_EQ(rows->local_rows, (int64_t)apart.size());
        EXPECT_EQ(fr_dataset_value(rows, rows->local_rows - 1, 0), held);
        EXPECT_DOUBLE_EQ(fr_dataset_value(rows, rows->local_rows - 1, 1), sum / count) << path;
    }
}

TEST_F(Holdout, NothingLeftIsRefused) {
    write("two.csv", "1,2\n3,4\n");
    options.holdout = 0.999;
    Refusal(at("two.csv"), options).expect(FR_ERROR_DATA, {"two.csv", "none to fit"});
    options.holdout = 1e-6;
    Refusal(at("two.csv"), options).expect(FR_ERROR_DATA, {"two.csv", "none to judge by"});
    options.holdout = 1;
    Refusal(at("two.csv"), options).expect(FR_ERROR_USAGE, {"share of 1"});
}

} // namespace
