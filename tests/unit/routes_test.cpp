/* Who sends to whom: trees reach every rank once, and all know what belongs to which rank, however many there are. */
#include <gtest/gtest.h>

#include <vector>

extern "C" {
#include "exchange/comm.h"
#include "ranks/routes.h"
}

TEST(Routes, TheBinomialTreeReachesEveryRankOnceFromItsParent) {
    for (int ranks : {1, 2, 3, 7, 8, 9, 100, 4097}) {
        std::vector<int> parent(static_cast<size_t>(ranks), -1);
        for (int r = 0; r < ranks; r++) {
            int children[FR_BINOMIAL_MOST], count = fr_binomial_children(ranks, r, children);
            EXPECT_EQ(fr_binomial_children(ranks, r, nullptr), count);
            for (int c = 0; c < count; c++) {
                ASSERT_LT(children[c], ranks);
                EXPECT_EQ(parent[static_cast<size_t>(children[c])], -1);
                EXPECT_EQ(fr_binomial_parent(children[c]), r);
                parent[static_cast<size_t>(children[c])] = r;
                if (c > 0) EXPECT_LT(children[c], children[c - 1]) << "farthest first";
            }
        }
        for (int r = 1; r < ranks; r++) EXPECT_NE(parent[static_cast<size_t>(r)], -1) << r << " of " << ranks;
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

/* Elias' codes vary in length, so they cannot be filled up; long messages, and those of few ranks, go directly. */
TEST(Routes, ShortMessagesOfManyRanksGoByBruck) {
    EXPECT_TRUE(fr_sum_uses_bruck(9, 1024));
    EXPECT_FALSE(fr_sum_uses_bruck(8, 1024));
    EXPECT_FALSE(fr_sum_uses_bruck(9, 1025));
    EXPECT_TRUE(fr_levels_use_bruck(9, FR_WIRE_PACKED, 1024));
    EXPECT_FALSE(fr_levels_use_bruck(9, FR_WIRE_ELIAS, 8));
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
