/*
 * settings.c - what follows from the settings alone: sizes, and how much of a machine is taken.
 */
#include "bench/settings.h"

#include <math.h>

#include "base/threads.h"
#include "ranks/world.h"

bench_sizes bench_sizes_of(const bench_settings *settings, int64_t from, int64_t to, double factor) {
    bench_sizes sizes = {.from = settings->from > 0 ? settings->from : from,
                         .to = settings->to > 0 ? settings->to : to,
                         .step = settings->step,
                         .factor = settings->factor > 0 ? settings->factor : factor};
    if (settings->to == 0 && sizes.to < sizes.from) sizes.to = sizes.from;
    if (settings->from == 0 && sizes.from > sizes.to) sizes.from = sizes.to;
    return sizes;
}

bool bench_sizes_next(bench_sizes *sizes) {
    int64_t next = sizes->step > 0 ? sizes->at + sizes->step : (int64_t)ceil((double)sizes->at * sizes->factor);
    sizes->at = sizes->at == 0 ? sizes->from : next > sizes->at ? next : sizes->at + 1;
    return sizes->at <= sizes->to;
}

int bench_gpus(const bench_settings *settings) {
    if (settings->gpus_count > 0) return settings->gpus[settings->gpus_count - 1];
    return settings->device == FR_DEVICE_CUDA;
}

int bench_threads(const bench_settings *settings) {
    int share = fr_default_threads() / fr_world_local_ranks(settings->world);
    int most = fr_world_local_ranks(settings->world) > 1 || settings->threads == 0 ? share : settings->threads;
    return most < 1 ? 1 : settings->threads > 0 && settings->threads < most ? settings->threads : most;
}
