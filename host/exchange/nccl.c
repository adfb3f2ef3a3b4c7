/*
 * nccl.c - the exchange seam over NCCL, for G GPUs of a process with a host thread each, in one process or many.
 *
 * Communicators are non-blocking: no call of NCCL waits inside; this file polls ncclCommGetAsyncError instead, and the
 * engine's blocking calls wait here too (wait_for_stream), so that an error, an abort of another rank or a silence of
 * more than `timeout` seconds is noticed wherever a rank waits. The rank that notices first raises a flag that all
 * share; every rank then aborts its own communicator, which alone may do so, and returns. Nobody waits for ever.
 *
 * A call that NCCL has not taken in yet runs on in a thread of NCCL's; no other call may be made with the
 * communicator until it is through, recorded steps included, so each is polled to its end (settled). Asking touches
 * no stream, and so does not disturb a recording. What fails while a step is recorded is not the end: all ranks leave
 * their communicators, which an error has made useless, join again and go on without recording (nccl_agree).
 *
 * Device exchanges are enqueued on the engine's stream; those of host memory, and NCCL's id, go another way
 * (exchange/nccl_host.c).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "engine/cuda/cuda.h"
#include "engine/cuda/status.h"
#include "exchange/nccl.h"
#include "exchange/nccl_parts.h"

/* -------------------------------------------------------------------------------------- failing, together */

/* Drops the communicator, which ends whatever of this rank is stuck on the device. */
static void drop(nccl_comm *c) {
    fr_engine_cuda_forget(c->engine);
    if (c->comm) fr_nccl.CommAbort(c->comm);
    c->comm = NULL;
}

fr_status fr_nccl_give_up(nccl_comm *c, fr_status status, fr_error *error) {
    fr_error_name_rank(error, c->base.rank);
    if (error) error->device = c->device;
    fr_nccl_group_abort(c->group, c->base.rank);
    drop(c);
    return status;
}

static fr_status fail_nccl(nccl_comm *c, ncclResult_t result, const char *what, fr_error *error) {
    fr_fail_on_rank(error, FR_ERROR_DEVICE, c->base.rank, "rank %d (GPU %d): %s failed at step %lld: %s", c->base.rank,
                    c->device, what, (long long)c->step, fr_nccl.GetErrorString(result));
    if (error) error->step = c->step;
    return fr_nccl_give_up(c, FR_ERROR_DEVICE, error);
}

static fr_status fail_cuda(nccl_comm *c, cudaError_t code, const char *what, fr_error *error) {
    return fr_nccl_give_up(c, fr_cuda_fail(error, code, c->device, c->step, what), error);
}

fr_status fr_nccl_look_around(nccl_comm *c, double since, const char *what, fr_error *error) {
    int failed = fr_nccl_group_failed_rank(c->group);
    if (failed >= 0) {
        fr_fail_on_rank(error, FR_ERROR_DEVICE, c->base.rank,
                        "rank %d (GPU %d): stopped at step %lld, because rank %d failed", c->base.rank, c->device,
                        (long long)c->step, failed);
        if (error) error->step = c->step;
        return fr_nccl_give_up(c, FR_ERROR_DEVICE, error);
    }
    if (c->group->timeout > 0 && fr_seconds() - since > c->group->timeout) {
        fr_fail_on_rank(error, FR_ERROR_TIMEOUT, c->base.rank,
                        "rank %d (GPU %d): %s at step %lld had no answer for %g seconds; a rank is gone", c->base.rank,
                        c->device, what, (long long)c->step, c->group->timeout);
        if (error) error->step = c->step;
        return fr_nccl_give_up(c, FR_ERROR_TIMEOUT, error);
    }
    return FR_OK;
}

static void rest(int turn) {
    struct timespec pause = {0, turn < 1000 ? 20000 : 500000};
    if (turn > 200) nanosleep(&pause, NULL); /* shortly at first: a step is a matter of microseconds */
}

/* A recording that some rank had to give up; the step will be made again plainly. */
static bool is_spoiled(const nccl_comm *c) {
    return fr_engine_cuda_is_recording(c->engine) && atomic_load(&c->group->spoiled);
}

/* Polls until NCCL has taken the call in. */
static fr_status settled(nccl_comm *c, ncclResult_t result, const char *what, fr_error *error) {
    double since = fr_seconds();
    for (int turn = 0; result == ncclInProgress; turn++) {
        FR_TRY(fr_nccl_look_around(c, since, what, error));
        if (is_spoiled(c)) return FR_OK;
        ncclResult_t asked = fr_nccl.CommGetAsyncError(c->comm, &result);
        if (asked != ncclSuccess) result = asked;
        rest(turn);
    }
    if (result == ncclSuccess) return FR_OK;
    if (!fr_engine_cuda_is_recording(c->engine)) return fail_nccl(c, result, what, error);
    atomic_store(&c->group->spoiled, true);
    return FR_OK;
}

/* One step stands for those since the last look, which cannot have exchanged for longer than that is ago. */
static void count_exchanges(nccl_comm *c) {
    double seconds = fr_engine_cuda_exchange_seconds(c->engine), now = fr_seconds(), passed = now - c->looked;
    c->base.seconds += seconds < passed ? seconds : passed;
    c->looked = now;
}

/* Until the engine's stream has done everything. */
static fr_status wait_until_done(nccl_comm *c, fr_error *error) {
    double since = fr_seconds();
    for (int turn = 0;; turn++) {
        cudaError_t code = cudaStreamQuery(c->stream);
        if (code != cudaSuccess && code != cudaErrorNotReady) return fail_cuda(c, code, "a step", error);
        ncclResult_t result = ncclSuccess, asked = c->comm ? fr_nccl.CommGetAsyncError(c->comm, &result) : ncclSuccess;
        if (asked != ncclSuccess) result = asked;
        if (result != ncclSuccess && result != ncclInProgress) return fail_nccl(c, result, "the exchange", error);
        if (code == cudaSuccess && fr_nccl_group_failed_rank(c->group) < 0) return FR_OK;
        FR_TRY(fr_nccl_look_around(c, since, "the exchange", error));
        rest(turn);
    }
}

/* fr_cuda_ranks.wait */
static fr_status wait_for_stream(void *user, int64_t step, fr_error *error) {
    nccl_comm *c = user;
    c->step = step;
    FR_TRY(wait_until_done(c, error));
    count_exchanges(c);
    return FR_OK;
}

/* ------------------------------------------------------------------------------------ device exchanges */

static ncclDataType_t type_of(fr_type type) {
    switch (type) {
    case FR_TYPE_I8: return ncclInt8;
    case FR_TYPE_I32: return ncclInt32;
    case FR_TYPE_U32: return ncclUint32;
    case FR_TYPE_F32: return ncclFloat32;
    case FR_TYPE_BF16: return ncclBfloat16;
    default: return ncclFloat64;
    }
}

static fr_status ready(nccl_comm *c, fr_error *error) {
    FR_TRY(fr_nccl_look_around(c, fr_seconds(), "the exchange", error));
    cudaError_t code = cudaSetDevice(c->device);
    return code == cudaSuccess ? FR_OK : fail_cuda(c, code, "choosing the device", error);
}

/* One exchange: what NCCL is asked for, timed on the device. */
typedef struct exchange {
    const void *send;
    void *receive;
    size_t count;
    ncclDataType_t type;
    ncclRedOp_t op;
    const int64_t *send_counts, *receive_counts; /* all-to-all; send_counts NULL: count to each */
    size_t size;                                 /* bytes of an element */
} exchange;
typedef ncclResult_t (*exchange_call)(nccl_comm *c, const exchange *x);

static fr_status enqueue(nccl_comm *c, exchange_call call, const exchange *x, const char *what, fr_error *error) {
    FR_TRY(fr_engine_cuda_exchange_begins(c->engine, error));
    FR_TRY(settled(c, call(c, x), what, error));
    return fr_engine_cuda_exchange_ends(c->engine, error);
}

/* An exchange that is not recorded is over on all GPUs of this process before any of them goes on: many a call of CUDA
 * waits for a device, and on a device may run an exchange that waits for a rank which is in such a call. Nor does NCCL
 * allow a replay beside it (NCCL_GRAPH_MIXING_SUPPORT). */
static fr_status end_together(nccl_comm *c, fr_error *error) {
    FR_TRY(wait_until_done(c, error));
    return fr_nccl_meet(c, error);
}

static fr_status perform(nccl_comm *c, exchange_call call, const exchange *x, const char *what, fr_error *error) {
    FR_TRY(ready(c, error));
    if (is_spoiled(c)) return FR_OK;
    fr_status status = enqueue(c, call, x, what, error);
    if (status != FR_OK) return c->comm == NULL ? status : fr_nccl_give_up(c, status, error);
    return fr_engine_cuda_is_recording(c->engine) ? FR_OK : end_together(c, error);
}

static ncclResult_t all_reduce(nccl_comm *c, const exchange *x) {
    return fr_nccl.AllReduce(x->send, x->receive, x->count, x->type, x->op, c->comm, c->stream);
}
static ncclResult_t all_gather(nccl_comm *c, const exchange *x) {
    return fr_nccl.AllGather(x->send, x->receive, x->count, x->type, c->comm, c->stream);
}

/* Only scales are compared, which are never negative: their bits as integers are in the same order, with NaN above
 * all, so that a NaN arrives whatever NCCL's maximum makes of it. */
static fr_status nccl_max(fr_comm *comm, void *buffer, int64_t count, fr_type type, fr_error *error) {
    ncclDataType_t as = type == FR_TYPE_F32 ? ncclUint32 : type == FR_TYPE_F64 ? ncclUint64 : type_of(type);
    exchange x = {.send = buffer, .receive = buffer, .count = (size_t)count, .type = as, .op = ncclMax};
    return perform(fr_nccl_of(comm), all_reduce, &x, "the largest norm (ncclAllReduce)", error);
}

static fr_status nccl_sum(fr_comm *comm, void *buffer, int64_t count, fr_type type, fr_error *error) {
    exchange x = {.send = buffer, .receive = buffer, .count = (size_t)count, .type = type_of(type), .op = ncclSum};
    return perform(fr_nccl_of(comm), all_reduce, &x, "the sum (ncclAllReduce)", error);
}

/* Grouped sends and receives with every rank. */
static ncclResult_t send_and_receive(nccl_comm *c, const exchange *x) {
    const char *send = x->send;
    char *receive = x->receive;
    ncclResult_t result = fr_nccl.GroupStart();
    if (result != ncclSuccess) return result;
    for (int r = 0; r < c->base.size && (result == ncclSuccess || result == ncclInProgress); r++) {
        size_t out = x->send_counts ? (size_t)x->send_counts[r] : x->count, in = (size_t)x->receive_counts[r];
        if (out > 0) result = fr_nccl.Send(send, out, x->type, r, c->comm, c->stream);
        if (in > 0 && (result == ncclSuccess || result == ncclInProgress))
            result = fr_nccl.Recv(receive, in, x->type, r, c->comm, c->stream);
        if (x->send_counts) send += out * x->size;
        receive += in * x->size;
    }
    ncclResult_t ended = fr_nccl.GroupEnd();
    return result == ncclSuccess || result == ncclInProgress ? ended : result;
}

static fr_status nccl_all_gather(fr_comm *comm, const void *mine, void *all, const int64_t *counts, fr_type type,
                                 fr_error *error) {
    exchange x = {.send = mine,
                  .receive = all,
                  .count = (size_t)counts[comm->rank],
                  .type = type_of(type),
                  .receive_counts = counts,
                  .size = fr_type_bytes(type)};
    bool equal = true;
    for (int r = 1; r < comm->size; r++) equal = equal && counts[r] == counts[0];
    return perform(fr_nccl_of(comm), equal ? all_gather : send_and_receive, &x, "the all-gather (NCCL)", error);
}

static fr_status nccl_all_to_all(fr_comm *comm, const void *send, const int64_t *send_counts, void *receive,
                                 const int64_t *receive_counts, fr_type type, fr_error *error) {
    exchange x = {.send = send,
                  .receive = receive,
                  .type = type_of(type),
                  .send_counts = send_counts,
                  .receive_counts = receive_counts,
                  .size = fr_type_bytes(type)};
    return perform(fr_nccl_of(comm), send_and_receive, &x, "the all-to-all (ncclSend, ncclRecv)", error);
}

/* One block of every rank, its levels as they are, an int8 each, and its scales: one call, however many levels each has. */
static fr_status nccl_all_gather_levels(fr_comm *comm, fr_quantized mine, fr_quantized all, const int64_t *counts,
                                        fr_error *error) {
    exchange x = {.send = mine.levels, .receive = all.levels, .count = mine.block, .type = ncclInt8};
    (void)counts;
    return perform(fr_nccl_of(comm), all_gather, &x, "the all-gather (ncclAllGather)", error);
}

static fr_status nccl_all_to_all_levels(fr_comm *comm, const int8_t *send, const int64_t *send_counts, int8_t *receive,
                                        const int64_t *receive_counts, fr_error *error) {
    return nccl_all_to_all(comm, send, send_counts, receive, receive_counts, FR_TYPE_I8, error);
}

/* ------------------------------------------------------------------------------------------- recording */

static fr_status join(nccl_comm *c, fr_error *error) {
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    FR_TRY(ready(c, error));
    ncclResult_t result = fr_nccl.CommInitRankConfig(&c->comm, c->group->size, c->group->id, c->base.rank, &config);
    return settled(c, result, "joining NCCL (ncclCommInitRankConfig)", error);
}

/* Rank 0 makes an id, and every process gets it. */
static fr_status share_id(nccl_comm *c, fr_error *error) {
    fr_nccl_group *g = c->group;
    struct {
        ncclUniqueId id;
        ncclResult_t result;
    } mine, made;
    memset(&mine, 0, sizeof mine); /* success */
    if (c->base.rank == 0) mine.result = fr_nccl.GetUniqueId(&mine.id);
    FR_TRY(fr_nccl_gather_joint(c, &mine, sizeof mine, error));
    memcpy(&made, g->joint, sizeof made); /* rank 0's */
    if (c->base.rank == g->first) g->id = made.id;
    FR_TRY(fr_nccl_meet(c, error));
    if (made.result == ncclSuccess) return FR_OK;
    return fail_nccl(c, made.result, "ncclGetUniqueId", error);
}

/* All ranks leave their communicators and join under a new id. */
static fr_status join_again(nccl_comm *c, fr_error *error) {
    drop(c);
    if (c->base.rank == c->group->first) atomic_store(&c->group->spoiled, false);
    FR_TRY(share_id(c, error));
    return join(c, error);
}

/* fr_cuda_ranks.agree: an exchange is recorded by all ranks or by none. The first rank of a process clears `spoiled`
 * only when all have seen it, as they meet twice in gather_host. */
static fr_status nccl_agree(void *user, bool yes, bool *all, fr_error *error) {
    nccl_comm *c = user;
    unsigned char mine = (unsigned char)((yes ? 1 : 0) | (atomic_load(&c->group->spoiled) ? 2 : 0));
    bool spoiled = false;
    *all = true;
    FR_TRY(fr_nccl_gather_host(&c->base, &mine, 1, c->votes, error));
    for (int r = 0; r < c->base.size; r++) {
        *all = *all && c->votes[r] == 1;
        spoiled = spoiled || c->votes[r] > 1;
    }
    return spoiled ? join_again(c, error) : FR_OK;
}

/* ------------------------------------------------------------------------------------- create, destroy */

void fr_nccl_describe(char *text, size_t size) {
    int v = 0;
    fr_error error = {0};
    if (fr_nccl_open(&error) != FR_OK) snprintf(text, size, "none (%s)", error.message);
    else if (fr_nccl.GetVersion(&v) != ncclSuccess) snprintf(text, size, "of an unknown version (%s)", fr_nccl_file());
    else snprintf(text, size, "%d.%d.%d (%s)", v / 10000, v / 100 % 100, v % 100, fr_nccl_file());
}

static void nccl_abort(fr_comm *comm) { fr_nccl_group_abort(fr_nccl_of(comm)->group, comm->rank); }

static void nccl_destroy(fr_comm *comm) {
    nccl_comm *c = fr_nccl_of(comm);
    cudaSetDevice(c->device);
    fr_engine_cuda_forget(c->engine); /* before the communicator, which waits for it */
    if (c->comm && fr_nccl_group_failed_rank(c->group) < 0) {
        if (settled(c, fr_nccl.CommFinalize(c->comm), "leaving NCCL", NULL) == FR_OK) {
            fr_nccl.CommDestroy(c->comm);
            c->comm = NULL;
        }
    }
    drop(c);
    fr_engine_cuda_join(c->engine, (fr_cuda_ranks){NULL, NULL, NULL});
    fr_comm_end(comm);
    free(c->votes);
    free(c);
}

static fr_status meet_the_others(nccl_comm *c, fr_error *error) {
    FR_TRY(fr_allocate((void **)&c->votes, c->base.size, sizeof *c->votes, "the exchange", error));
    FR_TRY(share_id(c, error));
    return join(c, error);
}

fr_status fr_comm_nccl_create(fr_nccl_group *group, int rank, fr_engine *engine, fr_comm **comm, fr_error *error) {
    static const fr_comm_ops ops = {
        .name = "nccl",
        .destroy = nccl_destroy,
        .max = nccl_max,
        .sum = nccl_sum,
        .all_gather = nccl_all_gather,
        .all_to_all = nccl_all_to_all,
        .all_gather_levels = nccl_all_gather_levels,
        .all_to_all_levels = nccl_all_to_all_levels,
        .gather_host = fr_nccl_gather_host,
        .sum_host = fr_nccl_sum_host,
        .abort = nccl_abort,
    };
    nccl_comm *c = NULL;
    FR_TRY(fr_allocate((void **)&c, 1, sizeof *c, "the exchange", error));
    c->group = group;
    c->engine = engine;
    c->device = engine->config.device < 0 ? 0 : engine->config.device;
    c->stream = fr_engine_cuda_stream(engine);
    c->looked = fr_seconds();
    fr_status status = fr_comm_begin(&c->base, &ops, rank, group->size, engine->config.plan, error);
    if (status == FR_OK) status = meet_the_others(c, error);
    if (status != FR_OK) {
        nccl_destroy(&c->base);
        return status;
    }
    fr_engine_cuda_join(engine, (fr_cuda_ranks){c, wait_for_stream, nccl_agree});
    *comm = &c->base;
    return FR_OK;
}
