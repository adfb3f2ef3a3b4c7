/*
 * cmd_fit.c - fitrelu fit: the job of fitting/fit_job.h with a command line before it, signals and a bar while it runs, and
 * results and an exit code after it.
 */
#include <math.h>
#include <signal.h>

#include "base/clock.h"
#include "console/interrupt.h"
#include "console/json_result.h"
#include "console/message.h"
#include "console/progress.h"
#include "console/ranks.h"
#include "console/stage.h"
#include "fitting/fit_job.h"
#include "options/commands.h"

/* ---------------------------------------------------------------------------------------- watching */

static int on_report(const fr_report *report, void *user) {
    interrupt_catch(); /* there is a result to keep from now on */
    progress_report(user, report);
    return interrupt_signal() != 0;
}

static int on_progress(const fr_report *report, void *user) {
    interrupt_catch();
    progress_look(user, report);
    return interrupt_signal() != 0;
}

static int on_progress_elsewhere(const fr_report *report, void *unused) {
    (void)report, (void)unused;
    interrupt_catch();
    return interrupt_signal() != 0;
}

static int was_signalled(void *unused) {
    (void)unused;
    return interrupt_signal() != 0;
}

/* ----------------------------------------------------------------------------------------- results */

static void print_result(const fit_job *job) {
    const fit_report report = fit_job_report(job);
    if (job->settings.json) fit_report_json(json_result_begin(), &report);
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

static int run_job(fit_job *job, progress *shown) {
    fr_error error = {0};
    fr_status status = fit_job_prepare(job, &error);
    stage_end();
    if (status != FR_OK) return ranks_fail(job->world, &error);
    *shown = progress_start(job->settings.quiet || !job->speaks);
    status = fit_job_run(job, &error);
    progress_finish(shown);
    if (status == FR_OK) status = fit_job_conclude(job, &error);
    stage_end();
    if (status != FR_OK) return ranks_fail(job->world, &error);
    /* A table is followed by the last word on stderr, and the object holds that among its notes. */
    if (job->speaks && !job->settings.json) print_result(job);
    int code = tell_outcome(job);
    if (job->speaks && job->settings.json) print_result(job);
    return code;
}

int cmd_fit(const arguments *given) {
    progress shown = {0};
    bool speaks = fr_world_rank(given->world) == 0;
    fit_job job = {.world = given->world,
                   .speaks = speaks,
                   .watcher = {on_report, speaks ? on_progress : on_progress_elsewhere, was_signalled, &shown},
                   .began = fr_seconds()};
    int code = ranks_agree(job.world, fit_settings_read(given, &job.settings));
    if (code != 0) return code;
    if (job.speaks && !job.settings.quiet) stage_show();
    code = run_job(&job, &shown);
    fit_job_close(&job);
    return code;
}
