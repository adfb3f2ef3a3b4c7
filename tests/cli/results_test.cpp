/*
 * results_test.cpp - what a fit prints, and its exit codes. Nothing sleeps.
 */
#include "samples.h"

TEST_F(Program, AFitWithoutOptionsExplainsItself) {
    Said said = run("fit");
    EXPECT_EQ(said.code, 0) << said.err;
    for (std::string word : {"planted", "relative error", "recovered", "fitrelu fit --help"})
        EXPECT_NE(said.out.find(word), std::string::npos) << word;
    EXPECT_NE(said.err.find("relative error"), std::string::npos) << "rows of progress on stderr";
    EXPECT_EQ(said.err.find('\r'), std::string::npos) << "no bar away from a terminal";
    EXPECT_EQ(said.err.find('\033'), std::string::npos) << "no colour away from a terminal";
}

TEST_F(Program, QuietLeavesStderrEmpty) { EXPECT_EQ(run(SMALL + "--quiet").err, ""); }

TEST_F(Program, OutcomesHaveTheirExitCodes) {
    EXPECT_EQ(run(SMALL + "--tolerance 1e-6").code, 0);
    Said missed = run(SMALL + "--tolerance 1e-9 --iterations 2 --quiet");
    EXPECT_EQ(missed.code, 3);
    EXPECT_NE(missed.err.find("fitrelu: error: --tolerance 1e-09 was not reached"), std::string::npos) << missed.err;
    EXPECT_NE(missed.out.find("all steps made"), std::string::npos);
    Said diverged = run(SMALL + "--step-size 10 --quiet --model never");
    EXPECT_EQ(diverged.code, 4);
    EXPECT_NE(diverged.err.find("diverged"), std::string::npos);
    EXPECT_EQ(names(), std::vector<std::string>{}) << "a diverged fit leaves no model";
}

TEST_F(Program, TheSameSeedPrintsTheSameWhateverTheLocaleAndThreads) {
    auto numbers = [&](const std::string &more, const How &how) {
        std::string out = run(SMALL + "--noise 0.5 --bits 4 --workers 4 --quiet " + more, how).out;
        return out.substr(0, out.find("place")) +
               out.substr(out.find("iterations "), out.find("seconds") - out.find("iterations "));
    };
    std::string plain = numbers("--threads 1", {});
    EXPECT_EQ(plain, numbers("--threads 2", {}));
    EXPECT_EQ(plain, numbers("--threads 1", {{"LC_ALL=de_DE.UTF-8", "LANG=de_DE.UTF-8"}, "", 0}));
    EXPECT_NE(plain, numbers("--threads 1 --seed 2", {}));
}

/* Long before numbers overflow, and between reports too: a batch whose loss is a thousand times the start's is enough. */
TEST_F(Program, ADivergingFitEndsWithinAFewSteps) {
    for (const char *size : {"3", "4", "50"}) {
        Said said = run(std::string("fit -n 400 -d 20 --iterations 100K --report-every 100K --quiet --step-size ") + size);
        EXPECT_EQ(said.code, 4);
        size_t at = said.err.find("diverged after ");
        ASSERT_NE(at, std::string::npos) << said.err;
        EXPECT_LE(atoi(said.err.c_str() + at + 15), 8) << said.err;
    }
}

TEST_F(Program, WeightsThatOverflowAreNoSuccessAndNoModel) {
    for (const char *options : {"--init random --step-size 1e308", "--init random --step-size 100 --precision f32",
                                "--init random --step-size 1e300 --levels 7 --workers 4 --batch 40"}) {
        Said said = run(std::string("fit -n 2000 -d 40 --report-every 100 --checkpoint c --model m ") + options);
        EXPECT_EQ(said.code, 4) << options;
        EXPECT_NE(said.err.find("the fit diverged after"), std::string::npos) << said.err;
        EXPECT_NE(run("predict --model m --data x").code, 0) << options; /* there is none */
    }
}
