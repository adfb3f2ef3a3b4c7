/*
 * The columns of data of one's own: what is centered, combined, kept and left out, and that weights keep their meaning
 * on the way there and back. Products and factors are held against sums written out here.
 */
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "oracle.h"
extern "C" {
#include "columns/condition.h"
#include "columns/products.h"
#include "columns/triangle.h"
int openblas_get_num_threads(void) __attribute__((weak));
void openblas_set_num_threads(int) __attribute__((weak));
}

namespace {

using oracle::Vector;

/* Numbers between -1 and 1 that look random, from an index. */
double noise(int64_t i) {
    uint64_t bits = static_cast<uint64_t>(i + 1) * 0x9e3779b97f4a7c15u;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
    return static_cast<double>(static_cast<int64_t>(bits ^ (bits >> 31))) * 0x1p-63;
}

/* n rows of d columns: columns[j](i) is X[i, j]. */
using Columns = std::vector<std::function<double(int64_t)>>;

/* A column of independent numbers; each has its own. */
std::function<double(int64_t)> random_column(int64_t which) {
    return [which](int64_t i) { return noise(which * 1000003 + i); };
}

struct Conditioned {
    int64_t n, d;
    Vector x; /* as it was */
    fr_dataset *set = nullptr;
    fr_error error = {};
    fr_status status;

    Conditioned(int64_t rows, const Columns &columns, bool intercept = false, fr_precision precision = FR_F64,
                int workers = 1, int threads = 1)
        : n(rows), d(static_cast<int64_t>(columns.size())) {
        for (int64_t i = 0; i < n; i++)
            for (const auto &column : columns) {
                double value = column(i);
                x.push_back(precision == FR_F32 ? static_cast<float>(value) : value);
            }
        Vector y(static_cast<size_t>(n), 1.0);
        EXPECT_EQ(fr_dataset_from_arrays(n, d, x.data(), y.data(), precision, &set, &error), FR_OK) << error.message;
        fr_plan plan = {};
        plan.samples = n, plan.features = d, plan.workers = workers;
        fr_conditioning how = {};
        how.center = intercept, how.scale = true, how.decorrelate = true, how.intercept = intercept;
        status = fr_dataset_condition(set, how, &plan, threads, nullptr, &error);
    }
    ~Conditioned() { fr_dataset_free(set); }
    Conditioned(const Conditioned &) = delete;
    Conditioned &operator=(const Conditioned &) = delete;

    fr_left_out left_out(int64_t j) const { return fr_dataset_left_out(set, j); }
    std::vector<int64_t> all_left_out() const {
        std::vector<int64_t> found;
        for (int64_t j = 0; j < d; j++)
            if (left_out(j) != FR_COLUMN_USED) found.push_back(j);
        return found;
    }
    double moment(int64_t j, int64_t k) const {
        double sum = 0;
        for (int64_t i = 0; i < n; i++) sum += fr_dataset_value(set, i, j) * fr_dataset_value(set, i, k);
        return sum / static_cast<double>(n);
    }
    /* (1/n) X^T X is 1 on the columns that are used and 0 elsewhere. */
    void expect_identity(double room) const {
        for (int64_t j = 0; j < d; j++)
            for (int64_t k = 0; k <= j; k++)
                EXPECT_NEAR(moment(j, k), j == k && left_out(j) == FR_COLUMN_USED, room) << j << " " << k;
    }
    /* Any weights of these columns predict what the unfolded ones do on the rows as they were, to `room` of the
     * largest term; unfolded weights of what is left out are 0; folding them gives the first back. */
    void expect_same_unit(double room) const {
        int64_t columns = fr_dataset_features(set);
        Vector fitted(static_cast<size_t>(columns)), raw(static_cast<size_t>(d)), again(static_cast<size_t>(columns));
        double intercept;
        for (int64_t j = 0; j < columns; j++)
            fitted[static_cast<size_t>(j)] = left_out(j) == FR_COLUMN_USED ? noise(77 + j) : 0;
        fr_unfold_weights(set, fitted.data(), raw.data(), &intercept);
        for (int64_t j : all_left_out()) EXPECT_EQ(raw[static_cast<size_t>(j)], 0) << j;
        for (int64_t i = 0; i < n; i++) {
            double there = 0, here = intercept, size = std::fabs(intercept);
            for (int64_t j = 0; j < columns; j++)
                there += fitted[static_cast<size_t>(j)] * fr_dataset_value(set, i, j);
            for (int64_t j = 0; j < d; j++) {
                double term = raw[static_cast<size_t>(j)] * x[static_cast<size_t>(i * d + j)];
                here += term;
                size = std::fmax(size, std::fabs(term));
            }
            ASSERT_NEAR(there, here, room * size) << "row " << i;
        }
        fr_fold_weights(set, raw.data(), intercept, again.data());
        for (int64_t j = 0; j < columns; j++)
            EXPECT_NEAR(again[static_cast<size_t>(j)], fitted[static_cast<size_t>(j)], 1e-3) << j;
    }
};

std::function<double(int64_t)> always(double value) {
    return [value](int64_t) { return value; };
}

Vector random_matrix(int64_t rows, int64_t columns, int64_t which) {
    Vector out(static_cast<size_t>(rows * columns));
    for (size_t i = 0; i < out.size(); i++) out[i] = noise(which * 7919 + static_cast<int64_t>(i));
    return out;
}

} // namespace

/* ------------------------------------------------------------------------------------------- products */

TEST(Products, AreTheSumsWrittenOutByBlasAndByLoops) {
    for (bool blas : {false, true}) {
        fr_products products = fr_products_begin(blas);
        for (int64_t rows : {1, 3, 130})
            for (int64_t m : {1, 5, 66})
                for (int64_t n : {1, 9, 131}) {
                    Vector a = random_matrix(rows, m + 2, 1), b = random_matrix(rows, n + 1, 2),
                           c = random_matrix(m, n, 3);
                    Vector expected = c;
                    for (int64_t i = 0; i < m; i++)
                        for (int64_t j = 0; j < n; j++)
                            for (int64_t r = 0; r < rows; r++)
                                expected[static_cast<size_t>(i * n + j)] -=
                                    a[static_cast<size_t>(r * (m + 2) + i)] * b[static_cast<size_t>(r * (n + 1) + j)];
                    fr_products_add(&products, -1, rows, m, n, a.data(), m + 2, b.data(), n + 1, c.data(), n);
                    for (size_t i = 0; i < c.size(); i++) ASSERT_NEAR(c[i], expected[i], 1e-12);
                }
        fr_products_end(&products);
    }
}

TEST(Products, SolveGivesBackWhatTheTriangleMade) {
    for (bool blas : {false, true}) {
        fr_products products = fr_products_begin(blas);
        for (int64_t d : {1, 7, 33, 150})
            for (int64_t rows : {1, 5, 130}) {
                Vector r = random_matrix(d, d, 4), x = random_matrix(rows, d, 5), y(x.size());
                for (int64_t i = 0; i < d; i++)
                    for (int64_t j = 0; j < d; j++)
                        r[static_cast<size_t>(i * d + j)] *= j < i ? 0 : j == i ? 1 : 1 / static_cast<double>(d);
                for (int64_t i = 0; i < d; i++) r[static_cast<size_t>(i * d + i)] += 2;
                for (int64_t i = 0; i < rows; i++)
                    for (int64_t j = 0; j < d; j++)
                        for (int64_t l = 0; l <= j; l++)
                            y[static_cast<size_t>(i * d + j)] +=
                                x[static_cast<size_t>(i * d + l)] * r[static_cast<size_t>(l * d + j)];
                fr_products_solve(&products, rows, d, r.data(), d, y.data(), d);
                for (size_t i = 0; i < x.size(); i++) ASSERT_NEAR(y[i], x[i], 1e-12);
            }
        fr_products_end(&products);
    }
}

/* The number of threads of a BLAS is the process's: whoever set it finds it again. */
TEST(Products, TheBlasKeepsItsNumberOfThreads) {
    if (!openblas_get_num_threads) GTEST_SKIP() << "no OpenBLAS in this build";
    int before = openblas_get_num_threads();
    for (int threads : {1, 2}) {
        openblas_set_num_threads(threads);
        int set = openblas_get_num_threads();
        fr_products products = fr_products_begin(true);
        EXPECT_EQ(openblas_get_num_threads(), 1);
        fr_products_end(&products);
        EXPECT_EQ(openblas_get_num_threads(), set);
    }
    openblas_set_num_threads(before);
}

/* ------------------------------------------------------------------------------------------- triangle */

/* Three blocks of rows; column 70 is one to pass over, column 80 a combination, column 90 is 0. */
TEST(Triangle, FactorsWhatIsGoodAndPassesOverTheRest) {
    const int64_t n = 400, d = 150;
    Vector x = random_matrix(n, d, 6), c(static_cast<size_t>(d * d)), scale(static_cast<size_t>(d));
    for (int64_t i = 0; i < n; i++) {
        double *row = &x[static_cast<size_t>(i * d)];
        row[80] = row[3] - row[60], row[90] = 0, row[100] *= 1e-9, row[110] *= 1e9;
    }
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = i; j < d; j++)
            for (int64_t r = 0; r < n; r++)
                c[static_cast<size_t>(i * d + j)] +=
                    x[static_cast<size_t>(r * d + i)] * x[static_cast<size_t>(r * d + j)];
    Vector first;
    for (int threads : {1, 3}) {
        Vector f = c;
        std::vector<char> state(static_cast<size_t>(d), FR_PIVOT_GOOD);
        state[70] = FR_PIVOT_OUT;
        fr_team *team = nullptr;
        ASSERT_EQ(fr_team_create(threads, &team, nullptr), FR_OK);
        fr_products products = fr_products_begin(true);
        double pivot = fr_triangle_factor(&products, team, d, 1e-8, f.data(), state.data(), scale.data());
        fr_products_end(&products);
        fr_team_free(team);
        EXPECT_GT(pivot, 1e-3);
        for (int64_t j = 0; j < d; j++)
            EXPECT_EQ(state[static_cast<size_t>(j)], j == 70              ? FR_PIVOT_OUT
                                                     : j == 80 || j == 90 ? FR_PIVOT_SMALL
                                                                          : FR_PIVOT_GOOD)
                << j;
        for (int64_t i = 0; i < d; i++)
            for (int64_t j = 0; j < d; j++) {
                if (j < i) EXPECT_EQ(f[static_cast<size_t>(i * d + j)], 0);
                if (j < i || i == 70 || j == 70 || i == 80 || i == 90) continue;
                double sum = 0,
                       size = std::sqrt(c[static_cast<size_t>(i * d + i)] * c[static_cast<size_t>(j * d + j)]);
                for (int64_t l = 0; l <= i; l++)
                    sum += f[static_cast<size_t>(l * d + i)] * f[static_cast<size_t>(l * d + j)];
                if (j == 80 && i == j) continue; /* its diagonal is its norm */
                EXPECT_NEAR(sum, c[static_cast<size_t>(i * d + j)], 1e-12 * size) << i << " " << j;
            }
        if (first.empty()) first = f;
        EXPECT_EQ(f, first) << threads << " threads";
    }
}

TEST(Triangle, MultipliesTwo) {
    const int64_t d = 150;
    Vector f = random_matrix(d, d, 7), r = random_matrix(d, d, 8), expected(f.size());
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j < i; j++) f[static_cast<size_t>(i * d + j)] = r[static_cast<size_t>(i * d + j)] = 0;
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j < d; j++)
            for (int64_t l = 0; l < d; l++)
                expected[static_cast<size_t>(i * d + j)] +=
                    f[static_cast<size_t>(i * d + l)] * r[static_cast<size_t>(l * d + j)];
    fr_team *team = nullptr;
    ASSERT_EQ(fr_team_create(2, &team, nullptr), FR_OK);
    fr_products products = fr_products_begin(true);
    EXPECT_EQ(fr_triangle_multiply(&products, team, d, f.data(), r.data(), nullptr), FR_OK);
    fr_products_end(&products);
    fr_team_free(team);
    for (size_t i = 0; i < r.size(); i++) ASSERT_NEAR(r[i], expected[i], 1e-12);
}

/* ------------------------------------------------------------------------------------ constant columns */

/* Positions beside a column of ones: they vary by 1e-3 about a value far from 0, and all of it counts. */
TEST(Condition, AConstantColumnStandsForAnIntercept) {
    for (double value : {1.0, -3.0, 1e-5}) {
        Conditioned c(200, {[](int64_t i) { return 47.6 + 1e-3 * noise(i); }, always(value),
                            [](int64_t i) { return -122.3 + 1e-3 * noise(i + 999); }});
        ASSERT_EQ(c.status, FR_OK) << c.error.message;
        EXPECT_TRUE(c.all_left_out().empty());
        c.expect_identity(1e-9);
        c.expect_same_unit(1e-9);
    }
}

/* Times in seconds since 1970 over an hour, in double: one part in 1e6 of their size. */
TEST(Condition, TimesFarFromZeroKeepTheirSpread) {
    auto hour = [](int64_t i) { return 1.7e9 + 1800 * noise(i); };
    for (bool intercept : {false, true}) {
        Columns columns = {hour, random_column(1)};
        if (!intercept) columns.push_back(always(1));
        Conditioned c(300, columns, intercept);
        EXPECT_TRUE(c.all_left_out().empty());
        c.expect_identity(1e-8);
        c.expect_same_unit(1e-8);
    }
    /* nothing constant to center by: levels of a category that add up to 1 */
    Conditioned c(300, {hour, [](int64_t i) { return double(i % 3 == 0); },
                        [](int64_t i) { return double(i % 3 == 1); }, [](int64_t i) { return double(i % 3 == 2); }});
    EXPECT_TRUE(c.all_left_out().empty());
    c.expect_identity(1e-5);
    c.expect_same_unit(1e-8);
}

/* ------------------------------------------------------------------------------------------------ rank */

/* What is new in a column is kept though it is as small as 1e-10 of it, also where two such columns are alike. */
TEST(Condition, SmallResidualsAreKept) {
    for (double size : {1e-3, 1e-5, 1e-7, 1e-9, 1e-10}) {
        auto a = random_column(1), b = random_column(2), e = random_column(3);
        Conditioned c(500, {a, [=](int64_t i) { return a(i) + size * b(i); }, random_column(4),
                            [=](int64_t i) { return a(i) + size * (b(i) + 1e-2 * e(i)); }});
        EXPECT_TRUE(c.all_left_out().empty()) << size;
        c.expect_identity(1e-4);
        c.expect_same_unit(1e-10);
    }
}

TEST(Condition, WhatIsCombinedOfOthersIsLeftOut) {
    auto a = random_column(1), b = random_column(2);
    Columns columns = {a,
                       always(0),
                       b,
                       [=](int64_t i) { return 3 * a(i) - b(i); },
                       random_column(3),
                       [=](int64_t i) { return 1e6 * (a(i) + b(i)); },
                       a};
    for (fr_precision precision : {FR_F64, FR_F32})
        for (bool intercept : {false, true}) {
            Conditioned c(400, columns, intercept, precision);
            EXPECT_EQ(c.left_out(1), FR_COLUMN_ZERO);
            for (int64_t j : {3, 5, 6}) EXPECT_EQ(c.left_out(j), FR_COLUMN_COMBINATION) << j;
            EXPECT_EQ(c.all_left_out(), (std::vector<int64_t>{1, 3, 5, 6}));
            c.expect_identity(1e-6);
            c.expect_same_unit(precision == FR_F32 ? 1e-5 : 1e-10);
        }
}

TEST(Condition, ConstantColumnsBesideAnInterceptAreLeftOut) {
    Columns columns = {always(7), random_column(1), always(2)};
    Conditioned with(100, columns, true), without(100, columns);
    EXPECT_EQ(with.all_left_out(), (std::vector<int64_t>{0, 2}));
    EXPECT_EQ(with.left_out(0), FR_COLUMN_CONSTANT);
    EXPECT_EQ(without.all_left_out(), (std::vector<int64_t>{2})); /* the first stands for the intercept */
    with.expect_same_unit(1e-12);
    without.expect_same_unit(1e-12);
}

/* A duration of minutes beside begin and end in days since 1970, all as float: rounding of the two is as large as it,
 * so that it is no combination of them. */
TEST(Condition, ASmallDifferenceOfLargeFloatsIsNoCombination) {
    auto begin = [](int64_t i) { return 19000 + 500 * noise(i); };
    auto length = [](int64_t i) { return 1e-3 * (2 + noise(i + 5000)); };
    Conditioned c(400, {begin, [=](int64_t i) { return begin(i) + length(i); }, length}, true, FR_F32);
    EXPECT_EQ(c.left_out(2), FR_COLUMN_USED);
}

TEST(Condition, DecorrelatesFromOneRowMoreThanColumns) {
    Columns columns;
    for (int64_t j = 0; j < 40; j++) columns.push_back(random_column(j));
    Conditioned enough(41, columns), few(40, columns);
    EXPECT_NE(enough.set->mix, nullptr);
    enough.expect_identity(1e-6);
    EXPECT_EQ(few.set->mix, nullptr);
}

/* ------------------------------------------------------------------------------------------ what it costs */

/* Independent columns are left as they are; a column that is the sum of all others, and so nearly uncorrelated with
 * each, is found out. */
TEST(Condition, UncorrelatedColumnsAreNotCombined) {
    const int64_t n = 30000, d = 260;
    Columns columns;
    for (int64_t j = 0; j < d; j++) columns.push_back(random_column(j));
    Conditioned independent(n, columns);
    EXPECT_TRUE(independent.set->uncorrelated);
    EXPECT_EQ(independent.set->mix, nullptr);
    columns[100] = [=](int64_t i) {
        double sum = 0;
        for (int64_t j = 0; j < d; j++) sum += j == 100 ? 0 : noise(j * 1000003 + i);
        return sum;
    };
    Conditioned dependent(n, columns);
    EXPECT_TRUE(dependent.set->uncorrelated);
    EXPECT_NE(dependent.set->mix, nullptr);
    EXPECT_EQ(dependent.all_left_out(), (std::vector<int64_t>{d - 1}));
}

/* ------------------------------------------------------------------------------------------ bits, failures */

/* Several tiles of columns, blocks of rows and workers, and a second round. */
TEST(Condition, ThreadsChangeNoBit) {
    Columns columns;
    for (int64_t j = 0; j < 140; j++) columns.push_back(random_column(j));
    columns[139] = [&](int64_t i) { return columns[0](i) + 1e-8 * columns[1](i); };
    for (fr_precision precision : {FR_F64, FR_F32}) {
        Conditioned one(2003, columns, false, precision, 3, 1);
        size_t bytes = static_cast<size_t>(one.n * one.d) * fr_precision_bytes(precision);
        ASSERT_NE(one.set->mix, nullptr);
        for (int threads : {2, 5}) {
            Conditioned many(2003, columns, false, precision, 3, threads);
            EXPECT_EQ(memcmp(one.set->rows, many.set->rows, bytes), 0) << threads;
            EXPECT_EQ(memcmp(one.set->mix, many.set->mix, sizeof(double) * 140 * 140), 0) << threads;
        }
    }
}
