/*
 * report.c - what an experiment leaves behind: NAME.csv, NAME.json, verdict lines.
 *
 * The JSON is made in memory and goes both to the file and, with --json, to stdout, so that the two cannot differ.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiment/experiment.h"
#include "console/json_result.h"
#include "base/parse_number.h"
#include "base/status.h"

void experiment_field(fr_output *csv, bool first, double value) {
    char number[FR_NUMBER_SIZE];
    fr_format_double(number, sizeof number, value);
    fr_output_printf(csv, "%s%s", first ? "" : ",", number);
}

void verdict_add(verdict_list *list, claim_source source, verdict_outcome outcome, const char *claim,
                 const char *measured) {
    if (list->count == EXPERIMENT_MOST_VERDICTS) return;
    verdict *added = &list->items[list->count++];
    snprintf(added->claim, sizeof added->claim, "%s", claim);
    snprintf(added->measured, sizeof added->measured, "%s", measured);
    added->source = source;
    added->outcome = outcome;
}

/* "4 of 5": of the claims of one source that can be told; how many cannot into untold. */
static int count_source(const verdict_list *list, claim_source source, int *holding, int *untold) {
    int told = 0;
    for (int i = 0; i < list->count; i++) {
        const verdict *one = &list->items[i];
        if (one->source != source) continue;
        *untold += one->outcome == VERDICT_UNTOLD;
        told += one->outcome != VERDICT_UNTOLD;
        *holding += one->outcome == VERDICT_HOLDS;
    }
    return told;
}

void verdict_count(const verdict_list *list, char text[EXPERIMENT_TEXT]) {
    int holding[2] = {0}, untold = 0, told[2];
    for (int s = 0; s < 2; s++) told[s] = count_source(list, (claim_source)s, &holding[s], &untold);
    int used = snprintf(text, EXPERIMENT_TEXT, "claims of the paper: %d of %d hold", holding[0], told[0]);
    if (told[1] > 0)
        used += snprintf(text + used, EXPERIMENT_TEXT - (size_t)used, "; our own: %d of %d", holding[1], told[1]);
    if (untold > 0) snprintf(text + used, EXPERIMENT_TEXT - (size_t)used, "; %d cannot be told", untold);
}

static void write_verdicts(const verdict_list *list, json_writer *json) {
    json_begin_array(json, "verdicts");
    for (int i = 0; i < list->count; i++) {
        json_begin(json, NULL);
        const verdict *one = &list->items[i];
        json_string(json, "source", one->source == CLAIM_PAPER ? "paper" : "own");
        json_string(json, "claim", one->claim);
        json_string(json, "measured", one->measured);
        if (one->outcome == VERDICT_UNTOLD) json_number(json, "holds", NAN);
        else json_bool(json, "holds", one->outcome == VERDICT_HOLDS);
        json_end(json);
    }
    json_end_array(json);
}

/* null where the experiment chose for itself. */
static void write_method(const experiment_method *m, json_writer *json) {
    json_string(json, "init", m->has_init ? fr_init_name(m->init) : NULL);
    if (m->has_step && m->step_rule == FR_STEP_NUMBER) json_number(json, "step_size", m->step_size);
    else json_string(json, "step_size", m->has_step ? fr_step_rule_name(m->step_rule) : NULL);
    json_string(json, "scale", m->has_scale ? fr_scale_name(m->scale) : NULL);
    if (m->has_workers) json_integer(json, "workers", m->workers);
    else json_number(json, "workers", NAN);
    json_string(json, "collective", m->has_collective ? fr_collective_name(m->collective) : NULL);
}

void experiment_write_settings(const experiment_run *run, json_writer *json) {
    const experiment_settings *s = &run->settings;
    char seed[24];
    snprintf(seed, sizeof seed, "%" PRIu64, s->seed); /* 2^64 - 1 is no JSON number */
    json_begin(json, "settings");
    json_integer(json, "samples", s->samples);
    json_integer(json, "features", s->features);
    json_integer(json, "iterations", s->iterations);
    json_integer(json, "seeds", s->seeds);
    json_string(json, "seed", seed);
    json_begin_array(json, "batches");
    for (int i = 0; i < s->batch_count; i++) json_integer(json, NULL, s->batches[i]);
    json_end_array(json);
    json_bool(json, "full", s->full);
    json_string(json, "device", experiment_device_name(s->device));
    write_method(&s->method, json);
    json_end(json);
}

/* The command that finds the same, without where it puts it: the options that were given and have an effect. */
static const char *command_of(const experiment_run *run, char text[EXPERIMENT_TEXT]) {
    const experiment_settings *s = &run->given;
    const struct {
        const char *option;
        int64_t value;
    } numbers[] = {{"--samples", s->samples},
                   {"--features", s->features},
                   {"--iterations", s->iterations},
                   {"--seeds", s->seeds}};
    char method[EXPERIMENT_TEXT];
    FILE *line = fmemopen(text, EXPERIMENT_TEXT, "w");
    text[0] = '\0';
    experiment_method_text(&s->method, method);
    if (!line) return text;
    fprintf(line, "fitrelu experiment %s", run->what->name);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (numbers[i].value > 0) fprintf(line, " %s %" PRId64, numbers[i].option, numbers[i].value);
    for (int i = 0; i < s->batch_count; i++) fprintf(line, "%s%" PRId64, i ? "," : " --batches ", s->batches[i]);
    if (s->seed != 1) fprintf(line, " --seed %" PRIu64, s->seed);
    if (s->device != FR_DEVICE_CPU) fprintf(line, " --device %s", experiment_device_name(s->device));
    fprintf(line, "%s", method);
    if (s->full) fprintf(line, " --full");
    fclose(line);
    return text;
}

/* The setup with its settings, and what the command line says of the method. */
static void write_setup(const experiment_run *run, json_writer *json) {
    const experiment_settings *s = &run->settings;
    char text[EXPERIMENT_TEXT] = "", method[EXPERIMENT_TEXT];
    FILE *line = fmemopen(text, sizeof text, "w");
    if (!line) return;
    for (const char *at = run->what->setup; *at; at++) {
        const char *placeholders = "ndmTs", *which = *at == '{' ? strchr(placeholders, at[1]) : NULL;
        const int64_t values[] = {s->samples, s->features, s->batches[0], s->iterations, s->seeds};
        if (which) fprintf(line, "%" PRId64, values[which - placeholders]), at += 2;
        else fputc(*at, line);
    }
    experiment_method_text(&s->method, method);
    if (*method) fprintf(line, "; given:%s", method);
    fclose(line);
    json_string(json, "setup", text);
}

static void write_json(const experiment_run *run, verdict_list *list, FILE *out) {
    char command[EXPERIMENT_TEXT];
    json_writer json = json_start(out);
    json_begin(&json, NULL);
    json_string(&json, "program", "fitrelu");
    json_string(&json, "version", fr_version());
    json_string(&json, "experiment", run->what->name);
    json_string(&json, "title", run->what->title);
    write_setup(run, &json);
    json_string(&json, "command", command_of(run, command));
    experiment_write_settings(run, &json);
    run->what->judge(run, list, &json);
    write_verdicts(list, &json);
    json_end(&json);
}

static fr_status write_csv(const experiment_run *run, fr_error *error) {
    char path[EXPERIMENT_TEXT];
    fr_output *csv = NULL;
    experiment_path(run, "csv", path);
    fr_status status = fr_output_open(path, &csv, error);
    if (status != FR_OK) return status;
    run->what->table(run, csv);
    return fr_output_commit(csv, error);
}

static fr_status write_text(const experiment_run *run, const char *text, size_t size, fr_error *error) {
    char path[EXPERIMENT_TEXT];
    fr_output *file = NULL;
    experiment_path(run, "json", path);
    fr_status status = fr_output_open(path, &file, error);
    if (status != FR_OK) return status;
    fr_output_write(file, text, size);
    return fr_output_commit(file, error);
}

static void print_verdicts(const experiment_run *run, const verdict_list *list) {
    static const char *const outcomes[] = {"DOES NOT HOLD", "holds", "cannot be told"};
    char text[EXPERIMENT_TEXT];
    printf("%s: %s\n", run->what->name, run->what->title);
    for (int i = 0; i < list->count; i++) {
        const verdict *one = &list->items[i];
        printf("  [%s] %s%s\n      measured: %s\n", outcomes[one->outcome],
               one->source == CLAIM_OWN ? "(not in the paper) " : "", one->claim, one->measured);
    }
    verdict_count(list, text);
    printf("  %s\n", text);
}

fr_status experiment_report(const experiment_run *run, fr_error *error) {
    FR_OWNED char *text = NULL;
    size_t size = 0;
    verdict_list verdicts = {.count = 0};
    FILE *memory = open_memstream(&text, &size);
    if (!memory) return fr_fail_errno(error, FR_ERROR, "no memory for the summary");
    write_json(run, &verdicts, memory);
    if (fclose(memory) != 0) return fr_fail_errno(error, FR_ERROR, "no memory for the summary");
    FR_TRY(write_csv(run, error));
    FR_TRY(write_text(run, text, size, error));
    if (run->settings.json) json_result_copy(text, size);
    else print_verdicts(run, &verdicts);
    return FR_OK;
}
