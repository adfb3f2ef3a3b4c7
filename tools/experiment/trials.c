/*
 * trials.c - independent trials side by side, kept in a file as they end.
 *
 * Threads take the next trial that is not done. What a trial found goes at once to OUTPUT/NAME.partial: a first line
 * with the settings, then "trial,value,value,...". A run with the same settings takes the trials from there; numbers
 * are written so that they read back to the bit, therefore it cannot be told from one never stopped. A last line that
 * was cut by a kill is not used.
 */
#include <inttypes.h>
#include <math.h>
#include <omp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "experiment/experiment.h"
#include "base/clock.h"
#include "console/interrupt.h"
#include "base/parse_number.h"
#include "base/status.h"
#include "base/threads.h"

typedef struct crew {
    experiment_run *run;
    FILE *partial;
    bool redraws; /* stderr is a terminal */
    double started;
    int64_t next, ended, ended_before, shown_at;
    fr_status status;
    fr_error error;
    pthread_mutex_t lock;
} crew;

void experiment_path(const experiment_run *run, const char *ending, char text[EXPERIMENT_TEXT]) {
    snprintf(text, EXPERIMENT_TEXT, "%.400s/%s.%s", run->settings.output, run->what->name, ending);
}

const char *experiment_device_name(fr_device device) {
    return device == FR_DEVICE_CUDA ? "cuda" : device == FR_DEVICE_CPU ? "cpu" : "auto";
}

void experiment_describe(const experiment_run *run, char text[EXPERIMENT_TEXT]) {
    const experiment_settings *s = &run->settings;
    char method[EXPERIMENT_TEXT];
    size_t used =
        (size_t)snprintf(text, EXPERIMENT_TEXT,
                         "samples %" PRId64 ", features %" PRId64 ", iterations %" PRId64 ", seeds %" PRId64
                         ", seed %" PRIu64 ", %s grid, batches",
                         s->samples, s->features, s->iterations, s->seeds, s->seed, s->full ? "full" : "default");
    for (int i = 0; i < s->batch_count && used < EXPERIMENT_TEXT; i++)
        used += (size_t)snprintf(text + used, EXPERIMENT_TEXT - used, " %" PRId64, s->batches[i]);
    experiment_method_text(&s->method, method);
    if (used < EXPERIMENT_TEXT)
        used += (size_t)snprintf(text + used, EXPERIMENT_TEXT - used, "%s%s", *method ? "," : "", method);
    /* Sums on a GPU have an order of their own, so its trials and a processor's are not mixed. */
    if (s->device != FR_DEVICE_CPU && used < EXPERIMENT_TEXT)
        snprintf(text + used, EXPERIMENT_TEXT - used, ", device %s", experiment_device_name(s->device));
}

bool experiment_is_complete(const experiment_run *run) {
    for (int64_t t = 0; t < run->trials; t++)
        if (!run->done[t]) return false;
    return true;
}

/* -------------------------------------------------------------------------------------- partial file */

/* Takes one line; false where it is cut or not ours. */
static bool take_line(experiment_run *run, const char *line) {
    const char *end = line + strlen(line);
    int64_t trial;
    if (end == line || end[-1] != '\n') return false;
    const char *at = fr_parse_int64_prefix(line, end, &trial);
    if (!at || trial < 0 || trial >= run->trials) return false;
    for (int64_t i = 0; i < run->width; i++) {
        if (*at != ',') return false;
        at = fr_parse_double_prefix(at + 1, end, &run->values[trial * run->width + i]);
        if (!at) return false;
    }
    return run->done[trial] = *at == '\n';
}

/* The first line of a partial file of these settings. */
static void first_line(const experiment_run *run, char text[EXPERIMENT_TEXT + 128]) {
    char settings[EXPERIMENT_TEXT];
    experiment_describe(run, settings);
    snprintf(text, EXPERIMENT_TEXT + 128, "# fitrelu %s, %s: %s\n", fr_version(), run->what->name, settings);
}

static int64_t take_partial(experiment_run *run, const char *path) {
    char expected[EXPERIMENT_TEXT + 128], *line = NULL;
    size_t size = 0;
    int64_t taken = 0;
    FILE *file = fopen(path, "r");
    first_line(run, expected);
    if (file && getline(&line, &size, file) > 0 && strcmp(line, expected) == 0)
        while (getline(&line, &size, file) > 0) taken += take_line(run, line);
    free(line);
    if (file) fclose(file);
    return taken;
}

static void keep_trial(const experiment_run *run, FILE *partial, int64_t trial) {
    char number[FR_NUMBER_SIZE];
    fprintf(partial, "%" PRId64, trial);
    for (int64_t i = 0; i < run->width; i++) {
        fr_format_double(number, sizeof number, run->values[trial * run->width + i]);
        fprintf(partial, ",%s", number);
    }
    fputc('\n', partial);
    fflush(partial);
}

/* Writes the file anew with what was taken, so that a line cut by a kill does not stay in its middle. */
static fr_status open_partial(crew *c, fr_error *error) {
    char path[EXPERIMENT_TEXT], line[EXPERIMENT_TEXT + 128];
    experiment_path(c->run, "partial", path);
    c->ended = c->ended_before = take_partial(c->run, path);
    c->partial = fopen(path, "w");
    if (!c->partial) return fr_fail_errno(error, FR_ERROR, "%s cannot be written", path);
    first_line(c->run, line);
    fputs(line, c->partial);
    for (int64_t t = 0; t < c->run->trials; t++)
        if (c->run->done[t]) keep_trial(c->run, c->partial, t);
    return FR_OK;
}

/* ------------------------------------------------------------------------------------------- threads */

/* The next trial to do, or -1. */
static int64_t take_trial(crew *c) {
    pthread_mutex_lock(&c->lock);
    while (c->next < c->run->trials && c->run->done[c->next]) c->next++;
    bool stop = c->status != FR_OK || interrupt_signal() != 0;
    int64_t trial = !stop && c->next < c->run->trials ? c->next++ : -1;
    pthread_mutex_unlock(&c->lock);
    return trial;
}

/* On a terminal a line that is redrawn; elsewhere a line at doubling counts. */
static void show(crew *c) {
    const experiment_run *run = c->run;
    double spent = fr_seconds() - c->started, left = spent / (double)(c->ended - c->ended_before);
    bool last = c->ended == run->trials;
    if (run->settings.quiet || (!c->redraws && !last && c->ended < c->shown_at)) return;
    left *= (double)(run->trials - c->ended);
    int share = (int)(30 * c->ended / run->trials);
    if (c->redraws)
        fprintf(stderr, "\r%s [%.*s%.*s] %" PRId64 "/%" PRId64 " trials, %.0f s left\033[K", run->what->name, share,
                "##############################", 30 - share, "..............................", c->ended, run->trials,
                ceil(left));
    else
        fprintf(stderr, "%s: %" PRId64 " of %" PRId64 " trials, %.1f s, %.0f s left\n", run->what->name, c->ended,
                run->trials, spent, ceil(left));
    if (c->redraws && last) fputc('\n', stderr);
    c->shown_at = 2 * c->ended;
}

static void end_trial(crew *c, int64_t trial, fr_status status, const fr_error *error) {
    pthread_mutex_lock(&c->lock);
    if (status != FR_OK && c->status == FR_OK) {
        c->status = status;
        c->error = *error;
    } else if (status == FR_OK && interrupt_signal() == 0) { /* one that may have been cut short is not kept */
        c->run->done[trial] = true;
        c->ended++;
        keep_trial(c->run, c->partial, trial);
        show(c);
    }
    pthread_mutex_unlock(&c->lock);
}

static void *work(void *user) {
    crew *c = user;
    omp_set_num_threads(1); /* trials share the processors, not the rows of one trial */
    for (int64_t trial; (trial = take_trial(c)) >= 0;) {
        fr_error error = {0};
        fr_status status = c->run->what->trial(c->run, trial, c->run->values + trial * c->run->width, &error);
        end_trial(c, trial, status, &error);
    }
    return NULL;
}

static void run_crew(crew *c) {
    enum { MOST = 256 };
    pthread_t others[MOST];
    int wanted = c->run->settings.threads > 0 ? c->run->settings.threads : fr_default_threads(), started = 0;
    if (wanted > c->run->trials) wanted = (int)c->run->trials;
    for (int i = 1; i < wanted && i < MOST; i++)
        if (pthread_create(&others[started], NULL, work, c) == 0) started++;
    work(c);
    for (int i = 0; i < started; i++) pthread_join(others[i], NULL);
}

static fr_status run_all(crew *c, fr_error *error) {
    fr_status status = open_partial(c, error);
    if (status != FR_OK) return status;
    c->started = fr_seconds();
    c->redraws = isatty(STDERR_FILENO);
    run_crew(c);
    bool lost = ferror(c->partial) != 0;
    if (fclose(c->partial) != 0 || lost)
        return fr_fail_errno(error, FR_ERROR, "%s: the partial results cannot be written", c->run->settings.output);
    if (c->status != FR_OK && error) *error = c->error;
    return c->status;
}

fr_status experiment_run_trials(experiment_run *run, fr_error *error) {
    crew c = {.run = run};
    run->what->plan(run);
    fr_status status = fr_allocate((void **)&run->values, run->trials * run->width, sizeof(double), "results", error);
    if (status == FR_OK) status = fr_allocate((void **)&run->done, run->trials, sizeof(bool), "results", error);
    if (status != FR_OK) return status;
    pthread_mutex_init(&c.lock, NULL);
    status = run_all(&c, error);
    pthread_mutex_destroy(&c.lock);
    return status;
}

void experiment_run_free(experiment_run *run) {
    free(run->values);
    free(run->done);
    run->values = NULL;
    run->done = NULL;
}
