/*
 * bench_cpu.cpp - how fast the CPU engine is, and how close to the memory.
 *
 * The first benchmark streams through an array far larger than the caches with all threads and keeps the best rate
 * seen: the machine's read bandwidth. Every gradient after it reports the bytes of the rows it must read, and their
 * rate as a share of that bandwidth ("of_read"). Small problems may stay in the cache and exceed 1.
 *
 *   gradient/PRECISION/d/m   partial gradients of one worker, sampling included
 *   encode/PRECISION/d       Q_s of a gradient, s = 127, norm included
 *   step/PRECISION/d/m/K/s   gradient, exchange in one process, update
 */
#include <benchmark/benchmark.h>
#include <omp.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

extern "C" {
#include "exchange/collectives.h"
#include "exchange/comm.h"
#include "engine/engine.h"
#include "data/planted.h"
#include "simd/kernels.h"
}

namespace {

double read_bandwidth = 0; /* bytes a second */

/* Sums 64-bit words; eight independent sums a thread keep the loads in flight. */
uint64_t stream(const uint64_t *words, int64_t count) {
    uint64_t total = 0;
#pragma omp parallel for schedule(static) reduction(+ : total)
    for (int64_t block = 0; block < count / 4096; block++) {
        uint64_t lane[8] = {0};
        const uint64_t *at = words + block * 4096;
        for (int i = 0; i < 4096; i += 8)
            for (int l = 0; l < 8; l++) lane[l] += at[i + l];
        for (uint64_t part : lane) total += part;
    }
    return total;
}

void bench_read(benchmark::State &state) {
    const int64_t words = int64_t{1} << 26; /* 512 MiB */
    std::vector<uint64_t> memory(static_cast<size_t>(words), 1);
    for (auto _ : state) {
        double start = omp_get_wtime();
        benchmark::DoNotOptimize(stream(memory.data(), words));
        double seconds = omp_get_wtime() - start;
        state.SetIterationTime(seconds);
        read_bandwidth = std::max(read_bandwidth, 8.0 * static_cast<double>(words) / seconds);
    }
    state.SetBytesProcessed(state.iterations() * words * 8);
    state.counters["best_GB/s"] = read_bandwidth / 1e9;
}

[[noreturn]] void stop(const fr_error &error) {
    std::fprintf(stderr, "bench_cpu: %s\n", error.message);
    std::exit(1);
}

/* One planted set at a time: about 400 MB of rows. */
fr_dataset *rows_of(int64_t d, fr_precision precision) {
    static fr_dataset *held = nullptr;
    int64_t n = int64_t{400000000} / (d * static_cast<int64_t>(fr_precision_bytes(precision)));
    if (held && held->features == d && held->precision == precision) return held;
    fr_error error = {};
    fr_planted planted = {n, d, 0, 1};
    fr_dataset_free(held);
    if (fr_dataset_generate(&planted, precision, &held, &error) != FR_OK) stop(error);
    if (fr_dataset_materialize(held, 0, n, &error) != FR_OK) stop(error);
    return held;
}

/* An engine that holds all workers, its plan and its exchange. */
struct Rig {
    Rig(int64_t d, int64_t m, int workers, int levels, fr_precision precision) {
        fr_error error = {};
        fr_options options;
        fr_dataset *set = rows_of(d, precision);
        fr_options_default(&options);
        options.batch = m > 0 ? m : FR_BATCH_FULL;
        options.workers = workers, options.levels = levels, options.step_rule = FR_STEP_EXPERIMENT;
        options.iterations = 1 << 30;
        if (fr_plan_make(&options, set, &plan, &error) != FR_OK) stop(error);
        fr_engine_config config = {};
        config.plan = &plan, config.data = set, config.worker_count = workers;
        config.threads = omp_get_max_threads(), config.device = -1;
        if (fr_engine_cpu_create(&config, &engine, &error) != FR_OK) stop(error);
        if (fr_comm_local_create(&plan, &comm, &error) != FR_OK) stop(error);
        std::vector<double> weights(static_cast<size_t>(d), 200.0), average(static_cast<size_t>(d), 0.0);
        fr_state state = {};
        state.weights = weights.data(), state.average = average.data();
        engine->ops->load(engine, &state, &error);
        plan.steps.eta = 1e-12; /* stay where half of the rows are active */
        bytes = static_cast<double>(plan.batch) * static_cast<double>(d) *
                static_cast<double>(fr_precision_bytes(precision));
    }
    ~Rig() {
        fr_engine_free(engine);
        fr_comm_free(comm);
    }
    fr_plan plan = {};
    fr_engine *engine = nullptr;
    fr_comm *comm = nullptr;
    double bytes = 0;
};

void report(benchmark::State &state, double bytes) {
    state.counters["GB/s"] = benchmark::Counter(bytes * static_cast<double>(state.iterations()) / 1e9,
                                                benchmark::Counter::kIsRate);
    if (read_bandwidth > 0)
        state.counters["of_read"] = benchmark::Counter(
            bytes * static_cast<double>(state.iterations()) / read_bandwidth, benchmark::Counter::kIsRate);
}

void bench_gradient(benchmark::State &state, fr_precision precision) {
    Rig rig(state.range(0), state.range(1), 1, 0, precision);
    for (auto _ : state) {
        rig.engine->ops->gradient(rig.engine, nullptr);
        state.PauseTiming(); /* other rows the next time */
        rig.engine->ops->total(rig.engine, nullptr);
        rig.engine->ops->apply(rig.engine, FR_UPDATE_TOTAL_VALUES, nullptr);
        state.ResumeTiming();
    }
    report(state, rig.bytes);
}

void bench_encode(benchmark::State &state, fr_precision precision) {
    Rig rig(state.range(0), 100, 1, 127, precision);
    rig.engine->ops->gradient(rig.engine, nullptr);
    for (auto _ : state) {
        rig.engine->ops->norm(rig.engine, nullptr);
        rig.engine->ops->encode(rig.engine, false, nullptr);
        benchmark::ClobberMemory();
    }
    report(state, static_cast<double>(state.range(0)) * (static_cast<double>(fr_precision_bytes(precision)) + 1));
}

void bench_step(benchmark::State &state, fr_precision precision) {
    Rig rig(state.range(0), state.range(1), static_cast<int>(state.range(2)), static_cast<int>(state.range(3)),
            precision);
    for (auto _ : state) {
        rig.engine->ops->gradient(rig.engine, nullptr);
        fr_collective_step(rig.engine, rig.comm, nullptr);
    }
    report(state, rig.bytes);
}

void register_all() {
    benchmark::RegisterBenchmark("read", bench_read)->UseManualTime()->Unit(benchmark::kMillisecond)->MinTime(2);
    const std::pair<const char *, fr_precision> precisions[] = {{"f32", FR_F32}, {"f64", FR_F64}};
    for (const auto &each : precisions)
        for (int64_t d : {1000, 4000}) {
            const std::string name = each.first;
            const fr_precision precision = each.second;
            auto add = [&](std::string what, auto body, std::vector<int64_t> arguments) {
                benchmark::RegisterBenchmark((what + "/" + name).c_str(), body, precision)
                    ->Args(arguments)->UseRealTime()->Unit(benchmark::kMicrosecond);
            };
            for (int64_t m : {100, 800, 0}) add("gradient", bench_gradient, {d, m});
            add("encode", bench_encode, {d});
            add("step", bench_step, {d, 800, 1, 0});
            add("step", bench_step, {d, 800, 1, 127});
            add("step", bench_step, {d, 800, 4, 31});
        }
}

}  // namespace

int main(int argc, char **argv) {
    register_all();
    benchmark::AddCustomContext("processor_path", fr_cpu_kernels_for(FR_F32)->isa);
    benchmark::AddCustomContext("threads", std::to_string(omp_get_max_threads()));
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::RunSpecifiedBenchmarks();
}
