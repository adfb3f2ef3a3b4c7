/* Step sizes, rates and iteration counts by hand-worked values. */
#include <gtest/gtest.h>

#include <cmath>

#include "fitrelu.h"
extern "C" {
#include "plan/plan.h"
}

TEST(Theory, ConstantsByHand) {
    /* 9 * 1000 / 800 + 25 / 16 = 11.25 + 1.5625 */
    EXPECT_DOUBLE_EQ(fr_theory_constant(1000, 800, 0), 12.8125);
    EXPECT_DOUBLE_EQ(fr_theory_step_size(1000, 800, 0), 3 / (4 * 12.8125));
    EXPECT_DOUBLE_EQ(fr_theory_rate(1000, 800, 0), 1 - 9 / (16 * 12.8125));
    /* s = 10: min(1000 / 100, sqrt(1000) / 10) = 3.16227766 */
    EXPECT_NEAR(fr_theory_lemma_variance(1000, 10), 3.1622776601683795, 1e-15);
    /* s = 127: 1000 / 16129 = 0.0620001 */
    EXPECT_NEAR(fr_theory_lemma_variance(1000, 127), 0.062000124, 1e-9);
    EXPECT_NEAR(fr_theory_constant(1000, 800, 127), 1.062000124 * 12.8125 + 1.5625, 1e-8);
    EXPECT_NEAR(fr_theory_rate(1000, 800, 127), 1 - 9 / (16 * (1.062000124 * 12.8125 + 1.5625)), 1e-9);
}

TEST(Theory, IterationsByHand) {
    /* (log(2 / 0.01) + log(1 / 0.1)) / 0.05 = (5.298317 + 2.302585) / 0.05 */
    EXPECT_NEAR(fr_theory_iterations(0.95, 0.01, 0.1), 152.018048, 1e-5);
}

TEST(Theory, SectionFourIsHalved) {
    EXPECT_DOUBLE_EQ(fr_experiment_step_size(1000, 800, 0), 0.4);
    EXPECT_DOUBLE_EQ(fr_experiment_step_size(1000, 800, 127), 800.0 * 7 / 18000);
    EXPECT_DOUBLE_EQ(fr_experiment_step_size(1000, 800, 7), 800.0 * 3 / 18000);
}

TEST(Theory, LocalRateByHand) { /* 1 - 0.8 + 0.16 (1 + 2003 / 800) */
    EXPECT_DOUBLE_EQ(fr_local_rate(1000, 800, 0.4), 1 - 0.8 + 0.16 * (1 + 2003.0 / 800));
}

static fr_plan plan_of(int64_t d, int64_t m, int workers, int levels, fr_scale scale, fr_collective collective) {
    fr_plan plan = {};
    plan.features = d, plan.batch = m, plan.draws = m / workers, plan.workers = workers;
    plan.levels = levels, plan.scale = scale, plan.collective = collective;
    return plan;
}

TEST(Theory, AutomaticStepByHand) {
    /* lambda 1.5, trace 1000, m 800: 1 / (1.5 + 2.5) */
    fr_plan sgd = plan_of(1000, 800, 4, 0, FR_SCALE_L2, FR_COLLECTIVE_ALLREDUCE);
    EXPECT_DOUBLE_EQ(fr_auto_step_size(&sgd, 1.5, 1000), 0.25);
    /* s = 10, l2: q = min(1000 / 400, 3.16) = 2.5: 1 / (1.5 (1 + 2.5 / 4) + 2.5 * 3.5) */
    fr_plan qsgd = plan_of(1000, 800, 4, 10, FR_SCALE_L2, FR_COLLECTIVE_ALLGATHER);
    EXPECT_DOUBLE_EQ(fr_auto_step_size(&qsgd, 1.5, 1000), 1 / (1.5 * 1.625 + 8.75));
    /* two-phase: slices of 250 columns, q2 = min(250 / 400, 1.58) = 0.625 */
    qsgd.collective = FR_COLLECTIVE_TWO_PHASE;
    EXPECT_DOUBLE_EQ(fr_auto_step_size(&qsgd, 1.5, 1000), 1 / ((1.5 * 1.625 + 8.75) * 1.625));
    /* max: ln(1000) / 200 */
    EXPECT_DOUBLE_EQ(fr_relative_variance(1000, 10, FR_SCALE_MAX), std::log(1000.0) / 200);
    sgd.draws = 0;
    EXPECT_DOUBLE_EQ(fr_auto_step_size(&sgd, 1.5, 1000), 1 / (1.25 * 1.5));
}

TEST(Theory, ScheduleHoldsThenFallsToZero) {
    fr_step_plan steps = {0.5, 100, 1};
    EXPECT_DOUBLE_EQ(fr_step_at(steps, 0), 0.5);
    EXPECT_DOUBLE_EQ(fr_step_at(steps, 50), 0.5);
    EXPECT_DOUBLE_EQ(fr_step_at(steps, 75), 0.25);
    EXPECT_DOUBLE_EQ(fr_step_at(steps, 99), 0.01);
    steps.decays = 0;
    EXPECT_DOUBLE_EQ(fr_step_at(steps, 99), 0.5);
}
