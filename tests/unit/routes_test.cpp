/* Who sends to whom: trees reach every rank once, and all know what belongs to which rank, however many there are. */
#include <gtest/gtest.h>

#include <vector>

extern "C" {
#include "exchange/comm.h"
#include "ranks/routes.h"
}

TEST(Routes, TheBinomialTreeReachesEveryRankOnce) {
    EXPECT_EQ(fr_binomial_children(8, 0), 3);
    EXPECT_EQ(fr_binomial_children(8, 4), 2);
    EXPECT_EQ(fr_binomial_children(6, 4), 1);
    EXPECT_EQ(fr_binomial_children(8, 7), 0);
    for (int ranks : {1, 2, 3, 7, 8, 9, 100, 4097}) {
        int below = 0;
        for (int r = 0; r < ranks; r++) below += fr_binomial_children(ranks, r);
        EXPECT_EQ(below, ranks - 1);
    }
}

TEST(Routes, TheTreeOfMaximaReachesEveryRankOnce) {
    for (int ranks : {1, 2, 8, 9, 10, 73, 74, 5000}) {
        int below = 0;
        for (int r = 0; r < ranks; r++) {
            int first = fr_tree_first_child(r), count = fr_tree_children(ranks, r);
            for (int c = first; c < first + count; c++) EXPECT_EQ(fr_tree_parent(c), r);
            if (count > 0) EXPECT_LE(first + count, ranks);
            below += count;
        }
        EXPECT_EQ(below, ranks - 1);
    }
}

/* Within their limits these ways were measured to be faster than MPI's. */
TEST(Routes, ShortMessagesGoInFewMessages) {
    EXPECT_TRUE(fr_gather_doubles(512));
    EXPECT_FALSE(fr_gather_doubles(513));
    EXPECT_TRUE(fr_all_to_all_uses_bruck(9, 128));
    EXPECT_FALSE(fr_all_to_all_uses_bruck(8, 128));
    EXPECT_FALSE(fr_all_to_all_uses_bruck(9, 129));
    EXPECT_TRUE(fr_sum_is_mpis(9, 0));
    EXPECT_FALSE(fr_sum_is_mpis(8, 0));
    EXPECT_TRUE(fr_broadcast_uses_chunks(3, 4097));
    EXPECT_FALSE(fr_broadcast_uses_chunks(3, 4096));
    EXPECT_TRUE(fr_slices_use_leaders(9, 256, 127));
    EXPECT_FALSE(fr_slices_use_leaders(9, 256, 128));
    EXPECT_FALSE(fr_slices_use_leaders(9, 257, 127));
    EXPECT_FALSE(fr_slices_use_leaders(8, 8, 1));
}

/* No number of ranks is too large: lists are as long as there are ranks. */
TEST(Routes, CountsOfFiveThousandRanksAddUp) {
    const int ranks = 5000;
    fr_plan plan = {};
    plan.features = 12345, plan.workers = 2 * ranks, plan.collective = FR_COLLECTIVE_TWO_PHASE;
    for (int rank : {0, 1234, ranks - 1}) {
        fr_comm_ops ops = {};
        fr_comm comm = {};
        int64_t workers = 0, vectors = 0, columns = 0, outgoing = 0, incoming = 0;
        ASSERT_EQ(fr_comm_begin(&comm, &ops, rank, ranks, &plan, nullptr), FR_OK);
        for (int r = 0; r < ranks; r++) {
            workers += comm.counts.workers[r], vectors += comm.counts.vectors[r], columns += comm.counts.columns[r];
            outgoing += comm.counts.outgoing[r], incoming += comm.counts.incoming[r];
        }
        EXPECT_EQ(workers, plan.workers);
        EXPECT_EQ(vectors, plan.workers * plan.features);
        EXPECT_EQ(columns, plan.features);
        EXPECT_EQ(outgoing, 2 * plan.features);
        EXPECT_EQ(incoming, plan.workers * comm.counts.columns[rank]);
        fr_comm_end(&comm);
    }
}
