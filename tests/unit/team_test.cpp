/* The team of threads: every item exactly once, whatever the number of threads and items, loop after loop. */
#include <gtest/gtest.h>

#include <atomic>
#include <vector>

extern "C" {
#include "base/team.h"
}

namespace {

struct Tally {
    std::vector<std::atomic<int>> items, threads;
    Tally(size_t items_count, size_t threads_count) : items(items_count), threads(threads_count) {}
    static void count(void *context, int64_t item, int thread) {
        auto *tally = static_cast<Tally *>(context);
        EXPECT_EQ(tally->threads[static_cast<size_t>(thread)]++, 0); /* no two items at once under one number */
        tally->items[static_cast<size_t>(item)]++;
        tally->threads[static_cast<size_t>(thread)]--;
    }
};

}  // namespace

TEST(Team, DoesEveryItemOnce) {
    for (int threads : {1, 2, 3, 9}) {
        fr_team *team = nullptr;
        ASSERT_EQ(fr_team_create(threads, &team, nullptr), FR_OK);
        for (int loop = 0; loop < 3000; loop++) {
            auto items = static_cast<size_t>(loop % 17);
            Tally tally(items, static_cast<size_t>(threads));
            fr_team_run(team, static_cast<int64_t>(items), Tally::count, &tally);
            for (size_t i = 0; i < items; i++) ASSERT_EQ(tally.items[i], 1) << threads << " " << loop << " " << i;
        }
        fr_team_free(team);
    }
}

TEST(Team, CanBeFreedAtOnce) {
    for (int i = 0; i < 50; i++) {
        fr_team *team = nullptr;
        ASSERT_EQ(fr_team_create(4, &team, nullptr), FR_OK);
        fr_team_free(team);
    }
    fr_team_free(nullptr);
}
