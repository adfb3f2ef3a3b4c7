/* The model's change on its way back from the master, in levels: the replica that gradients are taken at follows the
 * model, with no mean error, and what a rounding leaves over is not lost. */
#include <algorithm>
#include <cmath>

#include "rig.h"

using oracle::Vector;

namespace {

struct Course {
    Vector weights, replica;
    std::vector<double> gap, stride; /* ||w - v|| after each step, and ||w_{t+1} - w_t|| */
};

double distance(const Vector &a, const Vector &b) {
    double sum = 0;
    for (size_t j = 0; j < a.size(); j++) sum += (a[j] - b[j]) * (a[j] - b[j]);
    return std::sqrt(sum);
}

Course run_master(const oracle::Problem &p, int model_levels, uint64_t seed, int steps) {
    fr_dataset *set = rig::dataset_of(p, FR_F64);
    fr_plan plan = rig::plan_for(p, 4, 0, 0, FR_SCALE_L2, FR_COLLECTIVE_MASTER);
    plan.model_levels = model_levels, plan.seed = seed, plan.steps.eta = 0.3;
    fr_engine *engine = rig::engine_for(plan, set, 0, 4);
    fr_comm *comm = nullptr;
    EXPECT_EQ(fr_comm_local_create(&comm, nullptr), FR_OK);
    rig::State state(p.d);
    Vector replica(static_cast<size_t>(p.d), 0.0), before(replica);
    if (model_levels) state.state.replica = replica.data();
    Course run;
    engine->ops->load(engine, &state.state, nullptr);
    for (int t = 0; t < steps; t++) {
        engine->ops->gradient(engine, nullptr);
        EXPECT_EQ(fr_collective_step(engine, comm, nullptr), FR_OK);
        engine->ops->store(engine, &state.state, nullptr);
        run.gap.push_back(distance(state.weights, replica));
        run.stride.push_back(distance(state.weights, before));
        before = state.weights;
    }
    run.weights = state.weights, run.replica = replica;
    fr_comm_free(comm);
    fr_engine_free(engine);
    fr_dataset_free(set);
    return run;
}

}  // namespace

/* q of the max scale is at most d / (4 s^2): E||e||^2 <= q ||u + e||^2, so ||e|| <= sqrt(q) / (1 - sqrt(q)) times the
 * largest of the steps that an error can still stem from. Here q = 60 / (4 31^2) = 1 / 64. */
TEST(ModelChange, TheReplicaStaysWithinTheBoundAndConverges) {
    oracle::Problem p = oracle::random_problem(600, 60, 3);
    for (int64_t i = 0; i < p.n; i++) { /* labels of w* = (1, ..., 1) */
        double sum = 0;
        for (int64_t j = 0; j < p.d; j++) sum += p.x[static_cast<size_t>(i * p.d + j)];
        p.y[static_cast<size_t>(i)] = std::max(0.0, sum);
    }
    const double root = std::sqrt(60.0) / 62;
    Course run = run_master(p, 31, 7, 200);
    for (size_t t = 0; t < run.gap.size(); t++) {
        double largest = 0;
        for (size_t i = t < 10 ? 0 : t - 10; i <= t; i++) largest = std::max(largest, run.stride[i]);
        EXPECT_LE(run.gap[t], 1.5 * root / (1 - root) * largest) << t;
    }
    EXPECT_LT(run.gap.back(), 1e-6 * *std::max_element(run.gap.begin(), run.gap.end()));
    EXPECT_LT(oracle::relative(run.weights, Vector(60, 1.0)), 1e-6);
}

/* The mean over seeds of the replica after one step is the model after that step. */
TEST(ModelChange, TheChangeIsUnbiased) {
    oracle::Problem p = oracle::random_problem(200, 12, 5);
    const int seeds = 4000;
    Vector mean(12, 0.0), model = run_master(p, 1, 1, 1).weights;
    double scale = 0;
    for (int s = 0; s < seeds; s++) {
        Course run = run_master(p, 1, static_cast<uint64_t>(s + 1), 1);
        for (size_t j = 0; j < 12; j++) mean[j] += run.replica[j] / seeds;
    }
    for (double w : model) scale = std::max(scale, std::fabs(w));
    for (size_t j = 0; j < 12; j++) /* variance of one: at most scale^2 / 4 */
        EXPECT_NEAR(mean[j], model[j], 5 * scale / 2 / std::sqrt(static_cast<double>(seeds))) << j;
}
