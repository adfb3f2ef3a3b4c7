/*
 * cuda_rig.h - a CPU engine and a CUDA engine side by side, on the same plan and rows, with buffers that tests can
 * fill and read.
 */
#ifndef FR_TEST_CUDA_RIG_H
#define FR_TEST_CUDA_RIG_H

#include <cuda_runtime_api.h>

#include "cuda_on_cpu/control.h"
#include "rig.h"
extern "C" {
#include "engine/cuda/cuda.h"
}

namespace rig {

inline fr_engine *cuda_engine_for(const fr_plan &plan, const fr_dataset *set, int first, int count, int device = 0) {
    fr_engine_config config = {};
    config.plan = &plan, config.data = set, config.first_worker = first, config.worker_count = count;
    config.threads = 1, config.device = device;
    fr_engine *engine = nullptr;
    fr_error error = {};
    EXPECT_EQ(fr_engine_cuda_create(&config, &engine, &error), FR_OK) << error.message;
    return engine;
}

/* Copies between host and device memory as an engine does: on its own stream, waiting until the copy is made. A plain
 * cudaMemcpy goes by the default stream, for which the engine's does not wait; from pageable memory it may even return
 * while the bytes are still on their way, and the engine's next kernel would read what was there before. */
inline void copy(const fr_engine *engine, void *to, const void *from, size_t count, cudaMemcpyKind kind) {
    auto *stream = static_cast<cudaStream_t>(fr_engine_cuda_stream(const_cast<fr_engine *>(engine)));
    EXPECT_EQ(cudaSetDevice(engine->config.device), cudaSuccess);
    EXPECT_EQ(cudaMemcpyAsync(to, from, count, kind, stream), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
}

/* Bytes of a buffer of either engine. */
inline std::vector<char> bytes_of(const fr_engine *engine, const void *buffer, size_t count) {
    std::vector<char> out(count);
    if (count == 0) return out;
    if (engine->config.device < 0) std::memcpy(out.data(), buffer, count);
    else copy(engine, out.data(), buffer, count, cudaMemcpyDeviceToHost);
    return out;
}
inline void fill(const fr_engine *engine, void *buffer, const void *from, size_t count) {
    if (count == 0) return;
    if (engine->config.device < 0) std::memcpy(buffer, from, count);
    else copy(engine, buffer, from, count, cudaMemcpyHostToDevice);
}
inline std::vector<double> reals_of(const fr_engine *engine, const void *buffer, size_t count) {
    size_t size = fr_precision_bytes(engine->config.plan->precision);
    std::vector<char> raw = bytes_of(engine, buffer, count * size);
    std::vector<double> out(count);
    for (size_t i = 0; i < count; i++)
        if (size == 4) {
            float value;
            std::memcpy(&value, &raw[4 * i], 4);
            out[i] = value;
        } else {
            std::memcpy(&out[i], &raw[8 * i], 8);
        }
    return out;
}
inline void fill_reals(const fr_engine *engine, void *buffer, const std::vector<double> &values) {
    std::vector<float> narrow(values.begin(), values.end());
    if (engine->config.plan->precision == FR_F32) fill(engine, buffer, narrow.data(), narrow.size() * 4);
    else fill(engine, buffer, values.data(), values.size() * 8);
}

/* Both engines for workers first .. first + count - 1. */
struct Pair {
    Pair(const fr_plan &p, const fr_dataset *set, int first, int count)
        : plan(p), cpu(engine_for(plan, set, first, count)), cuda(cuda_engine_for(plan, set, first, count)) {}
    ~Pair() { fr_engine_free(cpu), fr_engine_free(cuda); }
    Pair(const Pair &) = delete;
    void load(const oracle::Vector &w, int64_t step = 0, int run = 0) {
        State state(plan.features);
        state.weights = w, state.state.weights = state.weights.data();
        state.state.step = step, state.state.run = run;
        fr_error error = {};
        EXPECT_EQ(cpu->ops->load(cpu, &state.state, &error), FR_OK);
        EXPECT_EQ(cuda->ops->load(cuda, &state.state, &error), FR_OK) << error.message;
    }
    fr_plan plan;
    fr_engine *cpu, *cuda;
};

inline oracle::Vector random_vector(int64_t count, uint64_t seed, double size = 1) {
    oracle::Random random(seed);
    oracle::Vector v;
    for (int64_t i = 0; i < count; i++) v.push_back(static_cast<float>(size * random.normal()));
    return v;
}

/* Calls that the stand-in has counted; a GPU counts none, and there this holds nothing. */
inline void expect_calls(const char *name, unsigned long long expected) {
    if (cuda_on_cpu_is_pretending()) {
        EXPECT_EQ(cuda_on_cpu_calls(name), expected) << name;
    }
}

/* Every test begins with fresh pretended devices and ends with nothing left allocated. On a GPU (tests/gpu) it is
 * skipped where there is none. */
class OnCpu : public ::testing::Test {
  protected:
    void SetUp() override {
        cuda_on_cpu_reset();
        fr_error error = {};
        int devices;
        if (!cuda_on_cpu_is_pretending() && fr_cuda_count(&devices, &error) != FR_OK) GTEST_SKIP() << error.message;
    }
    void TearDown() override {
        for (const char *name : {"FAIL", "HANG", "DELAY", "DEVICES", "DRIVER", "MEMORY", "FAULT", "ORDER", "GRID_YZ"})
            set(name, nullptr);
        EXPECT_EQ(cuda_on_cpu_leaks(1), 0);
        cuda_on_cpu_reset();
    }
    static void set(const char *name, const char *value) {
        cuda_on_cpu_set((std::string("CUDA_ON_CPU_") + name).c_str(), value);
    }
};

} // namespace rig
#endif
