/*
 * report.c - what an experiment leaves behind: NAME.csv, NAME.json, verdict lines, pictures.
 *
 * The JSON is made in memory and goes both to the file and, with --json, to stdout, so that the two cannot differ.
 */
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "experiment/experiment.h"
#include "fitrelu/message.h"
#include "base/parse_number.h"
#include "base/status.h"

extern char **environ;

/* What experiment_plot.py ends with where its Python has no matplotlib. */
enum { NO_MATPLOTLIB = 77 };

void experiment_field(fr_output *csv, bool first, double value) {
    char number[FR_NUMBER_SIZE];
    fr_format_double(number, sizeof number, value);
    fr_output_printf(csv, "%s%s", first ? "" : ",", number);
}

void verdict_add(verdict_list *list, bool holds, const char *paper, const char *measured) {
    if (list->count == EXPERIMENT_MOST_VERDICTS) return;
    verdict *added = &list->items[list->count++];
    snprintf(added->paper, sizeof added->paper, "%s", paper);
    snprintf(added->measured, sizeof added->measured, "%s", measured);
    added->holds = holds;
}

static void write_verdicts(const verdict_list *list, json_writer *json) {
    json_begin_array(json, "verdicts");
    for (int i = 0; i < list->count; i++) {
        json_begin(json, NULL);
        json_string(json, "paper", list->items[i].paper);
        json_string(json, "measured", list->items[i].measured);
        json_bool(json, "holds", list->items[i].holds);
        json_end(json);
    }
    json_end_array(json);
}

static void write_json(const experiment_run *run, verdict_list *list, FILE *out) {
    char settings[EXPERIMENT_TEXT];
    json_writer json = json_start(out);
    experiment_describe(run, settings);
    json_begin(&json, NULL);
    json_string(&json, "program", "fitrelu");
    json_string(&json, "version", fr_version());
    json_string(&json, "experiment", run->what->name);
    json_string(&json, "title", run->what->title);
    json_string(&json, "settings", settings);
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
    printf("%s: %s\n", run->what->name, run->what->title);
    for (int i = 0; i < list->count; i++)
        printf("  [%s] %s\n      measured: %s\n", list->items[i].holds ? "holds" : "DOES NOT HOLD",
               list->items[i].paper, list->items[i].measured);
}

fr_status experiment_report(const experiment_run *run, experiment_found *found, fr_error *error) {
    size_t size = 0;
    *found = (experiment_found){.what = run->what};
    FILE *memory = open_memstream(&found->summary, &size);
    if (!memory) return fr_fail_errno(error, FR_ERROR, "no memory for the summary");
    write_json(run, &found->verdicts, memory);
    fclose(memory);
    fr_status status = write_csv(run, error);
    if (status == FR_OK) status = write_text(run, found->summary, size, error);
    if (status == FR_OK && run->settings.json) fwrite(found->summary, 1, size, stdout);
    else if (status == FR_OK) print_verdicts(run, &found->verdicts);
    return status;
}

/* ------------------------------------------------------------------------------------------ pictures */

static const char *plot_script(void) {
    const char *const places[] = {FITRELU_PLOT_INSTALLED, FITRELU_PLOT_SOURCE};
    for (int i = 0; i < 2; i++)
        if (access(places[i], R_OK) == 0) return places[i];
    return NULL;
}

/* The exit code of a command, or -1. */
static int run_command(char *const words[]) {
    pid_t child;
    int status;
    if (posix_spawnp(&child, words[0], NULL, NULL, words, environ) != 0) return -1;
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
    return WEXITSTATUS(status);
}

void experiment_draw(const experiment_run *run) {
    char first[] = "python3", second[] = "/usr/bin/python3", flag[] = "-B", script[EXPERIMENT_TEXT],
         folder[EXPERIMENT_TEXT], name[32];
    char *pythons[] = {first, second};
    const char *found = plot_script();
    if (!found) {
        message_note("no picture: experiment_plot.py was not found");
        return;
    }
    snprintf(script, sizeof script, "%s", found);
    snprintf(folder, sizeof folder, "%s", run->settings.output);
    snprintf(name, sizeof name, "%s", run->what->name);
    for (int i = 0; i < 2; i++) {
        int code = run_command((char *[]){pythons[i], flag, script, name, folder, NULL});
        if (code == EXIT_DONE) return;
        if (code != -1 && code != NO_MATPLOTLIB && code != 127) {
            message_note("no picture of %s: %s failed", name, found);
            return;
        }
    }
    if (!run->settings.quiet) message_note("no picture of %s: it needs Python 3 with matplotlib", name);
}
