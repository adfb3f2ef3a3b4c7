/*
 * collectives.c - how K quantized gradients are put together, and what the shared scale of an int8 sum costs.
 *
 * m = 800, the step size of QSGD with 7 bits for all, so that only the rounding differs: allgather and two-phase with
 * 127 levels and each worker's own norm; allreduce with floor(127/K) levels under one shared scale, norm or maximum.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/status.h"
#include "experiment/experiment.h"

enum { WAYS = 4, WORKERS = 4, LEVELS = 127 };
typedef struct way {
    const char *name;
    fr_collective collective;
    fr_scale scale;
} way;
static const way ways[WAYS] = {{"allgather, l2", FR_COLLECTIVE_ALLGATHER, FR_SCALE_L2},
                               {"two-phase, l2", FR_COLLECTIVE_TWO_PHASE, FR_SCALE_L2},
                               {"allreduce, l2", FR_COLLECTIVE_ALLREDUCE, FR_SCALE_L2},
                               {"allreduce, max", FR_COLLECTIVE_ALLREDUCE, FR_SCALE_MAX}};
static const int worker_counts[WORKERS] = {4, 8, 16, 40};

static void plan(experiment_run *run) {
    experiment_settings *s = &run->settings;
    if (s->features == 0) s->features = 1000;
    if (s->samples == 0) s->samples = 10 * s->features;
    if (s->iterations == 0) s->iterations = 200;
    if (s->seeds == 0) s->seeds = s->full ? 10 : 3;
    if (s->batch_count == 0) s->batches[0] = s->features >= 100 ? s->features * 4 / 5 / 80 * 80 : 80;
    s->batch_count = 1;
    run->trials = WAYS * WORKERS * s->seeds;
    run->width = 3; /* the start's error, half-way, the last */
}

/* Every number of workers divides the mini-batch, or a trial in the middle could not be made. */
static fr_status check(const experiment_run *run, fr_error *error) {
    for (int k = 0; k < WORKERS; k++)
        if (run->settings.batches[0] % worker_counts[k] != 0)
            return fr_fail(error, FR_ERROR_USAGE,
                           "--batches %" PRId64
                           ": collectives compares 4, 8, 16 and 40 workers, so the mini-batch must be a "
                           "multiple of 80",
                           run->settings.batches[0]);
    return FR_OK;
}

static const way *way_of(const experiment_run *run, int64_t t) { return &ways[t / run->settings.seeds / WORKERS]; }
static int workers_of(const experiment_run *run, int64_t t) {
    return worker_counts[t / run->settings.seeds % WORKERS];
}
static int levels_of(const experiment_run *run, int64_t t) {
    return way_of(run, t)->collective == FR_COLLECTIVE_ALLREDUCE ? LEVELS / workers_of(run, t) : LEVELS;
}

static fr_status trial(const experiment_run *run, int64_t t, double *values, fr_error *error) {
    const experiment_settings *s = &run->settings;
    fr_planted planted = {.samples = s->samples, .features = s->features, .seed = s->seed + (uint64_t)(t % s->seeds)};
    fr_options options;
    experiment_options(run, &options);
    options.batch = s->batches[0];
    options.workers = workers_of(run, t);
    options.iterations = s->iterations;
    options.step_rule = FR_STEP_NUMBER;
    options.step_size = fr_experiment_step_size(s->features, (double)options.batch, LEVELS);
    options.levels = levels_of(run, t);
    options.scale = way_of(run, t)->scale;
    options.collective = way_of(run, t)->collective;
    options.seed = planted.seed;
    return experiment_fit(&planted, &options, (s->iterations + 1) / 2, values, run->width, error);
}

static void table(const experiment_run *run, fr_output *csv) {
    fr_output_printf(csv, "collective,scale,workers,levels,seed,start_error,half_way_error,relative_error\n");
    for (int64_t t = 0; t < run->trials; t++) {
        fr_output_printf(csv, "%s,%s,%d,%d,%" PRIu64, fr_collective_name(way_of(run, t)->collective),
                         fr_scale_name(way_of(run, t)->scale), workers_of(run, t), levels_of(run, t),
                         run->settings.seed + (uint64_t)(t % run->settings.seeds));
        for (int64_t i = 0; i < run->width; i++) experiment_field(csv, false, run->values[t * run->width + i]);
        fr_output_printf(csv, "\n");
    }
}

/* Mean of the last errors over the seeds; INFINITY where one diverged. */
static double cell_error(const experiment_run *run, int w, int k) {
    double sum = 0;
    int64_t seeds = run->settings.seeds, first = (w * WORKERS + k) * seeds;
    for (int64_t t = first; t < first + seeds; t++) sum += run->values[(t + 1) * run->width - 1];
    return sum / (double)seeds;
}

static void row_text(const experiment_run *run, int w, char text[EXPERIMENT_TEXT]) {
    size_t used = 0;
    for (int k = 0; k < WORKERS && used < EXPERIMENT_TEXT; k++) {
        double error = cell_error(run, w, k);
        used += (size_t)snprintf(text + used, EXPERIMENT_TEXT - used, "%sK = %d: ", k ? ", " : "", worker_counts[k]);
        if (used >= EXPERIMENT_TEXT) return;
        used += (size_t)(isfinite(error) ? snprintf(text + used, EXPERIMENT_TEXT - used, "%.0e", error)
                                         : snprintf(text + used, EXPERIMENT_TEXT - used, "diverged"));
    }
}

static void write_cells(const experiment_run *run, json_writer *json) {
    json_begin_array(json, "cells");
    for (int w = 0; w < WAYS; w++) {
        for (int k = 0; k < WORKERS; k++) {
            json_begin(json, NULL);
            json_string(json, "way", ways[w].name);
            json_integer(json, "workers", worker_counts[k]);
            json_number(json, "error", cell_error(run, w, k));
            json_end(json);
        }
    }
    json_end_array(json);
}

/* Errors fall by orders of magnitude where a method works, so a factor of ten against the reference is "as well". */
static void judge(const experiment_run *run, verdict_list *list, json_writer *json) {
    char text[EXPERIMENT_TEXT] = "";
    double best = cell_error(run, 0, 0);
    bool holds[WAYS] = {true, true, true, true};
    write_cells(run, json);
    for (int w = 0; w < WAYS; w++)
        for (int k = 0; k < WORKERS; k++)
            if (w < 2 || worker_counts[k] <= 16) holds[w] &= cell_error(run, w, k) <= 10 * best;
    holds[0] &= best < 0.01 * run->values[0];
    row_text(run, 0, text);
    verdict_add(list, CLAIM_PAPER, verdict_of(holds[0]),
                "(2.2), each worker with its own norm (allgather), converges for any K", text);
    row_text(run, 1, text);
    verdict_add(list, CLAIM_OWN, verdict_of(holds[1]), "two-phase converges as well as allgather for any K", text);
    row_text(run, 2, text);
    verdict_add(list, CLAIM_OWN, verdict_of(!holds[2]), "an int8 sum under one l2 scale falls behind by K = 16",
                text);
    row_text(run, 3, text);
    verdict_add(list, CLAIM_OWN, verdict_of(holds[3]), "an int8 sum under the max scale costs nothing up to K = 16",
                text);
}

const experiment experiment_collectives = {
    "collectives",
    "QSGD's error at the end, by collective, scale and number of workers",
    "n = {n}, d = {d}, m = {m}, {s} seeds, T = {T}; gradient start, the step size of 7 bits for all",
    plan,
    check,
    trial,
    table,
    judge};
