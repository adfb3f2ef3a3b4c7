/*
 * json_test.cpp - the object that --json prints, read by another JSON library.
 *
 * Where a signal is sent to a running fit, its first row of progress is what says that it runs.
 */
#ifdef FR_HAVE_JANSSON
#include <sys/stat.h>

#include <set>

#include "json.h"
#include "samples.h"

static std::vector<std::string> notes(const Json &json) {
    std::vector<std::string> found;
    size_t i;
    json_t *one;
    json_array_foreach(json.at("notes"), i, one) found.push_back(json_string_value(one));
    return found;
}

TEST_F(Program, JsonHasThePromisedKeys) {
    Json json(run(SMALL + "--json --bits 7 --workers 4 --seed 18446744073709551615"));
    EXPECT_EQ(json.text("program"), "fitrelu");
    EXPECT_EQ(json.text("version"), fr_version());
    EXPECT_EQ(json.text("status"), "iterations");
    for (std::string key : {"iterations", "loss", "relative_error", "step_size", "bytes_sent_per_iteration",
                            "data.samples", "data.features", "method.batch", "method.workers", "method.levels",
                            "place.gpus", "place.threads", "place.ranks", "seconds.total", "seconds.prepare",
                            "seconds.compute", "seconds.communicate", "r_squared", "active"})
        EXPECT_GE(json.number(key), 0) << key;
    EXPECT_EQ(json.text("data.source"), "planted");
    EXPECT_EQ(json.text("data.seed"), "18446744073709551615");
    EXPECT_EQ(json.number("data.samples"), 400);
    EXPECT_EQ(json.number("method.levels"), 127);
    EXPECT_EQ(json.text("method.step_rule"), "auto");
    EXPECT_EQ(json.text("method.precision"), "f64");
    EXPECT_EQ(json.text("method.init"), "gradient");
    EXPECT_EQ(json.text("method.scale"), "max");
    EXPECT_EQ(json.text("method.collective"), "two-phase");
    EXPECT_EQ(json.text("place.device"), "cpu");
    EXPECT_TRUE(json_is_boolean(json.at("theory.condition_ii")));
    EXPECT_TRUE(json_is_array(json.at("notes")));
    EXPECT_GT(json.number("seconds.prepare"), 0);
    double steps = json.number("seconds.compute") + json.number("seconds.communicate");
    EXPECT_NEAR(json.number("seconds.total"), json.number("seconds.prepare") + steps, 1e-9);
}

/* The words of --collective are the names in the library's list, in its order. */
TEST_F(Program, EveryCollectiveIsChosenByItsName) {
    for (int c = FR_COLLECTIVE_AUTO + 1; c < FR_COLLECTIVE_COUNT; c++) {
        std::string name = fr_collective_name(static_cast<fr_collective>(c));
        Json json(run(SMALL + "--json --workers 2 --collective " + name));
        EXPECT_EQ(json.text("method.collective"), name);
    }
}

/* Theorem 3.2 is of (2.2): levels of each worker's own l2 norm, rounded once. */
TEST_F(Program, JsonHasTheRateOfATheoremWhereOneSpeaksOfTheRun) {
    struct {
        const char *options;
        int levels; /* -1: no theorem */
    } cases[] = {{"", 0},
                 {"--workers 4 --collective two-phase", 0},
                 {"--workers 4 --collective allgather --levels 7", 7},
                 {"--workers 4 --collective master --levels 7", 7},
                 {"--workers 4 --collective allgather --levels 7 --scale max", -1},
                 {"--workers 4 --collective allreduce --levels 7", -1},
                 {"--workers 4 --collective two-phase --levels 7", -1}};
    for (const auto &one : cases) {
        Said said = run(SMALL + "--batch 80 --json " + one.options), table = run(SMALL + "--batch 80 " + one.options);
        Json json(said);
        bool covered = one.levels >= 0;
        EXPECT_EQ(json.null("theory.rate"), !covered) << one.options;
        if (covered)
            EXPECT_DOUBLE_EQ(json.number("theory.rate"),
                             fr_theory_rate(static_cast<int64_t>(json.number("data.features")), 80, one.levels));
        EXPECT_EQ(table.out.find("\ntheorem ") != std::string::npos, covered) << table.out;
    }
}

TEST_F(Program, JsonSaysTheWordsOfTheOptions) {
    Json json(run(SMALL + "--json --step-size experiment --init zero --precision f32 --levels 9 --scale max "
                          "--collective allgather --workers 2 --batch 30 --schedule decay --average 0.5"));
    EXPECT_EQ(json.text("method.step_rule"), "experiment");
    EXPECT_EQ(json.text("method.init"), "zero");
    EXPECT_EQ(json.text("method.precision"), "f32");
    EXPECT_EQ(json.text("method.scale"), "max");
    EXPECT_EQ(json.text("method.collective"), "allgather");
    EXPECT_EQ(json.text("method.schedule"), "decay");
    EXPECT_EQ(json.number("method.average"), 0.5);
    EXPECT_EQ(json.number("method.batch"), 30);
    EXPECT_EQ(json.number("method.levels"), 9);
}

TEST_F(Program, JsonHasNullWhereNothingIsKnown) {
    Json planted(run(SMALL + "--json"));
    EXPECT_TRUE(planted.null("method.levels"));
    EXPECT_TRUE(planted.null("method.scale"));
    EXPECT_TRUE(planted.null("method.collective"));
    EXPECT_TRUE(planted.null("model"));
    write("rows.csv", csv());
    Json own(run("fit --json --data rows.csv --model kept"));
    EXPECT_TRUE(own.null("relative_error"));
    EXPECT_TRUE(own.null("theory.condition_ii"));
    EXPECT_EQ(own.text("data.source"), "rows.csv");
    EXPECT_EQ(own.text("model.path"), "kept");
    EXPECT_GT(own.number("r_squared"), 0.999);
}

TEST_F(Program, JsonIsPrintedForEveryOutcome) {
    Said reached = run(SMALL + "--json --tolerance 1e-6"), missed = run(SMALL + "--json --tolerance 1e-9 -T 2"),
         diverged = run(SMALL + "--json --step-size 10");
    EXPECT_EQ(reached.code, 0);
    EXPECT_EQ(Json(reached).text("status"), "tolerance");
    EXPECT_LE(Json(reached).number("relative_error"), 1e-6);
    EXPECT_EQ(missed.code, 3);
    EXPECT_EQ(Json(missed).text("status"), "iterations");
    EXPECT_EQ(diverged.code, 4);
    EXPECT_EQ(Json(diverged).text("status"), "diverged");
}

TEST_F(Program, DefaultSizesFollowTheOneThatIsGiven) {
    auto sizes = [&](const std::string &options) {
        Json json(run("fit --json --iterations 0 " + options));
        return std::make_pair(json.number("data.samples"), json.number("data.features"));
    };
    EXPECT_EQ(sizes(""), std::make_pair(10000.0, 1000.0));
    EXPECT_EQ(sizes("--samples 200"), std::make_pair(200.0, 20.0));
    EXPECT_EQ(sizes("--samples 5"), std::make_pair(5.0, 1.0));
    EXPECT_EQ(sizes("--samples 12K"), std::make_pair(12000.0, 1000.0));
    EXPECT_EQ(sizes("--features 30"), std::make_pair(300.0, 30.0));
}

TEST_F(Program, SignalsEndAFitWithItsResultsSoFar) {
    const int signals[] = {SIGINT, SIGTERM};
    for (int number : signals) {
        How how;
        how.signal = number;
        Said said = run(SMALL + "--iterations 1000G --json --model kept --history curve.csv --checkpoint state", how);
        EXPECT_EQ(said.code, 128 + number) << said.err;
        Json json(said);
        EXPECT_EQ(json.text("status"), "interrupted");
        EXPECT_EQ(notes(json).back().rfind("interrupted after ", 0), 0u) << said.out;
        EXPECT_EQ((double)std::stoll(lines_of(read("curve.csv")).back()), json.number("iterations"));
        std::vector<std::string> left = names();
        EXPECT_EQ(std::set<std::string>(left.begin(), left.end()),
                  (std::set<std::string>{"kept", "curve.csv", "state"}));
    }
}

TEST_F(Program, PredictGivesBackWhatTheFitSaw) {
    write("rows.csv", csv());
    Json fitted(run("fit --data rows.csv --label-column y --standardize --intercept --model kept --json"));
    Said all = run("predict kept rows.csv --json");
    Json said(all);
    EXPECT_NEAR(said.number("loss"), fitted.number("loss"), 1e-9 + 1e-6 * fitted.number("loss"));
    EXPECT_NEAR(said.number("r_squared"), fitted.number("r_squared"), 1e-9);
    EXPECT_EQ(json_array_size(said.at("predictions")), 60u);
    EXPECT_NE(all.err.find("R^2"), std::string::npos);
    if (run("info").out.find("GPUs: none") == std::string::npos) return;
    Said without = run("predict kept rows.csv --device cuda");
    EXPECT_EQ(without.code, 7);
    EXPECT_NE(without.err.find("use --device cpu"), std::string::npos) << without.err;
}

TEST_F(Program, GenerateThenFitRecoversThePlantedWeights) {
    for (std::string name : {"planted.npz", "planted.npy"}) {
        Json made(run("generate --samples 400 --features 20 --seed 5 --json --output " + name));
        EXPECT_EQ(made.text("output"), name);
        std::string labels = name == "planted.npy" ? " --labels planted-labels.npy" : "";
        Said said = run("fit --data " + name + labels + " --json --tolerance 1e-6 --init zero");
        EXPECT_EQ(said.code, 0) << said.err;
        EXPECT_GT(Json(said).number("r_squared"), 0.999999) << name;
    }
    Said exact = run("fit --data planted.npz --init planted-planted.npy --iterations 0 --json");
    EXPECT_LT(Json(exact).number("loss"), 1e-18) << exact.err;
}

TEST_F(Program, AFitGoesOnFromAModelOrTextOfWeights) {
    run(SMALL + "--iterations 60 --quiet --model kept");
    double there = Json(run(SMALL + "--iterations 60 --json")).number("loss");
    EXPECT_EQ(Json(run(SMALL + "--iterations 0 --json --init kept")).number("loss"), there);
    write("rows.csv", csv());
    write("weights", "# two\n3\n-2\n");
    Json exact(run("fit --data rows.csv --init weights --iterations 0 --json"));
    EXPECT_LT(exact.number("loss"), 1e-10);
    EXPECT_EQ(exact.text("method.init"), "file");
    write("three", "3\n-2\n1\n");
    run("fit --data rows.csv --init three").refuses(5, {"three", "3", "2"});
}

TEST_F(Program, InfoAsJson) {
    Json json(run("info --json"));
    EXPECT_EQ(json.text("build.version"), fr_version());
    EXPECT_GE(json.number("build.threads"), 1);
    EXPECT_GT(json.number("build.memory_available_GB"), 0);
}

/* What stderr remarks stands in the object, and with --quiet in the object alone. */
TEST_F(Program, NotesAreTheRemarks) {
    write("rows.csv", csv());
    EXPECT_EQ(run("fit --data rows.csv --intercept --model kept --quiet").code, 0);
    const std::string line = "fit --data rows.csv --init kept --json";
    Said loud = run(line), quiet = run(line + " --quiet");
    std::vector<std::string> found = notes(Json(loud));
    ASSERT_EQ(found.size(), 1u) << loud.out;
    EXPECT_NE(found[0].find("its intercept"), std::string::npos);
    EXPECT_NE(loud.err.find("fitrelu: " + found[0] + "\n"), std::string::npos) << loud.err;
    EXPECT_EQ(quiet.err, "");
    EXPECT_EQ(notes(Json(quiet)), found);
}

/* Columns that a fit leaves out are told on stderr and in the JSON, by number and reason, also with --quiet in the JSON. */
TEST_F(Program, ColumnsLeftOutAreTold) {
    std::string text = "a,zero,b,both,one,y\n";
    for (int i = 0; i < 60; i++) {
        int a = i * 7 % 13, b = i * 5 % 11;
        text += std::to_string(a) + ",0," + std::to_string(b) + "," + std::to_string(a + b) + ",1," +
                std::to_string(a + 2 * b) + "\n";
    }
    write("rows.csv", text);
    std::vector<std::string> expected = {
        "column \"zero\" of the features is 0 in every row; left out, its weight is 0",
        "column \"both\" of the features is a combination of others; left out, its weight is 0"};
    Said said = run("fit --data rows.csv --json");
    EXPECT_EQ(said.code, 0) << said.err;
    for (const Said &one : {said, run("fit --data rows.csv --json --quiet")}) {
        Json json(one);
        EXPECT_EQ(notes(json), expected);
    }
    for (const std::string &line : expected) EXPECT_NE(said.err.find("fitrelu: " + line + "\n"), std::string::npos) << said.err;
    write("plain.csv", text.substr(text.find('\n') + 1));
    said = run("fit --data plain.csv --intercept");
    EXPECT_NE(said.err.find("column 5 of the features is constant beside an intercept"), std::string::npos) << said.err;
}

/* Positions beside a column of ones vary by 1e-5 of their size, and all of it counts. */
TEST_F(Program, PositionsBesideAColumnOfOnesAreFitted) {
    std::string text = "one,lat,lon,y\n";
    for (int i = 0; i < 64; i++) {
        int north = i / 8, west = i % 8;
        char row[80];
        snprintf(row, sizeof row, "1,%.4f,%.4f,%d\n", 47.6 + 2e-4 * north, -122.3 + 2e-4 * west,
                 north > west ? north - west : 0);
        text += row;
    }
    write("rows.csv", text);
    Json json(run("fit --data rows.csv --json --quiet"));
    EXPECT_LT(json.number("loss"), 1e-3);
    EXPECT_EQ(json_array_size(json.at("notes")), 0u);
}

/* What the reader remarks stands among the notes of the command that reads. */
TEST_F(Program, NotesHoldTheRemarksOfTheReader) {
    write("rows.csv", csv() + "1,NA,3\n");
    for (std::string line : {"fit --model kept --data rows.csv", "predict kept rows.csv"}) {
        Said said = run(line + " --missing drop --json --quiet");
        ASSERT_EQ(said.code, 0) << said.err;
        ASSERT_EQ(notes(Json(said)).size(), 1u) << said.out;
        EXPECT_NE(notes(Json(said))[0].find("row left out"), std::string::npos) << said.out;
        EXPECT_EQ(said.err, "");
    }
}

TEST_F(Program, AnInputThatDoesNotComeIsAnObjectToo) {
    ASSERT_EQ(mkfifo(at("pipe").c_str(), 0600), 0);
    Said said = run("fit --json --data pipe --timeout 1");
    EXPECT_EQ(said.code, 8);
    Json json(said);
    EXPECT_EQ(json.text("status"), "error");
    EXPECT_EQ(json.number("error.code"), 8);
    EXPECT_EQ("fitrelu: error: " + json.text("error.message") + "\n", said.err);
}

/* The line on stderr is as without --json. */
TEST_F(Program, AFailureIsAnObjectToo) {
    const struct {
        const char *line;
        int code;
    } failures[] = {{"fit --nope --json", 2},         {"nope --json", 2},          {"--nope --json", 2},
                    {"fit --json --data missing", 1}, {"fit --json --gpus 0", 2},  {"predict --json", 2},
                    {"predict a b --json", 1},        {"generate --json", 2},      {"plan --nodes 0 --json", 2},
                    {"info --json one extra", 2}, {"show --json missing", 1},         {"experiment --json x", 2}};
    for (const auto &[line, code] : failures) {
        Said said = run(line);
        EXPECT_EQ(said.code, code) << line;
        Json json(said);
        EXPECT_EQ(json.text("program"), "fitrelu");
        EXPECT_EQ(json.text("version"), fr_version());
        EXPECT_EQ(json.text("status"), "error");
        EXPECT_EQ(json.number("error.code"), code);
        EXPECT_EQ("fitrelu: error: " + json.text("error.message") + "\n", said.err);
        EXPECT_TRUE(json.null("error.rank"));
    }
}

TEST_F(Program, SettingsOfAnExperimentAreNumbers) {
    Said said = run("experiment fig1a --samples 400 --features 40 --batches 20,40 --seeds 2 --iterations 60 --quiet "
                    "--no-pictures --output out --json --seed 18446744073709551615");
    Json json(said);
    EXPECT_EQ(json.number("settings.samples"), 400);
    EXPECT_EQ(json.number("settings.features"), 40);
    EXPECT_EQ(json.number("settings.iterations"), 60);
    EXPECT_EQ(json.number("settings.seeds"), 2);
    EXPECT_EQ(json.text("settings.seed"), "18446744073709551615");
    EXPECT_EQ(json_integer_value(json_array_get(json.at("settings.batches"), 1)), 40);
    EXPECT_TRUE(json_is_false(json.at("settings.full")));
    EXPECT_EQ(json.text("settings.device"), "cpu");
    EXPECT_EQ(json.text("command"), "fitrelu experiment fig1a --samples 400 --features 40 --iterations 60 --seeds 2 "
                                    "--batches 20,40 --seed 18446744073709551615");
    EXPECT_EQ(said.out, read("out/fig1a.json"));
    unlink(at("out/fig1a.json").c_str()), unlink(at("out/fig1a.csv").c_str()), rmdir(at("out").c_str());
}

#endif
