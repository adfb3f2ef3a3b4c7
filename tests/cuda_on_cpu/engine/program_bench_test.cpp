/*
 * program_bench_test.cpp - fitrelu bench on pretended GPUs, as the program runs it: exact on eight of them, and a bit that is
 * wrong in what one GPU receives is found and placed.
 */
#include <regex>

#include "../../cli/program.h"

namespace {

class PretendedBench : public Program {
  protected:
    Said bench(const std::string &line, const std::string &flip = "") const {
        How how;
        how.environment = {"CUDA_ON_CPU_DEVICES=8"};
        if (!flip.empty()) how.environment.push_back("CUDA_ON_CPU_FLIP=" + flip);
        return run("bench " + line + " --iterations 2 --warmup 0 --quiet", how);
    }
};

TEST_F(PretendedBench, EveryExchangeOfEightGpusIsExact) {
    Said said = bench("exchange --gpus 8 --from 100 --to 100");
    EXPECT_EQ(said.code, 0) << said.err;
    EXPECT_NE(said.out.find(" 0 wrong elements"), std::string::npos) << said.out;
    for (std::string word : {"allreduce  bf16", "allreduce  int8", "two-phase  int8", "# rank 0-7: ", "GPU 7"})
        EXPECT_NE(said.out.find(word), std::string::npos) << word << " in: " << said.out;
}

TEST_F(PretendedBench, StepsOnOneTwoAndFourGpusAgreeWithTheProcessor) {
    Said said = bench("step --gpus 1,2,4 --from 20 --to 20 --samples 40");
    EXPECT_EQ(said.code, 0) << said.err;
    EXPECT_NE(said.out.find(" 0 wrong elements"), std::string::npos) << said.out;
    EXPECT_TRUE(std::regex_search(said.out, std::regex("x1\\.00, 100 %"))) << said.out;
}

TEST_F(PretendedBench, GradientsAndCodingAgreeWithTheProcessor) {
    for (std::string what : {"gradient", "encode", "decode"}) {
        Said said = bench(what + " --gpus 2 --from 60 --to 60 --samples 40");
        EXPECT_EQ(said.code, 0) << what << ": " << said.err;
        EXPECT_NE(said.out.find(" 0 wrong elements"), std::string::npos) << what << ": " << said.out;
    }
}

/* In the second sum that GPU 1 receives; whatever follows is right. */
TEST_F(PretendedBench, OneBitInOneOfManyNumbersIsFoundAndPlaced) {
    Said said = bench("exchange --gpus 2 --from 20K --to 20K --check 1", "ncclAllReduce:1:2");
    EXPECT_EQ(said.code, 1) << said.err;
    EXPECT_TRUE(std::regex_search(said.err, std::regex("error: wrong: exchange allreduce f64 of 20000 numbers, 1 elements; the "
                                                       "first on rank 1 on host \\S+, device GPU 1, at step \\d+, "
                                                       "coordinate 10000: expected -?\\d+, found ")))
        << said.err;
}

TEST_F(PretendedBench, ASoakFindsABitThatIsWrongOnceAndGoesOn) {
    const std::string soak = "--soak 0.5s --gpus 2 --from 1000 --to 1000 --samples 40";
    EXPECT_EQ(bench(soak).code, 0);
    How how;
    how.environment = {"CUDA_ON_CPU_DEVICES=2", "CUDA_ON_CPU_FLIP=ncclAllReduce:0:2"};
    Said said = run("bench " + soak, how);
    EXPECT_EQ(said.code, 1) << said.err;
    const std::regex told("exchange allreduce \\S+ of 1000 numbers, step \\d+ on rank 0 on host \\S+, device GPU 0: coordinate "
                          "\\d+: expected \\S+, found \\S+ \\(1 elements\\)");
    EXPECT_TRUE(std::regex_search(said.err, told)) << said.err;
    EXPECT_NE(said.out.find(", 1 wrong elements"), std::string::npos) << said.out;
}

} // namespace
