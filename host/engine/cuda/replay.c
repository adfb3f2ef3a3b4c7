/*
 * replay.c - a step recorded once as a CUDA graph and replayed, and the times of its exchanges.
 *
 * Recording. The first step of a run is made plainly, which connects the ranks; the first after it is recorded, and with
 * several ranks also the first that nobody looks at, without events, each of which costs a node. It is not, where the
 * options, or FITRELU_GRAPHS=0 of the environment, of any rank say no. The mode is thread-local: a communicator of NCCL
 * that does not block hands its launch to a thread of its own, and other ranks allocate meanwhile; the modes that forbid
 * more would end the recording. NCCL wants an exchange recorded and replayed by all ranks or by none, so that the ranks
 * agree before and after; where one of them cannot, all go on without. Before they agree to replay it, the graph is on
 * the device and the device is idle: what a first replay would have to upload could wait for exchanges that wait for it.
 *
 * Times. Events are recorded on the device around each exchange of a step after which somebody looks. In a recorded step they are nodes of the graph (an
 * "external" record; an ordinary one would only mark a place in the recording), so each replay sets them anew. They are
 * read when the engine has waited for other reasons (a probe, a report), and then hold the latest step; its time counts
 * for all steps since the last look. Nothing is read back within a step.
 */
#include "engine/cuda/parts.h"

/* ----------------------------------------------------------------------------------------- recording */

/* The graph holds eta and pointers of one run; it goes with the run. */
void fr_cuda_replay_forget(cuda_engine *e) {
    cudaGraph_t unfinished = NULL;
    if (e->recording) cudaStreamEndCapture(e->stream, &unfinished);
    if (unfinished) cudaGraphDestroy(unfinished);
    for (int timed = 0; timed < 2; timed++) {
        if (e->graphs[timed]) cudaGraphExecDestroy(e->graphs[timed]);
        e->graphs[timed] = NULL;
    }
    e->recording = e->plain = false;
    e->plain_steps = 0;
}

static fr_status agree(cuda_engine *e, bool yes, bool *all, fr_error *error) {
    *all = yes;
    return e->ranks.agree ? e->ranks.agree(e->ranks.user, yes, all, error) : FR_OK;
}

/* For good, and all ranks alike. */
static void go_on_plainly(cuda_engine *e) {
    fr_cuda_replay_forget(e);
    cudaGetLastError();
    e->records = false;
    e->plain = true;
}

static fr_status begin_recording(cuda_engine *e, fr_error *error) {
    bool all;
    e->recording = e->records && cudaStreamBeginCapture(e->stream, cudaStreamCaptureModeThreadLocal) == cudaSuccess;
    if (!e->recording) cudaGetLastError();
    FR_TRY(agree(e, e->recording, &all, error));
    if (!all) go_on_plainly(e);
    return FR_OK;
}

/* One rank has no exchange to time. */
fr_status fr_cuda_replay_begin(fr_engine *engine, bool timed, bool *replayed, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    e->timed = timed || !e->ranks.agree;
    *replayed = false;
    FR_CUDA(cudaSetDevice(e->device), "choosing the device");
    if (e->graphs[e->timed]) {
        FR_CUDA(cudaGraphLaunch(e->graphs[e->timed], e->stream), "replaying a step");
        e->step++;
        *replayed = true;
        return FR_OK;
    }
    if (e->timed) e->clock.count = 0;
    return e->plain_steps++ > 0 && !e->plain ? begin_recording(e, error) : FR_OK;
}

/* What was recorded becomes a graph that is on its device. */
static bool make_graph(cuda_engine *e) {
    cudaGraph_t graph = NULL;
    cudaGraphExec_t *made = &e->graphs[e->timed];
    cudaError_t code = cudaStreamEndCapture(e->stream, &graph);
    if (code == cudaSuccess) code = cudaGraphInstantiate(made, graph, 0);
    if (graph) cudaGraphDestroy(graph);
    if (code != cudaSuccess) *made = NULL;
    else code = cudaGraphUpload(*made, e->stream);
    cudaGetLastError();
    return code == cudaSuccess;
}

/* Where a step cannot be recorded, the run goes on without. */
fr_status fr_cuda_replay_end(fr_engine *engine, bool *again, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    bool all;
    *again = false;
    if (!e->recording) return FR_OK;
    e->recording = false;
    bool made = make_graph(e);
    e->step--; /* what is recorded is not yet done */
    FR_TRY(fr_cuda_memory_wait(e, "recording a step", error));
    FR_TRY(agree(e, made, &all, error));
    if (all) {
        FR_CUDA(cudaGraphLaunch(e->graphs[e->timed], e->stream), "replaying a step");
        e->step++;
        return FR_OK;
    }
    go_on_plainly(e);
    *again = true;
    return FR_OK;
}

void fr_cuda_replay_release(cuda_engine *e) {
    fr_cuda_replay_forget(e);
    for (int i = 0; i < e->clock.made; i++) {
        cudaEventDestroy(e->clock.begin[i]);
        cudaEventDestroy(e->clock.end[i]);
    }
    e->clock.made = 0;
}

void fr_engine_cuda_forget(fr_engine *engine) { fr_cuda_replay_forget(cuda_of(engine)); }

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
    if (!e->timed || e->clock.count == MOST_EXCHANGES) return FR_OK; /* more than any collective makes */
    if (e->clock.count == e->clock.made) FR_TRY(make_pair(e, error));
    return mark(e, e->clock.begin[e->clock.count], error);
}

fr_status fr_engine_cuda_exchange_ends(fr_engine *engine, fr_error *error) {
    cuda_engine *e = cuda_of(engine);
    if (!e->timed || e->clock.count == MOST_EXCHANGES) return FR_OK;
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
