/*
 * devices_test.cpp - GPUs to processes, as launchers show them.
 */
#include <gtest/gtest.h>

#include <string>
#include <vector>
extern "C" {
#include "solver/devices.h"
}

namespace {

/* What each process sees, as letters of GPUs; returns the letters that each takes. */
std::vector<std::string> share(const std::vector<std::string> &shown, int each) {
    std::vector<fr_visible_devices> seen(shown.size());
    for (size_t p = 0; p < shown.size(); p++) {
        seen[p] = {};
        seen[p].count = static_cast<int>(shown[p].size());
        for (size_t i = 0; i < shown[p].size(); i++) seen[p].id[i][7] = static_cast<unsigned char>(shown[p][i]);
    }
    fr_devices_share(seen.data(), static_cast<int>(seen.size()), each);
    std::vector<std::string> own;
    for (size_t p = 0; p < shown.size(); p++) {
        own.emplace_back();
        for (int i = 0; i < seen[p].taken; i++) own[p] += shown[p][static_cast<size_t>(seen[p].own[i])];
    }
    return own;
}

using Shares = std::vector<std::string>;

TEST(Devices, ProcessesThatSeeAllTakeTheirsInOrder) {
    EXPECT_EQ(share({"abcd", "abcd"}, 2), (Shares{"ab", "cd"}));
    EXPECT_EQ(share({"abcd", "abcd", "abcd", "abcd"}, 1), (Shares{"a", "b", "c", "d"}));
    EXPECT_EQ(share({"ba", "ba"}, 1), (Shares{"b", "a"})) << "in the order of CUDA_VISIBLE_DEVICES";
}

/* Slurm with binding, or containers of one GPU each: all are number 0 of their process. */
TEST(Devices, ProcessesThatSeeOnlyTheirOwnTakeThat) {
    EXPECT_EQ(share({"a", "b", "c"}, 1), (Shares{"a", "b", "c"}));
    EXPECT_EQ(share({"ab", "cd"}, 2), (Shares{"ab", "cd"}));
}

/* Two machines of two GPUs, two processes on each. */
TEST(Devices, MachinesShareNothing) { EXPECT_EQ(share({"ab", "ab", "cd", "cd"}, 1), (Shares{"a", "b", "c", "d"})); }

TEST(Devices, ListsMayOverlap) { EXPECT_EQ(share({"abc", "bc", "cba"}, 1), (Shares{"a", "b", "c"})); }

TEST(Devices, WhoFindsNoneIsLeftWithout) {
    EXPECT_EQ(share({"ab", "ab"}, 2), (Shares{"ab", ""}));
    EXPECT_EQ(share({"", "a"}, 1), (Shares{"", "a"}));
}

} // namespace
