/* Rows left unread (engine/cpu/idle.c): an engine that leaves rows out gives the bits of one that reads them all. */
#include <cmath>
#include <numeric>

#include "rig.h"
extern "C" {
#include "engine/cpu/parts.h"
}

using oracle::Vector;

namespace {

/* An engine at given weights. One that `learns` has seen the labels' pass, from which it knows the rows' norms; one that
 * has not reads every row. */
class Runner {
public:
    Runner(const fr_plan &plan, const fr_dataset *set, bool learns) : plan_(plan), state_(plan.features) {
        engine_ = rig::engine_for(plan_, set, 0, plan.workers, 2);
        Vector sums(static_cast<size_t>(plan.workers * plan.features));
        std::vector<fr_row_sums> scalars(static_cast<size_t>(plan.workers));
        if (learns) engine_->ops->survey(engine_, FR_PASS_LABELS, nullptr, sums.data(), scalars.data(), nullptr);
    }
    ~Runner() { fr_engine_free(engine_); }
    Runner(const Runner &) = delete;

    void load(const Vector &w) {
        state_.weights = w;
        state_.state.weights = state_.weights.data();
        engine_->ops->load(engine_, &state_.state, nullptr);
    }
    /* The partial gradients of all workers, and the rows that were read for them. */
    Vector gradient() {
        const cpu_engine *e = of(engine_);
        const lane_table *table = plan_.draws ? &e->drawn : &e->full;
        Vector values;
        engine_->ops->gradient(engine_, nullptr);
        for (int64_t i = 0; i < plan_.workers * plan_.features; i++) values.push_back(get(e, engine_->buffers.values, i));
        reads = 0;
        for (int l = 0; l < table->count; l++) reads += e->lane_reads[l];
        std::vector<double> residuals(static_cast<size_t>(engine_->config.worker_count));
        engine_->ops->probe(engine_, residuals.data(), nullptr);
        loss = std::accumulate(residuals.begin(), residuals.end(), 0.0);
        return values;
    }
    /* Sums of the gradient at w over all rows, and the loss. */
    Vector survey(const Vector &w) {
        Vector sums(static_cast<size_t>(plan_.workers * plan_.features));
        std::vector<fr_row_sums> scalars(static_cast<size_t>(plan_.workers));
        engine_->ops->survey(engine_, FR_PASS_GRADIENT, w.data(), sums.data(), scalars.data(), nullptr);
        for (const fr_row_sums &s : scalars) sums.push_back(s.residual);
        return sums;
    }
    void step() {
        fr_comm *comm = nullptr;
        ASSERT_EQ(fr_comm_local_create(&plan_, &comm, nullptr), FR_OK);
        ASSERT_EQ(fr_collective_step(engine_, comm, nullptr), FR_OK);
        fr_comm_free(comm);
    }
    float until(int64_t row) const { return of(engine_)->idle.until[row]; }
    int64_t reads = 0;
    double loss = 0;

private:
    fr_plan plan_;
    rig::State state_;
    fr_engine *engine_;
};

/* Rows and labels of a unit without noise, so that a fit comes to rest. */
oracle::Problem planted(int64_t n, int64_t d, const Vector &w) {
    oracle::Problem p = oracle::random_problem(n, d, 21);
    for (int64_t i = 0; i < n; i++)
        p.y[static_cast<size_t>(i)] = std::fmax(0.0, oracle::dot(w.data(), p.row(i), d));
    return p;
}

Vector random_vector(int64_t d, uint64_t seed) {
    oracle::Random random(seed);
    Vector w(static_cast<size_t>(d));
    for (double &x : w) x = static_cast<float>(random.normal());
    return w;
}

} // namespace

TEST(IdleRows, AWholeFitHasTheBitsOfOneThatReadsAll) {
    Vector w = random_vector(100, 3);
    oracle::Problem p = planted(1200, 100, w);
    for (fr_precision precision : {FR_F64, FR_F32})
        for (int64_t batch : {0, 300})
            for (int levels : {0, 15}) {
                fr_dataset *set = rig::dataset_of(p, precision);
                fr_plan plan = rig::plan_for(p, 3, batch, levels, FR_SCALE_MAX, FR_COLLECTIVE_ALLREDUCE, precision);
                plan.steps.eta = 0.3;
                Runner learns(plan, set, true), reads(plan, set, false);
                learns.load(Vector(100, 0.01)), reads.load(Vector(100, 0.01));
                for (int t = 0; t < 150; t++) {
                    ASSERT_EQ(learns.gradient(), reads.gradient()) << "step " << t;
                    ASSERT_NEAR(learns.loss, reads.loss, 1e-12 * reads.loss);
                    learns.step(), reads.step();
                }
                int64_t rows = batch ? batch : 1200;
                EXPECT_EQ(reads.reads, rows);
                EXPECT_LT(learns.reads, rows * 6 / 10) << "half of the rows are idle at the end";
                EXPECT_GT(learns.reads, rows * 4 / 10);
                fr_dataset_free(set);
            }
}

/* The weights go just as far along a row as its margin allows, and a little less and more, where rounding decides. */
TEST(IdleRows, ARowThatAwakesIsRead) {
    const int64_t d = 80;
    Vector w = random_vector(d, 5);
    oracle::Problem p = planted(60, d, w);
    for (fr_precision precision : {FR_F64, FR_F32}) {
        fr_dataset *set = rig::dataset_of(p, precision);
        fr_plan plan = rig::plan_for(p, 1, 0, 0, FR_SCALE_L2, FR_COLLECTIVE_ALLREDUCE, precision);
        int skipped = 0;
        for (int64_t i = 0; i < p.n; i++)
            for (double far : {0.5, 0.999, 1 - 1e-6, 1 - 1e-7, 1 - 1e-12, 1.0, 1 + 1e-12, 1 + 1e-7, 1 + 1e-6, 1.001, 3.0}) {
                Runner learns(plan, set, true), reads(plan, set, false);
                Vector moved = w;
                double product = oracle::dot(w.data(), p.row(i), d), square = oracle::dot(p.row(i), p.row(i), d);
                for (int64_t j = 0; j < d; j++) moved[static_cast<size_t>(j)] -= far * product / square * p.row(i)[j];
                learns.load(w), reads.load(w);
                EXPECT_EQ(learns.gradient(), reads.gradient());
                learns.load(moved), reads.load(moved);
                EXPECT_EQ(learns.gradient(), reads.gradient()) << "row " << i << " by " << far;
                skipped += learns.reads < p.n;
            }
        EXPECT_GT(skipped, 0);
        fr_dataset_free(set);
    }
}

/* What a row is known for is its margin less the rounding of two products of d = 2000 floats in 16 lanes. */
TEST(IdleRows, RoundingIsTakenOffTheMargin) {
    const int64_t d = 2000;
    Vector w = random_vector(d, 6);
    oracle::Problem p = planted(100, d, w);
    fr_dataset *set = rig::dataset_of(p, FR_F32);
    fr_plan plan = rig::plan_for(p, 1, 0, 0, FR_SCALE_L2, FR_COLLECTIVE_ALLREDUCE, FR_F32);
    Runner learns(plan, set, true);
    learns.load(w);
    learns.gradient();
    double rounding = 2 * (2000.0 / 16 + 64) * std::pow(2.0, -24) * std::sqrt(oracle::dot(w.data(), w.data(), d));
    double way = std::sqrt(oracle::dot(w.data(), w.data(), d)); /* the engine's weights came from zero */
    for (int64_t i = 0; i < p.n; i++) {
        double margin = -oracle::dot(w.data(), p.row(i), d) / std::sqrt(oracle::dot(p.row(i), p.row(i), d));
        double left = static_cast<double>(learns.until(i)) - way;
        EXPECT_LT(left, std::fmax(-way, margin - rounding) + 1e-9 * way) << i;
        if (margin > 0.1) EXPECT_GT(left, margin - 2 * rounding - 1e-5 * way) << i;
    }
    fr_dataset_free(set);
}

/* A survey takes gradients at weights of its own: it reads every row, and what is known of rows stays what it was. */
TEST(IdleRows, ASurveyInBetweenChangesNothing) {
    const int64_t d = 90;
    Vector w = random_vector(d, 8), other = random_vector(d, 9);
    oracle::Problem p = planted(200, d, w);
    fr_dataset *set = rig::dataset_of(p, FR_F64);
    fr_plan plan = rig::plan_for(p, 2, 0, 0, FR_SCALE_L2, FR_COLLECTIVE_ALLREDUCE, FR_F64);
    Runner learns(plan, set, true), reads(plan, set, false);
    Vector near = w;
    for (double &x : near) x *= 1 + 1e-4;
    for (double sign : {1.0, -1.0}) { /* at the opposite of the weights every row that was idle is active */
        Vector elsewhere = other;
        for (size_t j = 0; j < w.size(); j++) elsewhere[j] = sign < 0 ? -w[j] : other[j];
        for (const Vector &at : {w, near, w}) {
            learns.load(at), reads.load(at);
            EXPECT_EQ(learns.gradient(), reads.gradient());
            EXPECT_EQ(learns.survey(elsewhere), reads.survey(elsewhere));
        }
    }
    learns.load(near);
    learns.gradient();
    EXPECT_LT(learns.reads, 150);
    fr_dataset_free(set);
}

/* Lengths beyond the range of a float, which is what is kept a row, say nothing. */
TEST(IdleRows, NothingIsConcludedFromOverflow) {
    const int64_t d = 64;
    Vector w = random_vector(d, 10), far = w;
    oracle::Problem p = planted(60, d, w);
    for (double &x : far) x *= 1e40;
    fr_dataset *set = rig::dataset_of(p, FR_F64);
    fr_plan plan = rig::plan_for(p, 1, 0, 0, FR_SCALE_L2, FR_COLLECTIVE_ALLREDUCE, FR_F64);
    Runner learns(plan, set, true), reads(plan, set, false);
    Vector back = w;
    for (double &x : back) x = -x;
    for (const Vector &at : {w, far, back, w, back}) {
        learns.load(at), reads.load(at);
        EXPECT_EQ(learns.gradient(), reads.gradient());
    }
    fr_dataset_free(set);
}

/* Products so small that they vanish in the rows' type, and weights that are no numbers, prove nothing. */
TEST(IdleRows, NothingIsConcludedFromUnderflowOrNaN) {
    const int64_t d = 64;
    oracle::Problem p = planted(40, d, Vector(64, 1.0));
    fr_dataset *set = rig::dataset_of(p, FR_F32);
    fr_plan plan = rig::plan_for(p, 1, 0, 0, FR_SCALE_L2, FR_COLLECTIVE_ALLREDUCE, FR_F32);
    Runner learns(plan, set, true);
    learns.load(Vector(64, 1e-38));
    learns.gradient();
    learns.load(Vector(64, 1.0001e-38));
    learns.gradient();
    EXPECT_EQ(learns.reads, 40);
    learns.load(Vector(64, 1.0));
    learns.gradient();
    learns.load(Vector(64, NAN));
    learns.gradient();
    EXPECT_EQ(learns.reads, 40);
    learns.load(Vector(64, 1.0));
    learns.gradient();
    EXPECT_EQ(learns.reads, 40);
    fr_dataset_free(set);
}
