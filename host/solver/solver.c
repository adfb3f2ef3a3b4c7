/*
 * solver.c - from options and a data set to a result: plan, rows, engine, exchange, start, runs of the loop.
 *
 * The loop itself is fit/fit.c. Here stand the things done once: conditioning of the columns and the survey of the data
 * that `auto` needs; runs of the loop are solver/runs.c, what is told of them solver/result.c.
 */
#include <omp.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/threads.h"
#include "columns/condition.h"
#include "columns/spread.h"
#include "columns/weights.h"
#include "data/planted.h"
#include "fit/model.h"
#include "fit/survey.h"
#include "solver/place.h"
#include "solver/rank.h"
#include "solver/same_run.h"

struct fr_solver {
    fr_options options;
    fr_dataset *set;
    fr_plan plan; /* begun */
    double long_rows;
    double spread; /* of read labels */
    int threads;
    fr_place place;
    fr_solver_rank *ranks; /* place.ranks of them; the first speaks for all */
};

/* ----------------------------------------------------------------------------------------- create */

static fr_status refuse_labels(const fr_dataset *set, fr_error *error) {
    return fr_fail(error, FR_ERROR_DATA,
                   "%s: none of the %lld labels is above 0, so max(0, <w, x>) fits best with w = 0; expected some y > 0",
                   set->source, (long long)set->samples);
}

/* Over all ranks: labels are there, and one of them is above 0. */
static fr_status check_labels(const fr_dataset *set, fr_world *world, fr_error *error) {
    bool above = false, missing = set->local_rows > 0 && !set->labels;
    FR_OWNED bool *all = NULL;
    for (int64_t i = 0; !missing && i < set->local_rows && !above; i++)
        above = fr_dataset_label(set, i) > 0 && (!set->weights || set->weights[i] > 0);
    fr_status status = missing ? fr_fail(error, FR_ERROR_DATA, "%s holds no labels; a fit needs them", set->source) : FR_OK;
    if (status == FR_OK)
        status = fr_allocate((void **)&all, fr_world_size(world), sizeof *all, "the ranks' agreement", error);
    FR_TRY(fr_world_agree(world, status, error));
    FR_TRY(fr_world_gather(world, &above, sizeof above, all, error));
    for (int r = 0; r < fr_world_size(world); r++) above |= all[r];
    return above ? FR_OK : fr_world_agree(world, refuse_labels(set, error), error);
}

/* Data from a file get columns of one scale, uncorrelated, wherever the step size is ours to choose; the unit is the
 * same one. By the first GPU of this process, where it has any. */
static fr_status condition(const fr_solver *s, const fr_device_products *device, fr_error *error) {
    const fr_options *options = &s->options;
    fr_dataset *set = s->set;
    bool ours = !set->is_planted && options->step_rule == FR_STEP_AUTO && !options->keep_columns;
    fr_conditioning how = {
        .center = options->standardize || (ours && options->intercept),
        .scale = options->standardize || ours,
        .decorrelate = ours,
        .intercept = options->intercept,
        .device = device,
    };
    return fr_dataset_condition(set, how, &s->plan, s->threads, options->world, error);
}

static fr_status condition_rows(fr_solver *s, fr_error *error) {
    const fr_device_products *device;
    FR_TRY(fr_world_agree(s->place.world, fr_place_products(&s->place, &device, error), error));
    fr_status status = condition(s, device, error);
    fr_place_products_end(&s->place);
    return status;
}

/* A planted set that nothing changes is generated on the GPUs themselves. */
static bool is_made_on_device(const fr_solver *s) {
    return s->place.cuda && s->set->is_planted && !s->set->rows && !s->options.standardize && !s->options.intercept;
}

/* Ranks that share a machine share its processors, unless the launcher gave each its own. */
static int choose_threads(const fr_options *options) {
    int online = (int)sysconf(_SC_NPROCESSORS_ONLN), near = fr_world_local_ranks(options->world);
    int own = omp_get_num_procs() < online ? omp_get_num_procs() : online / near;
    int wanted = options->threads > 0 ? options->threads : fr_default_threads();
    if (near == 1 || wanted <= own) return wanted;
    return own > 1 ? own : 1;
}

/* The rows of this process's workers: made, or found among those held. */
static fr_status own_rows(fr_solver *s, fr_error *error) {
    fr_dataset *set = s->set;
    fr_range ranks = {fr_world_rank(s->place.world) * s->place.ranks, s->place.ranks};
    fr_range rows = fr_rows_of_workers(&s->plan, fr_workers_of_ranks(&s->plan, s->place.all_ranks, ranks));
    if (set->is_planted) return fr_dataset_materialize(set, rows.first, rows.count, error);
    return fr_dataset_holds(set, rows, error);
}

static fr_status prepare_rows(fr_solver *s, fr_error *error) {
    fr_dataset *set = s->set;
    fr_world *world = s->place.world;
    FR_TRY(fr_world_agree(world, own_rows(s, error), error));
    FR_TRY(fr_weights_settle(set, &s->plan, world, error));
    FR_TRY(check_labels(set, world, error));
    FR_TRY(condition_rows(s, error));
    FR_TRY(fr_world_agree(world, fr_weights_apply(set, s->threads, error), error));
    if (!set->is_planted) FR_TRY(fr_labels_spread(set, &s->plan, world, &s->spread, error));
    bool asks = s->options.step_rule == FR_STEP_AUTO && s->plan.draws > 0 && !set->is_planted;
    return asks ? fr_dataset_long_rows(set, &s->plan, s->threads, world, &s->long_rows, error) : FR_OK;
}

/* Whatever a rank refuses, all refuse, before the next thing that needs them all. */
static fr_status prepare(fr_solver *s, fr_error *error) {
    fr_world *world = s->options.world;
    fr_world_set_timeout(world, s->options.timeout);
    s->threads = choose_threads(&s->options);
    fr_status status = fr_place_make(&s->options, &s->place, error);
    if (status == FR_OK)
        status = fr_plan_begin(&s->options, s->set, s->place.dedicated_master, &s->plan, error);
    FR_TRY(fr_world_agree(world, status, error));
    FR_TRY(fr_check_same_run(world, &s->options, s->set, &s->plan, error));
    FR_TRY(fr_place_share_devices(&s->place, error));
    return is_made_on_device(s) ? FR_OK : prepare_rows(s, error);
}

static fr_status create_rank(void *user, int rank, fr_error *error) {
    fr_solver *s = user;
    fr_solver_rank *r = &s->ranks[rank];
    r->options = s->options;
    r->set = s->set;
    r->plan = s->plan;
    r->threads = s->threads;
    int64_t d = r->plan.features > s->place.all_ranks ? r->plan.features : s->place.all_ranks;
    double **vectors[] = {&r->label_sum, &r->start, &r->fitted, &r->best, &r->fit.scratch, &r->fit.state.weights,
                          &r->fit.state.average, &r->sent, &r->received};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        FR_TRY(fr_allocate((void **)vectors[i], d, sizeof(double), "weights", error));
    FR_TRY(fr_place_engine(&s->place, rank, &r->plan, r->set, r->threads, &r->engine, error));
    r->fit.state.best = r->plan.own_data ? r->best : NULL;
    return fr_allocate((void **)&r->fit.residuals, r->engine->config.worker_count, sizeof(double), "residuals", error);
}

static fr_status connect_rank(void *user, int rank, fr_error *error) {
    fr_solver *s = user;
    fr_solver_rank *r = &s->ranks[rank];
    return fr_place_comm(&s->place, rank, &r->plan, r->engine, &r->comm, error);
}

/* The sums over rows that the plan's steps need, and with them the end of the plan. */
static fr_status survey_rank(void *user, int rank, fr_error *error) {
    fr_solver_rank *r = &((fr_solver *)user)->ranks[rank];
    fr_spectrum spectrum = {.long_rows = ((fr_solver *)user)->long_rows};
    FR_TRY(fr_survey_total(r->engine, r->comm, FR_PASS_LABELS, NULL, r->label_sum, &r->labels, error));
    if (!(r->labels.label2 > 0)) return refuse_labels(r->set, error); /* made on the device */
    r->spread = ((fr_solver *)user)->spread;
    if (r->set->is_planted) r->spread = r->labels.label2 - r->labels.label * r->labels.label / (double)r->plan.samples;
    spectrum.trace = r->labels.square / (double)r->plan.samples;
    if (r->options.step_rule == FR_STEP_AUTO)
        FR_TRY(fr_survey_eigenvalue(r->engine, r->comm, &spectrum.lambda, error));
    return fr_plan_finish(&r->options, r->set, &spectrum, &r->plan, error);
}

static fr_status free_rank(void *user, int rank, fr_error *error) {
    fr_solver_rank *r = &((fr_solver *)user)->ranks[rank];
    (void)error;
    fr_comm_free(r->comm);
    fr_engine_free(r->engine);
    free(r->label_sum);
    free(r->start);
    free(r->best);
    free(r->fitted);
    free(r->fit.scratch);
    free(r->fit.residuals);
    free(r->fit.state.weights);
    free(r->fit.state.average);
    free(r->sent);
    free(r->received);
    return FR_OK;
}

static fr_status make_ranks(fr_solver *s, fr_error *error) {
    FR_TRY(prepare(s, error));
    FR_TRY(fr_allocate((void **)&s->ranks, s->place.ranks, sizeof *s->ranks, "the solver", error));
    /* All have an engine before any waits for another to join it. */
    FR_TRY(fr_world_agree(s->options.world, fr_place_run(&s->place, create_rank, s, error), error));
    FR_TRY(fr_world_agree(s->options.world, fr_place_run(&s->place, connect_rank, s, error), error));
    fr_status status = fr_place_run(&s->place, survey_rank, s, error);
    /* What is wrong with the data all ranks find alike; on another failure the others are not here to agree. */
    return status == FR_ERROR_DATA ? fr_world_agree(s->options.world, status, error) : status;
}

fr_status fr_solver_create(const fr_options *options, fr_dataset *dataset, fr_solver **solver, fr_error *error) {
    fr_solver *s = NULL;
    FR_TRY(fr_allocate((void **)&s, 1, sizeof *s, "the solver", error));
    s->options = *options;
    s->set = dataset;
    fr_status status = make_ranks(s, error);
    if (status == FR_OK) *solver = s;
    else fr_solver_free(s);
    return status;
}

void fr_solver_free(fr_solver *s) {
    if (!s) return;
    if (s->ranks) fr_place_run(&s->place, free_rank, s, NULL);
    fr_place_free(&s->place);
    free(s->ranks);
    free(s);
}

/* -------------------------------------------------------------------------------------------- run */

static fr_status run_rank(void *user, int rank, fr_error *error) {
    return fr_rank_run(&((fr_solver *)user)->ranks[rank], error);
}

fr_status fr_solver_run(fr_solver *s, fr_result *result, fr_error *error) {
    fr_status status = fr_place_run(&s->place, run_rank, s, error);
    if (status == FR_OK) *result = s->ranks[0].result;
    return status;
}

int fr_solver_threads(const fr_solver *s) { return s->threads; }

fr_status fr_solver_model(const fr_solver *s, fr_model **model, fr_error *error) {
    return fr_model_create(s->set, s->ranks[0].fitted, model, error);
}
