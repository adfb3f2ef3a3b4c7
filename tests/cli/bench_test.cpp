/*
 * bench_test.cpp - fitrelu bench: what it refuses, its table, CSV and JSON, its exit codes, a soak. No time is looked at.
 */
#include <regex>
#include <set>

#include "program.h"

#ifdef FR_HAVE_JANSSON
#include "json.h"
#endif

namespace {

/* So small that caches hold it: what it says is looked at, and not how long it took. */
const std::string TINY = " --from 100 --to 100 --samples 50 --iterations 2 --warmup 0";

class Bench : public Program {};

TEST_F(Bench, BadOptionsAreRefusedInOneLine) {
    const struct {
        const char *line;
        std::vector<std::string> words;
    } bad[] = {{"bench everything", {"everything", "gradient, encode, decode, exchange, step, all"}},
               {"bench step exchange", {"unexpected", "exchange"}},
               {"bench --from 10 --to 5", {"--from 10", "--to 5"}},
               {"bench --step 5 --factor 2", {"--step 5", "--factor 2"}},
               {"bench --factor 1", {"--factor", "above 1"}},
               {"bench --check 0", {"--check", "from 1"}},
               {"bench --iterations 2M", {"--iterations 2M"}},
               {"bench --min-busbw 0", {"--min-busbw", "above 0"}},
               {"bench --soak 10", {"--soak", "unit"}},
               {"bench step --soak 10s", {"--soak 10s", "step"}},
               {"bench --gpus 1,,2", {"--gpus", "1,,2", "commas"}},
               {"bench --gpus 1,0", {"--gpus", "1,0"}},
               {"bench --gpus 1,2 --device cpu", {"--gpus 1,2", "--device cpu"}},
               {"fit --gpus 1,2", {"--gpus", "1,2"}},
               {"bench --csv --json --levels 3", {"--levels", "fit"}},
               {"fit --soak 10s", {"--soak", "bench"}}};
    for (const auto &b : bad) {
        Said said = run(b.line);
        if (std::string(b.line).find("--json") == std::string::npos) said.refuses(2, b.words);
        EXPECT_EQ(said.code, 2) << b.line;
    }
}

TEST_F(Bench, AllMeasuresEverythingAndTheTableSaysSo) {
    Said said = run("bench" + TINY);
    EXPECT_EQ(said.code, 0) << said.err;
    EXPECT_EQ(said.err, "");
    for (std::string word : {"\n read ", "\n gradient ", "\n encode ", "\n decode ", "\n exchange  allreduce ", "\n step ", "busbw",
                             "#wrong", "equal bits", " 0 wrong elements", "# note: one rank"})
        EXPECT_NE(said.out.find(word), std::string::npos) << word << " in: " << said.out;
    EXPECT_EQ(said.out.rfind("# fitrelu ", 0), 0u) << said.out;
}

TEST_F(Bench, ATimeThatIsTooLongIsCode3AndALineThatNamesRankHostAndDevice) {
    Said slow = run("bench exchange --max-time 1e-6" + TINY);
    EXPECT_EQ(slow.code, 3);
    for (std::string word : {"slow: exchange", "--max-time 1e-06", "rank 0 on host ", "device cpu"})
        EXPECT_NE(slow.err.find(word), std::string::npos) << word << " in: " << slow.err;
    EXPECT_EQ(std::count(slow.err.begin(), slow.err.end(), '\n'), 1) << slow.err;
    EXPECT_EQ(run("bench exchange --max-time 1G" + TINY).code, 0);
}

TEST_F(Bench, ABandwidthOfNothingThatTravelsIsRemarked) {
    Said said = run("bench exchange --min-busbw 1" + TINY);
    EXPECT_EQ(said.code, 0);
    EXPECT_NE(said.err.find("--min-busbw has nothing to hold"), std::string::npos) << said.err;
}

TEST_F(Bench, CsvHasARowForEachLineAndOneHeader) {
    Said said = run("bench exchange --csv" + TINY);
    EXPECT_EQ(said.code, 0) << said.err;
    EXPECT_EQ(said.out.rfind("what,collective,wire,levels,size,count,units,us,us_p99,us_wire,runs,algbw,busbw,share,wrong,error,"
                             "reference,speedup,efficiency\n", 0), 0u) << said.out;
    size_t columns = 0;
    for (size_t at = 0; at < said.out.size();) {
        const size_t end = said.out.find('\n', at);
        const std::string line = said.out.substr(at, end - at);
        const size_t found = static_cast<size_t>(std::count(line.begin(), line.end(), ','));
        columns = at == 0 ? found : columns;
        EXPECT_EQ(found, columns) << line;
        at = end + 1;
    }
}

/* As node_exporter reads it: each name once with its help and type, then its values. */
TEST_F(Bench, PrometheusGetsAWholeFile) {
    Said said = run("bench exchange --prometheus bench.prom" + TINY);
    EXPECT_EQ(said.code, 0) << said.err;
    const std::string text = read("bench.prom");
    for (std::string name : {"seconds", "seconds_p99", "wrong_elements", "run_seconds"}) {
        const std::string type = "# TYPE fitrelu_bench_" + name + " gauge\n";
        EXPECT_NE(text.find(type), std::string::npos) << text;
        EXPECT_EQ(text.find(type), text.rfind(type));
    }
    EXPECT_TRUE(std::regex_search(text, std::regex("fitrelu_bench_wrong_elements\\{what=\"exchange\",collective=\"two-phase\","
                                                   "wire=\"int8\",levels=\"127\",count=\"100\",units=\"1\"\\} 0\n")))
        << text;
    EXPECT_EQ(text.find("nan"), std::string::npos) << text;
    Said refused = run("bench --prometheus no/such/folder" + TINY);
    EXPECT_EQ(refused.code, 1);
    EXPECT_EQ(refused.out, "") << "before anything is measured";
}

TEST_F(Bench, ASoakOfHealthyProcessorsFindsNothing) {
    Said said = run("bench --soak 0.3s --from 10 --to 1000 --samples 50");
    EXPECT_EQ(said.code, 0) << said.err;
    EXPECT_NE(said.out.find(" 0 wrong elements"), std::string::npos) << said.out;
    EXPECT_NE(said.out.find("runs, each held"), std::string::npos) << said.out;
}

TEST_F(Bench, ASoakThatIsInterruptedTellsWhatItFound) {
    How how;
    how.signal = SIGINT; /* as soon as stderr says that it begins */
    Said said = run("bench --soak 1h --from 10 --to 100 --samples 50", how);
    EXPECT_EQ(said.code, 130) << said.err;
    EXPECT_NE(said.out.find(" 0 wrong elements"), std::string::npos) << said.out << said.err;
}

#ifdef FR_HAVE_JANSSON
TEST_F(Bench, JsonHasTheKeysThatScriptsRelyOn) {
    Said said = run("bench step --json" + TINY);
    EXPECT_EQ(said.code, 0) << said.err;
    Json json(said);
    EXPECT_EQ(json.text("status"), "done");
    for (const char *path : {"program", "version", "conditions.when", "conditions.build.compiler"})
        EXPECT_NE(json.text(path), "") << path;
    EXPECT_GE(json_array_size(json.at("conditions.processes")), 1u);
    json_t *results = json.at("results");
    ASSERT_GT(json_array_size(results), 0u);
    for (size_t i = 0; i < json_array_size(results); i++) {
        json_t *row = json_array_get(results, i);
        for (const char *key : {"what", "size", "count", "collective", "wire", "us", "us_p99", "algbw", "busbw", "share", "wrong",
                                "reference"})
            EXPECT_NE(json_object_get(row, key), nullptr) << key;
        EXPECT_EQ(json_integer_value(json_object_get(row, "wrong")), 0);
        EXPECT_EQ(json_number_value(json_object_get(row, "error")), 0) << "threads change no bit";
        EXPECT_GT(json_number_value(json_object_get(row, "us")), 0);
        EXPECT_GT(json_number_value(json_object_get(row, "reference")), 0);
    }
}

TEST_F(Bench, JsonOfASlowRunSaysSoAndIsWholeAllTheSame) {
    Said said = run("bench encode --json --max-time 1e-6" + TINY);
    EXPECT_EQ(said.code, 3);
    EXPECT_EQ(Json(said).text("status"), "slow");
}
#endif

} // namespace
