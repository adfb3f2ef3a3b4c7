/*
 * experiment_rig.h - what the tests of the experiments share: the program in a folder of the test's own, reading what
 * it left there, and verdicts on made-up values.
 */
#ifndef FR_TEST_EXPERIMENT_RIG_H
#define FR_TEST_EXPERIMENT_RIG_H

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "program.h"

extern "C" {
#include "experiment/experiment.h"
}

/* For "all": table2 would make clusters and measure time. */
inline const How no_cluster = {.environment = {"FITRELU_NO_CLUSTER=1"}, .out_path = "", .signal = 0, .watch = nullptr};

class Experiment : public Program {
  protected:
    void TearDown() override { std::filesystem::remove_all(folder); }
    std::string text(const std::string &name) const {
        std::ifstream file(folder + "/" + name, std::ios::binary);
        std::stringstream all;
        all << file.rdbuf();
        return all.str();
    }
    bool exists(const std::string &name) const { return std::ifstream(folder + "/" + name).good(); }
    /* The field `skip` commas after what begins so. */
    std::string field(const std::string &name, const std::string &begin, int skip) const {
        std::string all = text(name);
        size_t at = all.find(begin);
        if (at == std::string::npos) return "no such row";
        at += begin.size();
        for (int i = 0; i < skip; i++) at = all.find(',', at) + 1;
        return all.substr(at, all.find_first_of(",\n", at) - at);
    }
    std::string last_error(const std::string &history) const {
        std::string all = text(history);
        std::string row = all.substr(all.rfind('\n', all.size() - 2)); /* begins with the line's end before it */
        return field(history, row.substr(0, row.find(',') + 1), 2);
    }
    void write(const std::string &name, const std::string &content) const {
        std::ofstream(folder + "/" + name, std::ios::binary) << content;
    }
};

inline experiment_run planned(const experiment &what) {
    experiment_run run = {};
    run.what = &what;
    run.settings.output = ".";
    run.settings.seed = 1;
    what.plan(&run);
    run.values = (double *)calloc((size_t)(run.trials * run.width), sizeof(double));
    run.done = (bool *)calloc((size_t)run.trials, sizeof(bool));
    return run;
}

inline verdict_list judged(const experiment_run &run) {
    verdict_list list = {};
    FILE *sink = tmpfile();
    json_writer json = json_start(sink);
    json_begin(&json, nullptr);
    run.what->judge(&run, &list, &json);
    json_end(&json);
    fclose(sink);
    return list;
}

inline int holding(const verdict_list &list) {
    int count = 0;
    for (int i = 0; i < list.count; i++) count += list.items[i].outcome == VERDICT_HOLDS;
    return count;
}

#endif
