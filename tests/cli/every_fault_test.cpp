/*
 * every_fault_test.cpp - of small runs, every allocation and every call of a file fails once: the program says so in a
 * line and ends with 1, or does without, and what it leaves is whole or not there.
 */
#include "../unit/packed.h"
#include "samples.h"

#ifdef FITRELU_FAULTS

namespace {

/* A command, the files it reads, and those it writes. */
struct Task {
    const char *name, *line;
    std::vector<const char *> writes;
};

void PrintTo(const Task &task, std::ostream *out) { *out << task.name; } /* in the names of tests */

const Task tasks[] = {
    {"GenerateNpz", "generate -n 12 -d 2 --quiet --output g.npz", {"g.npz"}},
    {"GenerateNpy", "generate -n 12 -d 2 --quiet --output g.npy", {"g.npy", "g-labels.npy", "g-planted.npy"}},
    {"FitCsv", "fit --data in.csv --iterations 20 --quiet --threads 1 --model m --checkpoint c", {"m", "c"}},
    {"FitJsonHistory", "fit -n 40 -d 3 --iterations 20 --quiet --json --threads 1 --levels 4 --workers 2 --history h", {}},
    {"FitNpz", "fit --data in.npz --iterations 20 --quiet --threads 1 --model m", {"m"}},
    {"FitLabels", "fit --data in.npy --labels in-labels.npy --iterations 20 --quiet --threads 1 --model m", {"m"}},
    {"FitLibsvm", "fit --data in.svm --iterations 20 --quiet --threads 1 --missing drop --model m", {"m"}},
    {"FitGzip", "fit --data in.csv.gz --iterations 20 --quiet --threads 1 --model m", {"m"}},
    {"Resume", "fit --data in.csv --iterations 20 --quiet --threads 1 --resume done --model m", {"m"}},
    {"Predict", "predict model in.csv --quiet --output p.npy", {"p.npy"}},
    {"Show", "show model --csv", {}},
};

class EveryFault : public Program, public ::testing::WithParamInterface<std::tuple<Task, std::string>> {
  protected:
    const Task &task() const { return std::get<0>(GetParam()); }

    void SetUp() override {
        Program::SetUp();
        write("in.csv", csv());
        write("in.svm", "1 1:2 2:1\n2 1:1 2:3\n0 2:-1\n3 1:2.5\n1 1:1 2:1\n");
#ifdef FR_HAVE_ZLIB
        write("in.csv.gz", gzipped(csv()));
#endif
        run("generate -n 12 -d 2 --quiet --output in.npz");
        run("generate -n 12 -d 2 --quiet --output in.npy");
        run("fit --data in.csv --iterations 20 --quiet --model model --checkpoint done");
        given = names();
    }

    /* Removes what a run wrote. */
    void clean() {
        for (const std::string &name : names())
            if (std::find(given.begin(), given.end(), name) == given.end()) unlink(at(name).c_str());
    }

    std::vector<std::string> given;
};

TEST_P(EveryFault, IsToldAndLeavesWholeFilesOrNone) {
    How how;
    const Said well = run(task().line, how);
    if (well.code == 1 && well.err.find("without") != std::string::npos) GTEST_SKIP() << well.err;
    ASSERT_EQ(well.code, 0) << well.err;
    std::vector<std::string> whole;
    for (const char *name : task().writes) whole.push_back(read(name));
    clean();
    int tried = 0, told = 0;
    for (int k = 1;; k++, tried++) {
        const std::string fault = std::get<1>(GetParam()) + (":" + std::to_string(k));
        SCOPED_TRACE(fault);
        how.environment = {"LD_PRELOAD=" FITRELU_FAULTS, "FITRELU_TEST_FAULT=" + fault, "FITRELU_TEST_HIT=hit",
                           "OPENBLAS_NUM_THREADS=1"};
        const Said said = run(task().line, how);
        const bool hit = access(at("hit").c_str(), F_OK) == 0;
        EXPECT_TRUE(said.code == 0 || (hit && said.code == 1)) << said.code << ": " << said.err;
        if (said.code != 0) {
            told++;
            /* OpenMP's runtime ends the program itself where it has no memory. */
            const bool openmp = said.err.rfind("\nlibgomp: ", 0) == 0;
            EXPECT_TRUE(openmp || said.err.rfind("fitrelu: error: ", 0) == 0) << said.err;
            EXPECT_EQ(std::count(said.err.begin() + openmp, said.err.end(), '\n'), 1) << said.err;
        }
        for (size_t i = 0; i < whole.size(); i++) {
            const bool there = access(at(task().writes[i]).c_str(), F_OK) == 0;
            EXPECT_TRUE(there || said.code != 0) << task().writes[i];
            if (there && std::string(task().writes[i]) != "c") EXPECT_TRUE(read(task().writes[i]) == whole[i]) << task().writes[i];
        }
        for (const std::string &name : names()) EXPECT_EQ(name.find(".fitrelu-"), std::string::npos) << name;
        clean();
        if (!hit || HasFailure()) break;
    }
    RecordProperty("tried", tried);
    std::printf("%d failed, %d of them told\n", tried, told);
}

std::string name_of(const ::testing::TestParamInfo<EveryFault::ParamType> &info) {
    std::string kind = std::get<1>(info.param);
    kind[0] = (char)toupper(kind[0]);
    return std::get<0>(info.param).name + kind;
}

INSTANTIATE_TEST_SUITE_P(Of, EveryFault,
                         ::testing::Combine(::testing::ValuesIn(tasks),
                                            ::testing::Values(std::string("alloc"), "open", "read", "write", "fsync", "close", "rename",
                                                              "link")),
                         name_of);

} // namespace

#endif
