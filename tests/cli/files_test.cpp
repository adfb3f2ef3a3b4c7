/*
 * files_test.cpp - what the program writes and reads again: histories, models, predictions, checkpoints.
 */
#include <regex>

#include "samples.h"

TEST_F(Program, HistoryHasItsHeaderAndARowAReport) {
    EXPECT_EQ(run(SMALL + "--iterations 10 --history curve.csv --quiet").code, 0);
    std::vector<std::string> rows = lines_of(read("curve.csv"));
    ASSERT_EQ(rows.size(), 1u + 6u); /* 0, 1, 2, 4, 8, 10 */
    EXPECT_EQ(rows[0], "iteration,seconds,loss,relative_error,bytes_sent");
    EXPECT_EQ(rows[1].substr(0, 2), "0,");
    EXPECT_EQ(rows[6].substr(0, 3), "10,");
    write("rows.csv", csv());
    EXPECT_EQ(run("fit --data rows.csv --iterations 4 --report-every 2 --history own.csv --quiet").code, 0);
    rows = lines_of(read("own.csv"));
    ASSERT_EQ(rows.size(), 1u + 3u);
    EXPECT_TRUE(std::regex_match(rows[3], std::regex("4,[0-9.e+-]+,[0-9.e+-]+,,[0-9.e+-]+"))) << rows[3];
}

TEST_F(Program, HistoryOfAnEnsembleTellsItsRunsApart) {
    run(SMALL + "--iterations 4 --ensemble 3 --history curve.csv --quiet");
    std::vector<std::string> rows = lines_of(read("curve.csv"));
    ASSERT_EQ(rows.size(), 1u + 3 * 4u); /* each 0, 1, 2, 4 */
    EXPECT_EQ(rows[0], "iteration,seconds,loss,relative_error,bytes_sent,run");
    for (size_t i = 1; i < rows.size(); i++)
        EXPECT_EQ(rows[i].substr(rows[i].rfind(',')), "," + std::to_string((i - 1) / 4 + 1)) << rows[i];
}

TEST_F(Program, HistoryOfADivergedFitIsKept) {
    EXPECT_EQ(run(SMALL + "--step-size 10 --history curve.csv --quiet").code, 4);
    EXPECT_GE(lines_of(read("curve.csv")).size(), 2u);
}

TEST_F(Program, OutputsThatCannotBeWrittenAreRefusedBeforeTheFit) {
    for (std::string option : {"--model", "--history", "--checkpoint"}) {
        run("fit " + option + " nowhere/file").refuses(1, {"nowhere/file"});
        run("fit " + option + " .").refuses(1, {"."});
    }
    write("rows.csv", csv());
    run("fit --data rows.csv --model kept --quiet");
    run("predict kept rows.csv --output nowhere/file").refuses(1, {"nowhere/file"});
    run("generate --samples 10 --output nowhere/file.npy").refuses(1, {"nowhere/file.npy"});
}

/* Where two options lead to one file that is written: by one name, by another spelling, by a link, or as a file that is
 * still to be made. The line names both options, and nothing is written. */
TEST_F(Program, OneFileForTwoOptionsIsRefused) {
    write("rows.csv", csv());
    write("weights", "3\n-2\n");
    ASSERT_EQ(symlink("rows.csv", at("soft").c_str()), 0);
    ASSERT_EQ(link(at("rows.csv").c_str(), at("hard").c_str()), 0);
    const std::string new_file = at("new");
    const struct {
        std::string line;
        std::vector<std::string> options;
    } refused[] = {{"fit --model a --history a", {"--model", "--history", "same file a"}},
                   {"fit --model new --history ./new", {"--model new", "--history ./new"}},
                   {"fit --model new --checkpoint " + new_file, {"--model", "--checkpoint"}},
                   {"fit --data rows.csv --model ./rows.csv", {"--data", "--model"}},
                   {"fit --data rows.csv --history soft", {"--data", "--history"}},
                   {"fit --data rows.csv --checkpoint hard", {"--data", "--checkpoint"}},
                   {"fit --data soft --labels weights --model weights", {"--labels", "--model"}},
                   {"fit --init weights --model ./weights", {"--init", "--model"}},
                   {"fit --resume weights --model weights", {"--resume", "--model"}},
                   {"predict weights rows.csv --output rows.csv", {"DATA", "--output"}},
                   {"predict weights rows.csv -o ./weights", {"MODEL", "--output"}},
                   {"predict weights rows.csv --labels hard -o soft", {"--output", "same file"}}};
    for (const auto &one : refused) run(one.line).refuses(2, one.options);
    run_words({"sh", "-c", "exec " FITRELU_PROGRAM " fit --data - --model rows.csv < rows.csv"})
        .refuses(2, {"--data -", "--model rows.csv"});
    EXPECT_EQ(read("rows.csv"), csv());
    EXPECT_EQ(names().size(), 4u);
}

TEST_F(Program, FilesThatMayBeOne) {
    EXPECT_EQ(run(SMALL + "-T 4 --quiet --model /dev/null --history /dev/null").code, 0);
    EXPECT_EQ(run(SMALL + "-T 4 --quiet --model zero --init zero").code, 0) << "a word, no file";
    EXPECT_EQ(run(SMALL + "-T 40 --quiet --tolerance 0.05 --checkpoint state").code, 0);
    Said rest = run(SMALL + "-T 40 --quiet --checkpoint state --resume state");
    EXPECT_EQ(rest.code, 0) << rest.err;
}

TEST_F(Program, PredictionsAreLinesOrAnArray) {
    write("rows.csv", csv());
    write("bare.csv", "x1,x2\n2,1\n-1,1\n0.5,0\n");
    EXPECT_EQ(run("fit --data rows.csv --model kept --quiet").code, 0);
    Said labelled = run("predict kept rows.csv"), bare = run("predict kept bare.csv");
    EXPECT_EQ(lines_of(labelled.out).size(), 60u);
    EXPECT_NE(labelled.err.find("R^2"), std::string::npos);
    EXPECT_EQ(bare.code, 0) << bare.err;
    EXPECT_EQ(bare.err, "") << "no labels, so nothing to judge";
    std::vector<std::string> values = lines_of(bare.out);
    ASSERT_EQ(values.size(), 3u);
    EXPECT_NEAR(std::stod(values[0]), 4, 1e-2);
    EXPECT_EQ(values[1], "0");
    EXPECT_NEAR(std::stod(values[2]), 1.5, 1e-2);

    EXPECT_EQ(run("predict kept bare.csv --output out.txt").out, "");
    EXPECT_EQ(read("out.txt"), bare.out);
    EXPECT_EQ(run("predict kept bare.csv --output out.npy").code, 0);
    std::string bytes = read("out.npy");
    ASSERT_EQ(bytes.size() % 64, 3 * sizeof(double)) << "a header of whole 64 bytes, then three numbers";
    double last;
    memcpy(&last, bytes.data() + bytes.size() - sizeof last, sizeof last);
    EXPECT_EQ(last, std::stod(values[2])) << "text and array hold the same double";
}

TEST_F(Program, PredictReadsRowsWithoutLabelsFromNpy) {
    run("generate --samples 40 --features 2 --output rows.npy");
    EXPECT_EQ(run("fit --data rows.npy --labels rows-labels.npy --model kept --quiet").code, 0);
    Said bare = run("predict kept rows.npy"), judged = run("predict kept rows.npy --labels rows-labels.npy");
    EXPECT_EQ(bare.code, 0) << bare.err;
    EXPECT_EQ(bare.err, "");
    EXPECT_EQ(bare.out, judged.out);
    EXPECT_NE(judged.err.find("R^2"), std::string::npos);
    write("wide.csv", "1,2,3,4,5\n");
    run("predict kept wide.csv").refuses(5, {"wide.csv"});
}

TEST_F(Program, ADamagedModelIsRefused) {
    write("rows.csv", csv());
    EXPECT_EQ(run("fit --data rows.csv --model kept --quiet").code, 0);
    std::string bytes = read("kept");
    for (size_t at : {size_t(0), bytes.size() / 2, bytes.size() - 1}) {
        std::string damaged = bytes;
        damaged[at] = (char)(damaged[at] ^ 4);
        write("damaged", damaged);
        run("predict damaged rows.csv").refuses(5, {"damaged"});
    }
    write("damaged", bytes.substr(0, bytes.size() / 2));
    run("predict damaged rows.csv").refuses(5, {"damaged"});
    run("predict rows.csv rows.csv").refuses(5, {"rows.csv"});
}

TEST_F(Program, ARunGoesOnFromItsCheckpointToTheSameWeights) {
    EXPECT_EQ(run(SMALL + "-T 40 --quiet --model whole").code, 0);
    EXPECT_EQ(run(SMALL + "-T 40 --quiet --tolerance 0.05 --checkpoint state").code, 0);
    Said rest = run(SMALL + "-T 40 --quiet --resume state --model resumed");
    EXPECT_EQ(rest.code, 0) << rest.err;
    EXPECT_EQ(read("resumed"), read("whole"));
    write("state", "not a checkpoint");
    run(SMALL + "-T 40 --resume state").refuses(6, {"state"});
}
