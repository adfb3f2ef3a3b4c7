/*
 * experiment_test.cpp - fitrelu experiment: what it writes, its verdicts on made-up data, and that neither threads
 * nor an interruption change a digit.
 */
#include "experiment_rig.h"

static const std::string TINY = "experiment fig1a --samples 400 --features 40 --batches 20,40 --seeds 2 "
                                "--iterations 60 --quiet --no-pictures --output ";

/* -------------------------------------------------------------------------------------------- program */

TEST_F(Experiment, RefusesInOneLine) {
    run("experiment").refuses(2, {"NAME"});
    run("experiment nope --output x").refuses(2, {"nope", "fig1a", "all"});
    run("experiment fig1a").refuses(2, {"--output"});
    run("experiment fig1a --output x --batches 3,,4").refuses(2, {"3,,4"});
    run("experiment fig1a --output x --batches 0").refuses(2, {"--batches"});
    run("experiment fig1a --output x --iterations 0").refuses(2, {"--iterations"});
    run("experiment fig1a --output missing/x").refuses(1, {"missing/x"});
}

/* Options without effect on one experiment; "all" has some that take them. */
TEST_F(Experiment, RefusesOptionsThatItHasNoUseFor) {
    run("experiment fig2a --batches 80 --output x").refuses(2, {"--batches 80", "experiment fig2a"});
    run("experiment ensemble --samples 80 --output x").refuses(2, {"--samples 80", "experiment ensemble"});
    run("experiment lemmas --iterations 3 --output x").refuses(2, {"--iterations 3", "experiment lemmas"});
    run("experiment table2 --device cpu --output x").refuses(2, {"--device cpu", "experiment table2"});
    EXPECT_FALSE(exists("x"));
}

/* A row of the CSV is what `fit` reports for the same problem, options and step. */
TEST_F(Experiment, Fig1aGivesTheErrorsOfFit) {
    Said said = run(TINY + "out");
    ASSERT_EQ(said.code, 0) << said.err;
    EXPECT_EQ(run("fit -n 400 -d 40 -m 40 -K 1 -T 60 --step-size experiment --seed 2 --collective allgather --quiet "
                  "--report-every 2 --history h.csv")
                  .code,
              0);
    std::string csv = text("out/fig1a.csv"), history = text("h.csv"), line;
    EXPECT_EQ(csv.rfind("batch,bits,seed,iteration,relative_error\n", 0), 0u);
    std::istringstream lines(history);
    int rows = 0;
    for (std::getline(lines, line); std::getline(lines, line); rows++) {
        std::vector<std::string> cells;
        std::stringstream fields(line);
        for (std::string cell; std::getline(fields, cell, ',');) cells.push_back(cell);
        EXPECT_NE(csv.find("\n40,0,2," + cells[0] + "," + cells[3] + "\n"), std::string::npos) << line;
    }
    EXPECT_EQ(rows, 31);
    EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 4 * 31);
    EXPECT_FALSE(exists("out/fig1a.partial"));
    EXPECT_NE(text("out/fig1a.json").find("\"verdicts\""), std::string::npos);
}

TEST_F(Experiment, ThreadsChangeNothing) {
    ASSERT_EQ(run(TINY + "one --threads 1").code, 0);
    ASSERT_EQ(run(TINY + "many --threads 5").code, 0);
    EXPECT_EQ(text("one/fig1a.csv"), text("many/fig1a.csv"));
    EXPECT_EQ(text("one/fig1a.json"), text("many/fig1a.json"));
}

/* SIGINT after the first trials; then the same command again. */
TEST_F(Experiment, GoesOnAfterAnInterruption) {
    std::string line = "experiment fig1a --samples 400 --features 40 --batches 20,40 --seeds 200 --iterations 60 ";
    ASSERT_EQ(run(line + "--quiet --no-pictures --output whole").code, 0);
    How how;
    how.signal = SIGINT;
    Said said = run(line + "--threads 1 --output parts", how);
    EXPECT_EQ(said.code, 130) << said.err;
    EXPECT_NE(said.err.find("interrupted"), std::string::npos);
    EXPECT_FALSE(exists("parts/fig1a.csv"));
    std::string partial = text("parts/fig1a.partial");
    EXPECT_GT(std::count(partial.begin(), partial.end(), '\n'), 1);
    /* As a kill leaves it: the last line cut. */
    write("parts/fig1a.partial", partial.substr(0, partial.size() - 7));
    ASSERT_EQ(run(line + "--quiet --no-pictures --output parts").code, 0);
    EXPECT_EQ(text("parts/fig1a.csv"), text("whole/fig1a.csv"));
}

/* A trial in the partial file is not run again, and one of other settings is not taken. */
TEST_F(Experiment, TakesOnlyTrialsOfTheSameSettings) {
    ASSERT_EQ(run(TINY + "plain").code, 0);
    Said said = run("experiment fig1a --samples 400 --features 40 --batches 20,40 --seeds 200 --iterations 60 "
                    "--threads 1 --output other",
                    {.environment = {}, .out_path = "", .signal = SIGINT});
    ASSERT_EQ(said.code, 130) << said.err;
    std::string partial = text("other/fig1a.partial");
    ASSERT_EQ(run(TINY + "other").code, 0); /* 2 seeds: not those settings */
    EXPECT_EQ(text("other/fig1a.csv"), text("plain/fig1a.csv"));
    size_t second = partial.find('\n', partial.find('\n') + 1) + 1;
    std::string made_up = partial.substr(0, partial.find('\n') + 1) + "0";
    for (int i = 0; i < 31; i++) made_up += ",0.125";
    write("other/fig1a.partial", made_up + "\n" + partial.substr(second));
    ASSERT_EQ(run("experiment fig1a --samples 400 --features 40 --batches 20,40 --seeds 200 --iterations 60 --quiet "
                  "--no-pictures "
                  "--output other")
                  .code,
              0);
    EXPECT_NE(text("other/fig1a.csv").find("\n20,0,1,0,0.125\n"), std::string::npos);
}

/* What ended before "all" was stopped stays to go on from: here fig1b cannot write its table. */
TEST_F(Experiment, AllKeepsItsTrialsUntilEverythingIsDone) {
    std::filesystem::create_directories(folder + "/out/fig1b.csv");
    Said said =
        run("experiment all -n 64 -d 8 --batches 80 --seeds 1 --iterations 5 --quiet --no-pictures --output out",
            no_cluster);
    EXPECT_EQ(said.code, 1) << said.err;
    EXPECT_TRUE(exists("out/fig1a.csv"));
    EXPECT_TRUE(exists("out/fig1a.partial"));
    EXPECT_TRUE(exists("out/fig1b.partial"));
    EXPECT_FALSE(exists("out/index.html"));
}

/* table2 is for those who ask: it takes long, and root. */
TEST_F(Experiment, AllLeavesTable2OutUnlessItIsAskedFor) {
    std::string tiny = "experiment all -n 64 -d 8 --batches 80 --seeds 1 --iterations 5 --no-pictures --output out ";
    Said said = run(tiny, no_cluster);
    EXPECT_EQ(said.code, 0) << said.err;
    EXPECT_NE(said.err.find("left out: table2"), std::string::npos) << said.err;
    EXPECT_TRUE(exists("out/ensemble.csv") && exists("out/bits.csv"));
    run(tiny + "--with-table2", no_cluster).refuses(1, {"table2 makes no cluster"});
}

TEST_F(Experiment, Table2SaysWhatIsMissing) {
    Said said = run("experiment table2 --quiet --no-pictures --output out", no_cluster);
    EXPECT_EQ(said.code, 1);
    EXPECT_EQ(said.err, "fitrelu: error: table2 makes no cluster while FITRELU_NO_CLUSTER is set\n");
    EXPECT_FALSE(exists("out/table2.csv"));
}

/* A cell of the grid is what `fit` ends with. */
TEST_F(Experiment, Fig2FollowsFitAndComparesWithFig2a) {
    std::string tiny = "--samples 128 --features 32 --iterations 200 --seeds 1 --quiet --no-pictures --output out";
    ASSERT_EQ(run("experiment fig2b " + tiny).code, 0);
    EXPECT_EQ(text("out/fig2b.json").find("does not substantially"), std::string::npos); /* nothing to compare with */
    ASSERT_EQ(run("experiment fig2a " + tiny).code, 0);
    ASSERT_EQ(run("experiment fig2b " + tiny).code, 0);
    EXPECT_NE(text("out/fig2b.json").find("does not substantially"), std::string::npos);
    /* d = 16, n = 12 is trial 3 * 32 + 5 of seed 1: seed 102. */
    run("fit -n 12 -d 16 -m 12 -K 1 -T 200 --step-size experiment --seed 102 --collective allgather --quiet "
        "--report-every 200 --tolerance 1e-9 --history h.csv");
    std::string history = text("h.csv"), csv = text("out/fig2a.csv");
    size_t row = history.find("\n200,");
    ASSERT_NE(row, std::string::npos) << history;
    std::stringstream fields(history.substr(row + 1));
    std::string cell;
    for (int i = 0; i < 4; i++) std::getline(fields, cell, ',');
    EXPECT_NE(csv.find("\n16,12,0," + cell + ",0\n"), std::string::npos) << cell;
}

TEST_F(Experiment, ScalesAndCollectivesFollowFit) {
    ASSERT_EQ(run("experiment scales -n 400 -d 40 --batches 20 --seeds 1 --iterations 20 --quiet --no-pictures "
                  "--output out")
                  .code,
              0);
    ASSERT_EQ(
        run("experiment collectives -n 400 -d 40 --seeds 1 --iterations 20 --quiet --no-pictures --output out").code,
        0);
    run("fit -n 400 -d 40 -m 20 -K 1 -T 20 --step-size 0.25 --report-every 20 --quiet --history a.csv");
    run("fit -n 400 -d 40 -m 80 -K 8 -T 20 --levels 15 --scale max --collective allreduce --report-every 10 --quiet "
        "--step-size 0.7777777777777778 --history b.csv");
    EXPECT_EQ(last_error("a.csv"), field("out/scales.csv", "\nhalf,20,1,", 1));
    EXPECT_EQ(last_error("b.csv"), field("out/collectives.csv", "\nallreduce,max,8,15,1,", 2));
}

/* --init, --step-size, --workers, --scale and --collective are those of fit. */
TEST_F(Experiment, TakesTheMethodFromTheCommandLine) {
    std::string method = "--init random --step-size 0.2 --workers 4 --scale max --collective two-phase ";
    ASSERT_EQ(run("experiment fig1b -n 400 -d 40 --batches 32 --seeds 1 --iterations 30 --quiet --no-pictures "
                  "--output out " +
                  method)
                  .code,
              0);
    run("fit -n 400 -d 40 -m 32 -T 30 --bits 3 --seed 1 --report-every 30 --quiet --history h.csv " + method);
    EXPECT_EQ(field("out/fig1b.csv", "\n32,3,1,30,", 0), last_error("h.csv"));
    std::string json = text("out/fig1b.json");
    EXPECT_NE(json.find("given: --init random --step-size 0.2 --scale max --workers 4 --collective two-phase"),
              std::string::npos)
        << json;
    EXPECT_NE(json.find("\"init\": \"random\""), std::string::npos);
}

TEST_F(Experiment, RefusesAMethodThatDoesNotFitAtTheStart) {
    run("experiment fig1a -n 400 -d 40 --batches 20,30 --workers 4 --output out").refuses(2, {"--workers 4", "30"});
    run("experiment fig1a --init start.npy --output out").refuses(2, {"--init start.npy", "random"});
    run("experiment fig1a --scale max --output out").refuses(2, {"--scale max", "fig1a"});
    run("experiment theorems --init random --output out").refuses(2, {"--init random", "theorems"});
    run("experiment theorems --batches 50 --output out").refuses(2, {"--batches 50", "multiple of 4"});
    run("experiment collectives --batches 50 --output out").refuses(2, {"--batches 50", "multiple of 80"});
    run("experiment bits -n 100 -d 50 --output out").refuses(2, {"100"});
    run("experiment fig1a --with-table2 --output out").refuses(2, {"--with-table2", "all"});
    run("experiment all --batches 100 --output out", no_cluster).refuses(2, {"--batches 100", "collectives", "80"});
    EXPECT_FALSE(exists("out"));
}

/* Rows so few that no label is above 0 are a failure to find w*, not the end of the experiment. */
TEST_F(Experiment, ASmallGridIsMadeAndPrintsNoNan) {
    Said said = run("experiment fig2a -n 6 -d 6 --seeds 1 --iterations 20 --quiet --no-pictures --output out");
    EXPECT_EQ(said.code, 0) << said.err;
    EXPECT_NE(said.out.find("cannot be told"), std::string::npos) << said.out;
    EXPECT_EQ(said.out.find("nan"), std::string::npos) << said.out;
}

/* Bits are those that a rank of `fit` sends by the plan's bytes, steps those of its history. */
TEST_F(Experiment, BitsAreThoseOfThePlan) {
    ASSERT_EQ(run("experiment bits -n 400 -d 40 --batches 32 --workers 4 --seeds 1 --iterations 60 --quiet "
                  "--no-pictures --output out")
                  .code,
              0);
    run("fit -n 400 -d 40 -m 32 -K 4 -T 60 --bits 2 --scale max --collective two-phase --report-every 60 --quiet "
        "--history h.csv");
    std::string row = "\ntwo-phase,max,2,packed,1,60,";
    EXPECT_EQ(field("out/bits.csv", row, 4), last_error("h.csv"));
    /* Four workers, d = 40 in 3 bits: three slices of 10 out and three sums of 10, each with a scale. */
    double bits = std::stod(field("out/bits.csv", row, 0));
    EXPECT_NEAR(bits, 60 * 8 * 6 * (std::ceil(10 * 3 / 8.0) + 8), 0.1 * bits);
}

/* ----------------------------------------------------------------------------- verdicts on made-up data */

/* Curves 0.44 rate_c^(t/2), a rate a batch. */
static verdict_list judged_rates(const std::vector<double> &rates) {
    experiment_run run = planned(experiment_fig1a);
    for (int64_t t = 0; t < run.trials; t++)
        for (int64_t p = 0; p < run.width; p++)
            run.values[t * run.width + p] = 0.44 * std::pow(rates[(size_t)(t / run.settings.seeds)], 5.0 * (double)p);
    verdict_list list = judged(run);
    experiment_run_free(&run);
    return list;
}

TEST(ExperimentVerdicts, HoldOnCurvesAsThePaperHasThem) {
    verdict_list list =
        judged_rates({0.966, 0.9345, 0.878, 0.801}); /* as the forecast has them for n = 10 d */
    EXPECT_EQ(list.count, 9);
    EXPECT_EQ(holding(list), 9);
}

TEST(ExperimentVerdicts, FailWhereTheRateIsNotThatOfTheStepSize) {
    verdict_list list = judged_rates({0.966, 0.9345, 0.878, 0.83});
    EXPECT_EQ(list.items[6].outcome, VERDICT_HOLDS); /* geometric, but */
    EXPECT_EQ(list.items[7].outcome, VERDICT_FAILS); /* 0.801 is foretold, 16 % more progress a step */
    list = judged_rates({0.966, 0.9345, 0.878, 0.97});
    EXPECT_EQ(list.items[8].outcome, VERDICT_FAILS); /* and the order is wrong */
    EXPECT_EQ(holding(list), 7);
}

TEST(ExperimentVerdicts, ClaimsOfThePaperAndOurOwnAreCountedApart) {
    verdict_list list = {};
    char words[EXPERIMENT_TEXT];
    verdict_add(&list, CLAIM_PAPER, VERDICT_HOLDS, "a", "");
    verdict_add(&list, CLAIM_PAPER, VERDICT_FAILS, "b", "");
    verdict_add(&list, CLAIM_PAPER, VERDICT_UNTOLD, "c", "");
    verdict_add(&list, CLAIM_OWN, VERDICT_HOLDS, "d", "");
    verdict_count(&list, words);
    EXPECT_STREQ(words, "claims of the paper: 1 of 2 hold; our own: 1 of 1; 1 cannot be told");
}

TEST(ExperimentVerdicts, FailWhereRunsDivergeOrStall) {
    experiment_run run = planned(experiment_fig1b);
    for (int64_t i = 0; i < run.trials * run.width; i++) run.values[i] = i % 2 ? INFINITY : 0.3;
    EXPECT_EQ(holding(judged(run)), 0);
    for (int64_t i = 0; i < run.trials * run.width; i++) run.values[i] = 0.05;
    EXPECT_EQ(holding(judged(run)), 0);
    experiment_run_free(&run);
}

/* Runs of table2 by scheme: in all, computing, communicating, way up, way down, error, bytes out and in of the busiest. */
static verdict_list judged_schemes(const std::vector<std::vector<double>> &schemes) {
    experiment_run run = planned(experiment_table2);
    run.values[0] = 100; /* Mbit/s */
    for (int64_t t = 1; t < run.trials; t++) {
        const std::vector<double> &values = schemes[(size_t)((t - 1) / run.settings.seeds) % schemes.size()];
        std::copy(values.begin(), values.end(), run.values + t * run.width);
    }
    verdict_list list = judged(run);
    experiment_run_free(&run);
    return list;
}

TEST(ExperimentVerdicts, Table2HoldsOnFiguresAsThePaperHasThem) {
    verdict_list list = judged_schemes({{33.4, 4.9, 28.5, 28, 0.5, 1e-9, 192000, 1280000},
                                        {8.1, 5.0, 3.1, 2.9, 0.2, 1e-9, 192000, 160000},
                                        {6.0, 5.0, 1.0, -1, -1, 2e-7, 4000, 4000}, /* of float32 rows */
                                        {6.5, 5.0, 1.5, -1, -1, 2e-7, 8000, 8000}});
    EXPECT_EQ(list.count, 7);
    EXPECT_EQ(holding(list), 6);
    EXPECT_EQ(list.items[1].outcome, VERDICT_FAILS); /* "5 times less" is not what the paper's own table gives */
}

TEST(ExperimentVerdicts, Table2FailsWhereNothingIsSavedOrAccuracyIsLost) {
    std::vector<double> alike = {10, 5, 5, 4, 1, 1e-9, 1000, 1000}, worse = {10, 5, 5, 4, 1, 1e-3, 1000, 1000};
    EXPECT_EQ(holding(judged_schemes({alike, alike, alike, alike})), 2); /* the accuracy is the same */
    EXPECT_EQ(holding(judged_schemes({alike, alike, alike, worse})), 1);
    EXPECT_EQ(holding(judged_schemes({alike, worse, alike, alike})), 1);
    EXPECT_EQ(holding(judged_schemes({alike, worse, worse, worse})), 0);
}

/* A grid whose trials succeed from n = c d on. */
static verdict_list judged_grid(double c, bool linear) {
    experiment_run run = planned(experiment_fig2a);
    for (int64_t t = 0; t < run.trials; t++) {
        double d = 30.0 * (double)(t / 320 + 1), n = 0.1 * d * (double)(t / 10 % 32 + 1) + 1e-9;
        run.values[t] = n >= (linear ? c * d : 500) ? 1e-9 : 0.1;
    }
    verdict_list list = judged(run);
    experiment_run_free(&run);
    return list;
}

TEST(ExperimentVerdicts, ATransitionIsFoundWhereItIs) {
    verdict_list list = judged_grid(2, true);
    ASSERT_EQ(list.count, 1);
    EXPECT_EQ(list.items[0].outcome, VERDICT_HOLDS);
    EXPECT_NE(std::string(list.items[0].measured).find("n = (1.95 +- 0.00) d "), std::string::npos)
        << list.items[0].measured;
}

TEST(ExperimentVerdicts, ATransitionThatDoesNotGrowWithDIsNotLinear) {
    EXPECT_EQ(judged_grid(0, false).items[0].outcome, VERDICT_FAILS);
    EXPECT_EQ(judged_grid(100, true).items[0].outcome, VERDICT_UNTOLD); /* nothing succeeds anywhere: no line */
}

/* Errors of the table of METHOD.md section 2, gradient by gradient. */
TEST(ExperimentVerdicts, OnlyTheGradientThatConvergesIsSection4s) {
    experiment_run run = planned(experiment_scales);
    for (int64_t t = 0; t < run.trials; t++) {
        run.values[2 * t] = 0.44;
        run.values[2 * t + 1] = t < run.trials / 3 ? 1e-3 : t < 2 * run.trials / 3 ? 0.79 : INFINITY;
    }
    verdict_list list = judged(run);
    ASSERT_EQ(list.count, 3);
    EXPECT_EQ(list.items[0].outcome, VERDICT_HOLDS);
    EXPECT_EQ(list.items[1].outcome, VERDICT_FAILS);
    EXPECT_EQ(list.items[2].outcome, VERDICT_FAILS);
    experiment_run_free(&run);
}

TEST(ExperimentVerdicts, CollectivesFailWhereTheyFallBehindAllgather) {
    experiment_run run = planned(experiment_collectives);
    int64_t a_way = run.trials / 4;
    for (int64_t t = 0; t < run.trials; t++) {
        run.values[3 * t] = 0.44;
        run.values[3 * t + 2] = t / a_way == 1 || t / a_way == 3 ? 1e-5 : 1e-10; /* two-phase and max behind */
    }
    verdict_list list = judged(run);
    ASSERT_EQ(list.count, 4);
    EXPECT_EQ(list.items[0].outcome, VERDICT_HOLDS);
    EXPECT_EQ(list.items[1].outcome, VERDICT_FAILS);
    EXPECT_EQ(list.items[2].outcome, VERDICT_FAILS); /* l2 did not fall behind */
    EXPECT_EQ(list.items[3].outcome, VERDICT_FAILS);
    for (int64_t i = 0; i < run.trials * run.width; i++) run.values[i] = INFINITY;
    EXPECT_EQ(judged(run).items[0].outcome, VERDICT_FAILS);
    experiment_run_free(&run);
}

TEST(ExperimentMeasures, ALineIsFoundAndItsNoiseTold) {
    const double x[] = {0, 1, 2, 3}, y[] = {1, 3, 5, 7}, bent[] = {1, 7, 1, 7};
    measure_line line = measure_fit_line(x, y, 4);
    EXPECT_DOUBLE_EQ(line.slope, 2);
    EXPECT_DOUBLE_EQ(line.intercept, 1);
    EXPECT_DOUBLE_EQ(line.r_squared, 1);
    EXPECT_LT(measure_fit_line(x, bent, 4).r_squared, 0.5);
    EXPECT_DOUBLE_EQ(measure_deviation(y, 4), std::sqrt(20.0 / 3));
}
