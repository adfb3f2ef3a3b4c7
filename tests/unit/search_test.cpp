/*
 * Fits of data of one's own: several starts, the stopping rule, never worse than what was seen, dead units.
 *
 * Problems are made here, small and of the kinds that go wrong: all rows active, zero-inflated labels, even functions, rare
 * columns, heavy tails, constants beside columns far away. What a fit must reach is found by this file's own starts.
 */
#include <algorithm>
#include <cmath>
#include <functional>

#include "fit_problem.h"

using oracle::fit;
using oracle::Fitted;
using oracle::Problem;
using oracle::Random;
using oracle::Vector;

namespace {

double active_share(const Problem &p, const Vector &w) {
    double active = 0;
    for (int64_t i = 0; i < p.n; i++) active += oracle::dot(w.data(), p.row(i), p.d) > 0;
    return active / static_cast<double>(p.n);
}

Problem make(int64_t n, int64_t d, const std::function<void(int64_t, double *, double *)> &row) {
    Problem p;
    p.n = n, p.d = d;
    p.x.resize(static_cast<size_t>(n * d));
    p.y.resize(static_cast<size_t>(n));
    for (int64_t i = 0; i < n; i++) row(i, p.x.data() + i * d, &p.y[static_cast<size_t>(i)]);
    return p;
}

/* The loss after plain descent by full gradients from w, in the columns as they are, with a step by the trace. */
double descend(const Problem &p, Vector w) {
    double trace = 0, best = oracle::loss(p, w);
    std::vector<int64_t> rows(static_cast<size_t>(p.n));
    for (size_t i = 0; i < rows.size(); i++) rows[i] = static_cast<int64_t>(i);
    for (double x : p.x) trace += x * x / static_cast<double>(p.n);
    for (int step = 0; step < 300; step++) {
        Vector g = oracle::gradient(p, w, rows);
        for (size_t j = 0; j < w.size(); j++) w[j] -= 0.5 / trace * g[j];
        best = std::min(best, oracle::loss(p, w));
    }
    return best;
}

/* The lowest loss of zero and of steps along sum y x; and of what descent makes of them. */
double seen(const Problem &p, double *descended) {
    Vector zero(static_cast<size_t>(p.d)), step = zero;
    double trace = 0, best = oracle::loss(p, zero);
    for (double x : p.x) trace += x * x;
    for (int64_t i = 0; i < p.n; i++)
        for (int64_t j = 0; j < p.d; j++) step[static_cast<size_t>(j)] += p.y[static_cast<size_t>(i)] * p.row(i)[j];
    for (double size = 8; size > 1e-3; size /= 2) {
        Vector w = step;
        for (double &x : w) x *= size / trace;
        best = std::min(best, oracle::loss(p, w));
        if (size == 1 || size == 0.25) *descended = std::min(*descended, descend(p, w));
    }
    return best;
}

}  // namespace

TEST(Search, IsNeverWorseThanAnyStartAndNeverDeadWithSuccess) {
    for (uint64_t seed = 1; seed <= 120; seed++) {
        Random r(seed);
        int64_t d = 1 + static_cast<int64_t>(r.uniform() * 6), n = 10 + static_cast<int64_t>(r.uniform() * 60);
        int kind = static_cast<int>(seed % 6);
        Vector w(static_cast<size_t>(d));
        for (double &x : w) x = r.normal();
        Problem p = make(n, d, [&](int64_t i, double *x, double *y) {
            double z = 0;
            for (int64_t j = 0; j < d; j++) {
                x[j] = r.normal();
                if (kind == 1) x[j] = x[j] / std::sqrt(r.uniform() + 1e-3);     /* heavy tails */
                if (kind == 2 && j == 0) x[j] = i % 17 == 3;                     /* a rare column */
                if (kind == 3 && j > 0) x[j] = x[0] * (1 + static_cast<double>(j)) + 1e-3 * x[j]; /* collinear */
                if (kind == 5) x[j] = 3 + 0.3 * x[j];                            /* every row active, or none */
                z += w[static_cast<size_t>(j)] * x[j];
            }
            *y = std::fmax(0, z) + 0.3 * r.normal();
            if (kind == 4) *y = i == 0 ? 5 : -0.5; /* constant but one */
        });
        if (!std::any_of(p.y.begin(), p.y.end(), [](double y) { return y > 0; })) continue;
        double descended = INFINITY, best = seen(p, &descended);
        Fitted got = fit(p);
        ASSERT_EQ(got.status, FR_OK) << seed;
        EXPECT_EQ(got.result.outcome, FR_ITERATIONS) << seed;
        double loss = oracle::loss(p, got.weights);
        EXPECT_LE(loss, best * (1 + 1e-9) + 1e-12) << "kind " << kind << " seed " << seed;
        EXPECT_LE(loss, descended * (1 + 1e-3) + 1e-12) << "kind " << kind << " seed " << seed;
        EXPECT_NEAR(loss, got.result.loss, 1e-6 * loss + 1e-12) << seed;
    }
}

/* y = x^2: the gradient at zero vanishes, and w = 0 is a saddle. */
TEST(Search, LeavesTheSaddleAtZero) {
    Problem p = make(5, 1, [](int64_t i, double *x, double *y) { *x = static_cast<double>(i - 2), *y = *x * *x; });
    EXPECT_NEAR(fit(p).result.loss, 3.56, 1e-9);
    Fitted exact = fit(p, [](fr_options *o) { o->tolerance = 1e-6; });
    EXPECT_EQ(exact.result.outcome, FR_TOLERANCE);
    EXPECT_NEAR(exact.result.loss, 3.56, 1e-9);
}

TEST(Search, ManyZerosAreNoReasonToDie) {
    for (uint64_t seed = 1; seed <= 20; seed++) {
        Random r(seed);
        Problem p = make(200, 1, [&](int64_t, double *x, double *y) {
            *x = 1 + r.uniform();
            *y = r.uniform() < 0.85 ? 0 : 3 + 6 * r.uniform();
        });
        Fitted got = fit(p);
        EXPECT_EQ(got.result.outcome, FR_ITERATIONS);
        EXPECT_GT(active_share(p, got.weights), 0.9) << seed;
        double xx = 0, xy = 0;
        for (size_t i = 0; i < p.y.size(); i++) xx += p.x[i] * p.x[i], xy += p.x[i] * p.y[i];
        EXPECT_LE(got.result.loss, oracle::loss(p, {xy / xx}) * (1 + 1e-6)) << seed;
    }
}

/* Drawn rows with a step that is safe when every row is active do not hover up to the edge: the mean over the last quarter
 * ends close to least squares. */
TEST(Search, DrawnRowsAreSafeWhereEveryRowIsActive) {
    Random r(4);
    Problem p = make(600, 3, [&](int64_t, double *x, double *y) {
        x[0] = 1, x[1] = 2 + 0.2 * r.normal(), x[2] = 5 + 0.1 * r.normal();
        *y = 10 + x[1] + x[2] + 2 * r.normal();
    });
    double full = fit(p).result.loss;
    Fitted drawn = fit(p, [](fr_options *o) { o->batch = 60; });
    EXPECT_EQ(drawn.result.outcome, FR_ITERATIONS);
    EXPECT_LE(drawn.result.loss, 1.01 * full);
}

/* Labels that are mostly negative fit best with no row active: a result, not a failure. */
TEST(Search, ZeroCanBeTheBest) {
    Problem p = make(40, 1, [](int64_t i, double *x, double *y) { *x = 1 + 0.01 * static_cast<double>(i), *y = i == 7 ? 0.1 : -5; });
    Fitted got = fit(p);
    EXPECT_EQ(got.result.outcome, FR_ITERATIONS);
    EXPECT_EQ(got.result.active, 0);
}

TEST(Search, ADeadUnitIsAFailure) {
    Problem p = make(40, 2, [](int64_t i, double *x, double *y) {
        x[0] = 1, x[1] = 0.1 * static_cast<double>(i);
        *y = 2 + x[1];
    });
    const double dead[] = {-5, -1};
    Fitted got = fit(p, [&](fr_options *o) {
        o->init = FR_INIT_GIVEN, o->init_weights = dead;
        o->batch = 20, o->iterations = 50; /* no full batches that would look for a way out */
    });
    EXPECT_EQ(got.result.outcome, FR_DEAD);
    Fitted revived = fit(p, [&](fr_options *o) { o->init = FR_INIT_GIVEN, o->init_weights = dead; });
    EXPECT_EQ(revived.result.outcome, FR_ITERATIONS);
    EXPECT_LT(revived.result.loss, 1e-6);
}

/* A rare column all of whose rows are inactive at the start: their gradient is 0, and yet the fit finds them. */
TEST(Search, ARareColumnIsRevived) {
    Random r(9);
    Problem p = make(300, 3, [&](int64_t i, double *x, double *y) {
        x[0] = 1, x[1] = r.normal(), x[2] = i % 60 == 0;
        *y = std::fmax(0, 1 + x[1] + 4 * x[2]);
    });
    const double start[] = {1, 1, -40};
    Fitted got = fit(p, [&](fr_options *o) { o->init = FR_INIT_GIVEN, o->init_weights = start; });
    EXPECT_LT(got.result.loss, 1e-6);
}

TEST(Search, TheStoppingRuleEndsAndSaysSo) {
    Problem p = oracle::random_problem(300, 5, 3);
    Fitted got = fit(p);
    EXPECT_TRUE(got.result.converged);
    EXPECT_GE(got.result.runs, 3);
    EXPECT_LT(got.result.iterations, 3000);
    Fitted fixed = fit(p, [](fr_options *o) { o->iterations = 17; });
    EXPECT_FALSE(fixed.result.converged);
    EXPECT_EQ(fixed.result.iterations, 17);
}

TEST(Search, QuantizedFitsFindTheSameLoss) {
    Problem p = oracle::random_problem(400, 6, 5);
    double plain = fit(p).result.loss;
    for (fr_collective c : {FR_COLLECTIVE_ALLREDUCE, FR_COLLECTIVE_ALLGATHER, FR_COLLECTIVE_TWO_PHASE}) {
        Fitted got = fit(p, [&](fr_options *o) { o->workers = 4, o->levels = 15, o->collective = c; });
        EXPECT_LE(got.result.loss, 1.01 * plain) << fr_collective_name(c);
    }
}

/* ------------------------------------------------------------------------------- weights that are no numbers */

TEST(Overflow, AStartThatIsBeyondAllHasDiverged) {
    Problem p = oracle::random_problem(60, 4, 2);
    const double far[] = {1e200, 1e200, 1e200, 1e200};
    Fitted got = fit(p, [&](fr_options *o) {
        o->init = FR_INIT_GIVEN, o->init_weights = far, o->iterations = 5, o->step_rule = FR_STEP_NUMBER, o->step_size = 1e-3;
    });
    EXPECT_EQ(got.result.outcome, FR_DIVERGED);
    EXPECT_EQ(got.result.iterations, 0);
}

TEST(Overflow, AHugeStepIsNoSuccess) {
    Problem p = oracle::random_problem(60, 4, 2);
    for (double eta : {1e30, 1e308})
        for (int workers : {1, 3}) {
            Fitted got = fit(p, [&](fr_options *o) {
                o->init = FR_INIT_RANDOM, o->iterations = 40, o->step_rule = FR_STEP_NUMBER, o->step_size = eta;
                o->workers = workers;
            });
            EXPECT_EQ(got.result.outcome, FR_DIVERGED) << eta;
            EXPECT_LT(got.result.iterations, 40) << eta;
        }
}
