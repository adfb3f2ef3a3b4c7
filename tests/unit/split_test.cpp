/*
 * split_test.cpp - things divided into groups: groups follow each other without a gap, are as equal as possible, and
 * what plans give to ranks (workers, rows, columns) is made of them.
 */
#include <gtest/gtest.h>

extern "C" {
#include "plan/plan.h"
}

namespace {

TEST(Split, GroupsLieSideBySideAndDifferByOneAtMost) {
    for (int64_t n : {0, 1, 5, 6, 7, 64, 1000003})
        for (int64_t groups : {1, 2, 3, 7, 64}) {
            int64_t next = 0;
            for (int64_t k = 0; k < groups; k++) {
                fr_range group = fr_split(n, groups, k);
                EXPECT_EQ(group.first, next);
                EXPECT_EQ(group.first, fr_split_start(n, groups, k));
                EXPECT_EQ(group.count, n / groups + (k < n % groups)) << n << " by " << groups;
                next += group.count;
            }
            EXPECT_EQ(next, n);
        }
}

TEST(Split, EveryThingKnowsItsGroup) {
    for (int64_t n : {1, 5, 6, 7, 64, 1003})
        for (int64_t groups : {1, 2, 3, 7, 64})
            for (int64_t k = 0; k < groups; k++) {
                fr_range group = fr_split(n, groups, k);
                for (int64_t j = group.first; j < group.first + group.count; j++)
                    EXPECT_EQ(fr_split_group_of(n, groups, j), k) << j << " of " << n << " by " << groups;
            }
}

TEST(Split, RanksSideBySideHoldWhatEachOfThemHolds) {
    for (bool master : {false, true}) {
        fr_plan plan = {};
        plan.workers = 12, plan.samples = 101, plan.features = 35, plan.dedicated_master = master;
        const int ranks = master ? 5 : 4;
        fr_range all = fr_workers_of_ranks(&plan, ranks, {1, 3}), next = {all.first, 0};
        for (int r = 1; r <= 3; r++) {
            fr_range one = fr_workers_of_rank(&plan, ranks, r);
            EXPECT_EQ(one.first, next.first + next.count);
            EXPECT_EQ(one.count, 3);
            next = one;
        }
        EXPECT_EQ(all.count, 9);
        EXPECT_EQ(fr_workers_of_rank(&plan, ranks, 0).count, master ? 0 : 3);
        EXPECT_EQ(fr_rows_of_workers(&plan, all).first, fr_split_start(101, 12, all.first));
        EXPECT_EQ(fr_rows_of_workers(&plan, {0, 12}).count, 101);
        EXPECT_EQ(fr_slice_of_workers(&plan, all).first, fr_split_start(35, 12, all.first));
        EXPECT_EQ(fr_slice_of_workers(&plan, {0, 12}).count, 35);
    }
}

} // namespace
