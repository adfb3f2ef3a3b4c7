/* The bytes of a step against values worked out by hand, one case of each collective. */
#include <gtest/gtest.h>

extern "C" {
#include "exchange/traffic.h"
}

namespace {

/* d = 10, K = 6 over R = 3 ranks. */
fr_plan plan_of(fr_collective collective, int levels, fr_wire wire, fr_precision precision) {
    fr_plan plan{};
    plan.features = 10, plan.workers = 6, plan.collective = collective;
    plan.levels = levels, plan.wire = wire, plan.precision = precision;
    return plan;
}

void expect(const fr_plan &plan, int rank, double sent, double received) {
    fr_traffic traffic = fr_traffic_of(&plan, 3, rank);
    EXPECT_EQ(traffic.sent, sent) << "rank " << rank;
    EXPECT_EQ(traffic.received, received) << "rank " << rank;
}

} // namespace

/* Columns 10 over 3 ranks are 4, 3 and 3, filled up to 4. Norms: two float64, 16. Slices: two of 4 to others, and own 4 to
 * two. */
TEST(Traffic, AllreduceByHand) {
    fr_plan plan = plan_of(FR_COLLECTIVE_ALLREDUCE, 10, FR_WIRE_INT8, FR_F64);
    for (int r = 0; r < 3; r++) expect(plan, r, 16 + 8 + 8, 16 + 8 + 8);
    EXPECT_EQ(fr_traffic_mean(&plan, 3, 0), 32);
    EXPECT_EQ(fr_traffic_bits(&plan), 8);
    plan = plan_of(FR_COLLECTIVE_ALLREDUCE, 0, FR_WIRE_BF16, FR_F32);
    expect(plan, 0, 2 * (8 + 8), 2 * (8 + 8));
    EXPECT_EQ(fr_traffic_bits(&plan), 16);
}

/* Sums of 600 take fields of 16 bits, five words, of which ranks own 2, 2 and 1, filled up to 2; sums of 6 take 4 bits, two
 * words, filled up to 1. */
TEST(Traffic, AllreduceOfFieldsByHand) {
    fr_plan plan = plan_of(FR_COLLECTIVE_ALLREDUCE, 100, FR_WIRE_PACKED, FR_F64);
    for (int r = 0; r < 3; r++) expect(plan, r, 16 + 16 + 16, 16 + 16 + 16);
    EXPECT_EQ(fr_traffic_bits(&plan), 16);
    plan.levels = 1;
    for (int r = 0; r < 3; r++) expect(plan, r, 16 + 8 + 8, 16 + 8 + 8);
    EXPECT_EQ(fr_traffic_bits(&plan), 8 * 8 / 10.0);
    plan.workers = 12, plan.levels = 100; /* 12 ranks, by MPI's tree: rank 0 has four below it */
    EXPECT_EQ(fr_traffic_of(&plan, 12, 0).sent, 8 * 8 + 4 * 20);
    plan.workers = 4, plan.features = 1000; /* in rings, with the shared scale */
    EXPECT_EQ(fr_traffic_of_worker(&plan), 1.5 * 2008);
}

/* 12 ranks sum 10 bytes as three words up and down MPI's tree, in which rank 0 has four below it, rank 1 none, and rank 8 one
 * (9 and 10; 12 is not there) besides the one above; their norms as below. */
TEST(Traffic, AllreduceOfManyRanksByHand) {
    fr_plan plan = plan_of(FR_COLLECTIVE_ALLREDUCE, 10, FR_WIRE_INT8, FR_F64);
    plan.workers = 12;
    const double below[] = {4, 0}, norms[] = {8 * 8, 4 * 8};
    for (int r : {0, 1}) {
        fr_traffic traffic = fr_traffic_of(&plan, 12, r);
        EXPECT_EQ(traffic.sent, norms[r] + (below[r] + r) * 12) << r;
        EXPECT_EQ(traffic.received, traffic.sent) << r;
        EXPECT_EQ(traffic.hops, 4 + 2 * 4) << r;
    }
    plan.features = 1 << 20; /* round a ring */
    EXPECT_DOUBLE_EQ(fr_traffic_of(&plan, 12, 3).sent - fr_traffic_of(&plan, 12, 4).sent, 0);
}

/* Two workers a rank: 20 levels of 3 + 1 bits are 10 bytes, with two scales of 8; to two ranks, from two. */
TEST(Traffic, AllgatherByHand) {
    fr_plan plan = plan_of(FR_COLLECTIVE_ALLGATHER, 7, FR_WIRE_PACKED, FR_F64);
    for (int r = 0; r < 3; r++) expect(plan, r, 2 * (10 + 16), 2 * (10 + 16));
    EXPECT_EQ(fr_traffic_bits(&plan), 8 * (5 + 8) / 10.0);
    plan = plan_of(FR_COLLECTIVE_ALLGATHER, 0, FR_WIRE_FULL, FR_F32);
    expect(plan, 1, 2 * 2 * 10 * 4, 2 * 2 * 10 * 4);
    EXPECT_EQ(fr_traffic_bits(&plan), 32);
}

/* Columns 10 over 6 workers are 2, 2, 2, 2, 1 and 1, so ranks own 4, 4 and 2, filled up to 4. Norms: two float64, 16. A rank
 * sends its two workers' levels of 4 columns to two others, and its own slice of 4 with two scales of 4; and gets as much. */
TEST(Traffic, TwoPhaseByHand) {
    fr_plan plan = plan_of(FR_COLLECTIVE_TWO_PHASE, 100, FR_WIRE_INT8, FR_F32);
    for (int r = 0; r < 3; r++) expect(plan, r, 16 + 2 * 8 + 2 * (4 + 8), 16 + 2 * 8 + 2 * (4 + 8));
}

/* 12 ranks are groups of 2, the first five of which have 2 columns of 10 and the last none. Levels 0..14 are 4 bits; those
 * of two workers 0..28, 5 bits. Rank 0 gets 10 levels, 5 bytes; sends 2 bytes to each of four leaders and gets 2 from
 * five; its 2 rounded columns are 1 byte with 2 scales of 8, 17, to five, and it gets 17 from four and 16 from one; its
 * member gets 5 bytes and 12 scales. In the tree of norms it has the ranks 1 to 8 below it, rank 1 those of 9 to 11. */
TEST(Traffic, TwoPhaseByLeadersByHand) {
    fr_plan plan = plan_of(FR_COLLECTIVE_TWO_PHASE, 7, FR_WIRE_PACKED, FR_F64);
    plan.workers = 12;
    fr_traffic leader = fr_traffic_of(&plan, 12, 0), member = fr_traffic_of(&plan, 12, 1);
    EXPECT_EQ(leader.sent, 8 * 8 + 4 * 2 + 5 * 17 + (5 + 12 * 8));
    EXPECT_EQ(leader.received, 8 * 8 + 5 + 5 * 2 + (4 * 17 + 16));
    EXPECT_EQ(leader.hops, 4 + 4);
    EXPECT_EQ(leader.messages, 2 * 8 + 2 * 1 + 4 * 5);
    EXPECT_EQ(member.sent, 4 * 8 + 5);
    EXPECT_EQ(member.received, 4 * 8 + 5 + 12 * 8);
    EXPECT_EQ(member.messages, 2 * 4 + 2);
    plan.levels = 127, plan.wire = FR_WIRE_INT8; /* sums of two do not fit an int8 */
    EXPECT_EQ(fr_traffic_of(&plan, 12, 0).hops, 4 + 4 + 4);
}

/* Ranks 1 and 2 have three workers each: 30 levels of 4 bits are 15 bytes, with three scales 39. The model is 80 bytes. */
TEST(Traffic, MasterByHand) {
    fr_plan plan = plan_of(FR_COLLECTIVE_MASTER, 7, FR_WIRE_PACKED, FR_F64);
    plan.dedicated_master = true;
    expect(plan, 0, 2 * 80, 2 * 39);
    expect(plan, 1, 39, 80);
}

/* Of four ranks the tree's rank 0 serves 1 and 2, and rank 2 serves 3; a star serves all three from rank 0. K = 6 gives
 * each of three ranks two workers. */
TEST(Traffic, MasterHandsTheModelOnByATreeOrAStar) {
    fr_plan plan = plan_of(FR_COLLECTIVE_MASTER, 0, FR_WIRE_FULL, FR_F64);
    plan.dedicated_master = true;
    double up = 2 * 80, model = 80, tree[] = {2 * model, up, up + model, up}, star[] = {3 * model, up, up, up};
    for (int r = 0; r < 4; r++) EXPECT_EQ(fr_traffic_of(&plan, 4, r).sent, tree[r]) << r;
    plan.star = true;
    for (int r = 0; r < 4; r++) EXPECT_EQ(fr_traffic_of(&plan, 4, r).sent, star[r]) << r;
    for (int r = 1; r < 4; r++) EXPECT_EQ(fr_traffic_of(&plan, 4, r).received, model) << r;
}

TEST(Traffic, OneRankSendsNothing) {
    fr_plan plan = plan_of(FR_COLLECTIVE_ALLGATHER, 7, FR_WIRE_PACKED, FR_F64);
    EXPECT_EQ(fr_traffic_of(&plan, 1, 0).sent, 0);
    EXPECT_EQ(fr_traffic_of(&plan, 1, 0).received, 0);
}

/* As a rank of its own, in rings: 3/4 twice of 1000 levels and the shared scale; two-phase also 3 slices' scales of 8. */
TEST(Traffic, OfOneWorkerInRingsByHand) {
    fr_plan plan = plan_of(FR_COLLECTIVE_ALLGATHER, 127, FR_WIRE_INT8, FR_F64);
    plan.features = 1000, plan.workers = 4;
    EXPECT_EQ(fr_traffic_of_worker(&plan), 3 * 1008);
    plan.collective = FR_COLLECTIVE_ALLREDUCE;
    EXPECT_EQ(fr_traffic_of_worker(&plan), 1.5 * 1008);
    plan.collective = FR_COLLECTIVE_TWO_PHASE;
    EXPECT_EQ(fr_traffic_of_worker(&plan), 1.5 * 1008 + 3 * 8);
    plan.collective = FR_COLLECTIVE_MASTER;
    EXPECT_EQ(fr_traffic_of_worker(&plan), 1008);
    plan.levels = 0, plan.wire = FR_WIRE_FULL;
    EXPECT_EQ(fr_traffic_of_worker(&plan), 8000);
    plan.workers = 1;
    EXPECT_EQ(fr_traffic_of_worker(&plan), 0);
}
