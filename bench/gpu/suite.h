/*
 * suite.h - the GPU suite: what it measures, at which sizes, and the tools its parts share.
 *
 * Times on the device are taken by events; where single operations are timed, they are nodes of a CUDA graph with events
 * between them, so that no time of the host is in them. Times of whole iterations are the host's over many steps, ended
 * by a wait: what a fit sees. Every run draws other rows, from more memory than the caches hold.
 */
#ifndef FR_BENCH_SUITE_H
#define FR_BENCH_SUITE_H

#include <cuda_runtime_api.h>

#include <functional>
#include <string>
#include <vector>

#include "statistics.h"
extern "C" {
#include "exchange/collectives.h"
#include "exchange/comm.h"
#include "engine/engine.h"
#include "console/json_writer.h"
}

namespace bench {

struct Sizes {
    double bytes = 1e9;     /* of the streams, and */
    double row_bytes = 4e9; /* of the rows gradients are drawn from */
    std::vector<int64_t> features = {1000, 4000, 16384};
    std::vector<int64_t> draws = {800, 65536, 0}; /* 0: all rows */
    std::vector<std::pair<int64_t, int64_t>> problems = {{10000, 1000},
                                                         {1000000, 4000}}; /* n, d of whole iterations */
    int64_t batch = 800;
    int encoders = 4096; /* workers of the encoding that fills the card */
    int repeats = 20, steps = 200;
    std::vector<int64_t> messages = {1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18, 1 << 20, 1 << 22, 1 << 24};
};
Sizes tiny_sizes(); /* for a machine that only pretends */

/* Thrown with one line; caught by run_suite. */
struct Failure {
    std::string line;
};
void check(cudaError_t code, const char *what);
void check(fr_status status, const fr_error &error);

struct Memory {
    explicit Memory(size_t bytes) { check(cudaMalloc(&at, bytes), "memory for a benchmark"); }
    ~Memory() { cudaFree(at); }
    Memory(const Memory &) = delete;
    Memory &operator=(const Memory &) = delete;
    float *floats() const { return static_cast<float *>(at); }
    void *at = nullptr;
};
struct Stream {
    Stream() { check(cudaStreamCreateWithFlags(&at, cudaStreamNonBlocking), "making a stream"); }
    ~Stream() { cudaStreamDestroy(at); }
    Stream(const Stream &) = delete;
    Stream &operator=(const Stream &) = delete;
    cudaStream_t at = nullptr;
};

/* An engine on one GPU that holds all workers, with weights at which half of the rows are active and steps that leave
 * them there. */
struct Rig {
    struct Problem {
        int64_t samples, features, batch;
        int workers, levels;
        fr_collective collective;
        fr_storage storage;
    };
    explicit Rig(const Problem &problem);
    ~Rig();
    Rig(const Rig &) = delete;
    Rig &operator=(const Rig &) = delete;
    void load();
    void wait() const { check(cudaStreamSynchronize(stream), "waiting"); }
    void plain_step();
    void recorded_step();
    fr_dataset *set = nullptr;
    fr_plan plan = {};
    fr_engine *engine = nullptr;
    fr_comm *comm = nullptr;
    cudaStream_t stream = nullptr;
};

/* Seconds of `body` in each of repeats x copies runs, from a graph in which `after` follows each. */
std::vector<double> graphed_times(cudaStream_t stream, int copies, int repeats, const std::function<void()> &body,
                                  const std::function<void()> &after);
/* Seconds a step, of `repeats` times `steps` steps, each ended by a wait. */
std::vector<double> host_times(int repeats, int steps, const std::function<void(int)> &make,
                               const std::function<void()> &wait);

/* Members p50, p99, least and count, in microseconds. */
void write_times(json_writer *json, const std::vector<double> &seconds);

/* The parts: each writes one member. */
double write_bandwidth(json_writer *json, const Sizes &sizes); /* returns the read's bytes a second */
void write_gradients(json_writer *json, const Sizes &sizes, double read_bandwidth);
void write_encodings(json_writer *json, const Sizes &sizes, double read_bandwidth);
void write_iterations(json_writer *json, const Sizes &sizes);
void write_exchanges(json_writer *json, const Sizes &sizes);
/* Seconds a step of the same method by a gather and two products of cuBLAS, launched one by one and as a graph. */
void product_times(const Rig &rows, const Sizes &sizes, std::vector<double> *plain, std::vector<double> *graphed);

/* The whole, one JSON object on `out`. false: it failed, and *why says how. */
bool run_suite(const Sizes &sizes, FILE *out, std::string *why);

} // namespace bench
#endif
