/*
 * cmd_experiment.c - fitrelu experiment: one of the table below, or all of them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fitrelu/commands.h"
#include "experiment/experiment.h"
#include "fitrelu/interrupt.h"
#include "fitrelu/message.h"
#include "fitrelu/option_parse.h"
#include "base/parse_number.h"

/* In the order in which "all" runs them; fig2b compares itself with fig2a. */
static const experiment *const experiments[] = {
    &experiment_fig1a,       &experiment_fig1b,  &experiment_fig2a,    &experiment_fig2b,    &experiment_scales,
    &experiment_collectives, &experiment_lemmas, &experiment_theorems, &experiment_ensemble,
    &experiment_table2, /* last: only where there is a cluster */
};
enum { EXPERIMENT_COUNT = sizeof experiments / sizeof experiments[0] };

static const experiment *find_experiment(const char *name) {
    for (int i = 0; i < EXPERIMENT_COUNT; i++)
        if (strcmp(experiments[i]->name, name) == 0) return experiments[i];
    return NULL;
}

static int refuse_name(const char *name) {
    char names[256] = "";
    size_t used = 0;
    for (int i = 0; i < EXPERIMENT_COUNT; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s, ", experiments[i]->name);
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
    return values[OPT_BATCHES].given ? read_batches(values[OPT_BATCHES].text, settings) : 0;
}

static int run_one(const experiment *which, const experiment_settings *settings, experiment_found *found) {
    experiment_run run = {.what = which, .settings = *settings};
    fr_error error = {0};
    int code = EXIT_DONE;
    fr_status status = experiment_run_trials(&run, &error);
    if (status == FR_OK && !experiment_is_complete(&run)) {
        if (!settings->quiet) message_note("interrupted; the same command goes on from %s", settings->output);
        code = EXIT_SIGNALLED + interrupt_signal();
    } else if (status == FR_OK) {
        status = experiment_report(&run, found, &error);
        fflush(stdout);
        if (status == FR_OK && !settings->no_pictures) experiment_draw(&run);
    }
    experiment_run_free(&run);
    return status == FR_OK ? code : message_library(&error);
}

/* Partial files go when everything asked for is done, so that "all" goes on where it was. */
static void remove_partials(const experiment_found found[], int count, const experiment_settings *settings) {
    char path[EXPERIMENT_TEXT];
    for (int i = 0; i < count; i++) {
        const experiment_run run = {.what = found[i].what, .settings = *settings};
        experiment_path(&run, "partial", path);
        remove(path);
    }
}

static int run_all(const experiment_settings *settings) {
    experiment_found found[EXPERIMENT_COUNT] = {0};
    fr_error error = {0};
    const char *missing = experiment_table2_missing();
    int code = EXIT_DONE, count = 0, most = EXPERIMENT_COUNT - (missing != NULL);
    if (missing && !settings->quiet) message_note("left out: %s", missing);
    while (count < most && code == EXIT_DONE) {
        code = run_one(experiments[count], settings, &found[count]);
        count++;
    }
    if (code == EXIT_DONE && experiment_write_index(settings, found, count, &error) != FR_OK)
        code = message_library(&error);
    if (code == EXIT_DONE) {
        remove_partials(found, count, settings);
        printf("all of it on one page: %s/index.html\n", settings->output);
    }
    for (int i = 0; i < count; i++) free(found[i].summary);
    return code;
}

int cmd_experiment(const arguments *given) {
    experiment_settings settings;
    experiment_found found = {0};
    const char *name = given->operands[0];
    bool all = strcmp(name, "all") == 0;
    const experiment *which = find_experiment(name);
    if (!all && !which) return refuse_name(name);
    int code = read_settings(given->values, &settings);
    if (code != 0) return code;
    if (all && settings.json) return message_usage("--json: 'experiment all' leaves a JSON file for each experiment");
    if (mkdir(settings.output, 0777) != 0 && errno != EEXIST) {
        message_error("%s cannot be made: %s", settings.output, strerror(errno));
        return EXIT_OUTPUT;
    }
    interrupt_catch();
    if (all) return run_all(&settings);
    code = run_one(which, &settings, &found);
    if (code == EXIT_DONE) remove_partials(&found, 1, &settings);
    free(found.summary);
    return code;
}
