/*
 * bench_test.cpp - the GPU suite: its percentiles and bandwidths, and that it runs from end to end and writes what it
 * promises. Its times here mean nothing and are not looked at.
 */
#include <cmath>
#include <regex>

#include "cuda_rig.h"
#include "suite.h"

namespace {

TEST(Statistics, PercentilesAreNearestRanks) {
    std::vector<double> values;
    for (int i = 100; i > 0; i--) values.push_back(i);
    EXPECT_EQ(bench::percentile(values, 50), 50);
    EXPECT_EQ(bench::percentile(values, 99), 99);
    EXPECT_EQ(bench::percentile(values, 100), 100);
    EXPECT_EQ(bench::percentile(values, 0), 1);
    EXPECT_EQ(bench::percentile({7}, 99), 7);
    EXPECT_EQ(bench::percentile({1, 2, 3}, 50), 2);
    EXPECT_EQ(bench::percentile({1, 2, 3, 4}, 50), 2);
    EXPECT_EQ(bench::percentile({1, 2, 3, 4}, 51), 3);
    EXPECT_TRUE(std::isnan(bench::percentile({}, 50)));
}

/* 1 GB in 10 ms: 100 GB/s; a ring of 4 moves 2 x 3/4 of it over each link, one of 2 just that. */
TEST(Statistics, BandwidthsAreThoseOfNcclTests) {
    EXPECT_DOUBLE_EQ(bench::algorithm_bandwidth(1e9, 0.01), 1e11);
    EXPECT_DOUBLE_EQ(bench::bus_bandwidth(1e9, 0.01, 4), 1.5e11);
    EXPECT_DOUBLE_EQ(bench::bus_bandwidth(1e9, 0.01, 2), 1e11);
}

TEST(Statistics, ASizeWinsOnlyWhereAllLargerOnesDo) {
    EXPECT_EQ(bench::wins_from({{1, 5, 4}, {2, 5, 5}, {4, 5, 6}, {8, 5, 9}}), 4);
    EXPECT_EQ(bench::wins_from({{8, 5, 9}, {1, 3, 4}, {4, 5, 4}}), 8); /* in any order; a gap ends it */
    EXPECT_EQ(bench::wins_from({{1, 3, 4}, {2, 5, 4}}), -1);
    EXPECT_EQ(bench::wins_from({{1, 3, 4}}), 1);
    EXPECT_EQ(bench::wins_from({}), -1);
}

class Bench : public rig::OnCpu {
  protected:
    /* What the suite writes on so many GPUs. */
    static std::string run(const char *devices, bool expected = true) {
        set("DEVICES", devices);
        std::FILE *file = std::tmpfile();
        std::string why, text;
        EXPECT_EQ(bench::run_suite(bench::tiny_sizes(), file, &why), expected) << why;
        std::rewind(file);
        for (int c; (c = std::fgetc(file)) != EOF;) text.push_back(static_cast<char>(c));
        std::fclose(file);
        return expected ? text : why;
    }
};

/* All numbers that stand behind "key": in order. */
std::vector<double> numbers(const std::string &text, const std::string &key) {
    const std::regex pattern("\"" + key + "\": ?([-+.0-9eE]+)");
    std::vector<double> found;
    for (std::sregex_iterator at(text.begin(), text.end(), pattern), end; at != end; ++at)
        found.push_back(std::stod((*at)[1]));
    return found;
}

size_t count(const std::string &text, char what) {
    return static_cast<size_t>(std::count(text.begin(), text.end(), what));
}

TEST_F(Bench, WritesOneObjectWithEveryPart) {
    for (const char *devices : {"1", "2"}) {
        const bool two = std::strcmp(devices, "2") == 0;
        const std::string text = run(devices);
        EXPECT_EQ(count(text, '{'), count(text, '}'));
        EXPECT_EQ(count(text, '['), count(text, ']'));
        for (const char *key : {"read_gb_per_s", "copy_gb_per_s"}) {
            ASSERT_EQ(numbers(text, key).size(), 1u) << key;
            EXPECT_GT(numbers(text, key)[0], 0) << key;
        }
        /* Gradients of one d, two m, two storages; encodings of one d by one worker and by many. */
        EXPECT_EQ(numbers(text, "of_read").size(), 6u);
        for (double share : numbers(text, "of_read")) EXPECT_GT(share, 0);
        /* Four kinds of iteration, plain and as a graph, one of them beside two of cuBLAS. */
        EXPECT_EQ(numbers(text, "p50_us").size(), 6u + 4 * 2 + 2 + (two ? 6 : 0));
        for (double time : numbers(text, "p50_us")) EXPECT_GT(time, 0);
        for (const char *way : {"plain", "graph", "cublas_plain", "cublas_graph"})
            EXPECT_NE(text.find("\"" + std::string(way) + "\""), std::string::npos) << way;
        if (!two) {
            EXPECT_NE(text.find("one GPU has nobody to exchange with"), std::string::npos);
            continue;
        }
        EXPECT_EQ(numbers(text, "algorithm_gb_per_s").size(), 6u); /* two sizes, three types */
        EXPECT_EQ(numbers(text, "bus_gb_per_s"), numbers(text, "algorithm_gb_per_s")) << "of two ranks";
        EXPECT_EQ(numbers(text.substr(text.find("\"exchange\"")), "bytes"),
                  (std::vector<double>{256, 128, 64, 1024, 512, 256}));
        EXPECT_NE(text.find("\"int8_wins_from_against_float32\""), std::string::npos);
    }
}

TEST_F(Bench, AFailureIsOneLine) {
    set("MEMORY", "100K");
    EXPECT_EQ(run("1", false), "memory for a benchmark: out of memory");
}

} // namespace
