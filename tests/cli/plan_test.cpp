/* fitrelu plan: what it refuses, what it prints, and that its verdicts follow the network. */
#include <cmath>
#include <regex>

#include "program.h"

#ifdef FR_HAVE_JANSSON
#include "json.h"
#endif

class Plan : public Program {};

/* 40 workers on slow links: the paper's scenario 1 in size. */
static const std::string SLOW = "plan --samples 50K --features 4K --workers 40 --bandwidth 100M ";
/* Links that cost nothing beside the gradient. */
static const std::string FAST = "plan --bandwidth 1000G --latency 0 --message-time 0 --compute-rate 10M ";

TEST_F(Plan, BadOptionsAreRefusedInOneLine) {
    const struct {
        const char *line;
        std::vector<std::string> words;
    } bad[] = {{"plan --bandwidth 0", {"--bandwidth", "above 0"}},
               {"plan --bandwidth fast", {"--bandwidth", "fast"}},
               {"plan --latency -1", {"--latency", "at least 0"}},
               {"plan --message-time -1", {"--message-time"}},
               {"plan --compute-rate 0", {"--compute-rate", "above 0"}},
               {"plan --tolerance 0", {"--tolerance", "above 0"}},
               {"plan --nodes 0", {"--nodes", "from 1"}},
               {"plan --workers 12 --nodes 5", {"--workers 12", "5 nodes"}},
               {"plan --workers 12 --workers-per-node 5", {"--workers 12", "5 each"}},
               {"plan --workers 4 --nodes 8", {"--workers 4", "8 nodes"}},
               {"plan --workers 4 --workers-per-node 8", {"--workers 4", "8 each"}},
               {"plan --nodes 4 --workers-per-node 2 --workers 9", {"--workers 9"}},
               {"plan --nodes 1M --workers-per-node 2", {"1000000"}},
               {"plan --batch 100 --workers 8", {"--batch 100", "8 workers"}},
               {"plan --samples 2000 --features 1000", {"2000 rows", "1000 features"}},
               {"plan --samples 100 --features 10 --workers 200", {"200 workers", "100 rows"}},
               {"plan --inner-bandwidth 1G", {"--inner-bandwidth", "--workers-per-node"}},
               {"plan --inner-latency 1", {"--inner-latency", "--inner-bandwidth"}},
               {"plan --data x.csv", {"--data"}},
               {"fit --bandwidth 1G", {"--bandwidth", "plan"}},
               {"plan extra", {"extra"}}};
    for (const auto &b : bad) run(b.line).refuses(2, b.words);
}

TEST_F(Plan, WithoutOptionsItPrintsATableWithOneBest) {
    Said said = run("plan");
    EXPECT_EQ(said.code, 0) << said.err;
    EXPECT_EQ(said.err, "");
    size_t marks = 0;
    for (size_t at = 0; (at = said.out.find("\n* ", at)) != std::string::npos; at++) marks++;
    EXPECT_EQ(marks, 1u) << said.out;
    for (std::string word : {"allreduce", "allgather", "two-phase", "master", "bf16", "packed", "best  ", "1 Gbit/s"})
        EXPECT_NE(said.out.find(word), std::string::npos) << word;
}

TEST_F(Plan, MeasuresTheRateOfOneProcessAndSaysThatThereIsNoLink) {
    Said said = run("plan --measure --features 1K");
    EXPECT_EQ(said.code, 0) << said.err;
    EXPECT_TRUE(std::regex_search(said.out, std::regex("measured +[0-9.]+ [MG] rows x features a second a rank; no link")))
        << said.out;
    EXPECT_NE(said.out.find("8 nodes"), std::string::npos) << "the defaults stay";
    said = run("plan --measure --features 1K --compute-rate 3G");
    EXPECT_NE(said.out.find("3 G rows x features a second each"), std::string::npos) << "what is given goes before";
}

TEST_F(Plan, AFileThatBenchDidNotWriteIsRefused) {
    write("rows.csv", "a,b\n1,2\n");
    write("empty.json", R"({"program": "fitrelu", "results": []})");
    run("plan --measured rows.csv").refuses(5, {"rows.csv", "fitrelu bench --json"});
    run("plan --measured empty.json").refuses(5, {"empty.json", "f64"});
    run("plan --measured missing.json").refuses(1, {"missing.json"});
    run("plan --measured empty.json --measure").refuses(2, {"--measured empty.json", "--measure"});
}

TEST_F(Plan, SaysWhetherQuantizationPays) {
    EXPECT_TRUE(std::regex_search(run(SLOW).out, std::regex("quantized +pays: [0-9.]+ times as fast")));
    EXPECT_TRUE(std::regex_search(run(FAST).out, std::regex("quantized +does not pay here: .*takes [0-9.]+ times")));
}

#ifdef FR_HAVE_JANSSON

/* The schemes of a plan that agree with the words given; NULL words agree with all. */
static std::vector<json_t *> schemes(const Json &plan, const char *collective, const char *wire, int levels = -1) {
    std::vector<json_t *> found;
    size_t i;
    json_t *one;
    json_array_foreach(plan.at("schemes"), i, one) {
        auto is = [&](const char *key, const char *word) {
            return !word || std::string(json_string_value(json_object_get(one, key))) == word;
        };
        json_t *own = json_object_get(one, "levels");
        if (is("collective", collective) && is("wire", wire) &&
            (levels < 0 || (levels == 0 ? json_is_null(own) : json_integer_value(own) == levels)))
            found.push_back(one);
    }
    return found;
}

static double number(json_t *scheme, const char *path, const char *inner = nullptr) {
    json_t *value = json_object_get(scheme, path);
    if (inner) value = json_object_get(value, inner);
    EXPECT_TRUE(json_is_number(value)) << path;
    return json_number_value(value);
}

TEST_F(Plan, JsonHasThePromisedKeys) {
    Json json(run("plan --json --samples 12K --features 1K --workers 8 --batch 800 --bandwidth 100M --latency 1e-3 "
                  "--message-time 2e-6 --compute-rate 3G --tolerance 1e-4"));
    EXPECT_EQ(json.text("program"), "fitrelu");
    EXPECT_EQ(json.text("version"), fr_version());
    EXPECT_EQ(json.number("job.samples"), 12000);
    EXPECT_EQ(json.number("job.features"), 1000);
    EXPECT_EQ(json.number("job.batch"), 800);
    EXPECT_EQ(json.number("job.workers"), 8);
    EXPECT_EQ(json.number("job.nodes"), 8);
    EXPECT_EQ(json.number("job.workers_per_node"), 1);
    EXPECT_EQ(json.number("job.tolerance"), 1e-4);
    EXPECT_EQ(json.text("job.precision"), "f64");
    EXPECT_TRUE(json_is_false(json.at("job.full")));
    EXPECT_EQ(json.number("network.bandwidth"), 1e8);
    EXPECT_EQ(json.number("network.latency"), 1e-3);
    EXPECT_EQ(json.number("network.message_time"), 2e-6);
    EXPECT_EQ(json.number("compute_rate"), 3e9);
    EXPECT_TRUE(json.null("inner_network"));
    EXPECT_GT(json.number("best.seconds"), 0);
    EXPECT_TRUE(json_is_boolean(json.at("quantization.pays")));
    EXPECT_GT(json.number("quantization.speedup"), 0);
    for (json_t *one : schemes(json, nullptr, nullptr)) {
        for (const char *key : {"bits_per_coordinate", "step_size", "rate", "steps"}) EXPECT_GT(number(one, key), 0) << key;
        for (const char *key : {"sent", "received", "busiest_link", "hops", "messages"})
            EXPECT_GT(number(one, "between_nodes", key), 0) << key;
        for (const char *key : {"compute", "code", "exchange", "step", "total"})
            EXPECT_GT(number(one, "seconds", key), 0) << key;
        json_t *rate = json_object_get(one, "theorem_rate"), *steps = json_object_get(one, "theorem_steps");
        std::string collective = json_string_value(json_object_get(one, "collective"));
        bool levels = json_integer_value(json_object_get(one, "levels")) > 0;
        bool own_norms = collective == "allgather" || collective == "master";
        bool l2 = json_is_string(json_object_get(one, "scale")) &&
                  std::string(json_string_value(json_object_get(one, "scale"))) == "l2";
        bool half = std::string(json_string_value(json_object_get(one, "wire"))) == "bf16";
        bool covered = levels ? own_norms && l2 : !half; /* by Theorem 3.2, or 3.1 */
        EXPECT_EQ(json_is_real(rate), covered) << collective;
        EXPECT_EQ(json_is_number(steps), covered) << collective;
    }
}

TEST_F(Plan, JsonHasEveryCollectiveWidthScaleAndWire) {
    Json json(run("plan --json"));
    for (const char *collective : {"allgather", "master"}) {
        EXPECT_EQ(schemes(json, collective, "full").size(), 1u);
        for (int b = 1; b <= 7; b++) {
            EXPECT_EQ(schemes(json, collective, b < 7 ? "packed" : "int8", (1 << b) - 1).size(), 2u) << b;
            EXPECT_EQ(schemes(json, collective, "elias", (1 << b) - 1).size(), 2u) << b;
        }
    }
    EXPECT_EQ(schemes(json, "two-phase", "packed").size(), 12u);
    EXPECT_EQ(schemes(json, "allreduce", "bf16", 0).size(), 1u);
    EXPECT_EQ(schemes(json, "allreduce", "int8").size(), 8u) << "8 workers: 1, 3, 7 and 15 levels, l2 and max";
    Json five(run("plan --json --workers 5 --batch 800"));
    EXPECT_EQ(schemes(five, "allreduce", "int8", 25).size(), 2u) << "the largest that 5 workers can sum";
}

TEST_F(Plan, TheBestIsTheLeastTimeAndMarkedOnce) {
    for (const std::string &line : {SLOW, FAST}) {
        Json json(run(line + "--json"));
        double least = INFINITY;
        int marked = 0;
        for (json_t *one : schemes(json, nullptr, nullptr)) {
            double total = number(one, "seconds", "total");
            least = std::min(least, total);
            if (!json_is_true(json_object_get(one, "best"))) continue;
            marked++;
            EXPECT_EQ(total, json.number("best.seconds"));
            EXPECT_EQ(json.text("best.collective"), json_string_value(json_object_get(one, "collective")));
        }
        EXPECT_EQ(marked, 1);
        EXPECT_EQ(least, json.number("best.seconds"));
    }
    EXPECT_TRUE(json_is_true(Json(run(SLOW + "--json")).at("quantization.pays")));
    Json fast(run(FAST + "--json"));
    EXPECT_TRUE(json_is_false(fast.at("quantization.pays")));
    EXPECT_LT(fast.number("quantization.speedup"), 1);
    json_t *full = schemes(fast, "allreduce", "full")[0];
    EXPECT_NEAR(fast.number("quantization.speedup_over_full_precision") / fast.number("quantization.speedup"),
                number(full, "seconds", "total") / fast.number("best.seconds"), 1e-9);
    EXPECT_TRUE(fast.null("best.levels"));
}

TEST_F(Plan, ThousandsOfWorkersOnTwoLevels) {
    const std::string many = "plan --features 100K --samples 10M --nodes 100 --workers-per-node 8 --bandwidth 100G "
                             "--json ";
    Json flat(run(many)), levels(run(many + "--inner-bandwidth 2000G --inner-latency 2e-6"));
    EXPECT_EQ(levels.number("job.workers"), 800);
    EXPECT_EQ(levels.number("inner_network.bandwidth"), 2e12);
    EXPECT_TRUE(schemes(flat, "allreduce", "int8").empty()) << "800 workers do not fit an int8";
    EXPECT_EQ(schemes(levels, "allreduce", "int8").size(), 2u) << "100 nodes do, with one level";
    json_t *without = schemes(flat, "allgather", "packed", 15)[0],
           *with = schemes(levels, "allgather", "packed", 15)[0];
    EXPECT_EQ(number(without, "inside_node", "sent"), 0);
    EXPECT_EQ(number(with, "inside_node", "sent"), 2 * 7.0 / 8 * 800000);
    EXPECT_NEAR(number(without, "between_nodes", "sent") / number(with, "between_nodes", "sent"), 8, 1e-9);
}

TEST_F(Plan, FullBatchesAndPrecision) {
    Json json(run("plan --json --samples 10K --features 100 --batch full --precision f32"));
    EXPECT_EQ(json.number("job.batch"), 10000);
    EXPECT_TRUE(json_is_true(json.at("job.full")));
    EXPECT_EQ(number(schemes(json, "allgather", "full")[0], "bits_per_coordinate"), 32);
}

/* Bench's rows are made of the plan's own formula with a latency and a bandwidth, which the plan then finds again. */
TEST_F(Plan, FindsLatencyAndBandwidthInWhatBenchMeasured) {
    std::string rows;
    for (int features : {1000, 30000, 1000000}) {
        Json plan(run("plan --json --nodes 4 --samples 3M --features " + std::to_string(features)));
        json_t *sum = json_object_get(schemes(plan, "allreduce", "full").at(0), "between_nodes");
        auto number = [&](const char *name) { return json_number_value(json_object_get(sum, name)); };
        double us = 20 * number("hops") + number("busiest_link") / 125.0 + 4 * number("messages");
        rows += R"({"what": "exchange", "count": )" + std::to_string(features) +
                R"(, "collective": "allreduce", "wire": "f64", "us": 1, "units": 4, "us_wire": )" + std::to_string(us) + "},";
    }
    write("bench.json", R"({"results": [)" + rows +
                            R"({"what": "gradient", "count": 3000000, "collective": null, "wire": "f64", "us": 1000},
                              {"what": "gradient", "count": 1000, "collective": null, "wire": "f64", "us": 100},
                              {"what": "encode", "count": 5000, "collective": null, "wire": "int8", "us": 10}]})");
    Json plan(run("plan --json --features 500 --measured bench.json"));
    EXPECT_NEAR(plan.number("measured.latency"), 20e-6, 1e-7);
    EXPECT_NEAR(plan.number("measured.bandwidth"), 1e9, 1e6);
    EXPECT_NEAR(plan.number("measured.compute_rate"), 3e9, 1);
    EXPECT_EQ(plan.number("job.nodes"), 4);
    EXPECT_EQ(Json(run("plan --json --features 500 --nodes 8 --measured bench.json")).number("job.nodes"), 8);
}

#endif
