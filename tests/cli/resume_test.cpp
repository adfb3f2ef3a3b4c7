/*
 * resume_test.cpp - runs that go on from a checkpoint: of which run it must be, what may change, and stops on the way.
 */
#include "samples.h"

/* One run's checkpoint and another run's command line. */
struct OtherRun {
    std::string common, first, other, difference;
};
static void PrintTo(const OtherRun &run, std::ostream *out) { *out << run.first << " -> " << run.other; }

class Resume : public Program, public ::testing::WithParamInterface<OtherRun> {};

TEST_P(Resume, OfAnotherRunIsRefusedAndTheDifferenceNamed) {
    std::string rows, labels, others;
    for (int i = 0; i < 60; i++) {
        std::string row = std::to_string(i % 7) + "," + std::to_string(i * i % 11) + "," + std::to_string(i % 5);
        rows += row + "\n";
        labels += std::to_string(i % 6) + "\n";
        others += std::to_string(i == 30 ? 9 : i % 6) + "\n";
    }
    write("a.csv", rows);
    rows[rows.size() / 2 / 2 * 2] = '8'; /* one digit in the middle */
    write("b.csv", rows);
    write("gap.csv", "1,,3\n" + rows.substr(rows.find('\n') + 1));
    write("y.txt", labels);
    write("z.txt", others);
    write("w.txt", "0.1\n0.2\n");
    write("v.txt", "0.1\n0.3\n");
    const OtherRun &runs = GetParam();
    std::string line = "fit " + runs.common + " --iterations 20 --quiet ";
    Said first = run(line + runs.first + " --checkpoint state"), same = run(line + runs.first + " --resume state");
    ASSERT_EQ(first.code, 0) << first.err;
    ASSERT_EQ(same.code, 0) << same.err;
    run(line + runs.other + " --resume state").refuses(6, {"state: the checkpoint is of another run", runs.difference});
}

INSTANTIATE_TEST_SUITE_P(
    Fit, Resume,
    ::testing::Values(
        OtherRun{"", "--data a.csv", "--data b.csv", " data="},
        OtherRun{"--step-size 0.001", "--data a.csv", "--data b.csv", " data="},
        OtherRun{"--data a.csv", "--labels y.txt", "--labels z.txt", " data="},
        OtherRun{"--data a.csv --step-size 0.001", "--labels y.txt", "--labels z.txt", " data="},
        OtherRun{"--data a.csv --step-size 0.001", "", "--label-column 1", " data="},
        OtherRun{"--data a.csv", "", "--standardize", "--standardize=no, this run --standardize=yes"},
        OtherRun{"--data a.csv --step-size 0.001", "", "--standardize", "--standardize=no, this run --standardize=yes"},
        OtherRun{"--data a.csv --intercept", "", "--standardize", "--standardize=no, this run --standardize=yes"},
        OtherRun{"--data a.csv", "", "--intercept", "--intercept=no, this run --intercept=yes"},
        OtherRun{"--data a.csv --step-size 0.001", "", "--intercept", "--intercept=no, this run --intercept=yes"},
        OtherRun{"--data a.csv", "", "--step-size 0.001", "--step-size=auto, this run --step-size=0.001"},
        OtherRun{"--data a.csv", "", "--precision f32", "--precision=f64, this run --precision=f32"},
        OtherRun{"--data a.csv", "--init w.txt", "--init v.txt", "start file="},
        OtherRun{"--data a.csv", "", "--init zero", "--init=auto, this run --init=zero"},
        OtherRun{"--data a.csv --batch 10", "", "--seed 2", "--seed=1, this run --seed=2"},
        OtherRun{"--data a.csv", "", "--batch 10", "--batch=full, this run --batch=10"},
        OtherRun{"--data a.csv", "", "--workers 2", "--workers=1, this run --workers=2"},
        OtherRun{"--data a.csv", "", "--schedule constant", "--schedule=decay, this run --schedule=constant"},
        OtherRun{"--data a.csv", "", "--average 0.5", "--average=none, this run --average=from step 10"},
        OtherRun{"--data a.csv", "", "--iterations 30", "--iterations=20, this run --iterations=30"},
        OtherRun{"--data a.csv", "", "--report-every 3", "--report-every=0, this run --report-every=3"},
        OtherRun{"--missing drop", "--data a.csv", "--data gap.csv", " rows=60, this run rows=59"},
        OtherRun{"--data gap.csv", "--missing drop", "--missing mean", " rows=59, this run rows=60"},
        OtherRun{"--data a.csv", "", "--header yes", " rows=60, this run rows=59"},
        OtherRun{"--data a.csv", "", "--levels 7", "--levels=0, this run --levels=7"},
        OtherRun{"--data a.csv --levels 7", "", "--scale l2", "--scale=max, this run --scale=l2"},
        OtherRun{"--data a.csv --levels 7", "", "--collective two-phase", "--collective=allreduce"},
        OtherRun{"-n 200 -d 2", "", "--noise 1", "--noise=0, this run --noise=1"},
        OtherRun{"-d 2", "-n 200", "-n 201", "--samples=200, this run --samples=201"},
        OtherRun{"", "-n 200 -d 2", "--data a.csv", "--data=none, this run --data=given"}));

/* What does not touch the weights may change; so may the file's form, as long as its values are the same. */
TEST_F(Program, AResumedRunMayChangeWhatDoesNotTouchItsWeights) {
    write("a.csv", csv());
    write("a.txt", "# a remark\n" + csv());
    std::string line = "fit --workers 2 --levels 7 --collective allgather --iterations 40 --quiet ";
    ASSERT_EQ(run(line + "--data a.csv --checkpoint state --model whole").code, 0);
    for (const char *other : {"--data a.txt", "--data a.csv --wire elias --threads 2 --timeout 5 --tolerance 1e-9 "
                                              "--history h.csv --checkpoint new --device cpu"}) {
        Said said = run(line + other + " --resume state --model resumed");
        EXPECT_NE(read("resumed"), "") << said.err;
        EXPECT_EQ(read("resumed"), read("whole")) << other;
    }
    ASSERT_EQ(run(SMALL + "-T 40 --quiet --checkpoint state --model whole").code, 0);
    EXPECT_EQ(run(SMALL + "-T 40 --quiet --init gradient --report-every 3 --resume state --model resumed").code, 0);
    EXPECT_EQ(read("resumed"), read("whole"));
}

/* One command for the first time and for all others. */
TEST_F(Program, AnAutomaticResumeBeginsWhereThereIsNoCheckpoint) {
    std::string line = SMALL + "--workers 2 --levels 7 --schedule constant --quiet --checkpoint state --resume auto ";
    ASSERT_EQ(run(SMALL + "--workers 2 --levels 7 --schedule constant -T 40 --quiet --model whole").code, 0);
    ASSERT_EQ(run(line + "-T 25 --model half").code, 0);
    Said rest = run(line + "-T 40 --model rest --history rest.csv");
    ASSERT_EQ(rest.code, 0) << rest.err;
    EXPECT_EQ(read("rest"), read("whole"));
    EXPECT_NE(read("rest.csv").find("\n25,"), std::string::npos) << "it did not begin again: " << read("rest.csv");
    run(line + "-T 40 --seed 9").refuses(6, {"state: the checkpoint is of another run", "seed"});
    write("state", "no checkpoint");
    run(line + "-T 40").refuses(6, {"state"});
}

/* The stopping rule looks at the tolerance. */
TEST_F(Program, ASearchGoesOnWithTheStoppingRuleThatItBeganWith) {
    write("a.csv", csv());
    std::string line = "fit --data a.csv --quiet ";
    ASSERT_EQ(run(line + "--checkpoint state --model whole").code, 0);
    ASSERT_EQ(run(line + "--resume state --model resumed").code, 0);
    EXPECT_EQ(read("resumed"), read("whole"));
    run(line + "--tolerance 1e-9 --resume state").refuses(6, {"another run", "--tolerance=0, this run --tolerance=1e-09"});
    run(line + "--iterations 20 --resume state")
        .refuses(6, {"another run", "--iterations=as the stopping rule says, this run --iterations=a number of steps"});
}

/* A search over several starts, stopped by a signal where that happens to find it. */
TEST_F(Program, ASearchThatSignalsStopGoesOnToTheSameWeights) {
    ASSERT_EQ(run("generate --samples 12000 --features 40 --noise 20 --output data.npz").code, 0);
    std::string line = "fit --data data.npz --levels 15 --workers 4 --checkpoint state --model ";
    ASSERT_EQ(run(line + "whole").code, 0);
    How how;
    how.signal = SIGTERM;
    Said said = run(line + "stopped", how);
    for (int stops = 0; said.code == 128 + SIGTERM && stops < 3; stops++)
        said = run(line + "stopped --resume state", stops < 2 ? how : How{});
    EXPECT_EQ(said.code, 0) << said.err;
    EXPECT_EQ(read("stopped"), read("whole"));
}
