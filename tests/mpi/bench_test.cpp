/*
 * bench_test.cpp - fitrelu bench under mpirun: the same sums on every rank, and exit codes that name one of them.
 */
#include "mpi_rig.h"

#ifdef FR_HAVE_JANSSON
#include "../cli/json.h"
#endif

namespace {

const std::string TINY = " --from 101 --to 101 --samples 50 --iterations 2 --warmup 0 --quiet";

class MpiBench : public Mpi {
  protected:
    Said bench(int count, const std::string &line) const { return ranks(count, line + TINY, {}, -1, "", "bench"); }
};

TEST_F(MpiBench, EveryExchangeOfFourRanksIsExact) {
    Said said = bench(4, "exchange");
    EXPECT_EQ(said.code, 0) << said.err;
    EXPECT_NE(said.out.find(" 0 wrong elements"), std::string::npos) << said.out;
    for (std::string word : {"allreduce  int8", "allgather  elias", "two-phase  packed", "master     f64", "# rank 3: "})
        EXPECT_NE(said.out.find(word), std::string::npos) << word << " in: " << said.out;
}

TEST_F(MpiBench, ALeastBandwidthIsHeldBothWays) {
    EXPECT_EQ(bench(2, "exchange --min-busbw 1e-9").code, 0);
    Said slow = bench(2, "exchange --min-busbw 1G");
    EXPECT_EQ(slow.code, 3);
    ASSERT_EQ(failures(slow).size(), 1u) << slow.err;
    for (std::string word : {"slow: exchange", "--min-busbw", "rank ", "host ", "device cpu"})
        EXPECT_NE(failures(slow)[0].find(word), std::string::npos) << word << " in: " << slow.err;
}

TEST_F(MpiBench, AllOnThreeRanksIsExactAndSoIsASoak) {
    Said said = bench(3, "all");
    EXPECT_EQ(said.code, 0) << said.err;
    EXPECT_NE(said.out.find(" 0 wrong elements"), std::string::npos) << said.out;
    Said soaked = ranks(3, "--soak 0.3s --from 10 --to 100 --samples 50 --quiet", {}, -1, "", "bench");
    EXPECT_EQ(soaked.code, 0) << soaked.err;
    EXPECT_NE(soaked.out.find(" 0 wrong elements"), std::string::npos) << soaked.out;
}

#ifdef FR_HAVE_JANSSON
TEST_F(MpiBench, StepsOfTwoRanksHaveTheBitsOfOneThread) {
    Said said = bench(2, "step --json");
    EXPECT_EQ(said.code, 0) << said.err;
    Json json(said);
    EXPECT_EQ(json_array_size(json.at("conditions.processes")), 2u);
    json_t *results = json.at("results");
    ASSERT_EQ(json_array_size(results), 4u); /* one rank and two, with levels and without */
    for (size_t i = 0; i < 4; i++) {
        json_t *row = json_array_get(results, i);
        EXPECT_EQ(json_integer_value(json_object_get(row, "units")), static_cast<json_int_t>(1 + i % 2));
        if (json_integer_value(json_object_get(row, "levels")) > 0)
            EXPECT_EQ(json_number_value(json_object_get(row, "error")), 0);
        EXPECT_FALSE(json_is_null(json_object_get(row, "efficiency")));
    }
}
#endif

} // namespace
