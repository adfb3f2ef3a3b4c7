/*
 * fit_job.c - outputs opened, data read, the fit, results written.
 *
 * The order is deliberate. Whatever can be refused is refused before the fit starts: outputs that cannot be written, then
 * the data, then the method. What a fit has found is kept even when it was interrupted; only a model of a diverged or
 * dead fit is not written, since it would be of no use to anybody.
 */
#include "fitting/fit_job.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/text_file.h"
#include "console/message.h"
#include "console/stage.h"
#include "data/planted.h"
#include "fitting/advice.h"
#include "fitting/history.h"
#include "fitting/left_out.h"
#include "fitting/start_file.h"
#include "plan/plan.h"

/* A report says how long ago the first step was. */
static int on_report(const fr_report *report, void *user) {
    fit_job *job = user;
    if (job->prepared == 0) job->prepared = fr_seconds() - report->seconds - job->began;
    history_add(job->history, job->settings.options.ensemble > 1, report);
    return job->watcher.report ? job->watcher.report(report, job->watcher.user) : 0;
}

static int on_progress(const fr_report *report, void *user) {
    fit_job *job = user;
    return job->watcher.progress ? job->watcher.progress(report, job->watcher.user) : 0;
}

/* ----------------------------------------------------------------------------------------- before */

/* Opens and gives up at once: a file that cannot be written is told now, not after an hour of fitting. To the reader of
 * a named pipe that would be the end, and nobody would be there to read the model. */
static fr_status probe_output(const char *path, fr_error *error) {
    fr_output *probe = NULL;
    if (!path) return FR_OK;
    if (fr_output_is_named_pipe(path))
        return fr_fail(error, FR_ERROR, "cannot write %s: it is a named pipe, expected a file (or /dev/stdout and a |)",
                       path);
    fr_status status = fr_output_open(path, &probe, error);
    fr_output_discard(probe);
    return status;
}

static fr_status open_outputs(fit_job *job, fr_error *error) {
    fr_status status = probe_output(job->settings.model, error);
    if (status == FR_OK) status = probe_output(job->settings.options.checkpoint, error);
    if (status == FR_OK && job->settings.history)
        status = history_open(job->settings.history, job->settings.options.ensemble > 1, &job->history, error);
    return status;
}

/* mpirun hands standard input to one rank, and each rank reads its own rows. */
static fr_status refuse_shared_stdin(const fit_job *job, fr_error *error) {
    static const char *const options[] = {"data", "labels", "weights"};
    const char *const paths[] = {job->settings.data, job->settings.reading.labels, job->settings.reading.weights};
    for (int i = 0; i < 3 && fr_world_size(job->world) > 1; i++)
        if (paths[i] && fr_path_is_stdin(paths[i]))
            return fr_fail(error, FR_ERROR_USAGE, "--%s %s: %d ranks cannot share standard input, name a file",
                           options[i], paths[i], fr_world_size(job->world));
    return FR_OK;
}

/* What cannot fit into memory is refused before w* is drawn. Rows of a GPU are its own affair. */
static fr_status plant(const fit_settings *settings, int ranks, fr_dataset **data, fr_error *error) {
    bool on_gpus = settings->options.device == FR_DEVICE_CUDA || settings->options.gpus > 0;
    if (!on_gpus) FR_TRY(fr_planted_check(&settings->planted, settings->precision, ranks, error));
    FR_TRY(fr_dataset_generate(&settings->planted, settings->precision, data, error));
    fr_dataset_watch(*data, stage_count, NULL);
    return FR_OK;
}

static fr_status open_data(fit_job *job, fr_error *error) {
    fit_settings *settings = &job->settings;
    FR_TRY(refuse_shared_stdin(job, error));
    settings->options.world = job->world;
    FR_TRY(fr_read_options_share(&settings->reading, &settings->options, error));
    if (!job->data && settings->data) FR_TRY(fr_dataset_read(settings->data, &settings->reading, &job->data, error));
    else if (!job->data) FR_TRY(plant(settings, fr_world_size(job->world), &job->data, error));
    job->samples = fr_dataset_samples(job->data);
    job->features = fr_dataset_features(job->data);
    return FR_OK;
}

static fr_status open_start(fit_job *job, fr_error *error) {
    fr_options *options = &job->settings.options;
    if (job->settings.init_file)
        FR_TRY(start_file_read(job->settings.init_file, job->data, &job->start, &options->init_intercept, error));
    options->init_weights = job->start;
    return FR_OK;
}

static fr_status open_solver(fit_job *job, fr_error *error) {
    fr_options *options = &job->settings.options;
    options->report = on_report;
    options->progress = on_progress;
    options->report_user = job;
    return fr_solver_create(options, job->data, &job->solver, error);
}

/* What is allowed and probably not meant. Under one shared l2 scale an int8 sum leaves so few levels that the
 * relative variance of rounding nears that of the gradient itself: runs stall or diverge where max does not. */
static void remark(const fit_job *job) {
    const fr_options *o = &job->settings.options;
    if (o->threads > 0 && o->threads > fr_solver_threads(job->solver))
        message_note("--threads %d: each rank takes %d, its share of this machine's processors", o->threads,
                     fr_solver_threads(job->solver));
    if (o->star && (fr_world_size(job->world) == 1 || o->gpus > 0 || o->device == FR_DEVICE_CUDA))
        message_note("--broadcast star has no effect here: the model goes by messages only between ranks without GPUs");
    if (!o->intercept && o->init_intercept != 0)
        message_note("--init %s: its intercept %g is left out, since --intercept is not given",
                     job->settings.init_file, o->init_intercept);
    if (o->levels > 0 && o->collective == FR_COLLECTIVE_ALLREDUCE && o->scale == FR_SCALE_L2 &&
        fr_relative_variance(job->features, o->levels, FR_SCALE_L2) > 0.5)
        message_note("warning: --scale l2 with --collective allreduce and %d levels rounds %lld features coarsely, and "
                     "the fit may stall; --scale max does not", o->levels, (long long)job->features);
    if (job->settings.data) advice_of_size(job->samples, job->features);
    left_out_remark(job->data, job->features);
}

static fr_status open_files(fit_job *job, fr_error *error) {
    const fit_settings *settings = &job->settings;
    stage_begin("opening the files to write");
    if (job->speaks) FR_TRY(open_outputs(job, error));
    stage_begin("reading %s", settings->data ? settings->data : "options");
    FR_TRY(open_data(job, error));
    if (settings->init_file) stage_begin("reading %s", settings->init_file);
    FR_TRY(open_start(job, error));
    return advice_copy(settings, job->data, &job->copy, error);
}

fr_status fit_job_prepare(fit_job *job, fr_error *error) {
    FR_TRY(fr_world_agree(job->world, open_files(job, error), error));
    stage_begin("%s", job->settings.data ? "preparing the data" : "making rows");
    FR_TRY(open_solver(job, error));
    stage_end();
    remark(job);
    return FR_OK;
}

fr_status fit_job_run(fit_job *job, fr_error *error) { return fr_solver_run(job->solver, &job->result, error); }

/* ------------------------------------------------------------------------------------------ after */

/* Weights that are of use to somebody. */
static bool is_a_result(const fr_result *result) {
    return result->outcome != FR_DIVERGED && result->outcome != FR_DEAD;
}

static fr_status make_model(fit_job *job, fr_error *error) {
    bool wanted = job->models || job->settings.model || job->settings.data;
    if (!wanted || !is_a_result(&job->result)) return FR_OK;
    return fr_solver_model(job->solver, &job->model, error);
}

static fr_status write_outputs(fit_job *job, fr_error *error) {
    fr_output *history = job->history;
    job->history = NULL;
    if (history) FR_TRY(fr_output_commit(history, error));
    return job->model && job->settings.model ? fr_model_write(job->model, job->settings.model, error) : FR_OK;
}

/* All ranks. What could still fail or take its time comes after the files are written. */
fr_status fit_job_conclude(fit_job *job, fr_error *error) {
    const fr_dataset *held_out = fr_dataset_held_out(job->data);
    stage_begin("writing the results");
    FR_TRY(fr_world_agree(job->world, make_model(job, error), error));
    FR_TRY(fr_world_agree(job->world, job->speaks ? write_outputs(job, error) : FR_OK, error));
    if (job->model && held_out) FR_TRY(fr_quality_measure(job->model, held_out, job->world, &job->held_out, error));
    FR_TRY(advice_of_result(&job->settings, &job->result, job->data, job->copy, &job->watcher, error));
    stage_end();
    return FR_OK;
}

fit_report fit_job_report(const fit_job *job) {
    return (fit_report){.settings = &job->settings,
                        .result = &job->result,
                        .samples = job->samples,
                        .features = job->features,
                        .prepared = job->prepared,
                        .path = job->model ? job->settings.model : NULL,
                        .model = job->settings.data ? job->model : NULL,
                        .data = job->settings.data ? job->data : NULL,
                        .held_out = job->held_out.rows > 0 ? &job->held_out : NULL};
}

void fit_job_close(fit_job *job) {
    fr_model_free(job->model);
    fr_solver_free(job->solver);
    fr_dataset_free(job->data);
    fr_dataset_free(job->copy);
    fr_output_discard(job->history);
    free(job->start);
}
