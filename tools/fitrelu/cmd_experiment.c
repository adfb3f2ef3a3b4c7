/*
 * cmd_experiment.c - fitrelu experiment: one of the table below, or all of them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "options/commands.h"
#include "experiment/experiment.h"
#include "console/interrupt.h"
#include "console/message.h"
#include "options/option_parse.h"
#include "base/parse_number.h"

/* An experiment, and the options that it has no use for: given, they are refused, except to "all". */
enum { MOST_UNUSED = 10 };
typedef struct entry {
    const experiment *what;
    int count;
    option_id unused[MOST_UNUSED];
} entry;

/* How fits are made is the subject itself of most experiments. */
#define METHOD OPT_INIT, OPT_STEP_SIZE, OPT_SCALE, OPT_WORKERS, OPT_COLLECTIVE

/* In the order in which "all" runs them; fig2b compares itself with fig2a. */
static const entry entries[] = {
    {&experiment_fig1a, 1, {OPT_SCALE}},
    {&experiment_fig1b, 0, {0}},
    {&experiment_fig2a, 2, {OPT_BATCHES, OPT_SCALE}},
    {&experiment_fig2b, 1, {OPT_BATCHES}},
    {&experiment_scales, 5, {METHOD}},
    {&experiment_collectives, 5, {METHOD}},
    {&experiment_bits, 2, {OPT_SCALE, OPT_COLLECTIVE}},
    {&experiment_lemmas, 6, {METHOD, OPT_ITERATIONS}},
    {&experiment_theorems, 5, {METHOD}},
    {&experiment_ensemble, 9, {METHOD, OPT_SAMPLES, OPT_FEATURES, OPT_ITERATIONS, OPT_BATCHES}},
    /* Last: takes long, and only where there is a cluster, whose hosts have processors alone. */
    {&experiment_table2, 8, {METHOD, OPT_BATCHES, OPT_THREADS, OPT_DEVICE}},
};
enum { EXPERIMENT_COUNT = sizeof entries / sizeof entries[0] };

static const entry *find_entry(const char *name) {
    for (int i = 0; i < EXPERIMENT_COUNT; i++)
        if (strcmp(entries[i].what->name, name) == 0) return &entries[i];
    return NULL;
}

static bool is_unused(const entry *which, option_id id) {
    for (int i = 0; i < which->count; i++)
        if (which->unused[i] == id) return true;
    return false;
}

static int check_unused(const entry *which, const option_value *values) {
    if (values[OPT_WITH_TABLE2].given) return message_usage("--with-table2 belongs to 'fitrelu experiment all'");
    for (int i = 0; i < which->count; i++) {
        const option_value *value = &values[which->unused[i]];
        if (value->given)
            return message_usage("--%s %s has no effect on 'fitrelu experiment %s'",
                                 option_table[which->unused[i]].name, value->text, which->what->name);
    }
    return 0;
}

static int refuse_name(const char *name) {
    char names[256] = "";
    size_t used = 0;
    for (int i = 0; i < EXPERIMENT_COUNT; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s, ", entries[i].what->name);
    return message_usage("unknown experiment \"%s\"; there are %sand all", name, names);
}

/* "100,200": whole numbers of at least 1. */
static int read_batches(const char *text, experiment_settings *settings) {
    const char *end = text + strlen(text), *at = text;
    for (;;) {
        int64_t batch = 0;
        at = settings->batch_count < EXPERIMENT_MOST_BATCHES ? fr_parse_int64_prefix(at, end, &batch) : NULL;
        if (!at || batch < 1 || (*at != ',' && at != end))
            return message_usage(
                "--batches: found \"%s\", expected at most %d whole numbers of at least 1 with commas "
                "between",
                text, EXPERIMENT_MOST_BATCHES);
        settings->batches[settings->batch_count++] = batch;
        if (at == end) return 0;
        at++;
    }
}

static int read_method(const option_value *values, experiment_method *method) {
    const option_value *init = &values[OPT_INIT], *step = &values[OPT_STEP_SIZE], *scale = &values[OPT_SCALE],
                       *workers = &values[OPT_WORKERS], *collective = &values[OPT_COLLECTIVE];
    if (init->given && init->word < 0)
        return message_usage(
            "--init %s: the problems of an experiment differ, so one file is no start for them; it takes "
            "auto, gradient, random or zero",
            init->text);
    *method = (experiment_method){.has_init = init->given,
                                  .has_step = step->given,
                                  .has_scale = scale->given,
                                  .has_workers = workers->given,
                                  .has_collective = collective->given,
                                  .init = (fr_init)init->word,
                                  .step_rule = step->word >= 0 ? (fr_step_rule)step->word : FR_STEP_NUMBER,
                                  .step_size = step->real,
                                  .scale = (fr_scale)scale->word,
                                  .workers = (int)workers->integer,
                                  .collective = (fr_collective)collective->word};
    return 0;
}

static int read_settings(const option_value *values, experiment_settings *settings) {
    if (!values[OPT_OUTPUT].given) return message_usage("'fitrelu experiment' needs --output FOLDER");
    *settings = (experiment_settings){
        .output = values[OPT_OUTPUT].text,
        .samples = values[OPT_SAMPLES].integer,
        .features = values[OPT_FEATURES].integer,
        .iterations = values[OPT_ITERATIONS].integer,
        .seeds = values[OPT_SEEDS].integer,
        .seed = values[OPT_SEED].given ? values[OPT_SEED].seed : 1,
        .threads = (int)values[OPT_THREADS].integer,
        .device = values[OPT_DEVICE].given ? (fr_device)values[OPT_DEVICE].word : FR_DEVICE_CPU,
        .full = values[OPT_FULL].given,
        .quiet = values[OPT_QUIET].given,
        .json = values[OPT_JSON].given,
        .no_pictures = values[OPT_NO_PICTURES].given,
    };
    if (strlen(settings->output) > 400) return message_usage("--output: the name of the folder is too long");
    if (values[OPT_ITERATIONS].given && settings->iterations == 0)
        return message_usage("--iterations: an experiment makes at least 1 step");
    int code = read_method(values, &settings->method);
    if (code != 0) return code;
    return values[OPT_BATCHES].given ? read_batches(values[OPT_BATCHES].text, settings) : 0;
}

/* The settings that were given and are used, so that the command told is one that is accepted. */
static experiment_settings used_settings(const entry *which, const experiment_settings *settings) {
    experiment_settings used = *settings;
    if (is_unused(which, OPT_SAMPLES)) used.samples = 0;
    if (is_unused(which, OPT_FEATURES)) used.features = 0;
    if (is_unused(which, OPT_ITERATIONS)) used.iterations = 0;
    if (is_unused(which, OPT_BATCHES)) used.batch_count = 0;
    if (is_unused(which, OPT_DEVICE)) used.device = FR_DEVICE_CPU;
    if (is_unused(which, OPT_INIT)) used.method = (experiment_method){0};
    if (is_unused(which, OPT_SCALE)) used.method.has_scale = false;
    return used;
}

/* What does not fit together is refused before the first trial of any. */
static int check_settings(const entry *which, const experiment_settings *settings) {
    experiment_run run = {.what = which->what, .settings = used_settings(which, settings)};
    fr_error error = {0};
    run.what->plan(&run);
    fr_status status = run.what->check ? run.what->check(&run, &error) : FR_OK;
    return status == FR_OK ? 0 : message_library(&error);
}

static int run_one(const entry *which, const experiment_settings *settings) {
    experiment_run run = {.what = which->what, .given = used_settings(which, settings)};
    fr_error error = {0};
    int code = EXIT_DONE;
    run.settings = run.given;
    fr_status status = experiment_run_trials(&run, &error);
    if (status == FR_OK && !experiment_is_complete(&run)) {
        message_note("interrupted; the same command goes on from %s", settings->output);
        code = EXIT_SIGNALLED + interrupt_signal();
    } else if (status == FR_OK) {
        status = experiment_report(&run, &error);
        fflush(stdout);
        if (status == FR_OK && !settings->no_pictures) experiment_draw(&run);
    }
    experiment_run_free(&run);
    return status == FR_OK ? code : message_library(&error);
}

/* A partial file goes when everything asked for is done, so that "all" goes on where it was. */
static void remove_partial(const experiment *which, const experiment_settings *settings) {
    char path[EXPERIMENT_TEXT];
    const experiment_run run = {.what = which, .settings = *settings};
    experiment_path(&run, "partial", path);
    remove(path);
}

static int run_all(const experiment_settings *settings, bool with_table2) {
    const char *names[EXPERIMENT_COUNT];
    int count = EXPERIMENT_COUNT - !with_table2;
    if (!with_table2)
        message_note(
            "left out: table2, which takes some ten minutes and needs root for its cluster; --with-table2 runs it too");
    for (int i = 0; i < count; i++) {
        int code = run_one(&entries[i], settings);
        if (code != EXIT_DONE) return code;
        names[i] = entries[i].what->name;
    }
    bool page = experiment_make_page(settings, names, count);
    for (int i = 0; i < count; i++) remove_partial(entries[i].what, settings);
    if (page) printf("all of it on one page: %s/index.html\n", settings->output);
    return EXIT_DONE;
}

int cmd_experiment(const arguments *given) {
    experiment_settings settings;
    const char *name = given->operands[0];
    bool all = strcmp(name, "all") == 0;
    const entry *which = find_entry(name);
    if (!all && !which) return refuse_name(name);
    int code = all ? 0 : check_unused(which, given->values);
    if (code == 0) code = read_settings(given->values, &settings);
    if (code != 0) return code;
    const bool with_table2 = given->values[OPT_WITH_TABLE2].given;
    if (with_table2 && experiment_table2_missing()) {
        message_error("%s", experiment_table2_missing());
        return EXIT_OUTPUT;
    }
    if (all && settings.json) return message_usage("--json: 'experiment all' leaves a JSON file for each experiment");
    for (int i = 0; i < EXPERIMENT_COUNT && code == 0; i++)
        if (all || &entries[i] == which) code = check_settings(&entries[i], &settings);
    if (code != 0) return code;
    if (mkdir(settings.output, 0777) != 0 && errno != EEXIST) {
        message_error("%s cannot be made: %s", settings.output, strerror(errno));
        return EXIT_OUTPUT;
    }
    interrupt_catch();
    if (all) return run_all(&settings, with_table2);
    code = run_one(which, &settings);
    if (code == EXIT_DONE) remove_partial(which->what, &settings);
    return code;
}
