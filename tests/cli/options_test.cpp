/*
 * options_test.cpp - what the command line refuses, and how: one line, one exit code.
 */
#include <regex>

#include "samples.h"

struct Bad {
    const char *line;
    int code;
    std::vector<std::string> words;
};
static void PrintTo(const Bad &bad, std::ostream *out) { *out << bad.line; }

class BadOptions : public Program, public ::testing::WithParamInterface<Bad> {};

TEST_P(BadOptions, AreRefusedInOneLine) { run(GetParam().line).refuses(GetParam().code, GetParam().words); }

INSTANTIATE_TEST_SUITE_P(
    Table, BadOptions,
    ::testing::Values(
        Bad{"nope", 2, {"nope", "fit, predict"}}, Bad{"--nope", 2, {"--nope"}}, Bad{"--generate nope", 2, {"fish"}},
        Bad{"help nope", 2, {"nope"}}, Bad{"help fit fit", 2, {"unexpected"}}, Bad{"--version x", 2, {"x"}},
        Bad{"fit --nope", 2, {"--nope"}}, Bad{"fit --nope=3", 2, {"--nope"}}, Bad{"fit -z", 2, {"-z"}},
        Bad{"fit --sample 10", 2, {"--sample:", "not abbreviated", "--samples"}},
        Bad{"fit --interc", 2, {"not abbreviated", "--intercept"}}, Bad{"fit --sample=10", 2, {"not abbreviated"}},
        Bad{"fit extra", 2, {"extra"}}, Bad{"info one extra", 2, {"extra"}}, Bad{"predict", 2, {"MODEL DATA"}},
        Bad{"predict model", 2, {"MODEL DATA"}}, Bad{"predict a b c", 2, {"\"c\""}},
        Bad{"fit --samples", 2, {"--samples", "nothing"}}, Bad{"fit --json=1", 2, {"--json"}},
        Bad{"fit --output x.npy", 2, {"--output", "predict, generate"}}, Bad{"info --seed 1", 2, {"fit, generate"}},
        Bad{"fit --samples 10X", 2, {"--samples", "10X", "K, M or G"}}, Bad{"fit --samples 10k", 2, {"10k"}},
        Bad{"fit --samples 10KK", 2, {"10KK"}}, Bad{"fit --samples K", 2, {"\"K\""}},
        Bad{"fit --samples 1.5", 2, {"whole number"}}, Bad{"fit --samples 1,5", 2, {"1,5"}},
        Bad{"fit --samples 0x10", 2, {"0x10"}}, Bad{"fit --samples 0", 2, {"from 1 to"}},
        Bad{"fit --samples -3", 2, {"from 1 to"}}, Bad{"fit --features 0", 2, {"from 1 to"}},
        Bad{"fit --samples 9999999G", 2, {"10^15"}}, Bad{"fit --noise -1", 2, {"at least 0"}},
        Bad{"fit --noise inf", 2, {"inf"}}, Bad{"fit --seed -1", 2, {"from 0"}},
        Bad{"fit --seed 18446744073709551616", 2, {"18446744073709551615"}},
        Bad{"fit --seed 18446744073709552K", 2, {"18446744073709551615"}}, Bad{"fit --batch 0", 2, {"full"}},
        Bad{"fit --batch half", 2, {"full"}}, Bad{"fit --workers 0", 2, {"from 1 to 1000000"}},
        Bad{"fit --iterations -1", 2, {"from 0"}}, Bad{"fit --step-size 0", 2, {"above 0"}},
        Bad{"fit --step-size -0.1", 2, {"above 0"}}, Bad{"fit --step-size nan", 2, {"nan"}},
        Bad{"fit --step-size fast", 2, {"auto, theorem, experiment or a number"}},
        Bad{"fit --schedule never", 2, {"auto, constant or decay"}}, Bad{"fit --average 1.5", 2, {"from 0 to 1"}},
        Bad{"fit --levels 0", 2, {"from 1 to 127"}}, Bad{"fit --levels 128", 2, {"from 1 to 127"}},
        Bad{"fit --bits 8", 2, {"from 1 to 7"}}, Bad{"fit --bits 3 --levels 8", 2, {"contradicts", "7"}},
        Bad{"fit --scale L2", 2, {"auto, l2 or max"}}, Bad{"fit --collective ring", 2, {"two-phase"}},
        Bad{"fit --precision f16", 2, {"f64 or f32"}}, Bad{"fit --tolerance 0", 2, {"above 0"}},
        Bad{"fit --ensemble 0", 2, {"from 1"}}, Bad{"fit --device gpu", 2, {"auto, cpu or cuda"}},
        Bad{"fit --gpus 0", 2, {"from 1"}}, Bad{"fit --threads 0", 2, {"from 1"}},
        Bad{"fit --timeout -1", 2, {"at least 0"}}, Bad{"fit --report-every 0", 2, {"from 1"}},
        Bad{"fit --data=", 2, {"name of a file"}}, Bad{"fit --data x --samples 3", 2, {"--samples", "--data x"}},
        Bad{"fit --data x --features 3", 2, {"--features"}}, Bad{"fit --data x --noise 3", 2, {"--noise"}},
        Bad{"fit --labels y", 2, {"needs --data"}}, Bad{"fit --label-column y", 2, {"needs --data"}},
        Bad{"fit --data x --labels y --label-column z", 2, {"contradict"}},
        Bad{"predict m x --labels y --label-column z", 2, {"contradict"}},
        Bad{"fit --scale l2", 2, {"--scale l2 needs --levels or --bits"}},
        Bad{"fit --scale max --workers 4", 2, {"--scale max needs"}},
        Bad{"fit --broadcast star", 2, {"--broadcast star needs --collective master"}},
        Bad{"fit --broadcast star --collective allgather", 2, {"needs --collective master"}},
        Bad{"fit --gpus 2 --device cpu", 2, {"--gpus 2 contradicts --device cpu"}},
        Bad{"fit --resume auto", 2, {"--resume auto needs --checkpoint FILE"}},
        Bad{"fit --checkpoint-every 60s", 2, {"--checkpoint-every 60s needs --checkpoint FILE"}},
        Bad{"fit --checkpoint c --checkpoint-every 60", 2, {"found \"60\"", "60s, 5m or 1h"}},
        Bad{"fit --checkpoint c --checkpoint-every 0s", 2, {"found \"0s\"", "above 0"}},
        Bad{"fit --checkpoint c --checkpoint-every s", 2, {"found \"s\""}},
        Bad{"generate", 2, {"--output"}},
        Bad{"generate --output x.csv", 2, {".npz or .npy"}}, Bad{"fit --data missing.csv", 1, {"missing.csv"}},
        Bad{"fit --init missing", 1, {"missing"}}, Bad{"fit --resume missing", 1, {"missing"}},
        Bad{"predict missing x.csv", 1, {"missing"}},
        Bad{"fit -n 400 -d 20 --batch 100 --workers 3", 2, {"100", "3", "99", "102"}},
        Bad{"fit -n 10 -d 2 --workers 20", 2, {"10", "20"}},
        Bad{"fit -n 400 -d 20 --workers 20 --levels 7 --collective allreduce --wire int8", 2, {"127", "is 6", "--wire packed"}},
        Bad{"fit -n 100M -d 100K --device cpu", 1, {"TB", "available"}}));

TEST_F(Program, TheLastOfSeveralOptionsWins) {
    Said said = run(SMALL + "--iterations 5 --iterations 7 --quiet");
    EXPECT_EQ(said.code, 0) << said.err;
    EXPECT_TRUE(std::regex_search(said.out, std::regex("iterations +7\n"))) << said.out;
}

/* A default given in so many words asks for nothing. */
TEST_F(Program, WordsForTheDefaultAreFine) {
    EXPECT_EQ(run(SMALL + "--scale auto --broadcast tree --device cpu -T 2").code, 0);
}

TEST_F(Program, BitsAndLevelsThatAgreeAreFine) { EXPECT_EQ(run(SMALL + "--bits 3 --levels 7 -T 2").code, 0); }

TEST_F(Program, SuffixesAreDecimal) {
    Said said = run("fit --samples 0.5K --features=10 --iterations 0 --quiet");
    EXPECT_NE(said.out.find("500 rows of 10 features"), std::string::npos) << said.out << said.err;
}
