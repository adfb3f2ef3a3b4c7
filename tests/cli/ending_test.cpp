/*
 * ending_test.cpp - how a run of one process ends early: signals, kills, silence, a reader that goes away; and what it shows
 * on a terminal before the first step.
 */
#include <fcntl.h>
#include <pty.h>
#include <sys/stat.h>

#include <regex>

#include "program.h"

class Ending : public Program {
  protected:
    /* Runs `fitrelu LINE` with a pseudo-terminal as stderr until `stop` says so of what has been shown; then the signal. */
    int on_terminal(const std::string &line, int number, const std::function<bool(const std::string &)> &stop,
                    std::string &shown) const {
        int master = -1;
        pid_t child = forkpty(&master, nullptr, nullptr, nullptr);
        if (child == 0) {
            setenv("TERM", "xterm", 1);
            setenv("OMP_NUM_THREADS", "1", 1);
            if (chdir(folder.c_str()) == 0) execl("/bin/sh", "sh", "-c", ("exec " FITRELU_PROGRAM " " + line).c_str(), nullptr);
            _exit(99);
        }
        char buffer[4096];
        bool stopped = false;
        for (ssize_t got; (got = ::read(master, buffer, sizeof buffer)) > 0;) {
            shown.append(buffer, (size_t)got);
            if (!stopped && stop(shown)) stopped = kill(child, number) == 0;
        }
        int status = 0;
        waitpid(child, &status, 0);
        close(master);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }

    /* An endless fit that is struck once its first row is out. */
    Said struck(const std::string &line, int number) const {
        How how;
        how.signal = number;
        return run("fit --samples 2000 --features 40 --batch 80 --iterations 100M --report-every 1M " + line, how);
    }
};

TEST_F(Ending, AHangupKeepsTheResultAsTerminationDoes) {
    for (int number : {SIGHUP, SIGTERM, SIGINT}) {
        Said said = struck("--model m --checkpoint c", number);
        EXPECT_EQ(said.code, 128 + number) << said.err;
        EXPECT_NE(said.out.find("interrupted"), std::string::npos) << said.out;
        EXPECT_NE(said.err.find("goes on with --resume c"), std::string::npos) << said.err;
        EXPECT_NE(read("m"), "");
        unlink(at("m").c_str());
    }
}

/* As batch systems send it some time before they end a job. */
TEST_F(Ending, AFirstUserSignalAsksToBeRunAgain) {
    Said said = struck("--checkpoint c --resume auto", SIGUSR1);
    EXPECT_EQ(said.code, 75) << said.err;
    EXPECT_NE(said.out.find("interrupted"), std::string::npos) << said.out;
    EXPECT_NE(said.err.find("the same command goes on with --resume auto"), std::string::npos) << said.err;
    EXPECT_NE(read("c"), "");
    EXPECT_EQ(struck("--model m", SIGUSR1).code, 128 + SIGUSR1) << "without a checkpoint nothing could go on";
    EXPECT_NE(read("m"), "");
}

TEST_F(Ending, AKillLeavesNoTemporaryFiles) {
    if (::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600) < 0) GTEST_SKIP() << "no O_TMPFILE here";
    EXPECT_EQ(struck("--history h --checkpoint c --model m", SIGKILL).code, 128 + SIGKILL);
    for (const std::string &name : names()) EXPECT_EQ(name, "c"); /* the whole one of step 0, if it got so far */
}

/* The pipe opens for writing only once the program has opened it. */
TEST_F(Ending, ASignalEndsAProgramThatIsBlockedOnAPipe) {
    ASSERT_EQ(mkfifo(at("pipe").c_str(), 0600), 0);
    pid_t child = fork();
    if (child == 0) {
        if (chdir(folder.c_str()) == 0) execl(FITRELU_PROGRAM, "fitrelu", "fit", "--data", "pipe", "--history", "h", nullptr);
        _exit(99);
    }
    int writer = ::open(at("pipe").c_str(), O_WRONLY), status = 0;
    kill(child, SIGTERM);
    waitpid(child, &status, 0);
    close(writer);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) << status;
    EXPECT_EQ(names(), std::vector<std::string>{"pipe"});
}

TEST_F(Ending, ATimeoutThatIsAskedForEndsAProgramWhoseInputDoesNotCome) {
    ASSERT_EQ(mkfifo(at("pipe").c_str(), 0600), 0);
    run("fit --data pipe --timeout 1").refuses(8, {"reading pipe", "nothing came for 1 seconds"});
    run("fit --timeout=1 --history pipe").refuses(8, {"opening the files to write", "1 seconds"});
}

TEST_F(Ending, AReaderThatGoesAwayEndsItLikeSigpipe) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    close(ends[0]);
    How how;
    how.out_path = "/dev/fd/" + std::to_string(ends[1]);
    Said said = run("fit --help", how);
    close(ends[1]);
    EXPECT_EQ(said.code, 128 + SIGPIPE);
    EXPECT_EQ(said.err, "");
}

TEST_F(Ending, AReaderOfTheHistoryThatGoesAwayIsAFailure) {
    ASSERT_EQ(mkfifo(at("h").c_str(), 0600), 0);
    int reader = ::open(at("h").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    How how;
    how.watch = [&](const std::string &) { return close(reader) == 0; };
    /* More rows than a pipe holds, so that it cannot end before the reader has gone. */
    Said said = run("fit --samples 200 --features 4 --batch 20 --iterations 20K --report-every 1 --history h", how);
    EXPECT_EQ(said.code, 1) << said.err;
    EXPECT_NE(said.err.find("fitrelu: error: cannot write h: Broken pipe"), std::string::npos) << said.err;
}

/* SIGXFSZ would end it with 153. */
TEST_F(Ending, AFileThatGrowsTooLargeIsAnErrorOfItsOwn) {
    std::string line = "ulimit -f 1; exec " FITRELU_PROGRAM " generate --samples 1000 --features 10 --output f.npy";
    Said said = run_words({"sh", "-c", line});
    said.refuses(1, {"f.npy", "File too large"});
    EXPECT_TRUE(names().empty());
}

/* A pipe that says nothing is the one stage that surely lasts for longer than a second. */
TEST_F(Ending, WhatLastsBeforeTheFirstStepIsShownAndEndsAtOnce) {
    ASSERT_EQ(mkfifo(at("pipe").c_str(), 0600), 0);
    std::string shown;
    auto seconds = [](const std::string &text) { return std::regex_search(text, std::regex("reading pipe, [0-9]+ s")); };
    EXPECT_EQ(on_terminal("fit --data pipe --model m --history h", SIGINT, seconds, shown), 128 + SIGINT) << shown;
    EXPECT_EQ(names(), std::vector<std::string>{"pipe"});
}

/* A pipe that this test keeps open after a few rows. */
TEST_F(Ending, WhatIsReadIsShownWithItsRateAndASignalSaysHowToGoOn) {
    ASSERT_EQ(mkfifo(at("pipe").c_str(), 0600), 0);
    int writer = ::open(at("pipe").c_str(), O_RDWR);
    ASSERT_EQ(::write(writer, "1,2\n3,4\n", 8), 8);
    std::string shown;
    auto rate = [](const std::string &text) {
        return std::regex_search(text, std::regex("reading pipe, 8e-06 MB, [0-9.e-]+ MB a second, [0-9]+ s"));
    };
    EXPECT_EQ(on_terminal("fit --data pipe", SIGINT, rate, shown), 128 + SIGINT) << shown;
    EXPECT_NE(shown.find("fitrelu: interrupted: reading pipe; run the same command again"), std::string::npos) << shown;
    ASSERT_EQ(::write(writer, "1,2\n3,4\n", 8), 8);
    How how;
    how.signal = SIGTERM;
    Said said = run("fit --data pipe", how); /* not a terminal: lines */
    close(writer);
    EXPECT_EQ(said.code, 128 + SIGTERM);
    EXPECT_TRUE(rate(said.err)) << said.err;
    EXPECT_EQ(said.err.find('\r'), std::string::npos);
    EXPECT_NE(said.err.find("run the same command again\n"), std::string::npos) << said.err;
    EXPECT_NE(struck("--model m", SIGINT).err.find("--init m"), std::string::npos);
    EXPECT_NE(struck("", SIGINT).err.find("--checkpoint FILE would let --resume FILE go on"), std::string::npos);
}

TEST_F(Ending, SizesBeyondAllMemoryAreRefusedByArithmetic) {
    run("fit -n 1000G -d 1G").refuses(1, {"1000000000000 rows of 1000000000 features"});
    run("fit -n 1G -d 1G").refuses(1, {"8.0 EB", "the planted rows", "--samples"}); /* as many as fit */
    run("generate -n 1G -d 1G --output f.npy").refuses(1, {"8.0 EB"});
}

/* The runtime of OpenMP dies of such a number. */
TEST_F(Ending, AnAbsurdNumberOfThreadsInTheEnvironmentIsBounded) {
    How how;
    how.environment = {"OMP_NUM_THREADS=100000"};
    EXPECT_EQ(run("generate --samples 300 --features 4 --output g.npz", how).code, 0);
    EXPECT_EQ(run("fit --data g.npz --threads 2 --model m", how).code, 0);
    EXPECT_EQ(run("fit --samples 300 --features 4 --threads 2", how).code, 0);
    EXPECT_EQ(run("predict m g.npz", how).code, 0);
}
