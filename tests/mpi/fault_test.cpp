/*
 * fault_test.cpp - ranks that are stopped, killed, stuck or wrong at every stage before the first step: all end, with the
 * right code, within the timeout. (mpi_test.cpp has the faults during the steps.)
 *
 * The timeout includes the joining of MPI, which takes some seconds on a busy machine: it is 5 where a later stage is meant.
 * Nothing sleeps: a stage is known to be reached when a pipe that the rank reads can be opened for writing.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "mpi_rig.h"

class Fault : public Mpi {
  protected:
    /* Words that make a rank do something before it becomes fitrelu. */
    static std::string before(const std::string &command) { return "; " + command; }

    void fifo(const std::string &name) const { ASSERT_EQ(mkfifo(at(name).c_str(), 0600), 0); }

    /* The first line of failure names the words, and the code is as told. At times two ranks speak before mpirun ends them. */
    static void ends(const Said &said, int code, const std::vector<std::string> &words) {
        EXPECT_EQ(said.code, code) << said.err;
        ASSERT_FALSE(failures(said).empty()) << said.err;
        for (const std::string &word : words)
            EXPECT_NE(failures(said)[0].find(word), std::string::npos) << word << " in: " << said.err;
    }

    /* tests/mpi/exchange_check on so many ranks. */
    Said check(int count, const std::string &what) const {
        How how;
        how.environment = {"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"};
        return run_words({"timeout", "--kill-after=5", "60", FITRELU_MPIRUN, "--quiet", "--oversubscribe", "--bind-to",
                          "none", "-np", std::to_string(count), EXCHANGE_CHECK, what}, how);
    }

    /* Sends the signal to rank 1 as soon as it has opened the pipe, which then stays open without a word. */
    Said struck_while_reading(const std::string &line, int number) const {
        pid_t helper = fork();
        if (helper == 0) {
            if (open(at("pipe").c_str(), O_WRONLY) >= 0) kill(std::stoi(read("pid.1")), number);
            pause();
        }
        Said said = ranks(2, line, {}, 1, "--data pipe");
        kill(helper, SIGKILL);
        waitpid(helper, nullptr, 0);
        return said;
    }
};

TEST_F(Fault, ARankStoppedBeforeItJoinsEndsTheRunAfterTheTimeout) {
    ends(ranks(3, PLANTED + "--timeout 2", {}, 1, before("kill -STOP $$")), 8, {"rank", "joining MPI", "2 seconds"});
}

TEST_F(Fault, ARankThatLeavesBeforeItJoinsEndsTheRunAfterTheTimeout) {
    ends(ranks(2, PLANTED + "--timeout 2", {}, 1, before("exit 0")), 8, {"rank 0", "joining MPI", "2 seconds"});
}

TEST_F(Fault, ARankKilledBeforeItJoinsEndsTheRun) {
    EXPECT_EQ(ranks(2, PLANTED, {}, 1, before("kill -KILL $$")).code, 128 + SIGKILL);
}

TEST_F(Fault, ARankOfAnotherCommandEndsTheRun) {
    EXPECT_EQ(ranks(2, PLANTED + "--timeout 20", {}, 1, before("set -- nonsense")).code, 2);
}

TEST_F(Fault, ARankWithABadOptionEndsAllAtOnce) {
    refused(ranks(2, PLANTED, {}, 1, "--bogus"), 2, {"--bogus"});
    refused(ranks(2, PLANTED, {}, 0, "--timeout never"), 2, {"--timeout", "never"});
}

TEST_F(Fault, ARankStuckOnAPipeEndsTheRunAfterTheTimeout) {
    csv("data.csv");
    fifo("pipe");
    ends(ranks(2, "--data data.csv --quiet --timeout 2", {}, 1, "--data pipe"), 8, {"rank", "2 seconds"});
}

TEST_F(Fault, RanksThatAreAllStuckOnAPipeSaySo) {
    fifo("pipe");
    ends(ranks(2, "--data pipe --quiet --timeout 5"), 8, {"reading pipe", "nothing came", "5 seconds"});
}

TEST_F(Fault, ARankStoppedWhileItReadsIsNamed) {
    csv("data.csv");
    fifo("pipe");
    ends(struck_while_reading("--data data.csv --quiet --timeout 5", SIGSTOP), 8,
         {"rank 0", "no answer from rank 1", "5 seconds"});
}

TEST_F(Fault, ARankKilledWhileItReadsEndsTheRun) {
    csv("data.csv");
    fifo("pipe");
    EXPECT_EQ(struck_while_reading("--data data.csv --quiet", SIGKILL).code, 128 + SIGKILL);
    EXPECT_EQ(struck_while_reading("--data data.csv --quiet", SIGTERM).code, 128 + SIGTERM);
}

/* Rank 0 waits for rank 1, which is busy for three times the timeout. */
TEST_F(Fault, ARankThatSaysThatItIsAtWorkIsNotSilent) {
    EXPECT_EQ(check(2, "beats").code, 0);
    Said said = check(2, "silence");
    EXPECT_EQ(said.code, 8);
    EXPECT_NE(said.err.find("rank 0: the work had no answer from rank 1 for 1 seconds"), std::string::npos) << said.err;
}

/* Rank 0 cannot know from a collective who is silent, and rank 1 would name rank 2, which waits itself. */
TEST_F(Fault, ARollCallNamesTheRankThatIsSilentAndNoOther) {
    Said said = check(5, "roll");
    EXPECT_EQ(said.code, 8) << said.err;
    EXPECT_NE(said.err.find("rank 0: the gather had no answer from rank 3 for 1 seconds"), std::string::npos) << said.err;
    EXPECT_EQ(said.err.find("rank 1:"), std::string::npos) << said.err;
}

TEST_F(Fault, CollectivesGoInRoundsOfAnyLength) {
    for (int count : {2, 3, 5}) {
        Said said = check(count, "collectives");
        EXPECT_EQ(said.code, 0) << count << said.err;
    }
}

TEST_F(Fault, AMessageLargerThanMpiAllowsGoesInPieces) {
    Said said = check(3, "pieces");
    EXPECT_EQ(said.code, 0) << said.err;
}
