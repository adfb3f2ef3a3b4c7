/*
 * cli_test.cpp - the program as a user meets it: options, exit codes, output, files, signals.
 *
 * Problems are small (a few hundred rows), so that each run takes a fraction of a second. Nothing sleeps: where a
 * signal is sent to a running fit, its first row of progress is what says that it runs.
 */
#include <cmath>
#include <regex>
#include <set>

#include "program.h"

#ifdef FR_HAVE_JANSSON
#include "json.h"
#endif

static const char *const COMMANDS[] = {"fit", "predict", "generate", "plan", "show", "info"};
static const std::string SMALL = "fit --samples 400 --features 20 ";

static std::vector<std::string> lines_of(const std::string &text) {
    std::vector<std::string> lines;
    for (size_t at = 0; at < text.size();) {
        size_t end = std::min(text.find('\n', at), text.size());
        lines.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return lines;
}

/* A CSV of 60 rows of x1, x2, y with y = max(0, 3 x1 - 2 x2). */
static std::string csv(const std::string &replaced_line_5 = "") {
    std::string text = "x1,x2,y\n";
    for (int i = 0; i < 60; i++) {
        double x1 = (i * 37 % 60) / 10.0 - 3, x2 = (i * i * 7 % 61) / 10.0 - 3;
        std::string line =
            std::to_string(x1) + "," + std::to_string(x2) + "," + std::to_string(std::fmax(0, 3 * x1 - 2 * x2));
        text += (i == 3 && !replaced_line_5.empty() ? replaced_line_5 : line) + "\n";
    }
    return text;
}

/* ------------------------------------------------------------------------------------- bad options */

struct Bad {
    const char *line;
    int code;
    std::vector<std::string> words;
};
static void PrintTo(const Bad &bad, std::ostream *out) { *out << bad.line; }

class BadOptions : public Program, public ::testing::WithParamInterface<Bad> {};

TEST_P(BadOptions, AreRefusedInOneLine) { run(GetParam().line).refuses(GetParam().code, GetParam().words); }

INSTANTIATE_TEST_SUITE_P(
    Table, BadOptions,
    ::testing::Values(
        Bad{"nope", 2, {"nope", "fit, predict"}}, Bad{"--nope", 2, {"--nope"}}, Bad{"--generate nope", 2, {"fish"}},
        Bad{"help nope", 2, {"nope"}}, Bad{"help fit fit", 2, {"unexpected"}}, Bad{"--version x", 2, {"x"}},
        Bad{"fit --nope", 2, {"--nope"}}, Bad{"fit --nope=3", 2, {"--nope"}}, Bad{"fit -z", 2, {"-z"}},
        Bad{"fit --sample 10", 2, {"--sample:", "not abbreviated", "--samples"}},
        Bad{"fit --interc", 2, {"not abbreviated", "--intercept"}}, Bad{"fit --sample=10", 2, {"not abbreviated"}},
        Bad{"fit extra", 2, {"extra"}}, Bad{"info one extra", 2, {"extra"}}, Bad{"predict", 2, {"MODEL DATA"}},
        Bad{"predict model", 2, {"MODEL DATA"}}, Bad{"predict a b c", 2, {"\"c\""}},
        Bad{"fit --samples", 2, {"--samples", "nothing"}}, Bad{"fit --json=1", 2, {"--json"}},
        Bad{"fit --output x.npy", 2, {"--output", "predict, generate"}}, Bad{"info --seed 1", 2, {"fit, generate"}},
        Bad{"fit --samples 10X", 2, {"--samples", "10X", "K, M or G"}}, Bad{"fit --samples 10k", 2, {"10k"}},
        Bad{"fit --samples 10KK", 2, {"10KK"}}, Bad{"fit --samples K", 2, {"\"K\""}},
        Bad{"fit --samples 1.5", 2, {"whole number"}}, Bad{"fit --samples 1,5", 2, {"1,5"}},
        Bad{"fit --samples 0x10", 2, {"0x10"}}, Bad{"fit --samples 0", 2, {"from 1 to"}},
        Bad{"fit --samples -3", 2, {"from 1 to"}}, Bad{"fit --features 0", 2, {"from 1 to"}},
        Bad{"fit --samples 9999999G", 2, {"10^15"}}, Bad{"fit --noise -1", 2, {"at least 0"}},
        Bad{"fit --noise inf", 2, {"inf"}}, Bad{"fit --seed -1", 2, {"from 0"}},
        Bad{"fit --seed 18446744073709551616", 2, {"18446744073709551615"}},
        Bad{"fit --seed 18446744073709552K", 2, {"18446744073709551615"}}, Bad{"fit --batch 0", 2, {"full"}},
        Bad{"fit --batch half", 2, {"full"}}, Bad{"fit --workers 0", 2, {"from 1 to 1000000"}},
        Bad{"fit --iterations -1", 2, {"from 0"}}, Bad{"fit --step-size 0", 2, {"above 0"}},
        Bad{"fit --step-size -0.1", 2, {"above 0"}}, Bad{"fit --step-size nan", 2, {"nan"}},
        Bad{"fit --step-size fast", 2, {"auto, theorem, experiment or a number"}},
        Bad{"fit --schedule never", 2, {"auto, constant or decay"}}, Bad{"fit --average 1.5", 2, {"from 0 to 1"}},
        Bad{"fit --levels 0", 2, {"from 1 to 127"}}, Bad{"fit --levels 128", 2, {"from 1 to 127"}},
        Bad{"fit --bits 8", 2, {"from 1 to 7"}}, Bad{"fit --bits 3 --levels 8", 2, {"contradicts", "7"}},
        Bad{"fit --scale L2", 2, {"auto, l2 or max"}}, Bad{"fit --collective ring", 2, {"two-phase"}},
        Bad{"fit --precision f16", 2, {"f64 or f32"}}, Bad{"fit --tolerance 0", 2, {"above 0"}},
        Bad{"fit --ensemble 0", 2, {"from 1"}}, Bad{"fit --device gpu", 2, {"auto, cpu or cuda"}},
        Bad{"fit --gpus 0", 2, {"from 1"}}, Bad{"fit --threads 0", 2, {"from 1"}},
        Bad{"fit --timeout -1", 2, {"at least 0"}}, Bad{"fit --report-every 0", 2, {"from 1"}},
        Bad{"fit --data=", 2, {"name of a file"}}, Bad{"fit --data x --samples 3", 2, {"--samples", "--data x"}},
        Bad{"fit --data x --features 3", 2, {"--features"}}, Bad{"fit --data x --noise 3", 2, {"--noise"}},
        Bad{"fit --labels y", 2, {"needs --data"}}, Bad{"fit --label-column y", 2, {"needs --data"}},
        Bad{"fit --data x --labels y --label-column z", 2, {"contradict"}},
        Bad{"predict m x --labels y --label-column z", 2, {"contradict"}},
        Bad{"fit --model a --history a", 2, {"same file"}}, Bad{"generate", 2, {"--output"}},
        Bad{"generate --output x.csv", 2, {".npz or .npy"}}, Bad{"fit --data missing.csv", 1, {"missing.csv"}},
        Bad{"fit --init missing", 1, {"missing"}}, Bad{"fit --resume missing", 1, {"missing"}},
        Bad{"predict missing x.csv", 1, {"missing"}},
        Bad{"fit -n 400 -d 20 --batch 100 --workers 3", 2, {"100", "3", "99", "102"}},
        Bad{"fit -n 10 -d 2 --workers 20", 2, {"10", "20"}},
        Bad{"fit -n 400 -d 20 --workers 20 --levels 7 --collective allreduce", 2, {"127", "is 6"}},
        Bad{"fit -n 100M -d 100K --device cpu", 1, {"TB", "available"}}));

TEST_F(Program, TheLastOfSeveralOptionsWins) {
    Said said = run(SMALL + "--iterations 5 --iterations 7 --quiet");
    EXPECT_EQ(said.code, 0) << said.err;
    EXPECT_TRUE(std::regex_search(said.out, std::regex("iterations +7\n"))) << said.out;
}

TEST_F(Program, BitsAndLevelsThatAgreeAreFine) { EXPECT_EQ(run(SMALL + "--bits 3 --levels 7 -T 2").code, 0); }

TEST_F(Program, SuffixesAreDecimal) {
    Said said = run("fit --samples 0.5K --features=10 --iterations 0 --quiet");
    EXPECT_NE(said.out.find("500 rows of 10 features"), std::string::npos) << said.out << said.err;
}

/* ------------------------------------------------------------------------ what it says about itself */

TEST_F(Program, HelpAndVersionWorkEverywhere) {
    for (const char *how : {"--help", "-h", "help"})
        EXPECT_NE(run(how).out.find("Usage: fitrelu"), std::string::npos);
    for (const char *how : {"--version", "-V"})
        EXPECT_EQ(run(how).out, std::string("fitrelu ") + fr_version() + "\n");
    for (std::string command : COMMANDS) {
        Said help = run(command + " --help");
        EXPECT_EQ(help.code, 0);
        EXPECT_NE(help.out.find("Usage: fitrelu " + command), std::string::npos);
        EXPECT_EQ(help.out, run("help " + command).out);
        EXPECT_EQ(run(command + " --version").out, run("--version").out);
    }
    Said bare = run("");
    EXPECT_EQ(bare.code, 2);
    EXPECT_EQ(bare.out, "");
}

/* The long options that a help text lists. */
static std::set<std::string> options_in(const std::string &help) {
    std::set<std::string> found;
    for (const std::string &line : lines_of(help)) {
        std::smatch match;
        if (std::regex_search(line, match, std::regex("^  (?:-.,|   ) --([a-z0-9-]+)"))) found.insert(match[1]);
    }
    return found;
}

TEST_F(Program, ManPageAndCompletionsKnowEveryOptionAndCommand) {
    std::string man = std::regex_replace(run("--generate man").out, std::regex("\\\\-"), "-");
    std::string bash = run("--generate bash").out, zsh = run("--generate zsh").out, fish = run("--generate fish").out;
    EXPECT_GT(options_in(run("fit --help").out).size(), 30u);
    for (std::string command : COMMANDS) {
        for (const std::string *text : {&man, &bash, &zsh, &fish})
            EXPECT_NE(text->find(command), std::string::npos) << command;
        for (const std::string &option : options_in(run(command + " --help").out)) {
            EXPECT_NE(man.find("--" + option + "\\fR"), std::string::npos) << option;
            EXPECT_NE(bash.find("--" + option + " "), std::string::npos) << option;
            EXPECT_NE(zsh.find("--" + option), std::string::npos) << option;
            EXPECT_NE(fish.find("-l " + option + " "), std::string::npos) << option;
        }
    }
}

TEST_F(Program, BashCompletesCommandsOptionsAndWords) {
    write("completion", run("--generate bash").out);
    auto complete = [&](const std::string &words, int position) {
        std::string script = ". ./completion && COMP_WORDS=(" + words + ") COMP_CWORD=" + std::to_string(position) +
                             " && { _fitrelu; echo ${COMPREPLY[*]}; }";
        Said said = run_words({"bash", "-c", script});
        EXPECT_EQ(said.err, "");
        return said.out;
    };
    if (run_words({"bash", "-c", "true"}).code != 0) GTEST_SKIP() << "no bash here";
    EXPECT_EQ(complete("fitrelu pr", 1), "predict\n");
    EXPECT_EQ(complete("fitrelu fit --ba", 2), "--batch\n");
    EXPECT_EQ(complete("fitrelu predict --ba", 2), "\n") << "not an option of predict";
    EXPECT_EQ(complete("fitrelu fit --collective all", 3), "allreduce allgather\n");
    EXPECT_EQ(complete("fitrelu fit --init ze", 3), "zero\n");
}

TEST_F(Program, InfoNamesVersionAndCompiler) {
    Said said = run("info");
    EXPECT_EQ(said.code, 0);
    for (std::string word : {"program: fitrelu\n", "version: ", "compiler: "})
        EXPECT_NE(said.out.find(word), std::string::npos) << word;
}

/* ------------------------------------------------------------------------------------------ results */

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

#ifdef FR_HAVE_JANSSON

/* The words of --collective are the names in the library's list, in its order. */
TEST_F(Program, EveryCollectiveIsChosenByItsName) {
    for (int c = FR_COLLECTIVE_AUTO + 1; c < FR_COLLECTIVE_COUNT; c++) {
        std::string name = fr_collective_name(static_cast<fr_collective>(c));
        Json json(run(SMALL + "--json --workers 2 --collective " + name));
        EXPECT_EQ(json.text("method.collective"), name);
    }
}

TEST_F(Program, JsonHasThePromisedKeys) {
    Json json(run(SMALL + "--json --bits 7 --workers 4 --seed 18446744073709551615"));
    EXPECT_EQ(json.text("program"), "fitrelu");
    EXPECT_EQ(json.text("version"), fr_version());
    EXPECT_EQ(json.text("status"), "iterations");
    for (std::string key : {"iterations", "loss", "relative_error", "step_size", "bytes_sent_per_iteration",
                            "data.samples", "data.features", "method.batch", "method.workers", "method.levels",
                            "place.gpus", "place.threads", "place.ranks", "seconds.total", "seconds.compute",
                            "seconds.communicate", "theory.rate", "r_squared", "active"})
        EXPECT_GE(json.number(key), 0) << key;
    EXPECT_EQ(json.text("data.source"), "planted");
    EXPECT_EQ(json.text("data.seed"), "18446744073709551615");
    EXPECT_EQ(json.number("data.samples"), 400);
    EXPECT_EQ(json.number("method.levels"), 127);
    EXPECT_EQ(json.text("method.step_rule"), "auto");
    EXPECT_EQ(json.text("method.precision"), "f64");
    EXPECT_EQ(json.text("method.init"), "gradient");
    EXPECT_EQ(json.text("method.scale"), "l2");
    EXPECT_EQ(json.text("method.collective"), "two-phase");
    EXPECT_EQ(json.text("place.device"), "cpu");
    EXPECT_TRUE(json_is_boolean(json.at("theory.condition_ii")));
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

TEST_F(Program, InfoAsJson) { EXPECT_EQ(Json(run("info --json")).text("build.version"), fr_version()); }

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
        ASSERT_EQ(json_array_size(json.at("notes")), expected.size());
        for (size_t i = 0; i < expected.size(); i++)
            EXPECT_EQ(json_string_value(json_array_get(json.at("notes"), i)), expected[i]);
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

TEST_F(Program, AColumnThatOverflowsIsNamed) {
    write("rows.csv", "a,b,y\n1,1e160,1\n2,-3e160,2\n3,1e159,1\n");
    run("fit --data rows.csv --quiet").refuses(5, {"rows.csv", "column 2"});
}

#endif

/* -------------------------------------------------------------------------------------------- files */

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

/* -------------------------------------------------------------------------------------- bad data */

struct BadFile {
    const char *name, *bytes;
    std::vector<std::string> words;
};
static void PrintTo(const BadFile &bad, std::ostream *out) { *out << bad.name; }

class BadData : public Program, public ::testing::WithParamInterface<BadFile> {};

TEST_P(BadData, IsRefusedInOneLineThatSaysWhere) {
    write(GetParam().name, GetParam().bytes);
    std::vector<std::string> words = GetParam().words;
    words.push_back(GetParam().name);
    run(std::string("fit --model kept --history curve.csv --data ") + GetParam().name).refuses(5, words);
    EXPECT_EQ(names(), std::vector<std::string>{GetParam().name}) << "no output file is left";
}

INSTANTIATE_TEST_SUITE_P(Table, BadData,
                         ::testing::Values(BadFile{"nan.csv", "a,b,y\n1,2,3\n1,nan,3\n", {"nan", "3"}},
                                           BadFile{"inf.csv", "a,b,y\n1,2,3\n1,1,inf\n", {"inf", "3"}},
                                           BadFile{"ragged.csv", "1,2,3\n4,5\n", {"2", "3"}},
                                           BadFile{"empty.csv", "", {"empty"}}, BadFile{"header.csv", "a,b,y\n", {}},
                                           BadFile{"word.csv", "1,2,3\n4,five,6\n", {"five", "2"}},
                                           BadFile{"negative.csv", "1,2,-3\n4,5,0\n", {"above 0"}},
                                           BadFile{"descending.libsvm", "1 2:1 1:3\n", {"1"}},
                                           BadFile{"zero.libsvm", "1 0:1\n", {"0"}},
                                           BadFile{"truncated.npy", "\x93NUMPY\x01", {}},
                                           BadFile{"damaged.npz", "PK\3\4 not really", {}}));

TEST_F(Program, ByteOrderMarkAndCarriageReturnsAreFine) {
    std::string text = "\xef\xbb\xbf" + std::regex_replace(csv(), std::regex("\n"), "\r\n");
    write("windows.csv", text);
    write("plain.csv", csv());
    EXPECT_EQ(run("fit --data windows.csv --label-column y --quiet --model one").code, 0);
    EXPECT_EQ(run("fit --data plain.csv --label-column 3 --quiet --model other").code, 0);
    EXPECT_EQ(read("one"), read("other"));
}

TEST_F(Program, LabelsOfAnotherLengthAreRefused) {
    write("rows.csv", "1,2\n3,4\n5,6\n");
    write("labels", "1\n2\n");
    run("fit --data rows.csv --labels labels").refuses(5, {"labels", "2", "3"});
    run("fit --data rows.csv --label-column price").refuses(2, {"price", "no header"});
}

/* -------------------------------------------------------------------------- weights that are no numbers */

TEST_F(Program, WeightsThatOverflowAreNoSuccessAndNoModel) {
    for (const char *options : {"--init random --step-size 1e308", "--init random --step-size 100 --precision f32",
                                "--init random --step-size 1e300 --levels 7 --workers 4 --batch 40"}) {
        Said said = run(std::string("fit -n 2000 -d 40 --report-every 100 --checkpoint c --model m ") + options);
        EXPECT_EQ(said.code, 4) << options;
        EXPECT_NE(said.err.find("the fit diverged after"), std::string::npos) << said.err;
        EXPECT_NE(run("predict --model m --data x").code, 0) << options; /* there is none */
    }
}
