/*
 * cmd_fit.c - fitrelu fit: options, outputs opened, data read, the fit, results.
 *
 * The order is deliberate. Whatever can be refused is refused before the fit starts: contradicting options, then
 * outputs that cannot be written, then the data, then the method. What a fit has found is kept even when it was
 * interrupted; only a model of a diverged or dead fit is not written, since it would be of no use to anybody.
 */
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "fitrelu/advice.h"
#include "options/commands.h"
#include "fitrelu/fit_report.h"
#include "fitrelu/fit_settings.h"
#include "fitrelu/history.h"
#include "console/interrupt.h"
#include "fitrelu/left_out.h"
#include "console/message.h"
#include "options/option_parse.h"
#include "console/progress.h"
#include "fit/quality.h"
#include "console/ranks.h"
#include "console/stage.h"
#include "fitrelu/start_file.h"
#include "base/clock.h"
#include "base/output_file.h"
#include "base/text_file.h"
#include "data/planted.h"
#include "plan/plan.h"

/* One fit and everything it holds. */
typedef struct fit_job {
    fit_settings settings;
    fr_output *history;
    progress shown;
    fr_dataset *data;
    double *start; /* of --init FILE */
    fr_solver *solver;
    fr_result result;
    fr_model *model;      /* of data of one's own, or to be written; NULL without a result */
    fr_dataset *copy;     /* of the data before the fit, to compare with; or NULL */
    fr_quality held_out;
    fr_world *world;
    bool speaks; /* rank 0, which alone writes and prints */
    int64_t samples, features; /* of the user's data: an intercept adds a column later */
    double began, prepared;    /* clock at the start; seconds from there to the first step, 0 before it */
} fit_job;

/* A report says how long ago the first step was. */
static int on_report(const fr_report *report, void *user) {
    fit_job *job = user;
    interrupt_catch(); /* there is a result to keep from now on */
    if (job->prepared == 0) job->prepared = fr_seconds() - report->seconds - job->began;
    history_add(job->history, job->settings.options.ensemble > 1, report);
    progress_report(&job->shown, report);
    return interrupt_signal() != 0;
}

static int on_progress(const fr_report *report, void *user) {
    fit_job *job = user;
    interrupt_catch();
    if (job->speaks) progress_look(&job->shown, report);
    return interrupt_signal() != 0;
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
    if (settings->data) FR_TRY(fr_dataset_read(settings->data, &settings->reading, &job->data, error));
    else FR_TRY(plant(settings, fr_world_size(job->world), &job->data, error));
    job->samples = fr_dataset_samples(job->data);
    job->features = fr_dataset_features(job->data);
    return FR_OK;
}

static fr_status open_start(fit_job *job, fr_error *error) {
    fr_options *options = &job->settings.options;
    if (!job->settings.init_file) return FR_OK;
    fr_status status =
        start_file_read(job->settings.init_file, job->data, &job->start, &options->init_intercept, error);
    options->init_weights = job->start;
    return status;
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

static fr_status prepare(fit_job *job, fr_error *error) {
    FR_TRY(fr_world_agree(job->world, open_files(job, error), error));
    stage_begin("%s", job->settings.data ? "preparing the data" : "making rows");
    return open_solver(job, error);
}

/* ------------------------------------------------------------------------------------------ after */

/* Weights that are of use to somebody. */
static bool is_a_result(const fr_result *result) {
    return result->outcome != FR_DIVERGED && result->outcome != FR_DEAD;
}

static fr_status make_model(fit_job *job, fr_error *error) {
    if (!is_a_result(&job->result) || !(job->settings.model || job->settings.data)) return FR_OK;
    return fr_solver_model(job->solver, &job->model, error);
}

static fr_status write_outputs(fit_job *job, fr_error *error) {
    fr_output *history = job->history;
    job->history = NULL;
    if (history) FR_TRY(fr_output_commit(history, error));
    return job->model && job->settings.model ? fr_model_write(job->model, job->settings.model, error) : FR_OK;
}

/* All ranks. What could still fail or take its time comes after the files are written. */
static fr_status conclude(fit_job *job, fr_error *error) {
    const fr_dataset *held_out = fr_dataset_held_out(job->data);
    stage_begin("writing the results");
    FR_TRY(fr_world_agree(job->world, make_model(job, error), error));
    FR_TRY(fr_world_agree(job->world, job->speaks ? write_outputs(job, error) : FR_OK, error));
    if (job->model && held_out) FR_TRY(fr_quality_measure(job->model, held_out, job->world, &job->held_out, error));
    return advice_of_result(&job->settings, &job->result, job->data, job->copy, error);
}

static void print_result(const fit_job *job) {
    fit_report report = {.settings = &job->settings,
                         .result = &job->result,
                         .samples = job->samples,
                         .features = job->features,
                         .prepared = job->prepared,
                         .path = job->model ? job->settings.model : NULL,
                         .model = job->settings.data ? job->model : NULL,
                         .data = job->settings.data ? job->data : NULL,
                         .held_out = job->held_out.rows > 0 ? &job->held_out : NULL};
    if (job->settings.json) fit_report_json(&report);
    else if (job->settings.explain) fit_report_sentences(&report);
    else fit_report_table(&report);
}

static int tell_divergence(const fit_job *job) {
    const fr_result *r = &job->result;
    const char *no_model = job->settings.model ? "; no model was written" : "";
    if (job->settings.options.ensemble > 1 && r->agreeing == 0)
        message_error("no run of the ensemble has half of the others near it%s", no_model);
    else
        message_error("the fit diverged after %lld steps of size %.4g; try a smaller --step-size, or auto%s",
                      (long long)r->iterations, r->step_size, no_model);
    return EXIT_DIVERGED;
}

static int tell_dead(const fit_job *job) {
    message_error("no row is active at the weights that were found, though other starts have a lower loss: a dead unit; "
                  "try --init auto, or --batch full%s", job->settings.model ? "; no model was written" : "");
    return EXIT_DIVERGED;
}

static int tell_missed_tolerance(const fit_job *job) {
    const fr_result *r = &job->result;
    if (isnan(r->relative_error))
        message_error("--tolerance %.4g was not reached in %lld steps", job->settings.options.tolerance,
                      (long long)r->iterations);
    else
        message_error("--tolerance %.4g was not reached in %lld steps: the relative error is %.3e",
                      job->settings.options.tolerance, (long long)r->iterations, r->relative_error);
    return EXIT_TOLERANCE;
}

/* What was found so far, and how to go on from it. */
static void tell_interruption(const fit_job *job) {
    const char *checkpoint = job->settings.options.checkpoint, *model = job->model ? job->settings.model : NULL;
    const long long steps = job->result.iterations;
    if (checkpoint)
        message_note("interrupted after %lld steps; the same command goes on with --resume %s", steps,
                     job->settings.options.resume_if_there ? "auto" : checkpoint);
    else if (model)
        message_note("interrupted after %lld steps; %s has the model so far, from which --init %s begins (--checkpoint "
                     "FILE would let --resume FILE go on)", steps, model, model);
    else message_note("interrupted after %lld steps; --checkpoint FILE would let --resume FILE go on", steps);
}

/* The exit code of an outcome, with a line on stderr where it is not what was asked for. */
static int tell_outcome(const fit_job *job) {
    switch (job->result.outcome) {
    case FR_TOLERANCE: return EXIT_DONE;
    case FR_ITERATIONS: return job->settings.options.tolerance > 0 ? tell_missed_tolerance(job) : EXIT_DONE;
    case FR_DIVERGED: return tell_divergence(job);
    case FR_DEAD: return tell_dead(job);
    case FR_INTERRUPTED: break;
    }
    tell_interruption(job);
    int number = ranks_most(job->world, interrupt_signal());
    return number == SIGUSR1 && job->settings.options.checkpoint ? EXIT_AGAIN : EXIT_SIGNALLED + number;
}

/* -------------------------------------------------------------------------------------------- all */

static int run_job(fit_job *job) {
    fr_error error = {0};
    fr_status status = prepare(job, &error);
    stage_end();
    if (status != FR_OK) return ranks_fail(job->world, &error);
    remark(job);
    job->shown = progress_start(job->settings.quiet || !job->speaks);
    status = fr_solver_run(job->solver, &job->result, &error);
    progress_finish(&job->shown);
    if (status != FR_OK) return ranks_fail(job->world, &error);
    status = conclude(job, &error);
    stage_end();
    if (status != FR_OK) return ranks_fail(job->world, &error);
    /* A table is followed by the last word on stderr, and the object holds that among its notes. */
    if (job->speaks && !job->settings.json) print_result(job);
    int code = tell_outcome(job);
    if (job->speaks && job->settings.json) print_result(job);
    return code;
}

static void close_job(fit_job *job) {
    fr_model_free(job->model);
    fr_solver_free(job->solver);
    fr_dataset_free(job->data);
    fr_dataset_free(job->copy);
    fr_output_discard(job->history);
    free(job->start);
}

int cmd_fit(const arguments *given) {
    fit_job job = {.world = given->world, .speaks = fr_world_rank(given->world) == 0, .began = fr_seconds()};
    int code = ranks_agree(job.world, fit_settings_read(given, &job.settings));
    if (code != 0) return code;
    if (job.speaks && !job.settings.quiet) stage_show();
    code = run_job(&job);
    close_job(&job);
    return code;
}
