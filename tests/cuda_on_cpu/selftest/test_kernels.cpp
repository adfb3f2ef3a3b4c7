// test_kernels.cpp - what kernels compute: every expectation here also holds on a GPU.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "device_array.h"
#include "kernels.h"

namespace {

template <typename T> std::vector<T> counting(size_t n, T first = T(0)) {
    std::vector<T> values(n);
    std::iota(values.begin(), values.end(), first);
    return values;
}

TEST(Kernels, EveryThreadOfAThreeDimensionalGridRunsOnce) {
    DeviceArray<unsigned> out(2 * 3 * 2 * 4 * 3 * 2);
    ASSERT_EQ(launch_number(out, dim3(2, 3, 2), dim3(4, 3, 2), nullptr), cudaSuccess);
    EXPECT_EQ(out.host(), counting<unsigned>(2 * 3 * 2 * 4 * 3 * 2));
}

TEST(Kernels, StaticSharedMemoryTreeSumsABlock) {
    DeviceArray<float> in(counting<float>(64 * 5)), sums(5);
    ASSERT_EQ(launch_block_sum(in, sums, 5, nullptr), cudaSuccess);
    const std::vector<float> result = sums.host();
    for (int b = 0; b < 5; ++b) EXPECT_EQ(result[size_t(b)], 64 * (64 * b + 31.5f));
}

TEST(Kernels, DynamicSharedMemoryTreeSumsABlock) {
    DeviceArray<float> in(counting<float>(256 * 3)), sums(3);
    ASSERT_EQ(launch_block_sum_dynamic(in, sums, 3, 256, nullptr), cudaSuccess);
    const std::vector<float> result = sums.host();
    for (int b = 0; b < 3; ++b) EXPECT_EQ(result[size_t(b)], 256 * (256 * b + 127.5f));
}

TEST(Kernels, DynamicSharedMemoryMayHaveAnyName) {
    DeviceArray<int> values(counting<int>(64));
    ASSERT_EQ(launch_reverse(values, nullptr), cudaSuccess);
    std::vector<int> expected = counting<int>(64);
    std::reverse(expected.begin(), expected.end());
    EXPECT_EQ(values.host(), expected);
}

TEST(Kernels, WarpOperationsFollowTheProgrammingGuide) {
    DeviceArray<unsigned> out(warp_operations * 32);
    ASSERT_EQ(launch_warp(out, nullptr), cudaSuccess);
    const std::vector<unsigned> result = out.host();
    unsigned xor_of_squares = 0;
    for (unsigned l = 0; l < 32; ++l) xor_of_squares ^= l * l;
    for (unsigned l = 0; l < 32; ++l) {
        const auto got = [&](unsigned operation) { return result[operation * 32 + l]; };
        EXPECT_EQ(got(0), 50u);
        EXPECT_EQ(got(1), l / 8 * 8 + (l + 3) % 8);
        EXPECT_EQ(got(2), l < 2 ? l : l - 2);
        EXPECT_EQ(got(3), l % 8 < 3 ? l : l - 3);
        EXPECT_EQ(got(4), l > 27 ? l : l + 4);
        EXPECT_EQ(got(5), l % 16 == 15 ? l : l + 1);
        EXPECT_EQ(got(6), l ^ 16);
        EXPECT_EQ(got(7), 0x49249249u);
        EXPECT_EQ(got(8), 3u);
        EXPECT_EQ(got(9), 496u);
        EXPECT_EQ(got(10), unsigned(-7));
        EXPECT_EQ(got(11), 62u);
        EXPECT_EQ(got(12), 0xffu << (l / 8 * 8));
        EXPECT_EQ(got(13), 0u); /* full mask, plus 1, wraps */
        EXPECT_EQ(got(14), 2 * (l ^ 1) + 1);
        EXPECT_EQ(got(15), xor_of_squares | 0x300u);
    }
}

TEST(Kernels, HalvesOfAWarpMeetUnderTheirOwnMasks) {
    DeviceArray<int> out(32);
    ASSERT_EQ(launch_half_warps(out, nullptr), cudaSuccess);
    const std::vector<int> result = out.host();
    for (int l = 0; l < 32; ++l) EXPECT_EQ(result[size_t(l)], l < 16 ? 120 : 31);
}

TEST(Kernels, BarriersVote) {
    DeviceArray<int> out(3);
    ASSERT_EQ(launch_votes(out, 10, nullptr), cudaSuccess);
    EXPECT_EQ(out.host(), (std::vector<int>{10, 0, 1}));
    ASSERT_EQ(launch_votes(out, 64, nullptr), cudaSuccess);
    EXPECT_NE(out.host()[1], 0);
    ASSERT_EQ(launch_votes(out, 0, nullptr), cudaSuccess);
    EXPECT_EQ(out.host(), (std::vector<int>{0, 0, 0}));
}

TEST(Kernels, AtomicsLoseNothing) {
    DeviceArray<int> in(counting<int>(1000)), histogram(std::vector<int>(8)), largest(std::vector<int>{-1});
    DeviceArray<float> sum(std::vector<float>{0});
    ASSERT_EQ(launch_atomics(in, 1000, histogram, sum, largest, nullptr), cudaSuccess);
    EXPECT_EQ(histogram.host(), std::vector<int>(8, 125));
    EXPECT_EQ(sum.host()[0], 499500.0f);
    EXPECT_EQ(largest.host()[0], 999);
}

TEST(Kernels, CooperativeGridMeetsBetweenRounds) {
    constexpr int blocks = 6, rounds = 9;
    std::vector<int> expected = counting<int>(blocks, 1);
    DeviceArray<int> values(expected), next(std::vector<int>(size_t(blocks), 0));
    ASSERT_EQ(launch_grid_rounds(values, next, rounds, blocks, 1, nullptr), cudaSuccess);
    for (int round = 0; round < rounds; ++round) {
        const std::vector<int> old = expected;
        for (int b = 0; b < blocks; ++b)
            expected[size_t(b)] = old[size_t(b)] + old[size_t((b + blocks - 1) % blocks)];
    }
    EXPECT_EQ(values.host(), expected);
}

TEST(Kernels, PhiloxIsTheSameGeneratorAsOnAGpu) {
    DeviceArray<unsigned> out(4 * 32);
    ASSERT_EQ(launch_philox(out, 32, 0, nullptr), cudaSuccess);
    const std::vector<unsigned> words = out.host();
    EXPECT_EQ(words[0], 0x6627e8d5u);
    EXPECT_EQ(words[1], 0xe169c58du);
    EXPECT_EQ(words[2], 0xbc57ac4cu);
    EXPECT_EQ(words[3], 0x9b00dbd8u);
}

TEST(Kernels, TilesReduce) {
    DeviceArray<int> in(counting<int>(64)), sums(8);
    ASSERT_EQ(launch_tiles(in, sums, nullptr), cudaSuccess);
    const std::vector<int> result = sums.host();
    for (int t = 0; t < 8; ++t) EXPECT_EQ(result[size_t(t)], 8 * 8 * t + 28);
}

TEST(Kernels, IntrinsicsGiveTheBitsOfAGpu) {
    DeviceArray<unsigned> out(intrinsic_results);
    ASSERT_EQ(launch_intrinsics(out, nullptr), cudaSuccess);
    const std::vector<unsigned> expected = {
        0x0fd5bdeeu, 0xfffffffdu, 0x89abcdeeu, 16u,          11u,         7u,           0x80000000u, 0x77553311u,
        0x00000018u, 0x18000000u, 1003u,       unsigned(-2), 2u,          unsigned(-3), 0x7fffffffu, 0u,
        0x3f800000u, 0x3275c290u, 0x00000000u, 0x3eaaaaabu,  0x3fb504f3u, 0x3ff80000u,  0x80000000u, 3u};
    const std::vector<unsigned> got = out.host();
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(got[i], expected[i]) << "result " << i;
}

TEST(Kernels, VectorLoadsAndFusedMultiplyAdd) {
    for (int n : {1000, 1001}) {
        DeviceArray<float> x(counting<float>(size_t(n))), y(std::vector<float>(size_t(n), 1.0f));
        ASSERT_EQ(launch_axpy(y, x, 0.1f, n, nullptr), cudaSuccess);
        const std::vector<float> result = y.host();
        for (int i = 0; i < n; ++i) ASSERT_EQ(result[size_t(i)], std::fma(0.1f, float(i), 1.0f));
    }
}

TEST(Kernels, Bfloat16RoundsToNearestEven) {
    DeviceArray<float> x(std::vector<float>{1.0f, 1.00390625f, 1.01171875f, -3.14159265f});
    ASSERT_EQ(launch_to_bfloat16(x, 4, nullptr), cudaSuccess);
    EXPECT_EQ(x.host(), (std::vector<float>{1.0f, 1.0f, 1.015625f, -3.140625f}));
}

TEST(Kernels, LastBlockSeesWhatAllOthersWrote) {
    DeviceArray<float> in(counting<float>(100)), partial(100), out(1);
    DeviceArray<unsigned> counter(std::vector<unsigned>{0});
    ASSERT_EQ(launch_last_block(in, partial, counter, out, 100, nullptr), cudaSuccess);
    EXPECT_EQ(out.host()[0], 9900.0f);
}

} // namespace
