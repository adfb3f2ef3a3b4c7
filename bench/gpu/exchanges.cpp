/*
 * exchanges.cpp - all-reduces between the GPUs of the machine, over message size: float32, bfloat16 and int8 alone, and
 * the whole exchange of a step with float32, bfloat16 or quantized gradients (norm, largest norm, encoding, int8 sum,
 * update), which says from which d on quantizing is the faster way.
 *
 * One rank a GPU, a thread a rank, as in a fit; exchanges are recorded and replayed as a fit does, and a single one is
 * timed by the events that the engine keeps around it.
 */
#include <nccl.h>

#include "suite.h"
extern "C" {
#include "engine/cuda/cuda.h"
#include "solver/place.h"
#include "columns/condition.h"
}

namespace bench {
namespace {

enum Way { FULL, BF16, INT8, WAYS };
const char *const names[WAYS] = {"float32", "bfloat16", "int8"};
const double element_bytes[WAYS] = {4, 2, 1};
const fr_update updates[WAYS] = {FR_UPDATE_TOTAL_VALUES, FR_UPDATE_TOTAL_BF16, FR_UPDATE_TOTAL_LEVELS};

struct Measured {
    std::vector<double> sum, step; /* seconds of one all-reduce, and of a whole exchange */
};

/* What all ranks of one measurement share; rank 0 writes the result. */
struct Job {
    fr_place place = {};
    fr_plan plan = {};
    fr_dataset *set = nullptr;
    const Sizes *sizes = nullptr;
    Way way = FULL;
    Measured measured;
};

struct Rank {
    fr_engine *engine = nullptr;
    fr_comm *comm = nullptr;
    ~Rank() { fr_comm_free(comm), fr_engine_free(engine); }
};

fr_status sum_alone(const Job &job, const Rank &rank, fr_error *error) {
    const fr_buffers &b = rank.engine->buffers;
    const int64_t d = job.plan.features;
    switch (job.way) {
    case FULL: return rank.comm->ops->sum(rank.comm, b.total_values, d, FR_TYPE_F32, error);
    case BF16: return rank.comm->ops->sum(rank.comm, b.total_bf16, d, FR_TYPE_BF16, error);
    default: return rank.comm->ops->sum(rank.comm, b.total_levels, d, FR_TYPE_I8, error);
    }
}

/* As fit/fit.c makes a step, with `body` for gradient and exchange. */
void recorded(const Rank &rank, bool timed, const std::function<fr_status(fr_error *)> &body) {
    fr_error error = {};
    bool replayed = false, again = true;
    while (again && !replayed) {
        check(rank.engine->ops->step_begin(rank.engine, timed, &replayed, &error), error);
        if (replayed) break;
        check(body(&error), error);
        check(rank.engine->ops->step_end(rank.engine, &again, &error), error);
    }
}

void load(const Rank &rank, int64_t d) {
    fr_error error = {};
    std::vector<double> weights(static_cast<size_t>(d), 1.0), average = weights;
    fr_state state = {};
    state.weights = weights.data(), state.average = average.data();
    check(rank.engine->ops->load(rank.engine, &state, &error), error);
}

/* A sum does not move the step on; the update does, and it is what the clock of exchanges counts by. */
void measure_rank(Job *job, const Rank &rank, Measured *out) {
    const cudaStream_t stream = static_cast<cudaStream_t>(fr_engine_cuda_stream(rank.engine));
    fr_error error = {};
    std::vector<double> residuals(static_cast<size_t>(rank.engine->config.worker_count));
    const auto wait = [&] { check(rank.engine->ops->probe(rank.engine, residuals.data(), &error), error); };
    const auto alone = [&](fr_error *e) {
        const fr_status status = sum_alone(*job, rank, e);
        return status == FR_OK ? rank.engine->ops->apply(rank.engine, updates[job->way], e) : status;
    };
    load(rank, job->plan.features);
    check(rank.engine->ops->gradient(rank.engine, &error), error);
    for (int r = -3; r < 5 * job->sizes->repeats; r++) { /* plain, recorded, warm */
        const double before = rank.comm->seconds;
        recorded(rank, true, alone);
        wait();
        if (r >= 0) out->sum.push_back(rank.comm->seconds - before);
    }
    load(rank, job->plan.features);
    check(cudaStreamSynchronize(stream), "waiting");
    check(rank.engine->ops->gradient(rank.engine, &error), error);
    out->step = host_times(
        job->sizes->repeats, job->sizes->steps,
        [&](int steps) {
            for (int i = 0; i < steps; i++)
                recorded(rank, false, [&](fr_error *e) { return fr_collective_step(rank.engine, rank.comm, e); });
        },
        wait);
}

fr_status run_rank(void *user, int number, fr_error *error) {
    Job *job = static_cast<Job *>(user);
    Rank rank;
    Measured unused;
    fr_status status = fr_place_engine(&job->place, number, &job->plan, job->set, 1, &rank.engine, error);
    if (status == FR_OK) status = fr_place_comm(&job->place, number, &job->plan, rank.engine, &rank.comm, error);
    if (status != FR_OK) return status;
    try {
        measure_rank(job, rank, number == 0 ? &job->measured : &unused);
    } catch (const Failure &failure) {
        rank.comm->ops->abort(rank.comm);
        return fr_fail(error, FR_ERROR_DEVICE, "%s", failure.line.c_str());
    }
    return FR_OK;
}

Measured measure(const Sizes &sizes, int gpus, int64_t d, Way way) {
    Job job;
    fr_error error = {};
    fr_options options;
    const fr_planted planted = {gpus, d, 0, 1};
    fr_options_default(&options);
    options.gpus = options.workers = gpus, options.batch = gpus, options.step_rule = FR_STEP_EXPERIMENT;
    options.collective = FR_COLLECTIVE_ALLREDUCE, options.iterations = 1 << 30;
    options.levels = way == INT8 ? 127 / gpus : 0, options.wire = way == BF16 ? FR_WIRE_BF16 : FR_WIRE_AUTO;
    job.sizes = &sizes, job.way = way;
    check(fr_dataset_generate(&planted, FR_F32, &job.set, &error), error);
    fr_status status = fr_plan_make(&options, job.set, &job.plan, &error);
    job.plan.steps.eta = 1e-12;
    if (status == FR_OK) status = fr_place_make(&options, &job.place, &error);
    if (status == FR_OK) status = fr_place_share_devices(&job.place, &error);
    if (status == FR_OK) status = fr_place_run(&job.place, run_rank, &job, &error);
    fr_place_free(&job.place);
    fr_dataset_free(job.set);
    check(status, error);
    return job.measured;
}

void write_way(json_writer *json, const Measured &m, Way way, int64_t d, int gpus) {
    const double bytes = element_bytes[way] * static_cast<double>(d), p50 = percentile(m.sum, 50);
    json_begin(json, names[way]);
    json_integer(json, "bytes", static_cast<int64_t>(bytes));
    write_times(json, m.sum);
    json_number(json, "algorithm_gb_per_s", 1e-9 * algorithm_bandwidth(bytes, p50));
    json_number(json, "bus_gb_per_s", 1e-9 * bus_bandwidth(bytes, p50, gpus));
    json_number(json, "exchange_p50_us", 1e6 * percentile(m.step, 50));
    json_number(json, "exchange_p99_us", 1e6 * percentile(m.step, 99));
    json_end(json);
}

void write_winner(json_writer *json, const char *name, const std::vector<Contest> &contests) {
    const int64_t from = wins_from(contests);
    if (from < 0) json_null(json, name);
    else json_integer(json, name, from);
}

} // namespace

void write_exchanges(json_writer *json, const Sizes &sizes) {
    int gpus = 0, version = 0;
    fr_error error = {};
    check(fr_cuda_count(&gpus, &error), error);
    json_begin(json, "exchange");
    json_integer(json, "gpus", gpus);
    if (gpus > 127) gpus = 127; /* an int8 sum holds no more */
    if (gpus < 2) {
        json_string(json, "left_out", "one GPU has nobody to exchange with");
        json_end(json);
        return;
    }
    ncclGetVersion(&version);
    json_integer(json, "nccl", version);
    std::vector<Contest> against_full, against_bf16;
    json_begin_array(json, "sizes");
    for (int64_t d : sizes.messages) {
        Measured m[WAYS];
        json_begin(json, nullptr);
        json_integer(json, "elements", d);
        for (Way way : {FULL, BF16, INT8}) {
            m[way] = measure(sizes, gpus, d, way);
            write_way(json, m[way], way, d, gpus);
        }
        json_end(json);
        against_full.push_back({d, percentile(m[INT8].step, 50), percentile(m[FULL].step, 50)});
        against_bf16.push_back({d, percentile(m[INT8].step, 50), percentile(m[BF16].step, 50)});
    }
    json_end_array(json);
    write_winner(json, "int8_wins_from_against_float32", against_full);
    write_winner(json, "int8_wins_from_against_bfloat16", against_bf16);
    json_end(json);
}

} // namespace bench
