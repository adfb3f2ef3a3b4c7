/*
 * nccl.c - the exchange seam over NCCL, for G GPUs of a process with a host thread each, in one process or many.
 *
 * Communicators are non-blocking: no call of NCCL waits inside; this file polls ncclCommGetAsyncError instead, and the
 * engine's blocking calls wait here too (wait_for_stream), so that an error, an abort of another rank or a silence of
 * more than `timeout` seconds is noticed wherever a rank waits. The rank that notices first raises a flag that all
 * share; every rank then aborts its own communicator, which alone may do so, and returns. Nobody waits for ever.
 *
 * A call that NCCL has not taken in yet runs on in a thread of NCCL's; no other call may be made with the communicator
 * until it is through, recorded steps included, so each is polled to its end (settled). Asking touches no stream, and so
 * does not disturb a recording. What fails while a step is recorded is not the end: all ranks leave their communicators,
 * which an error has made useless, join again and go on without recording (nccl_agree).
 *
 * Device exchanges are enqueued on the engine's stream; host exchanges (gather_host) go through the memory that the
 * threads share, and between processes over their world: the first thread of each speaks for its process. NCCL's id goes
 * the same way.
 */
#include "exchange/nccl.h"

#include <nccl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/cuda/status.h"
#include "engine/cuda/cuda.h"
#include "base/clock.h"

enum { MOST_RANKS = 4096 }; /* as exchange/collective.c */

struct fr_nccl_group {
    ncclUniqueId id;
    fr_world *world; /* of the processes; NULL: this one alone */
    int size;        /* ranks of all processes */
    int local;       /* ranks here, */
    int first;       /* from this one on */
    double timeout;
    atomic_int failed;   /* rank + 1 of the first to fail; 0: none */
    atomic_bool spoiled; /* an exchange could not be recorded */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int here;  /* ranks at the meeting place */
    long turn; /* meetings done */
    const void **brought; /* by the ranks here */
    char *joint;          /* what all ranks brought, in their order */
    size_t joint_size;
};

typedef struct nccl_comm {
    fr_comm base;
    fr_nccl_group *group;
    fr_engine *engine; /* outlives the exchange */
    ncclComm_t comm;
    cudaStream_t stream;
    int device;
    int64_t step;  /* as the engine last said */
    double looked; /* when the times of exchanges were last read, or the ranks last met */
} nccl_comm;

static nccl_comm *of(fr_comm *comm) { return (nccl_comm *)comm; }

/* -------------------------------------------------------------------------------------- failing, together */

void fr_nccl_group_abort(fr_nccl_group *group, int rank) {
    int none = 0;
    atomic_compare_exchange_strong(&group->failed, &none, rank + 1);
    pthread_mutex_lock(&group->mutex);
    pthread_cond_broadcast(&group->changed);
    pthread_mutex_unlock(&group->mutex);
}

int fr_nccl_group_failed_rank(const fr_nccl_group *group) { return atomic_load(&group->failed) - 1; }

/* Drops the communicator, which ends whatever of this rank is stuck on the device. */
static void drop(nccl_comm *c) {
    fr_engine_cuda_forget(c->engine);
    if (c->comm) ncclCommAbort(c->comm);
    c->comm = NULL;
}

static fr_status give_up(nccl_comm *c, fr_status status, fr_error *error) {
    fr_error_name_rank(error, c->base.rank);
    if (error) error->device = c->device;
    fr_nccl_group_abort(c->group, c->base.rank);
    drop(c);
    return status;
}

static fr_status fail_nccl(nccl_comm *c, ncclResult_t result, const char *what, fr_error *error) {
    fr_fail_on_rank(error, FR_ERROR_DEVICE, c->base.rank, "rank %d (GPU %d): %s failed at step %lld: %s", c->base.rank,
                    c->device, what, (long long)c->step, ncclGetErrorString(result));
    if (error) error->step = c->step;
    return give_up(c, FR_ERROR_DEVICE, error);
}

static fr_status fail_cuda(nccl_comm *c, cudaError_t code, const char *what, fr_error *error) {
    return give_up(c, fr_cuda_fail(error, code, c->device, c->step, what), error);
}

/* FR_OK, or this rank's end because another failed or time is over. */
static fr_status look_around(nccl_comm *c, double since, const char *what, fr_error *error) {
    int failed = fr_nccl_group_failed_rank(c->group);
    if (failed >= 0) {
        fr_fail_on_rank(error, FR_ERROR_DEVICE, c->base.rank,
                        "rank %d (GPU %d): stopped at step %lld, because rank %d failed", c->base.rank, c->device,
                        (long long)c->step, failed);
        if (error) error->step = c->step;
        return give_up(c, FR_ERROR_DEVICE, error);
    }
    if (c->group->timeout > 0 && fr_seconds() - since > c->group->timeout) {
        fr_fail_on_rank(error, FR_ERROR_TIMEOUT, c->base.rank,
                        "rank %d (GPU %d): %s at step %lld had no answer for %g seconds; a rank is gone", c->base.rank,
                        c->device, what, (long long)c->step, c->group->timeout);
        if (error) error->step = c->step;
        return give_up(c, FR_ERROR_TIMEOUT, error);
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
        fr_status status = look_around(c, since, what, error);
        if (status != FR_OK || is_spoiled(c)) return status;
        ncclResult_t asked = ncclCommGetAsyncError(c->comm, &result);
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

/* fr_cuda_ranks.wait: until the engine's stream has done everything. */
static fr_status wait_for_stream(void *user, int64_t step, fr_error *error) {
    nccl_comm *c = user;
    double since = fr_seconds();
    c->step = step;
    for (int turn = 0;; turn++) {
        cudaError_t code = cudaStreamQuery(c->stream);
        if (code != cudaSuccess && code != cudaErrorNotReady) return fail_cuda(c, code, "a step", error);
        ncclResult_t result = ncclSuccess, asked = c->comm ? ncclCommGetAsyncError(c->comm, &result) : ncclSuccess;
        if (asked != ncclSuccess) result = asked;
        if (result != ncclSuccess && result != ncclInProgress) return fail_nccl(c, result, "the exchange", error);
        if (code == cudaSuccess && fr_nccl_group_failed_rank(c->group) < 0) {
            count_exchanges(c);
            return FR_OK;
        }
        fr_status status = look_around(c, since, "the exchange", error);
        if (status != FR_OK) return status;
        rest(turn);
    }
}

/* ------------------------------------------------------------------------------------ device exchanges */

static ncclDataType_t type_of(fr_type type) {
    switch (type) {
    case FR_TYPE_I8: return ncclInt8;
    case FR_TYPE_I32: return ncclInt32;
    case FR_TYPE_F32: return ncclFloat32;
    case FR_TYPE_BF16: return ncclBfloat16;
    default: return ncclFloat64;
    }
}

static fr_status ready(nccl_comm *c, fr_error *error) {
    fr_status status = look_around(c, fr_seconds(), "the exchange", error);
    if (status != FR_OK) return status;
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

static fr_status perform(nccl_comm *c, exchange_call call, const exchange *x, const char *what, fr_error *error) {
    fr_status status = ready(c, error);
    if (status != FR_OK || is_spoiled(c)) return status;
    status = fr_engine_cuda_exchange_begins(c->engine, error);
    if (status == FR_OK) status = settled(c, call(c, x), what, error);
    if (status == FR_OK) status = fr_engine_cuda_exchange_ends(c->engine, error);
    return status == FR_OK || c->comm == NULL ? status : give_up(c, status, error);
}

static ncclResult_t all_reduce(nccl_comm *c, const exchange *x) {
    return ncclAllReduce(x->send, x->receive, x->count, x->type, x->op, c->comm, c->stream);
}
static ncclResult_t all_gather(nccl_comm *c, const exchange *x) {
    return ncclAllGather(x->send, x->receive, x->count, x->type, c->comm, c->stream);
}

/* Only scales are compared, which are never negative: their bits as integers are in the same order, with NaN above
 * all, so that a NaN arrives whatever NCCL's maximum makes of it. */
static fr_status nccl_max(fr_comm *comm, void *buffer, int64_t count, fr_type type, fr_error *error) {
    ncclDataType_t as = type == FR_TYPE_F32 ? ncclUint32 : type == FR_TYPE_F64 ? ncclUint64 : type_of(type);
    exchange x = {.send = buffer, .receive = buffer, .count = (size_t)count, .type = as, .op = ncclMax};
    return perform(of(comm), all_reduce, &x, "the largest norm (ncclAllReduce)", error);
}

static fr_status nccl_sum(fr_comm *comm, void *buffer, int64_t count, fr_type type, fr_error *error) {
    exchange x = {.send = buffer, .receive = buffer, .count = (size_t)count, .type = type_of(type), .op = ncclSum};
    return perform(of(comm), all_reduce, &x, "the sum (ncclAllReduce)", error);
}

/* Grouped sends and receives of one piece with every rank. */
static ncclResult_t exchange_pieces(nccl_comm *c, const exchange *x) {
    const char *send = x->send;
    char *receive = x->receive;
    ncclResult_t result = ncclGroupStart();
    if (result != ncclSuccess) return result;
    for (int r = 0; r < c->base.size && (result == ncclSuccess || result == ncclInProgress); r++) {
        size_t out = x->send_counts ? (size_t)x->send_counts[r] : x->count, in = (size_t)x->receive_counts[r];
        if (out > 0) result = ncclSend(send, out, x->type, r, c->comm, c->stream);
        if (in > 0 && (result == ncclSuccess || result == ncclInProgress))
            result = ncclRecv(receive, in, x->type, r, c->comm, c->stream);
        if (x->send_counts) send += out * x->size;
        receive += in * x->size;
    }
    ncclResult_t ended = ncclGroupEnd();
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
    return perform(of(comm), equal ? all_gather : exchange_pieces, &x, "the all-gather (NCCL)", error);
}

static fr_status nccl_all_to_all(fr_comm *comm, const void *send, const int64_t *send_counts, void *receive,
                                 const int64_t *receive_counts, fr_type type, fr_error *error) {
    exchange x = {.send = send,
                  .receive = receive,
                  .type = type_of(type),
                  .send_counts = send_counts,
                  .receive_counts = receive_counts,
                  .size = fr_type_bytes(type)};
    return perform(of(comm), exchange_pieces, &x, "the all-to-all (ncclSend, ncclRecv)", error);
}

/* -------------------------------------------------------------------------------------- host exchange */

/* Waits until all ranks have come, or one has failed. */
static fr_status meet(nccl_comm *c, fr_error *error) {
    fr_nccl_group *g = c->group;
    double since = fr_seconds();
    fr_status status = FR_OK;
    pthread_mutex_lock(&g->mutex);
    long turn = g->turn;
    if (++g->here == g->local) {
        g->here = 0;
        g->turn++;
        pthread_cond_broadcast(&g->changed);
    }
    while (g->turn == turn && status == FR_OK) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 20000000;
        if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
        pthread_cond_timedwait(&g->changed, &g->mutex, &until);
        if (g->turn != turn) break;
        pthread_mutex_unlock(&g->mutex); /* giving up takes the lock itself */
        status = look_around(c, since, "the meeting of the ranks", error);
        pthread_mutex_lock(&g->mutex);
    }
    pthread_mutex_unlock(&g->mutex);
    return status;
}

/* The first rank of a process puts together what its ranks brought and gathers it with the other processes'. */
static fr_status join_pieces(nccl_comm *c, size_t size, fr_error *error) {
    fr_nccl_group *g = c->group;
    size_t own = (size_t)g->local * size, need = own + (size_t)g->size * size;
    fr_status status = FR_OK;
    if (need > g->joint_size) {
        free(g->joint);
        g->joint = NULL, g->joint_size = 0;
        status = fr_allocate((void **)&g->joint, (int64_t)need, 1, "what ranks gather", error);
        if (status == FR_OK) g->joint_size = need;
    }
    for (int r = 0; status == FR_OK && r < g->local; r++)
        memcpy(g->joint + (size_t)g->size * size + (size_t)r * size, g->brought[r], size);
    if (status == FR_OK) status = fr_world_gather(g->world, g->joint + (size_t)g->size * size, own, g->joint, error);
    return status == FR_OK ? FR_OK : give_up(c, status, error);
}

/* size bytes of every rank into the group's joint memory, which stays as it is until the next call. */
static fr_status gather_joint(nccl_comm *c, const void *mine, size_t size, fr_error *error) {
    fr_nccl_group *g = c->group;
    g->brought[c->base.rank - g->first] = mine;
    fr_status status = meet(c, error);
    if (status == FR_OK && c->base.rank == g->first) status = join_pieces(c, size, error);
    return status == FR_OK ? meet(c, error) : status;
}

static fr_status nccl_gather_host(fr_comm *comm, const void *mine, size_t size, void *all, fr_error *error) {
    nccl_comm *c = of(comm);
    double since = fr_seconds();
    fr_status status = gather_joint(c, mine, size, error);
    if (status == FR_OK) memcpy(all, c->group->joint, (size_t)comm->size * size);
    if (status == FR_OK) status = meet(c, error); /* nobody leaves while another still reads */
    c->looked = fr_seconds();
    comm->seconds += c->looked - since;
    return status;
}

/* Every rank adds up everybody's vectors. */
static fr_status nccl_sum_host(fr_comm *comm, const double *mine, int own, int64_t count, double *sum,
                               fr_error *error) {
    nccl_comm *c = of(comm);
    double since = fr_seconds();
    fr_status status = gather_joint(c, mine, (size_t)(own * count) * sizeof *mine, error);
    const double *all = (const double *)(const void *)c->group->joint;
    memset(sum, 0, (size_t)count * sizeof *sum);
    for (int k = 0; status == FR_OK && k < comm->size * own; k++)
        for (int64_t j = 0; j < count; j++) sum[j] += all[k * count + j];
    if (status == FR_OK) status = meet(c, error);
    comm->seconds += fr_seconds() - since;
    return status;
}

/* ------------------------------------------------------------------------------------------- recording */

static fr_status join(nccl_comm *c, fr_error *error) {
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    fr_status status = ready(c, error);
    if (status != FR_OK) return status;
    ncclResult_t result = ncclCommInitRankConfig(&c->comm, c->group->size, c->group->id, c->base.rank, &config);
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
    if (c->base.rank == 0) mine.result = ncclGetUniqueId(&mine.id);
    fr_status status = gather_joint(c, &mine, sizeof mine, error);
    if (status != FR_OK) return status;
    memcpy(&made, g->joint, sizeof made); /* rank 0's */
    if (c->base.rank == g->first) g->id = made.id;
    status = meet(c, error);
    if (status != FR_OK || made.result == ncclSuccess) return status;
    return fail_nccl(c, made.result, "ncclGetUniqueId", error);
}

/* All ranks leave their communicators and join under a new id. */
static fr_status join_again(nccl_comm *c, fr_error *error) {
    drop(c);
    if (c->base.rank == c->group->first) atomic_store(&c->group->spoiled, false);
    fr_status status = share_id(c, error);
    return status == FR_OK ? join(c, error) : status;
}

/* fr_cuda_ranks.agree: an exchange is recorded by all ranks or by none. The first rank of a process clears `spoiled` only when all have seen
 * it, as they meet twice in gather_host. */
static fr_status nccl_agree(void *user, bool yes, bool *all, fr_error *error) {
    nccl_comm *c = user;
    unsigned char mine = (unsigned char)((yes ? 1 : 0) | (atomic_load(&c->group->spoiled) ? 2 : 0)), said[MOST_RANKS];
    fr_status status = nccl_gather_host(&c->base, &mine, 1, said, error);
    bool spoiled = false;
    *all = true;
    for (int r = 0; status == FR_OK && r < c->base.size; r++) {
        *all = *all && said[r] == 1;
        spoiled = spoiled || said[r] > 1;
    }
    return status == FR_OK && spoiled ? join_again(c, error) : status;
}

/* ------------------------------------------------------------------------------------- create, destroy */

static void nccl_abort(fr_comm *comm) { fr_nccl_group_abort(of(comm)->group, comm->rank); }

static void nccl_destroy(fr_comm *comm) {
    nccl_comm *c = of(comm);
    cudaSetDevice(c->device);
    fr_engine_cuda_forget(c->engine); /* before the communicator, which waits for it */
    if (c->comm && fr_nccl_group_failed_rank(c->group) < 0) {
        if (settled(c, ncclCommFinalize(c->comm), "leaving NCCL", NULL) == FR_OK) {
            ncclCommDestroy(c->comm);
            c->comm = NULL;
        }
    }
    drop(c);
    fr_engine_cuda_join(c->engine, (fr_cuda_ranks){NULL, NULL, NULL});
    free(c);
}

fr_status fr_nccl_group_create(fr_world *world, int local, double timeout, fr_nccl_group **group, fr_error *error) {
    fr_nccl_group *g = NULL;
    fr_status status = fr_allocate((void **)&g, 1, sizeof *g, "the exchange", error);
    if (status != FR_OK) return status;
    status = fr_allocate((void **)&g->brought, local, sizeof *g->brought, "the exchange", error);
    g->world = world;
    g->local = local;
    g->size = local * fr_world_size(world);
    g->first = local * fr_world_rank(world);
    g->timeout = timeout;
    pthread_mutex_init(&g->mutex, NULL);
    pthread_cond_init(&g->changed, NULL);
    if (status == FR_OK) *group = g;
    else fr_nccl_group_free(g);
    return status;
}

void fr_nccl_group_free(fr_nccl_group *group) {
    if (!group) return;
    pthread_cond_destroy(&group->changed);
    pthread_mutex_destroy(&group->mutex);
    free(group->brought);
    free(group->joint);
    free(group);
}

fr_status fr_comm_nccl_create(fr_nccl_group *group, int rank, fr_engine *engine, fr_comm **comm, fr_error *error) {
    static const fr_comm_ops ops = {
        .name = "nccl",
        .destroy = nccl_destroy,
        .max = nccl_max,
        .sum = nccl_sum,
        .all_gather = nccl_all_gather,
        .all_to_all = nccl_all_to_all,
        .gather_host = nccl_gather_host,
        .sum_host = nccl_sum_host,
        .abort = nccl_abort,
    };
    nccl_comm *c = NULL;
    fr_status status = fr_allocate((void **)&c, 1, sizeof *c, "the exchange", error);
    if (status != FR_OK) return status;
    c->base = (fr_comm){.ops = &ops, .rank = rank, .size = group->size};
    c->group = group;
    c->engine = engine;
    c->device = engine->config.device < 0 ? 0 : engine->config.device;
    c->stream = fr_engine_cuda_stream(engine);
    c->looked = fr_seconds();
    status = share_id(c, error);
    if (status == FR_OK) status = join(c, error);
    if (status != FR_OK) {
        nccl_destroy(&c->base);
        return status;
    }
    fr_engine_cuda_join(engine, (fr_cuda_ranks){c, wait_for_stream, nccl_agree});
    *comm = &c->base;
    return FR_OK;
}
