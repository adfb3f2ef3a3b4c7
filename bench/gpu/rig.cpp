/*
 * rig.cpp - engines for the GPU suite, and how its times are taken.
 */
#include <chrono>
#include <cmath>

#include "suite.h"
extern "C" {
#include "engine/cuda/cuda.h"
#include "columns/condition.h"
}

namespace bench {

void check(cudaError_t code, const char *what) {
    if (code != cudaSuccess) throw Failure{std::string(what) + ": " + cudaGetErrorString(code)};
}
void check(fr_status status, const fr_error &error) {
    if (status != FR_OK) throw Failure{error.message};
}

/* ------------------------------------------------------------------------------------------ engines */

Rig::Rig(const Problem &problem) {
    fr_error error = {};
    fr_options options;
    const fr_planted planted = {problem.samples, problem.features, 0, 1};
    fr_options_default(&options);
    options.batch = problem.batch > 0 ? problem.batch : FR_BATCH_FULL;
    options.workers = problem.workers, options.levels = problem.levels, options.collective = problem.collective;
    options.storage = problem.storage, options.step_rule = FR_STEP_EXPERIMENT, options.iterations = 1 << 30;
    try {
        check(fr_dataset_generate(&planted, FR_F32, &set, &error), error);
        check(fr_plan_make(&options, set, &plan, &error), error);
        fr_engine_config config = {};
        config.plan = &plan, config.data = set, config.worker_count = problem.workers, config.threads = 1;
        check(fr_engine_cuda_create(&config, &engine, &error), error);
        check(fr_comm_local_create(&plan, &comm, &error), error);
        stream = static_cast<cudaStream_t>(fr_engine_cuda_stream(engine));
        plan.steps.eta = 1e-12;
        load();
    } catch (const Failure &) {
        fr_engine_free(engine), fr_comm_free(comm), fr_dataset_free(set);
        throw;
    }
}

Rig::~Rig() { fr_engine_free(engine), fr_comm_free(comm), fr_dataset_free(set); }

void Rig::load() {
    fr_error error = {};
    std::vector<double> weights(static_cast<size_t>(plan.features), 200.0), average = weights;
    fr_state state = {};
    state.weights = weights.data(), state.average = average.data();
    check(engine->ops->load(engine, &state, &error), error);
}

void Rig::plain_step() {
    fr_error error = {};
    check(engine->ops->gradient(engine, &error), error);
    check(fr_collective_step(engine, comm, &error), error);
}

/* As the loop of fit/fit.c makes it. */
void Rig::recorded_step() {
    fr_error error = {};
    bool replayed = false, again = true;
    while (again && !replayed) {
        check(engine->ops->step_begin(engine, false, &replayed, &error), error);
        if (replayed) break;
        plain_step();
        check(engine->ops->step_end(engine, &again, &error), error);
    }
}

/* -------------------------------------------------------------------------------------------- times */

namespace {

struct Events {
    explicit Events(size_t count) : all(count) {
        for (cudaEvent_t &event : all) check(cudaEventCreate(&event), "making an event");
    }
    ~Events() {
        for (cudaEvent_t event : all) cudaEventDestroy(event);
    }
    Events(const Events &) = delete;
    Events &operator=(const Events &) = delete;
    std::vector<cudaEvent_t> all;
};

cudaGraphExec_t record(cudaStream_t stream, const std::function<void()> &body) {
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t executable = nullptr;
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "recording");
    try {
        body();
    } catch (const Failure &) {
        cudaStreamEndCapture(stream, &graph);
        if (graph) cudaGraphDestroy(graph);
        throw;
    }
    check(cudaStreamEndCapture(stream, &graph), "recording");
    const cudaError_t code = cudaGraphInstantiate(&executable, graph, 0);
    cudaGraphDestroy(graph);
    check(code, "recording");
    return executable;
}

} // namespace

std::vector<double> graphed_times(cudaStream_t stream, int copies, int repeats, const std::function<void()> &body,
                                  const std::function<void()> &after) {
    const Events events(static_cast<size_t>(2 * copies));
    std::vector<double> seconds;
    body(), after(); /* loads the kernels */
    check(cudaStreamSynchronize(stream), "waiting");
    cudaGraphExec_t graph = record(stream, [&] {
        for (size_t i = 0; i < static_cast<size_t>(copies); i++) {
            check(cudaEventRecordWithFlags(events.all[2 * i], stream, cudaEventRecordExternal), "timing");
            body();
            check(cudaEventRecordWithFlags(events.all[2 * i + 1], stream, cudaEventRecordExternal), "timing");
            after();
        }
    });
    cudaError_t code = cudaSuccess;
    for (int r = -1; r < repeats && code == cudaSuccess; r++) { /* the first warms up */
        code = cudaGraphLaunch(graph, stream);
        if (code == cudaSuccess) code = cudaStreamSynchronize(stream);
        for (size_t i = 0; r >= 0 && i < static_cast<size_t>(copies) && code == cudaSuccess; i++) {
            float milliseconds = 0;
            code = cudaEventElapsedTime(&milliseconds, events.all[2 * i], events.all[2 * i + 1]);
            seconds.push_back(1e-3 * static_cast<double>(milliseconds));
        }
    }
    cudaGraphExecDestroy(graph);
    check(code, "timing");
    return seconds;
}

std::vector<double> host_times(int repeats, int steps, const std::function<void(int)> &make,
                               const std::function<void()> &wait) {
    using Clock = std::chrono::steady_clock;
    std::vector<double> seconds;
    make(steps), wait();
    for (int r = 0; r < repeats; r++) {
        const Clock::time_point from = Clock::now();
        make(steps), wait();
        seconds.push_back(std::chrono::duration<double>(Clock::now() - from).count() / steps);
    }
    return seconds;
}

void write_times(json_writer *json, const std::vector<double> &seconds) {
    json_number(json, "p50_us", 1e6 * percentile(seconds, 50));
    json_number(json, "p99_us", 1e6 * percentile(seconds, 99));
    json_number(json, "least_us", 1e6 * percentile(seconds, 0));
    json_integer(json, "count", static_cast<int64_t>(seconds.size()));
}

} // namespace bench
