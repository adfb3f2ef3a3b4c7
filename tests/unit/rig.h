/*
 * rig.h - engines and exchanges put together by hand, below the solver: R ranks as threads of one process.
 *
 * ThreadComm is the exchange seam over threads that meet at a barrier; with it the collectives and the loop run with
 * several ranks in an ordinary unit test. Sums of int8 wrap, as a network's do.
 */
#ifndef FR_TEST_RIG_H
#define FR_TEST_RIG_H

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstring>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "oracle.h"
extern "C" {
#include "exchange/collectives.h"
#include "exchange/comm.h"
#include "engine/engine.h"
}

namespace rig {

/* Where the threads meet: each brings a pointer, sees everybody's, and leaves when all are done looking. */
class Meeting {
public:
    explicit Meeting(int size) : pointers(static_cast<size_t>(size)), counts(static_cast<size_t>(size)), size_(size) {}
    void wait() {
        std::unique_lock<std::mutex> lock(mutex_);
        long turn = turn_;
        if (++here_ == size_) here_ = 0, turn_++, changed_.notify_all();
        else changed_.wait(lock, [&] { return turn_ != turn; });
    }
    std::vector<const void *> pointers;
    std::vector<const int64_t *> counts;

private:
    int size_, here_ = 0;
    long turn_ = 0;
    std::mutex mutex_;
    std::condition_variable changed_;
};

struct ThreadComm {
    fr_comm base;
    Meeting *meeting;
};

inline Meeting *meet(fr_comm *comm, const void *mine, const int64_t *counts = nullptr) {
    Meeting *m = reinterpret_cast<ThreadComm *>(comm)->meeting;
    m->pointers[static_cast<size_t>(comm->rank)] = mine;
    m->counts[static_cast<size_t>(comm->rank)] = counts;
    m->wait();
    return m;
}

template <class T, class Combine>
void combine(fr_comm *comm, void *buffer, int64_t count, Combine how) {
    std::vector<T> result(static_cast<size_t>(count));
    Meeting *m = meet(comm, buffer);
    for (int64_t i = 0; i < count; i++) {
        T all = static_cast<const T *>(m->pointers[0])[i];
        for (int r = 1; r < comm->size; r++)
            all = static_cast<T>(how(all, static_cast<const T *>(m->pointers[static_cast<size_t>(r)])[i]));
        result[static_cast<size_t>(i)] = all;
    }
    m->wait();
    std::memcpy(buffer, result.data(), result.size() * sizeof(T));
    m->wait();
}

template <class Combine>
fr_status combine_typed(fr_comm *comm, void *buffer, int64_t count, fr_type type, Combine how) {
    switch (type) {
    case FR_TYPE_I8: combine<int8_t>(comm, buffer, count, how); break;
    case FR_TYPE_I32: combine<int32_t>(comm, buffer, count, how); break;
    case FR_TYPE_U32: combine<uint32_t>(comm, buffer, count, how); break;
    case FR_TYPE_F32: combine<float>(comm, buffer, count, how); break;
    case FR_TYPE_F64: combine<double>(comm, buffer, count, how); break;
    case FR_TYPE_BF16: ADD_FAILURE() << "bfloat16 travels between GPUs alone"; break;
    }
    return FR_OK;
}

inline fr_status thread_sum(fr_comm *c, void *buffer, int64_t count, fr_type type, fr_error *) {
    return combine_typed(c, buffer, count, type, [](auto a, auto b) { return a + b; });
}
inline fr_status thread_max(fr_comm *c, void *buffer, int64_t count, fr_type type, fr_error *) {
    return combine_typed(c, buffer, count, type, [](auto a, auto b) { return a > b ? a : b; });
}
inline fr_status thread_all_gather(fr_comm *c, const void *mine, void *all, const int64_t *counts, fr_type type,
                                   fr_error *) {
    Meeting *m = meet(c, mine);
    char *to = static_cast<char *>(all);
    for (int r = 0; r < c->size; r++) {
        size_t bytes = static_cast<size_t>(counts[r]) * fr_type_bytes(type);
        std::memcpy(to, m->pointers[static_cast<size_t>(r)], bytes);
        to += bytes;
    }
    m->wait();
    return FR_OK;
}
inline fr_status thread_all_to_all(fr_comm *c, const void *send, const int64_t *send_counts, void *receive,
                                   const int64_t *receive_counts, fr_type type, fr_error *) {
    Meeting *m = meet(c, send, send_counts);
    char *to = static_cast<char *>(receive);
    for (int r = 0; r < c->size; r++) {
        const int64_t *counts = m->counts[static_cast<size_t>(r)];
        int64_t before = 0;
        for (int other = 0; other < c->rank; other++) before += counts[other];
        EXPECT_EQ(counts[c->rank], receive_counts[r]);
        size_t bytes = static_cast<size_t>(receive_counts[r]) * fr_type_bytes(type);
        const char *from = static_cast<const char *>(m->pointers[static_cast<size_t>(r)]);
        std::memcpy(to, from + static_cast<size_t>(before) * fr_type_bytes(type), bytes);
        to += bytes;
    }
    m->wait();
    return FR_OK;
}
inline fr_status thread_all_gather_levels(fr_comm *c, fr_quantized mine, fr_quantized all, const int64_t *counts,
                                          fr_error *error) {
    thread_all_gather(c, mine.levels, all.levels, counts, FR_TYPE_I8, error);
    return thread_all_gather(c, mine.scales, all.scales, c->counts.workers, fr_real_type(c->plan), error);
}
inline fr_status thread_all_to_all_levels(fr_comm *c, const int8_t *send, const int64_t *send_counts, int8_t *receive,
                                          const int64_t *receive_counts, fr_error *error) {
    return thread_all_to_all(c, send, send_counts, receive, receive_counts, FR_TYPE_I8, error);
}
inline fr_status thread_gather_host(fr_comm *c, const void *mine, size_t size, void *all, fr_error *error) {
    std::vector<int64_t> counts(static_cast<size_t>(c->size), static_cast<int64_t>(size));
    return thread_all_gather(c, mine, all, counts.data(), FR_TYPE_I8, error);
}
inline fr_status thread_sum_host(fr_comm *c, const double *mine, int own, int64_t count, double *sum, fr_error *) {
    Meeting *m = meet(c, mine);
    std::fill(sum, sum + count, 0.0);
    for (int r = 0; r < c->size; r++)
        for (int64_t i = 0; i < own * count; i++)
            sum[i % count] += static_cast<const double *>(m->pointers[static_cast<size_t>(r)])[i];
    m->wait();
    return FR_OK;
}
inline void thread_nothing(fr_comm *) {}

/* Its end: fr_comm_end. */
inline ThreadComm thread_comm(int rank, int size, const fr_plan &plan, Meeting *meeting) {
    static const fr_comm_ops ops = {"threads",
                                    thread_nothing,
                                    thread_max,
                                    thread_sum,
                                    thread_all_gather,
                                    thread_all_to_all,
                                    thread_all_gather_levels,
                                    thread_all_to_all_levels,
                                    nullptr,
                                    nullptr,
                                    nullptr,
                                    nullptr,
                                    thread_gather_host,
                                    thread_sum_host,
                                    thread_nothing};
    ThreadComm comm{};
    EXPECT_EQ(fr_comm_begin(&comm.base, &ops, rank, size, &plan, nullptr), FR_OK);
    comm.meeting = meeting;
    return comm;
}

/* A read set of an oracle's problem. */
inline fr_dataset *dataset_of(const oracle::Problem &p, fr_precision precision) {
    fr_dataset *set = nullptr;
    fr_error error;
    EXPECT_EQ(fr_dataset_from_arrays(p.n, p.d, p.x.data(), p.y.data(), precision, &set, &error), FR_OK);
    return set;
}

inline fr_plan plan_for(const oracle::Problem &p, int workers, int64_t batch, int levels, fr_scale scale,
                        fr_collective collective, fr_precision precision = FR_F64) {
    fr_plan plan = {};
    plan.samples = p.n, plan.features = p.d, plan.workers = workers;
    plan.draws = batch / workers, plan.batch = batch ? batch : p.n;
    plan.iterations = plan.average_start = 1000;
    plan.steps = {0.05, 1000, 0};
    plan.levels = levels, plan.scale = scale, plan.collective = collective, plan.precision = precision;
    plan.seed = 42;
    return plan;
}

inline fr_engine *engine_for(const fr_plan &plan, const fr_dataset *set, int first, int count, int threads = 1) {
    fr_engine_config config = {};
    config.plan = &plan, config.data = set, config.first_worker = first, config.worker_count = count;
    config.threads = threads, config.device = -1;
    fr_engine *engine = nullptr;
    fr_error error = {};
    EXPECT_EQ(fr_engine_cpu_create(&config, &engine, &error), FR_OK) << error.message;
    return engine;
}

struct State {
    explicit State(int64_t d) : weights(static_cast<size_t>(d)), average(static_cast<size_t>(d)) {
        state = {};
        state.weights = weights.data(), state.average = average.data();
    }
    oracle::Vector weights, average;
    fr_state state;
};

/* `steps` steps from w on `ranks` threads; the weights that every rank ends with (they must agree). */
inline oracle::Vector run_ranks(const fr_plan &plan, const fr_dataset *set, const oracle::Vector &w, int steps,
                                int ranks, int threads = 1) {
    Meeting meeting(ranks);
    std::vector<oracle::Vector> ends(static_cast<size_t>(ranks));
    std::vector<std::thread> team;
    for (int r = 0; r < ranks; r++)
        team.emplace_back([&, r] {
            ThreadComm comm = thread_comm(r, ranks, plan, &meeting);
            int each = plan.workers / ranks;
            fr_engine *engine = engine_for(plan, set, r * each, each, threads);
            State state(plan.features);
            state.weights = w;
            state.state.weights = state.weights.data();
            engine->ops->load(engine, &state.state, nullptr);
            for (int t = 0; t < steps; t++) {
                engine->ops->gradient(engine, nullptr);
                EXPECT_EQ(fr_collective_step(engine, &comm.base, nullptr), FR_OK);
            }
            engine->ops->store(engine, &state.state, nullptr);
            ends[static_cast<size_t>(r)] = state.weights;
            fr_comm_end(&comm.base);
            fr_engine_free(engine);
        });
    for (std::thread &member : team) member.join();
    for (const oracle::Vector &end : ends) EXPECT_EQ(end, ends[0]);
    return ends[0];
}

}  // namespace rig
#endif
