/*
 * mpi_rig.h - fitrelu under mpirun: so many ranks, one of them with words of its own, or struck by a signal.
 */
#ifndef FR_TEST_MPI_RIG_H
#define FR_TEST_MPI_RIG_H

#include <cmath>
#include <regex>

#include "../cli/program.h"

/* Uneven: neither 3001 rows nor 203 columns are divisible by 12, 4, 3 or 2. */
static const std::string PLANTED = "--samples 3001 --features 203 --batch 240 --seed 3 --quiet ";
static const std::string ENDLESS = "--samples 3001 --features 203 --batch 240 --iterations 100M --report-every 1M ";

class Mpi : public Program {
  protected:
    void SetUp() override {
        Program::SetUp();
        if (access(FITRELU_MPIRUN, X_OK) != 0) GTEST_SKIP() << "no mpirun at \"" FITRELU_MPIRUN "\"";
    }

    /* `fitrelu fit LINE` (or another subcommand) on so many ranks; rank `odd` gets the words of `extra` too, the last of an option counts. */
    Said ranks(int count, const std::string &line, How how = {}, int odd = -1, const std::string &extra = "",
               const std::string &subcommand = "fit") const {
        std::string self = "r=$OMPI_COMM_WORLD_RANK; echo $$ > pid.$r; echo $PPID > pid.mpirun; ";
        if (odd >= 0) self += "[ $r != " + std::to_string(odd) + " ] || { set -- \"$@\" " + extra + "; }; ";
        std::vector<std::string> words = {"timeout",
                                          "--kill-after=5",
                                          "60",
                                          FITRELU_MPIRUN,
                                          "--quiet",
                                          "--oversubscribe",
                                          "--bind-to",
                                          "none",
                                          "-np",
                                          std::to_string(count),
                                          "sh",
                                          "-c",
                                          self + "exec \"$0\" \"$@\"",
                                          FITRELU_PROGRAM,
                                          subcommand};
        for (const std::string &word : split(line)) words.push_back(word);
        for (const char *variable : {"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"})
            how.environment.push_back(variable);
        return run_words(words, how);
    }

    /* Sends the signal to one rank, or to mpirun, once all have begun. */
    Said struck(int count, const std::string &line, const std::string &whom, int number) const {
        How how;
        how.watch = [&](const std::string &err) {
            if (!std::regex_search(err, std::regex("\n +0 "))) return false;
            kill(std::stoi(read("pid." + whom)), number);
            return true;
        };
        return ranks(count, line, how);
    }
    Said struck(int count, const std::string &line, int rank, int number) const {
        return struck(count, line, std::to_string(rank), number);
    }

    /* What fitrelu itself said of its failure, apart from what mpirun adds. */
    static std::vector<std::string> failures(const Said &said) {
        std::vector<std::string> found;
        for (size_t at = 0; at < said.err.size();) {
            size_t end = std::min(said.err.find('\n', at), said.err.size());
            std::string line = said.err.substr(at, end - at);
            if (line.find("fitrelu: error: ") != std::string::npos) found.push_back(line);
            at = end + 1;
        }
        return found;
    }

    /* One line for all ranks, that names the words, with this exit code, and no report. */
    static void refused(const Said &said, int code, const std::vector<std::string> &words) {
        EXPECT_EQ(said.code, code) << said.err;
        EXPECT_EQ(said.out, "");
        ASSERT_EQ(failures(said).size(), 1u) << said.err;
        for (const std::string &word : words)
            EXPECT_NE(failures(said)[0].find(word), std::string::npos) << word << " in: " << said.err;
    }

    /* The model of `ranks` processes has the bits of the one in "one". */
    void equals_one(int count, const std::string &line) const {
        Said said = ranks(count, line + " --model many");
        EXPECT_EQ(said.code, 0) << said.err;
        EXPECT_EQ(read("many"), read("one")) << count << " ranks, " << line;
        unlink(at("many").c_str());
    }

    /* A CSV of x1..x5, y with columns far from zero, so that an intercept has work. The last row but one is `bad`. */
    std::string csv(const std::string &name, const std::string &bad = "") const {
        std::string text = "x1,x2,x3,x4,x5,y\n";
        for (int i = 0; i < 211; i++) {
            double sum = -1;
            std::string line;
            for (int j = 1; j <= 5; j++) {
                double x = ((i + 3) * (i + j) * (7 + j) % 101) / 25.0 - 2 + j;
                line += std::to_string(x) + ",";
                sum += x * (j % 2 ? 1 : -0.5);
            }
            text += (i == 209 && !bad.empty() ? bad : line + std::to_string(std::fmax(0, sum))) + "\n";
        }
        return write(name, text);
    }

  private:
    static std::vector<std::string> split(const std::string &line) {
        std::vector<std::string> words;
        for (size_t at = 0; at < line.size();) {
            size_t end = std::min(line.find(' ', at), line.size());
            if (end > at) words.push_back(line.substr(at, end - at));
            at = end + 1;
        }
        return words;
    }
};

#endif
