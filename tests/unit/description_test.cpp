/* What identifies a run: every option of `fit` is described or known to be harmless; rows, files, plans and error
 * lines. */
#include <cmath>
#include <functional>
#include <set>

#include "scratch.h"
extern "C" {
#include "base/sealed_file.h"
#include "data/fingerprint.h"
#include "fit/checkpoint.h"
#include "options/commands.h"
#include "options/option_table.h"
}

namespace {

using std::string;

/* A planned run on a small planted set. */
struct PlannedRun {
    fr_options options;
    fr_dataset *set = nullptr;
    fr_plan plan = {};
    fr_error error = {};

    explicit PlannedRun(double noise = 0) {
        fr_planted planted = {40, 3, noise, 1};
        fr_options_default(&options);
        EXPECT_EQ(fr_dataset_generate(&planted, FR_F64, &set, nullptr), FR_OK);
    }
    ~PlannedRun() { fr_dataset_free(set); }
    PlannedRun(const PlannedRun &) = delete;
    PlannedRun &operator=(const PlannedRun &) = delete;

    string describe(unsigned readers) {
        char text[FR_DESCRIPTION_SIZE];
        EXPECT_EQ(fr_plan_make(&options, set, &plan, &error), FR_OK) << error.message;
        const fr_run run = {&options, &plan, set};
        fr_describe_run(&run, readers, text);
        return text;
    }
};

bool is_listed(const string &option, unsigned reader) {
    for (int i = 0; i < fr_undescribed_count; i++)
        if (fr_undescribed[i].name == option && (fr_undescribed[i].readers & reader)) return true;
    return false;
}

/* What is wrong with how an option is treated; "" where it is either described or listed. */
string fault_of(const string &option, unsigned reader, const string &description) {
    bool described = ("\n" + description).find("\n--" + option + "=") != string::npos;
    bool listed = is_listed(option, reader);
    if (described && listed) return "--" + option + " is described and listed as harmless";
    if (!described && !listed) return "--" + option + " is neither described nor listed as harmless";
    return "";
}

TEST(Description, EveryOptionOfFitIsDescribedOrListedAsHarmless) {
    for (unsigned reader : {FR_OF_OPTIONS, FR_OF_CHECKPOINT}) {
        string text = PlannedRun().describe(reader);
        EXPECT_LT(text.size(), FR_DESCRIPTION_SIZE / 2u) << "a description that fills its room loses its end";
        std::set<string> options;
        for (const option_entry &entry : option_table) {
            if (!(entry.commands & COMMAND_FIT)) continue;
            options.insert(entry.name);
            EXPECT_EQ(fault_of(entry.name, reader, text), "") << text;
        }
        for (int i = 0; i < fr_undescribed_count; i++)
            EXPECT_EQ(options.count(fr_undescribed[i].name), 1u) << fr_undescribed[i].name << " is no option of fit";
        EXPECT_EQ(fault_of("added-later", reader, text), "--added-later is neither described nor listed as harmless");
        EXPECT_NE(fault_of("labels", reader, text + "--labels=y.txt\n"), "");
    }
}

TEST(Description, IterationsMatterToACheckpointWhereTheEndDoes) {
    auto describe = [](int64_t iterations, fr_schedule schedule, double average) {
        PlannedRun run;
        run.options.iterations = iterations, run.options.schedule = schedule, run.options.average = average;
        return run.describe(FR_OF_CHECKPOINT);
    };
    EXPECT_EQ(describe(25, FR_SCHEDULE_CONSTANT, 0), describe(60, FR_SCHEDULE_CONSTANT, 0));
    EXPECT_NE(describe(25, FR_SCHEDULE_DECAY, 0), describe(60, FR_SCHEDULE_DECAY, 0));
    EXPECT_NE(describe(25, FR_SCHEDULE_CONSTANT, 0.5), describe(60, FR_SCHEDULE_CONSTANT, 0.5));
}

/* Only a code that loses bits matters to the weights. */
TEST(Description, OfTheWireACheckpointKnowsWhatLosesBits) {
    auto describe = [](int levels, fr_wire wire, unsigned reader) {
        PlannedRun run;
        run.options.levels = levels, run.options.wire = wire, run.options.workers = 2, run.options.batch = 32;
        if (levels > 0) run.options.collective = FR_COLLECTIVE_ALLGATHER;
        return run.describe(reader);
    };
    EXPECT_EQ(describe(7, FR_WIRE_PACKED, FR_OF_CHECKPOINT), describe(7, FR_WIRE_ELIAS, FR_OF_CHECKPOINT));
    EXPECT_NE(describe(7, FR_WIRE_PACKED, FR_OF_OPTIONS), describe(7, FR_WIRE_ELIAS, FR_OF_OPTIONS));
    EXPECT_NE(describe(0, FR_WIRE_FULL, FR_OF_CHECKPOINT), describe(0, FR_WIRE_BF16, FR_OF_CHECKPOINT));
}

TEST(Description, HoldsTheBitsOfTheStart) {
    double weights[] = {1, 2, 3};
    auto describe = [&](double second, double intercept) {
        PlannedRun run;
        weights[1] = second;
        run.options.init = FR_INIT_GIVEN, run.options.init_weights = weights, run.options.init_intercept = intercept;
        return run.describe(FR_OF_CHECKPOINT);
    };
    string same = describe(2, 0);
    EXPECT_EQ(describe(2, 0), same);
    EXPECT_NE(describe(std::nextafter(2.0, 3.0), 0), same);
    EXPECT_NE(describe(2, 1), same);
}

/* ------------------------------------------------------------------------------------------------ plan */

TEST(Plan, BeginRefusesAndFinishCountsSteps) {
    PlannedRun run(0.5);
    run.options.intercept = true;
    ASSERT_EQ(fr_plan_begin(&run.options, run.set, true, &run.plan, &run.error), FR_OK) << run.error.message;
    EXPECT_EQ(run.plan.features, 4) << "the column of ones is known before it is there";
    EXPECT_TRUE(run.plan.dedicated_master);
    const fr_plan begun = run.plan;
    const fr_spectrum spectrum = {1.5, 10, 70}, nothing = {0, 0, 0};
    ASSERT_EQ(fr_plan_finish(&run.options, run.set, &spectrum, &run.plan, &run.error), FR_OK);
    EXPECT_EQ(run.plan.iterations, 600);
    EXPECT_EQ(run.plan.average_start, 450);
    EXPECT_DOUBLE_EQ(run.plan.steps.eta, fr_auto_step_size(&begun, 1.5, 70))
        << "long rows count for more than the trace";
    EXPECT_EQ(fr_plan_finish(&run.options, run.set, &nothing, &run.plan, &run.error), FR_ERROR_DATA);
    EXPECT_NE(strstr(run.error.message, "every feature is zero"), nullptr) << run.error.message;
    run.options.average = 2;
    EXPECT_EQ(fr_plan_begin(&run.options, run.set, false, &run.plan, &run.error), FR_ERROR_USAGE);
}

/* ------------------------------------------------------------------------------------------------ rows */

fr_row_print print_of(std::vector<double> rows, std::vector<double> labels) {
    fr_dataset *set = nullptr;
    int64_t n = (int64_t)labels.size();
    EXPECT_EQ(fr_dataset_from_arrays(n, (int64_t)rows.size() / n, rows.data(), labels.data(), FR_F64, &set, nullptr),
              FR_OK);
    fr_row_print print = set->held;
    fr_dataset_free(set);
    return print;
}

TEST(RowPrint, KnowsValuesLabelsAndPlaces) {
    const uint64_t same = print_of({1, 2, 3, 4}, {5, 6}).sum;
    EXPECT_EQ(print_of({1, 2, 3, 4}, {5, 6}).sum, same);
    EXPECT_NE(print_of({1, 2, 3, 5}, {5, 6}).sum, same);
    EXPECT_NE(print_of({1, 2, 3, 4}, {5, 7}).sum, same);
    EXPECT_NE(print_of({3, 4, 1, 2}, {6, 5}).sum, same) << "rows in another order";
    EXPECT_NE(print_of({1, 2, 3, 4}, {6, 5}).sum, same);
}

class Files : public Scratch {};

TEST_F(Files, RowPrintsOfPartsAddUp) {
    string text;
    for (int i = 0; i < 11; i++) text += std::to_string(i) + "," + std::to_string(i * i) + ",1\n";
    string path = write("a.csv", text);
    const uint64_t whole = Read(path).set->held.sum;
    for (int workers : {2, 3, 5}) {
        uint64_t sum = 0;
        for (int k = 0; k < workers; k++) {
            fr_read_options part = {};
            part.all_workers = workers, part.first_worker = k, part.worker_count = 1;
            sum += Read(path, part).set->held.sum;
        }
        EXPECT_EQ(sum, whole) << workers;
    }
    write("a.txt", "# the same values in another form\n" + text);
    EXPECT_EQ(Read(at("a.txt")).set->held.sum, whole);
}

/* ------------------------------------------------------------------------------------------ checkpoints */

class Checkpoint : public Scratch {
  protected:
    double weights[3] = {1, 2, 3}, average[3] = {4, 5, 6};

    fr_state state_at(int64_t step, int64_t averaged) {
        fr_state state = {};
        state.step = step, state.averaged = averaged, state.weights = weights, state.average = average;
        state.step_factor = 1;
        return state;
    }

    fr_status write_and_read(int64_t step, int64_t averaged, string *line,
                             const std::function<void(fr_state *)> &change = [](fr_state *) {}) {
        PlannedRun run;
        run.options.iterations = 20;
        EXPECT_EQ(fr_plan_make(&run.options, run.set, &run.plan, &run.error), FR_OK) << run.error.message;
        const fr_run same = {&run.options, &run.plan, run.set};
        fr_state state = state_at(step, averaged);
        change(&state);
        EXPECT_EQ(fr_checkpoint_write(at("state").c_str(), &same, &state, &run.error), FR_OK) << run.error.message;
        fr_status status = fr_checkpoint_read(at("state").c_str(), &same, &state, &run.error);
        *line = run.error.message;
        return status;
    }
};

TEST_F(Checkpoint, AStepThatCannotBeIsRefused) {
    string line;
    EXPECT_EQ(write_and_read(10, 3, &line), FR_OK) << line;
    EXPECT_EQ(write_and_read(21, 0, &line), FR_ERROR_CHECKPOINT);
    EXPECT_EQ(write_and_read(-(int64_t{1} << 62), 0, &line), FR_ERROR_CHECKPOINT) << "it would loop nearly for ever";
    EXPECT_EQ(write_and_read(10, 11, &line), FR_ERROR_CHECKPOINT);
    EXPECT_EQ(write_and_read(10, -1, &line), FR_ERROR_CHECKPOINT);
    EXPECT_EQ(write_and_read(10, 3, &line, [](fr_state *s) { s->run = 1; }), FR_ERROR_CHECKPOINT) << "it has one run";
    EXPECT_EQ(write_and_read(10, 3, &line, [](fr_state *s) { s->step_factor = NAN; }), FR_ERROR_CHECKPOINT);
    EXPECT_EQ(write_and_read(10, 3, &line, [](fr_state *s) { s->step_factor = 2; }), FR_ERROR_CHECKPOINT);
}

TEST_F(Checkpoint, AnOlderFormatIsRefusedByItsNumber) {
    const fr_seal old = {"FRCHECKP", 4, "checkpoint", FR_ERROR_CHECKPOINT, 0};
    fr_error error = {};
    ASSERT_EQ(fr_sealed_write(at("old").c_str(), &old, weights, sizeof weights, &error), FR_OK) << error.message;
    PlannedRun run;
    run.describe(FR_OF_CHECKPOINT);
    const fr_run same = {&run.options, &run.plan, run.set};
    fr_state state = state_at(0, 0);
    EXPECT_EQ(fr_checkpoint_read(at("old").c_str(), &same, &state, &error), FR_ERROR_CHECKPOINT);
    EXPECT_NE(strstr(error.message, "checkpoint format 4; this program reads format 6"), nullptr) << error.message;
}

} // namespace
