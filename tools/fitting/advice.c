/*
 * advice.c - when to speak up, and the second fit that tells what an intercept is worth.
 *
 * The second fit has the options of the first, without its files. It is made only where n d is small, after the model of
 * the first was written, and whoever watches may end it without a word.
 */
#include "fitting/advice.h"

#include <math.h>

#include "data/dataset.h"
#include "console/message.h"
#include "console/stage.h"

/* Values of rows that a second fit takes a moment for; an R^2 that an intercept cannot mend; and what is worth a word. */
static const double CHEAP_VALUES = 2e6, GOOD_ENOUGH = 0.999, WORTH_TELLING = 0.01;

static bool may_want_intercept(const fit_settings *settings, const fr_dataset *data) {
    const fr_options *o = &settings->options;
    bool heard = !settings->quiet || settings->json;
    double values = (double)fr_dataset_samples(data) * (double)fr_dataset_features(data);
    return settings->data && heard && !o->intercept && values <= CHEAP_VALUES && o->ensemble == 1 && !o->resume &&
           o->init == FR_INIT_AUTO && o->iterations < 0;
}

fr_status advice_copy(const fit_settings *settings, const fr_dataset *data, fr_dataset **copy, fr_error *error) {
    *copy = NULL;
    return may_want_intercept(settings, data) ? fr_dataset_copy(data, copy, error) : FR_OK;
}

void advice_of_size(int64_t samples, int64_t features) {
    if (samples < 2 * features)
        message_note("%lld rows are fewer than twice the %lld features: a fit of so few follows their noise (--holdout 0.2 "
                     "tells how much)", (long long)samples, (long long)features);
}

static int ask_watcher(const fr_report *report, void *user) {
    const fit_watcher *watcher = user;
    (void)report;
    return watcher->stop ? watcher->stop(watcher->user) : 0;
}

static fr_status fit_with_intercept(const fit_settings *settings, fr_dataset *copy, const fit_watcher *watcher,
                                    fr_result *result, fr_error *error) {
    fr_options options = settings->options;
    fr_solver *solver = NULL;
    options.intercept = true;
    options.report = NULL;
    options.progress = ask_watcher;
    options.report_user = (void *)watcher;
    options.checkpoint = NULL;
    FR_TRY(fr_solver_create(&options, copy, &solver, error));
    fr_status status = fr_solver_run(solver, result, error);
    fr_solver_free(solver);
    return status;
}

/* A column that is constant is an intercept already. */
fr_status advice_of_result(const fit_settings *settings, const fr_result *result, const fr_dataset *data,
                           fr_dataset *copy, const fit_watcher *watcher, fr_error *error) {
    fr_result other;
    const double found = result->r_squared;
    bool ended = result->outcome == FR_ITERATIONS || result->outcome == FR_TOLERANCE;
    if (settings->data && ended && found < 0)
        message_note("R^2 is %.3f: the fit is worse than the mean of the labels", found);
    if (!copy || !ended || data->constant_value != 0 || !(found < GOOD_ENOUGH)) return FR_OK;
    stage_begin("fitting with an intercept, to compare");
    fr_status status = fit_with_intercept(settings, copy, watcher, &other, error);
    stage_end();
    if (status != FR_OK) return fr_world_agreed(settings->options.world) ? FR_OK : status;
    bool told = other.outcome == FR_ITERATIONS || other.outcome == FR_TOLERANCE;
    if (told && other.r_squared > found + WORTH_TELLING)
        message_note("R^2 %.3f; with --intercept %.3f", found, other.r_squared);
    return FR_OK;
}
