/*
 * suite.cpp - the parts of the GPU suite on one card: bandwidth, gradient, encoding, whole iterations; and the frame of
 * the JSON object.
 */
#include "suite.h"

#include <cstdlib>
#include <ctime>

#include "bench_kernels.h"
extern "C" {
#include "engine/cuda/cuda.h"
}

namespace bench {

Sizes tiny_sizes() {
    Sizes sizes;
    sizes.bytes = 1e6, sizes.row_bytes = 4e5;
    sizes.features = {100}, sizes.draws = {16, 0}, sizes.problems = {{200, 100}};
    sizes.batch = 16, sizes.encoders = 8, sizes.repeats = 2, sizes.steps = 3, sizes.messages = {64, 256};
    return sizes;
}

/* ---------------------------------------------------------------------------------------- bandwidth */

double write_bandwidth(json_writer *json, const Sizes &sizes) {
    const int64_t bytes = static_cast<int64_t>(sizes.bytes) / 16 * 16;
    const size_t all = static_cast<size_t>(bytes);
    const Memory from(all), to(all), sum(sizeof(unsigned));
    const Stream stream;
    check(cudaMemsetAsync(from.at, 0x5a, all, stream.at), "filling");
    const std::vector<double> copies = graphed_times(
        stream.at, 1, sizes.repeats,
        [&] { check(cudaMemcpyAsync(to.at, from.at, all, cudaMemcpyDeviceToDevice, stream.at), "copying"); }, [] {});
    const std::vector<double> reads = graphed_times(
        stream.at, 1, sizes.repeats,
        [&] { check(launch_read(from.at, bytes, static_cast<unsigned *>(sum.at), stream.at), "reading"); }, [] {});
    const double read = static_cast<double>(bytes) / percentile(reads, 50);
    json_begin(json, "bandwidth");
    json_integer(json, "bytes", bytes);
    json_number(json, "copy_gb_per_s",
                2e-9 * static_cast<double>(bytes) / percentile(copies, 50)); /* read and written */
    json_number(json, "read_gb_per_s", 1e-9 * read);
    json_end(json);
    return read;
}

static void write_rate(json_writer *json, double bytes, const std::vector<double> &seconds, double read_bandwidth) {
    const double rate = bytes / percentile(seconds, 50);
    write_times(json, seconds);
    json_number(json, "gb_per_s", 1e-9 * rate);
    json_number(json, "of_read", rate / read_bandwidth);
}

/* ----------------------------------------------------------------------------------------- gradient */

static void write_gradient(json_writer *json, const Sizes &sizes, int64_t d, int64_t m, fr_storage storage,
                           double read_bandwidth) {
    const int64_t fitting = static_cast<int64_t>(sizes.row_bytes) / (4 * d), n = fitting > m ? fitting : m;
    Rig rig({n, d, m, 1, 0, FR_COLLECTIVE_ALLREDUCE, storage});
    const double rows = static_cast<double>(m > 0 ? m : n);
    const double bytes = rows * (static_cast<double>(d) * (storage == FR_STORAGE_BF16 ? 2 : 4) + 4);
    fr_error error = {};
    const std::vector<double> seconds = graphed_times(
        rig.stream, m > 0 ? 10 : 1, sizes.repeats,
        [&] { check(rig.engine->ops->gradient(rig.engine, &error), error); },
        [&] { check(fr_collective_step(rig.engine, rig.comm, &error), error); }); /* other rows the next time */
    json_begin(json, nullptr);
    json_integer(json, "features", d);
    if (m > 0) json_integer(json, "draws", m);
    else json_string(json, "draws", "all");
    json_integer(json, "samples", n);
    json_string(json, "storage", fr_storage_name(storage));
    write_rate(json, bytes, seconds, read_bandwidth);
    json_end(json);
}

void write_gradients(json_writer *json, const Sizes &sizes, double read_bandwidth) {
    json_begin_array(json, "gradient");
    for (int64_t d : sizes.features)
        for (int64_t m : sizes.draws)
            for (fr_storage storage : {FR_STORAGE_SAME, FR_STORAGE_BF16})
                write_gradient(json, sizes, d, m, storage, read_bandwidth);
    json_end_array(json);
}

/* ----------------------------------------------------------------------------------------- encoding */

void write_encodings(json_writer *json, const Sizes &sizes, double read_bandwidth) {
    json_begin_array(json, "encode");
    for (int64_t d : sizes.features)
        for (int workers : {1, sizes.encoders}) {
            Rig rig({workers, d, workers, workers, 127, FR_COLLECTIVE_ALLGATHER, FR_STORAGE_SAME});
            const double bytes = 5.0 * static_cast<double>(d) * workers; /* a float read, a level written */
            fr_error error = {};
            rig.plain_step();
            const std::vector<double> seconds = graphed_times(
                rig.stream, 10, sizes.repeats,
                [&] { check(rig.engine->ops->encode(rig.engine, false, &error), error); }, [] {});
            const std::vector<double> norms = graphed_times(
                rig.stream, 10, sizes.repeats, [&] { check(rig.engine->ops->norm(rig.engine, &error), error); },
                [] {});
            json_begin(json, nullptr);
            json_integer(json, "features", d);
            json_integer(json, "workers", workers);
            write_rate(json, bytes, seconds, read_bandwidth);
            json_number(json, "norm_p50_us", 1e6 * percentile(norms, 50));
            json_end(json);
        }
    json_end_array(json);
}

/* --------------------------------------------------------------------------------------- iterations */

static void write_way(json_writer *json, const char *name, const std::vector<double> &seconds) {
    json_begin(json, name);
    write_times(json, seconds);
    json_end(json);
}

static void write_iteration(json_writer *json, const Sizes &sizes, const Rig::Problem &problem) {
    json_begin(json, nullptr);
    json_integer(json, "samples", problem.samples);
    json_integer(json, "features", problem.features);
    json_integer(json, "batch", problem.batch);
    json_integer(json, "workers", problem.workers);
    json_integer(json, "levels", problem.levels);
    json_integer(json, "steps", sizes.steps);
    {
        Rig rig(problem);
        const auto wait = [&] { rig.wait(); };
        const auto time_way = [&](const char *name, void (Rig::*step)()) {
            const auto several = [&](int steps) {
                for (int i = 0; i < steps; i++) (rig.*step)();
            };
            write_way(json, name, host_times(sizes.repeats, sizes.steps, several, wait));
        };
        time_way("plain", &Rig::plain_step);
        time_way("graph", &Rig::recorded_step);
    }
    if (problem.levels == 0 && problem.storage == FR_STORAGE_SAME) {
        std::vector<double> plain, graphed;
        Rig small({problem.batch, problem.features, problem.batch, 1, 0, FR_COLLECTIVE_ALLREDUCE, FR_STORAGE_SAME});
        small.plan.samples = problem.samples; /* its own rows are not used */
        product_times(small, sizes, &plain, &graphed);
        write_way(json, "cublas_plain", plain);
        write_way(json, "cublas_graph", graphed);
    }
    json_end(json);
}

void write_iterations(json_writer *json, const Sizes &sizes) {
    json_begin_array(json, "iteration");
    for (const auto &size : sizes.problems) {
        const int64_t n = size.first, d = size.second;
        write_iteration(json, sizes, {n, d, sizes.batch, 1, 0, FR_COLLECTIVE_ALLREDUCE, FR_STORAGE_SAME});
        write_iteration(json, sizes, {n, d, sizes.batch, 1, 0, FR_COLLECTIVE_ALLREDUCE, FR_STORAGE_BF16});
        write_iteration(json, sizes, {n, d, sizes.batch, 1, 127, FR_COLLECTIVE_ALLREDUCE, FR_STORAGE_SAME});
        write_iteration(json, sizes, {n, d, sizes.batch, 4, 31, FR_COLLECTIVE_ALLREDUCE, FR_STORAGE_SAME});
    }
    json_end_array(json);
}

/* -------------------------------------------------------------------------------------------- whole */

static void write_device(json_writer *json) {
    cudaDeviceProp card;
    int devices = 0, driver = 0, runtime = 0;
    check(cudaGetDeviceCount(&devices), "looking for GPUs");
    check(cudaGetDeviceProperties(&card, 0), "asking the GPU");
    check(cudaDriverGetVersion(&driver), "asking the driver");
    check(cudaRuntimeGetVersion(&runtime), "asking the runtime");
    json_begin(json, "device");
    json_string(json, "name", card.name);
    json_integer(json, "count", devices);
    json_integer(json, "compute_capability", card.major * 10 + card.minor);
    json_integer(json, "multiprocessors", card.multiProcessorCount);
    json_integer(json, "memory_bytes", static_cast<int64_t>(card.totalGlobalMem));
    json_integer(json, "cuda_driver", driver);
    json_integer(json, "cuda_runtime", runtime);
    const char *version = getenv("FITRELU_DRIVER_VERSION"); /* as nvidia-smi says it; tools/check_gpu sets it */
    json_string(json, "driver", version);
    json_end(json);
}

static void write_parts(json_writer *json, const Sizes &sizes) {
    char date[32];
    const std::time_t now = std::time(nullptr);
    std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
    json_string(json, "benchmark", "bench_gpu");
    json_string(json, "version", fr_version());
    json_string(json, "date", date);
    write_device(json);
    check(cudaSetDevice(0), "choosing the device");
    const double read = write_bandwidth(json, sizes);
    write_gradients(json, sizes, read);
    write_encodings(json, sizes, read);
    write_iterations(json, sizes);
    write_exchanges(json, sizes);
}

bool run_suite(const Sizes &sizes, FILE *out, std::string *why) {
    json_writer json = json_start(out);
    json_begin(&json, nullptr);
    try {
        write_parts(&json, sizes);
    } catch (const Failure &failure) {
        *why = failure.line;
        return false;
    }
    json_end(&json);
    return true;
}

} // namespace bench
