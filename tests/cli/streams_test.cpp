/*
 * streams_test.cpp - standard input, output and error that are full, closed or fail.
 */
#include "samples.h"

TEST_F(Program, AFullDiskIsAFailure) {
    if (access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full here";
    How full;
    full.out_path = "/dev/full";
    for (std::string line : {"fit -n 400 -d 20 --quiet", "fit -n 400 -d 20 --quiet --json", "info", "fit --help",
                             "--generate man", "--version"}) {
        Said said = run(line, full);
        EXPECT_EQ(said.code, 1) << line;
        EXPECT_EQ(said.err.rfind("fitrelu: error: standard output", 0), 0u) << said.err;
    }
    run(SMALL + "--quiet --history /dev/full").refuses(1, {"/dev/full"});
    write("rows.csv", csv());
    run("fit --data rows.csv --model kept --quiet");
    EXPECT_EQ(run("predict kept rows.csv --quiet", full).code, 1);
    run("predict kept rows.csv --quiet --output /dev/full").refuses(1, {"/dev/full"});
}

#ifdef FITRELU_FAULTS

static How with_fault(const std::string &fault) {
    How how;
    how.environment = {"LD_PRELOAD=" FITRELU_FAULTS, "FITRELU_TEST_FAULT=" + fault};
    return how;
}

/* On NFS or under a quota a loss shows only there. */
TEST_F(Program, AFailedCloseOfStdoutIsAFailure) {
    for (std::string line : {"info", "fit --help", "fit -n 400 -d 20 --quiet"}) {
        Said said = run(line, with_fault("descriptor:1"));
        EXPECT_EQ(said.code, 1) << line;
        EXPECT_EQ(said.err.rfind("fitrelu: error: standard output: cannot write", 0), 0u) << said.err;
    }
}

/* Rows, labels and w* appear together or not at all, over old files too. */
TEST_F(Program, ATrioIsReplacedWholeOrNotAtAll) {
    const std::string line = "generate -n 40 -d 3 --quiet --output set.npy --seed ";
    for (std::string fault : {"rename:1", "rename:2", "rename:3"}) {
        run(line + "1", with_fault(fault)).refuses(1, {"cannot write"});
        EXPECT_EQ(names(), std::vector<std::string>{}) << fault;
    }
    EXPECT_EQ(run(line + "1").code, 0);
    std::string rows = read("set.npy"), labels = read("set-labels.npy"), planted = read("set-planted.npy");
    for (std::string fault : {"rename:1", "rename:2", "rename:3"}) {
        run(line + "2", with_fault(fault)).refuses(1, {"cannot write"});
        EXPECT_EQ(names().size(), 3u) << fault;
        EXPECT_EQ(read("set.npy"), rows) << fault;
        EXPECT_EQ(read("set-labels.npy"), labels) << fault;
        EXPECT_EQ(read("set-planted.npy"), planted) << fault;
    }
    EXPECT_EQ(run(line + "2").code, 0);
    EXPECT_EQ(names().size(), 3u);
    EXPECT_NE(read("set.npy"), rows);
    EXPECT_NE(read("set-labels.npy"), labels);
}

#endif

/* The program, started by a shell with some of the streams closed. */
class Closed : public Program {
  protected:
    Said closed(const std::string &redirection, const std::string &line) const {
        return run_words({"sh", "-c", "exec " FITRELU_PROGRAM " " + line + " " + redirection});
    }
};

/* A file that got the number of a closed stream would have the progress, or the result, in its middle. */
TEST_F(Closed, StreamsAreNotTheFilesOpenedLater) {
    EXPECT_EQ(run(SMALL + "-T 10 --quiet --history open.csv --model open").code, 0);
    size_t rows = lines_of(read("open.csv")).size();
    for (std::string redirection : {"2>&-", "<&- 2>&-", "<&-", "<&- >&- 2>&-", ">&- 2>&-"}) {
        Said said = closed(redirection, SMALL + "-T 10 --history curve.csv --model kept");
        bool heard = redirection.find(">&- 2") == std::string::npos;
        EXPECT_EQ(said.code, heard ? 0 : 1) << redirection;
        EXPECT_EQ(read("kept"), read("open")) << redirection;
        std::vector<std::string> lines = lines_of(read("curve.csv"));
        ASSERT_EQ(lines.size(), rows) << redirection << read("curve.csv");
        for (size_t i = 1; i < lines.size(); i++)
            EXPECT_EQ(std::count(lines[i].begin(), lines[i].end(), ','), 4) << redirection << lines[i];
    }
}

TEST_F(Closed, AResultThatNobodyCanGetIsAFailure) {
    Said said = closed(">&-", "info");
    said.refuses(1, {"standard output: cannot write"});
    EXPECT_EQ(closed(">&-", "generate -n 40 -d 3 --quiet --json --output set.npy").code, 1);
    write("rows.csv", csv());
    EXPECT_EQ(run("fit --data rows.csv --model kept --quiet").code, 0);
    EXPECT_EQ(closed(">&-", "predict kept rows.csv --output out.txt --quiet").code, 0) << "nothing is printed";
}
