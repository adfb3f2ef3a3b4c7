/*
 * buffers_test.cpp - the one layout of both engines: what each collective takes, which names are one memory, and that
 * whatever was taken is released, also half-way.
 */
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

extern "C" {
#include "engine/buffers.h"
}

namespace {

/* Counts what is taken; refuses the request number `refuse` (from 0). */
struct Heap {
    fr_memory memory = {};
    std::map<void *, int64_t> bytes;
    int refuse = -1, asked = 0;
    static Heap *current;

    Heap() {
        memory.allocate = [](void *user, void **taken, int64_t count, size_t size, const char *what, fr_error *error) {
            Heap *heap = static_cast<Heap *>(user);
            if (heap->asked++ == heap->refuse) return fr_fail(error, FR_ERROR, "no memory for %s", what);
            *taken = std::malloc(static_cast<size_t>(count) * size + 1);
            heap->bytes[*taken] = count * static_cast<int64_t>(size);
            return FR_OK;
        };
        memory.release = [](void *taken) {
            EXPECT_EQ(current->bytes.erase(taken), 1u);
            std::free(taken);
        };
        memory.user = this;
        current = this;
    }
    ~Heap() {
        fr_memory_free(&memory);
        EXPECT_TRUE(bytes.empty());
    }
    int64_t size_of(const void *buffer) { return buffer ? bytes.at(const_cast<void *>(buffer)) : 0; }
    int64_t total() {
        int64_t sum = 0;
        for (const auto &one : bytes) sum += one.second;
        return sum;
    }
};
Heap *Heap::current = nullptr;

const fr_collective collectives[] = {FR_COLLECTIVE_ALLREDUCE, FR_COLLECTIVE_ALLGATHER, FR_COLLECTIVE_TWO_PHASE,
                                     FR_COLLECTIVE_MASTER};

fr_plan plan_of(fr_collective collective, int levels, fr_wire wire = FR_WIRE_FULL) {
    fr_plan plan = {};
    plan.samples = 60, plan.features = 11, plan.workers = 6, plan.levels = levels, plan.collective = collective;
    plan.precision = FR_F32, plan.wire = wire;
    return plan;
}

/* K = 6, d = 11, workers 2 and 3 here, whose slices are columns 4 .. 7; float. */
const int64_t K = 6, d = 11, own = 2, width = 4, real = 4;

TEST(Buffers, EachCollectiveTakesWhatItNeedsAndNoMore) {
    struct Wanted {
        fr_collective collective;
        int levels;
        int64_t bytes; /* beside values, scales and the shared scale */
    };
    for (const Wanted &w : {
             Wanted{FR_COLLECTIVE_ALLREDUCE, 0, d * real},
             Wanted{FR_COLLECTIVE_ALLREDUCE, 7, own * d + d},
             Wanted{FR_COLLECTIVE_ALLGATHER, 0, K * d * real},
             Wanted{FR_COLLECTIVE_ALLGATHER, 7, own * d + K * d + K * real},
             Wanted{FR_COLLECTIVE_MASTER, 7, own * d + K * d + K * real},
             Wanted{FR_COLLECTIVE_TWO_PHASE, 0, d * real + own * d * real + K * width * real + width * real},
             Wanted{FR_COLLECTIVE_TWO_PHASE, 7,
                    own * d + d + K * real + d + own * d + K * width + width + own * real},
         }) {
        Heap heap;
        fr_buffers b = {};
        fr_plan plan = plan_of(w.collective, w.levels);
        ASSERT_EQ(fr_buffers_make(&plan, {2, own}, false, &heap.memory, &b, nullptr), FR_OK);
        EXPECT_EQ(heap.total(), own * d * real + own * real + real + w.bytes)
            << fr_collective_name(w.collective) << ", levels " << w.levels;
        EXPECT_EQ(heap.size_of(b.values), own * d * real);
        EXPECT_EQ(heap.size_of(b.levels), w.levels ? own * d : 0);
        EXPECT_EQ(heap.size_of(b.incoming),
                  w.collective == FR_COLLECTIVE_TWO_PHASE ? K * width * (w.levels ? 1 : real) : 0);
    }
}

TEST(Buffers, TheBfloat16WireTakesItsSum) {
    Heap heap;
    fr_buffers b = {};
    fr_plan plan = plan_of(FR_COLLECTIVE_ALLREDUCE, 0, FR_WIRE_BF16);
    ASSERT_EQ(fr_buffers_make(&plan, {2, own}, false, &heap.memory, &b, nullptr), FR_OK);
    EXPECT_EQ(heap.size_of(b.total_bf16), 2 * d);
    EXPECT_EQ(heap.size_of(b.total_values), d * real);
}

TEST(Buffers, WhereAllWorkersAreHereNothingIsGathered) {
    for (fr_collective collective : collectives)
        for (int levels : {0, 7}) {
            Heap heap;
            fr_buffers b = {};
            fr_plan plan = plan_of(collective, levels);
            ASSERT_EQ(fr_buffers_make(&plan, {0, K}, false, &heap.memory, &b, nullptr), FR_OK);
            if (collective == FR_COLLECTIVE_TWO_PHASE) {
                EXPECT_EQ(b.outgoing, levels ? static_cast<void *>(b.levels) : b.values);
                EXPECT_EQ(b.incoming, b.outgoing);
                EXPECT_EQ(b.own_slice, b.slice_levels);
                EXPECT_EQ(b.own_slice_scales, b.slice_scales);
                EXPECT_EQ(b.own_values, b.total_values);
            } else if (collective != FR_COLLECTIVE_ALLREDUCE) {
                EXPECT_EQ(b.all_values, b.values);
                EXPECT_EQ(b.all_levels, b.levels);
                EXPECT_EQ(b.all_scales, b.scales);
            }
        }
}

/* A dedicated master has no workers and gathers; the ranks that send to it gather nothing. */
TEST(Buffers, OnlyADedicatedMasterGathers) {
    for (int64_t count : {int64_t(0), int64_t(3)}) {
        Heap heap;
        fr_buffers b = {};
        fr_plan plan = plan_of(FR_COLLECTIVE_MASTER, 7);
        plan.dedicated_master = true;
        ASSERT_EQ(fr_buffers_make(&plan, {0, count}, false, &heap.memory, &b, nullptr), FR_OK);
        EXPECT_EQ(heap.size_of(b.all_levels), count == 0 ? K * d : 0);
        EXPECT_EQ(heap.size_of(b.all_scales), count == 0 ? K * real : 0);
    }
}

/* GPUs: own levels and scales in one piece, and a piece of each rank of the same size, the scales where a float may stand. */
TEST(Buffers, WhatIsGatheredMayLieInBlocks) {
    for (fr_collective collective : {FR_COLLECTIVE_ALLGATHER, FR_COLLECTIVE_MASTER, FR_COLLECTIVE_TWO_PHASE}) {
        Heap heap;
        fr_buffers b = {};
        fr_plan plan = plan_of(collective, 7);
        bool slices = collective == FR_COLLECTIVE_TWO_PHASE;
        ASSERT_EQ(fr_buffers_make(&plan, {2, own}, true, &heap.memory, &b, nullptr), FR_OK);
        const int64_t scales_at = slices ? 4 : 24; /* of 4 columns and 2 x 11 levels */
        EXPECT_EQ(b.block, static_cast<size_t>(scales_at + own * real));
        EXPECT_EQ(b.block_workers, own);
        EXPECT_EQ(heap.size_of(slices ? b.own_slice : b.levels), scales_at + own * real);
        EXPECT_EQ(heap.size_of(slices ? b.slice_levels : b.all_levels), K / own * (scales_at + own * real));
        EXPECT_EQ(static_cast<char *>(slices ? b.own_slice_scales : b.scales),
                  reinterpret_cast<char *>(slices ? b.own_slice : b.levels) + scales_at);
        EXPECT_EQ(static_cast<char *>(slices ? b.slice_scales : b.all_scales),
                  reinterpret_cast<char *>(slices ? b.slice_levels : b.all_levels) + scales_at);
    }
    for (int64_t all : {own, K}) { /* nothing is quantized, or everything is here */
        Heap heap;
        fr_buffers b = {};
        fr_plan plan = plan_of(FR_COLLECTIVE_ALLGATHER, all == K ? 7 : 0);
        ASSERT_EQ(fr_buffers_make(&plan, {0, all}, true, &heap.memory, &b, nullptr), FR_OK);
        EXPECT_EQ(b.block, 0u);
        EXPECT_EQ(b.block_workers, K);
    }
}

TEST(Buffers, AFailureHalfWayNamesTheMemoryAndLeavesNothing) {
    for (fr_collective collective : collectives)
        for (int levels : {0, 7}) {
            int takes;
            {
                Heap heap;
                fr_buffers b = {};
                fr_plan plan = plan_of(collective, levels);
                ASSERT_EQ(fr_buffers_make(&plan, {2, own}, false, &heap.memory, &b, nullptr), FR_OK);
                takes = heap.asked;
            }
            for (int i = 0; i < takes; i++) {
                Heap heap;
                heap.refuse = i;
                fr_buffers b = {};
                fr_error error = {};
                fr_plan plan = plan_of(collective, levels);
                EXPECT_EQ(fr_buffers_make(&plan, {2, own}, false, &heap.memory, &b, &error), FR_ERROR);
                EXPECT_EQ(std::string(error.message).rfind("no memory for ", 0), 0u) << error.message;
                EXPECT_EQ(heap.memory.owned_count, i);
            }
        }
}

TEST(Buffers, TheListOfAnEngineHasAnEnd) {
    Heap heap;
    void *one = nullptr;
    fr_error error = {};
    for (int i = 0; i < FR_MOST_OWNED; i++)
        ASSERT_EQ(fr_memory_take(&heap.memory, &one, 1, 1, "a test", &error), FR_OK);
    EXPECT_EQ(fr_memory_take(&heap.memory, &one, 1, 1, "a test", &error), FR_ERROR);
}

} // namespace
