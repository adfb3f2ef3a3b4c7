/*
 * replay.c - a step recorded once as a CUDA graph and replayed, the times of its exchanges, and many steps
 * in one launch.
 *
 * Recording. The first step of a run is made plainly, which loads the kernels and connects the ranks; the second is
 * recorded. The mode is thread-local: a communicator of NCCL that does not block hands its launch to a thread of its
 * own, and other ranks allocate meanwhile; the modes that forbid more would end the recording. NCCL wants an exchange
 * recorded and replayed by all ranks or by none, so that the ranks agree before and after; where one of them cannot,
 * all go on without.
 *
 * Times. Events are recorded on the device around each exchange. In a recorded step they are nodes of the graph (an
 * "external" record; an ordinary one would only mark a place in the recording), so each replay sets them anew. They are
 * read when the engine has waited for other reasons (a probe, a report), and then hold the latest step; its time counts
 * for all steps since the last look. Nothing is read back within a step.
 */
#include "engine/cuda/parts.h"
#include "plan/collective.h"

/* ----------------------------------------------------------------------------------------- recording */

/* The graph holds eta and pointers of one run; it goes with the run. */
void fr_cuda_engine_forget(cuda_engine *e) {
    cudaGraph_t unfinished = NULL;
    if (e->recording) cudaStreamEndCapture(e->stream, &unfinished);
    if (unfinished) cudaGraphDestroy(unfinished);
    if (e->graph) cudaGraphExecDestroy(e->graph);
    e->graph = NULL;
    e->recording = false;
    e->plain_steps = 0;
}

static fr_status agree(cuda_engine *e, bool yes, bool *all, fr_error *error) {
    *all = yes;
    return e->ranks.agree ? e->ranks.agree(e->ranks.user, yes, all, error) : FR_OK;
}

static fr_status begin_recording(cuda_engine *e, fr_error *error) {
    bool all;
    e->recording = cudaStreamBeginCapture(e->stream, cudaStreamCaptureModeThreadLocal) == cudaSuccess;
    if (!e->recording) cudaGetLastError();
    fr_status status = agree(e, e->recording, &all, error);
    if (status != FR_OK || all) return status;
    e->records = false;
    fr_cuda_engine_forget(e);
    cudaGetLastError();
    return FR_OK;
}

fr_status fr_cuda_engine_begin(fr_engine *engine, bool *replayed, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    *replayed = false;
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    if (e->graph) {
        FR_CUDA(cudaGraphLaunch(e->graph, e->stream), "replaying a step");
        e->step++;
        *replayed = true;
        return FR_OK;
    }
    e->clock.count = 0;
    return e->records && e->plain_steps++ > 0 ? begin_recording(e, error) : FR_OK;
}

/* Where a step cannot be recorded, the run goes on without. */
fr_status fr_cuda_engine_end(fr_engine *engine, bool *again, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    cudaGraph_t graph = NULL;
    bool all;
    *again = false;
    if (!e->recording) return FR_OK;
    e->recording = false;
    cudaError_t code = cudaStreamEndCapture(e->stream, &graph);
    if (code == cudaSuccess) code = cudaGraphInstantiate(&e->graph, graph, 0);
    if (graph) cudaGraphDestroy(graph);
    if (code != cudaSuccess) e->graph = NULL;
    cudaGetLastError();
    fr_status status = agree(e, code == cudaSuccess, &all, error);
    if (status != FR_OK) return status;
    if (all) {
        FR_CUDA(cudaGraphLaunch(e->graph, e->stream), "replaying a step");
        return FR_OK;
    }
    fr_cuda_engine_forget(e);
    e->records = false;
    e->step--;
    *again = true;
    return FR_OK;
}

void fr_engine_cuda_forget(fr_engine *engine) { fr_cuda_engine_forget(cuda_of(engine)); }

bool fr_engine_cuda_is_recording(const fr_engine *engine) { return ((const cuda_engine *)engine)->recording; }

/* -------------------------------------------------------------------------------- times of exchanges */

static fr_status mark(cuda_engine *e, cudaEvent_t event, fr_error *error) {
    unsigned how = e->recording ? cudaEventRecordExternal : cudaEventRecordDefault;
    FR_CUDA(cudaEventRecordWithFlags(event, e->stream, how), "timing an exchange");
    return FR_OK;
}

static fr_status make_pair(cuda_engine *e, fr_error *error) {
    fr_exchange_clock *clock = &e->clock;
    FR_CUDA(cudaEventCreate(&clock->begin[clock->made]), "timing an exchange");
    cudaError_t code = cudaEventCreate(&clock->end[clock->made]);
    if (code != cudaSuccess) cudaEventDestroy(clock->begin[clock->made]);
    else clock->made++;
    FR_CUDA(code, "timing an exchange");
    return FR_OK;
}

fr_status fr_engine_cuda_exchange_begins(fr_engine *engine, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    fr_status status = FR_OK;
    if (e->clock.count == MOST_EXCHANGES) return FR_OK; /* more than any collective makes */
    if (e->clock.count == e->clock.made) status = make_pair(e, error);
    return status == FR_OK ? mark(e, e->clock.begin[e->clock.count], error) : status;
}

fr_status fr_engine_cuda_exchange_ends(fr_engine *engine, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    if (e->clock.count == MOST_EXCHANGES) return FR_OK;
    return mark(e, e->clock.end[e->clock.count++], error);
}

double fr_engine_cuda_exchange_seconds(fr_engine *engine) {
    cuda_engine *e = cuda_of(engine);
    int64_t steps = e->step - e->clock.measured;
    double seconds = 0;
    if (steps <= 0 || e->recording) return 0;
    for (int i = 0; i < e->clock.count; i++) {
        float milliseconds = 0;
        if (cudaEventElapsedTime(&milliseconds, e->clock.begin[i], e->clock.end[i]) == cudaSuccess)
            seconds += 1e-3 * (double)milliseconds;
        else cudaGetLastError(); /* a step that failed half-way; its own call says so */
    }
    e->clock.measured = e->step;
    return seconds * (double)steps;
}

/* ------------------------------------------------------------------------------ many steps in a launch */

static fr_update update_of(const fr_plan *plan) {
    fr_needs needs = fr_collective_of(plan)->needs;
    bool sums = needs == FR_NEEDS_TOTAL;
    if (needs == FR_NEEDS_SLICES) return FR_UPDATE_SLICE_LEVELS; /* which is not possible here */
    if (plan->levels > 0) return sums ? FR_UPDATE_TOTAL_LEVELS : FR_UPDATE_ALL_LEVELS;
    return !sums ? FR_UPDATE_ALL_VALUES : plan->wire == FR_WIRE_BF16 ? FR_UPDATE_TOTAL_BF16 : FR_UPDATE_TOTAL_VALUES;
}

fr_status fr_cuda_engine_run(fr_engine *engine, int64_t steps, int64_t *done, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    const fr_plan *plan = engine->config.plan;
    const fr_buffers *b = &engine->buffers;
    *done = 0;
    if (!e->many) return FR_OK;
    fr_steps job = {
        .shard = e->shard,
        .scale = plan->scale,
        .encoding = {plan->precision, plan->features, e->shard.first_worker, e->shard.workers, plan->levels,
                     fr_collective_of(plan)->shares_scale, plan->seed},
        .application = fr_cuda_engine_application(e, update_of(plan)),
        .weights = e->weights_real,
        .lane_sums = e->lane_sums,
        .lane_scalars = e->lane_scalars,
        .values = b->values,
        .scales = b->scales,
        .shared_scale = b->shared_scale,
        .levels = b->levels,
        .total_values = b->total_values,
        .total_bf16 = b->total_bf16,
        .total_levels = b->total_levels,
    };
    if (!fr_steps_possible(&job.shard, job.application.decoding)) return FR_OK;
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    FR_CUDA(fr_launch_steps(&job, steps, e->state, e->stream), "many steps");
    e->step += steps;
    *done = steps;
    return FR_OK;
}
