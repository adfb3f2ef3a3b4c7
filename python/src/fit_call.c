/*
 * fit_call.c - a fit for Python: the program's own options, checks, remarks and result, without its streams.
 */
#include "fit_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "console/json_result.h"
#include "console/message.h"
#include "fitting/fit_job.h"
#include "options/commands.h"

/* ----------------------------------------------------------------------------------------- options */

bool fit_option_next(int *at, fit_option *option) {
    while (*at < OPT_COUNT && !(option_table[*at].commands & COMMAND_FIT)) ++*at;
    if (*at >= OPT_COUNT) return false;
    const option_entry *entry = &option_table[*at];
    *option = (fit_option){.name = entry->name,
                           .group = option_group_name(entry->group),
                           .words = entry->words ? entry->words : "",
                           .help = option_help((option_id)*at, COMMAND_FIT),
                           .flag = entry->kind == KIND_FLAG};
    ++*at;
    return true;
}

static int read_options(const fit_call *call, arguments *given, fit_settings *settings) {
    option_begin(command_find("fit"), given);
    for (int i = 0; i < call->option_count; i++) {
        int code = option_set(call->names[i], call->texts[i], given);
        if (code != 0) return code;
    }
    return fit_settings_read(given, settings);
}

/* --------------------------------------------------------------------------------------------- fit */

static int ask_progress(void *user) {
    fit_call *call = user;
    const fr_report nothing = {0};
    return call->progress ? call->progress(&nothing, call->user) : 0;
}

static int on_report(const fr_report *report, void *user) {
    fit_call *call = user;
    return call->report ? call->report(report, call->user) : 0;
}

static int on_progress(const fr_report *report, void *user) {
    fit_call *call = user;
    return call->progress ? call->progress(report, call->user) : 0;
}

/* The caller's rows and start instead of files. */
static fr_status take_data(const fit_call *call, fit_job *job, fr_error *error) {
    fr_options *options = &job->settings.options;
    if (!job->data) return FR_OK;
    if (job->settings.data) return fr_fail(error, FR_ERROR_USAGE, "--data and rows in memory contradict each other");
    job->settings.data = "arrays";
    if (!call->start) return FR_OK;
    int64_t d = fr_dataset_features(job->data);
    FR_TRY(fr_allocate((void **)&job->start, d, sizeof *job->start, "the start", error));
    memcpy(job->start, call->start, (size_t)d * sizeof *job->start);
    options->init = FR_INIT_GIVEN;
    options->init_intercept = options->intercept ? call->start_intercept : 0;
    return FR_OK;
}

static fr_status write_json(fit_call *call, const fit_job *job, fr_error *error) {
    size_t size;
    FILE *out = open_memstream(&call->json, &size);
    if (!out) return fr_fail(error, FR_ERROR, "out of memory for the result");
    const fit_report report = fit_job_report(job);
    fit_report_json(json_result_begin_in(out), &report);
    return fclose(out) == 0 ? FR_OK : fr_fail(error, FR_ERROR, "out of memory for the result");
}

static fr_status run(fit_call *call, fit_job *job, fr_error *error) {
    FR_TRY(fr_world_agree(job->world, take_data(call, job, error), error));
    FR_TRY(fit_job_prepare(job, error));
    FR_TRY(fit_job_run(job, error));
    FR_TRY(fit_job_conclude(job, error));
    call->borrows = fr_dataset_borrows(job->data);
    return write_json(call, job, error);
}

static void fit(fit_call *call) {
    arguments given;
    fit_job job = {.world = call->world,
                   .speaks = fr_world_rank(call->world) == 0,
                   .watcher = {on_report, on_progress, ask_progress, call},
                   .began = fr_seconds(),
                   .models = true,
                   .data = call->data};
    call->code = read_options(call, &given, &job.settings);
    if (call->code != 0) call->error = message_held();
    else {
        job.settings.json = call->advises;
        job.settings.quiet = !call->advises;
        call->code = (int)run(call, &job, &call->error);
    }
    call->model = job.model;
    job.model = NULL;
    fit_job_close(&job);
}

void fit_call_run(fit_call *call) {
    call->json = NULL;
    call->model = NULL;
    if (message_divert()) fit(call);
    else call->code = (int)fr_fail(&call->error, FR_ERROR, "out of memory for a fit");
    message_restore();
}

void fit_call_free(fit_call *call) {
    free(call->json);
    fr_model_free(call->model);
    call->json = NULL;
    call->model = NULL;
}
