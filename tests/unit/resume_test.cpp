/*
 * Fits of data of one's own that are stopped wherever they can be, and go on: to the bits of a fit that was not.
 */
#include <algorithm>
#include <cmath>
#include <functional>

#include "fitrelu.h"
#include "oracle.h"
#include "scratch.h"

using oracle::Problem;
using oracle::Random;
using oracle::Vector;
using std::string;

namespace {

/* What a fit finds; two are the same to the bit. */
struct Found {
    Vector weights;
    double loss, step_size;
    int64_t iterations;
    int runs, outcome;
    bool converged;

    bool operator==(const Found &o) const {
        return weights == o.weights && loss == o.loss && step_size == o.step_size && iterations == o.iterations &&
               runs == o.runs && outcome == o.outcome && converged == o.converged;
    }
};

/* Labels of two units, so that the loss has more than one basin, with noise. */
Problem two_units() {
    Random random(7);
    Problem p;
    p.n = 90, p.d = 4;
    p.x.resize(static_cast<size_t>(p.n * p.d));
    p.y.resize(static_cast<size_t>(p.n));
    for (int64_t i = 0; i < p.n; i++) {
        double *x = p.x.data() + i * p.d;
        for (int64_t j = 0; j < p.d; j++) x[j] = random.normal();
        p.y[static_cast<size_t>(i)] =
            std::max(0.0, x[0] - x[1] + x[2]) + std::max(0.0, 2 * x[1] - x[3]) - 0.3 + 0.3 * random.normal();
    }
    return p;
}

struct Setting {
    const char *name;
    std::function<void(fr_options *)> change;
};

class Resume : public Scratch, public ::testing::WithParamInterface<Setting> {
  protected:
    /* Called at a report, which is the how-maniest; true: stop. */
    std::function<bool(int)> at_report;
    int reports = 0;
    double every = 0;

    static int on_report(const fr_report *, void *user) {
        auto *self = static_cast<Resume *>(user);
        return self->at_report && self->at_report(self->reports++);
    }

    Found fit(const char *resume, bool keeps) {
        static const Problem p = two_units();
        fr_error error = {};
        fr_options options;
        fr_dataset *set = nullptr;
        fr_solver *solver = nullptr;
        fr_model *model = nullptr;
        fr_result result = {};
        string state = at("state");
        fr_options_default(&options);
        options.threads = 1;
        GetParam().change(&options);
        options.checkpoint = keeps ? state.c_str() : nullptr, options.resume = resume;
        options.checkpoint_every = every;
        options.report = on_report, options.report_user = this;
        reports = 0;
        EXPECT_EQ(fr_dataset_from_arrays(p.n, p.d, p.x.data(), p.y.data(), FR_F64, &set, &error), FR_OK);
        EXPECT_EQ(fr_solver_create(&options, set, &solver, &error), FR_OK) << error.message;
        EXPECT_EQ(fr_solver_run(solver, &result, &error), FR_OK) << error.message;
        EXPECT_EQ(fr_solver_model(solver, &model, &error), FR_OK) << error.message;
        Found found = {Vector(fr_model_weights(model), fr_model_weights(model) + p.d), result.loss, result.step_size,
                       result.iterations, result.runs, result.outcome, result.converged};
        fr_model_free(model);
        fr_solver_free(solver);
        fr_dataset_free(set);
        return found;
    }
};

/* A process that is killed leaves the checkpoint of the report before. */
TEST_P(Resume, FromTheCheckpointOfEachReportTheBitsAreTheSame) {
    int all = 0;
    at_report = [&](int which) {
        if (which > 0) write("kept" + std::to_string(which), read("state"));
        return all = which, false;
    };
    const Found whole = fit(nullptr, true);
    write("kept" + std::to_string(all + 1), read("state"));
    at_report = nullptr;
    ASSERT_GT(all, 2);
    for (int which = 1; which <= all + 1; which++)
        EXPECT_TRUE(fit(at("kept" + std::to_string(which)).c_str(), false) == whole) << which << " of " << all + 1;
}

/* Written at every look: what is there at a report is of the step before it. */
TEST_P(Resume, FromACheckpointByTimeTheBitsAreTheSame) {
    std::vector<string> at_reports, between;
    std::vector<string> *kept = &at_reports;
    at_report = [&](int which) {
        if (which > 0) kept->push_back(read("state"));
        return false;
    };
    const Found whole = fit(nullptr, true);
    every = 1e-9, kept = &between;
    EXPECT_TRUE(fit(nullptr, true) == whole);
    every = 0, at_report = nullptr;
    ASSERT_EQ(between.size(), at_reports.size());
    size_t later = 0;
    for (size_t i = 0; i < between.size(); i++) {
        later += between[i] != at_reports[i];
        if (between.size() > 12 && i % 4) continue;
        write("kept", between[i]);
        EXPECT_TRUE(fit(at("kept").c_str(), false) == whole) << "before report " << i + 1;
    }
    if (string(GetParam().name) != "EachStep") EXPECT_GT(later, 0u);
}

/* At the look after a report, where no other fit would write anything; and again when it has gone on to the next, or to
 * the one behind it. */
TEST_P(Resume, StoppedAgainAndAgainAFitFindsTheSameBits) {
    at_report = nullptr;
    const Found whole = fit(nullptr, false);
    for (int further : {1, 2}) {
        at_report = [further](int which) { return which == further; };
        Found found = fit(nullptr, true);
        int stops = 0;
        for (; found.outcome == FR_INTERRUPTED && stops < 1000; stops++) found = fit(at("state").c_str(), true);
        EXPECT_GT(stops, 1);
        EXPECT_TRUE(found == whole) << stops;
    }
}

INSTANTIATE_TEST_SUITE_P(
    Settings, Resume,
    ::testing::Values(Setting{"Search", [](fr_options *) {}},
                      Setting{"Reports", [](fr_options *o) { o->report_every = 7; }},
                      Setting{"Tolerance", [](fr_options *o) { o->tolerance = 1e-7; }},
                      Setting{"Levels", [](fr_options *o) { o->workers = 3, o->levels = 15; }},
                      Setting{"Drawn", [](fr_options *o) { o->iterations = 100, o->batch = 10; }},
                      Setting{"EachStep", [](fr_options *o) { o->report_every = 1, o->init = FR_INIT_GRADIENT; }},
                      Setting{"OneStart", [](fr_options *o) { o->init = FR_INIT_GRADIENT, o->intercept = true; }}),
    [](const ::testing::TestParamInfo<Setting> &one) { return string(one.param.name); });

}  // namespace
