/*
 * plan_measure.c - how fast the present ranks are.
 *
 * The links are measured by what fits send over them, fr_link_exchange: a message goes from rank 0 to rank 1 and one of
 * 8 bytes comes back, timed by rank 0. Half of the median round trip of 8 bytes is the latency; what a large message
 * takes beyond a small one, for its bytes, gives the bandwidth. A large message has 1 MB, on slow links as many bytes as
 * take about half a second, which a message of 16 kB tells first; a link lets the first bytes of a burst pass at once, so
 * the message must be long beside them. The other ranks wait meanwhile, and their links are taken to be alike.
 *
 * The rate is that of the engine's gradient over a few MB of planted rows, every one of which it reads, on all ranks at
 * once, since ranks on one machine share its processors. (Fits near their end leave half of the rows unread.)
 */
#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include "engine/engine.h"
#include "base/clock.h"
#include "base/threads.h"
#include "console/message.h"
#include "fitrelu/plan_measure.h"
#include "data/planted.h"
#include "console/ranks.h"
#include "ranks/world.h"

enum { SMALL = 8, MIDDLE = 16 << 10, LARGE = 1 << 20, SMALL_TIMES = 21, LARGE_TIMES = 3 };
enum { ROW_BYTES = 4 << 20, STEPS = 16, FEATURES_MOST = 10000 };

/* Ranks 0 and 1: seconds of the way of `size` bytes there and 8 back. */
static fr_status round_trip(fr_link *link, void *data, size_t size, double *seconds, fr_error *error) {
    static const char what[] = "the measuring of the link";
    double before = link->seconds, answer = 0;
    int other = 1 - link->rank;
    fr_message there = {other, data, size}, back = {other, &answer, sizeof answer};
    bool first = link->rank == 0;
    FR_TRY(first ? fr_link_exchange(link, what, &there, 1, NULL, 0, error)
                 : fr_link_exchange(link, what, NULL, 0, &there, 1, error));
    FR_TRY(first ? fr_link_exchange(link, what, NULL, 0, &back, 1, error)
                 : fr_link_exchange(link, what, &back, 1, NULL, 0, error));
    *seconds = link->seconds - before;
    return FR_OK;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static fr_status median_trip(fr_link *link, void *data, size_t size, int times, double *seconds, fr_error *error) {
    double taken[SMALL_TIMES] = {0};
    for (int i = 0; i < times; i++) FR_TRY(round_trip(link, data, size, &taken[i], error));
    qsort(taken, (size_t)times, sizeof *taken, ascending);
    *seconds = taken[times / 2];
    return FR_OK;
}

/* Both ranks must know how long the large message is, so rank 0 tells it. */
static fr_status choose_size(fr_link *link, double small, double middle, double *size, fr_error *error) {
    double rate = MIDDLE / fmax(middle - small, 1e-9);
    fr_message message = {1 - link->rank, size, sizeof *size};
    *size = fmin(LARGE, fmax(MIDDLE, floor(rate / 2)));
    return link->rank == 0 ? fr_link_exchange(link, "the measuring of the link", &message, 1, NULL, 0, error)
                           : fr_link_exchange(link, "the measuring of the link", NULL, 0, &message, 1, error);
}

/* Ranks 0 and 1; rank 0 knows the numbers then. */
static fr_status measure_link(fr_link *link, plan_measured *measured, fr_error *error) {
    double small = 0, middle = 0, large = 0, size = LARGE;
    FR_OWNED void *data = NULL;
    FR_TRY(fr_allocate(&data, LARGE, 1, "a message", error));
    FR_TRY(round_trip(link, data, LARGE / 1024, &small, error)); /* the first message makes the connection */
    FR_TRY(median_trip(link, data, SMALL, SMALL_TIMES, &small, error));
    FR_TRY(median_trip(link, data, MIDDLE, LARGE_TIMES, &middle, error));
    FR_TRY(choose_size(link, small, middle, &size, error));
    FR_TRY(median_trip(link, data, (size_t)size, LARGE_TIMES, &large, error));
    measured->latency = small / 2;
    measured->bandwidth = size / fmax(large - small, 1e-9);
    return FR_OK;
}

static fr_status run_gradients(fr_engine *engine, const fr_state *state, double *seconds, fr_error *error) {
    FR_TRY(engine->ops->load(engine, state, error));
    FR_TRY(engine->ops->gradient(engine, error)); /* the first is slower */
    double began = fr_seconds();
    for (int i = 0; i < STEPS; i++) FR_TRY(engine->ops->gradient(engine, error));
    *seconds = fr_seconds() - began;
    return FR_OK;
}

/* Half way from 0 to w*, half of the rows are active. The engine was not told the rows' norms, so it reads every row. */
static fr_status time_gradients(fr_dataset *set, int threads, double *seconds, fr_error *error) {
    fr_options options;
    fr_plan plan;
    fr_engine *engine = NULL;
    FR_OWNED double *weights = NULL;
    FR_TRY(fr_allocate((void **)&weights, 2 * set->features, sizeof *weights, "weights", error));
    for (int64_t j = 0; j < set->features; j++) weights[j] = set->planted[j] / 2;
    const fr_state state = {.weights = weights, .average = weights + set->features};
    fr_options_default(&options);
    options.batch = FR_BATCH_FULL, options.workers = 1;
    FR_TRY(fr_plan_make(&options, set, &plan, error));
    fr_engine_config config = {.plan = &plan, .data = set, .worker_count = 1, .threads = threads, .device = -1};
    FR_TRY(fr_engine_cpu_create(&config, &engine, error));
    fr_status status = run_gradients(engine, &state, seconds, error);
    fr_engine_free(engine);
    return status;
}

static fr_status measure_compute(const fr_world *world, fr_precision precision, int64_t features, double *rate,
                                 fr_error *error) {
    int64_t d = features < FEATURES_MOST ? features : FEATURES_MOST;
    fr_planted planted = {.features = d, .samples = ROW_BYTES / 8 / d, .seed = 1};
    int threads = fr_default_threads() / fr_world_local_ranks(world);
    fr_dataset *set = NULL;
    double seconds = 1;
    fr_status status = fr_dataset_generate(&planted, precision, &set, error);
    if (status == FR_OK) status = fr_dataset_materialize(set, 0, set->samples, error);
    if (status == FR_OK) status = time_gradients(set, threads > 1 ? threads : 1, &seconds, error);
    fr_dataset_free(set);
    *rate = (double)planted.samples * (double)d * STEPS / fmax(seconds, 1e-9);
    return status;
}

/* Rank 0's link, and the slowest rank's rate, for all. */
static fr_status share(fr_world *world, plan_measured *measured, fr_error *error) {
    int ranks = fr_world_size(world);
    FR_OWNED plan_measured *all = NULL;
    FR_TRY(fr_allocate((void **)&all, ranks, sizeof *all, "the ranks' measurements", error));
    FR_TRY(fr_world_gather(world, measured, sizeof *measured, all, error));
    *measured = all[0];
    for (int r = 0; r < ranks; r++) measured->compute = fmin(measured->compute, all[r].compute);
    return FR_OK;
}

static fr_status measure(fr_world *world, fr_precision precision, int64_t features, plan_measured *measured,
                         fr_error *error) {
    fr_status status = measure_compute(world, precision, features, &measured->compute, error);
    FR_TRY(fr_world_agree(world, status, error));
    if (measured->link && fr_world_rank(world) < 2) FR_TRY(measure_link(world->link, measured, error));
    return share(world, measured, error);
}

int plan_measure(fr_world *world, fr_precision precision, int64_t features, plan_measured *measured) {
    fr_error error = {0};
    int ranks = fr_world_size(world);
    *measured = (plan_measured){.done = true, .link = ranks > 1, .ranks = ranks};
    return measure(world, precision, features, measured, &error) == FR_OK ? 0 : ranks_fail(world, &error);
}
