/*
 * comm.h - the exchange seam: what ranks do with each other's buffers.
 *
 * A rank is a device or a process; it holds plan->workers / size workers, rank r the r-th group. Calls are made by
 * all ranks in the same order, enqueue on the rank's stream of work, and act on buffers in the engine's memory.
 * The host calls take ordinary memory and block.
 */
#ifndef FR_COMM_H
#define FR_COMM_H

#include "ranks/link.h"

typedef enum fr_type { FR_TYPE_I8, FR_TYPE_I32, FR_TYPE_F32, FR_TYPE_F64, FR_TYPE_BF16 } fr_type;

static inline size_t fr_type_bytes(fr_type type) {
    return type == FR_TYPE_I8 ? 1 : type == FR_TYPE_BF16 ? 2 : type == FR_TYPE_F64 ? 8 : 4;
}

typedef struct fr_comm fr_comm;

typedef struct fr_comm_ops {
    const char *name; /* "local", "nccl", "mpi" */
    void (*destroy)(fr_comm *comm);
    fr_status (*max)(fr_comm *comm, void *buffer, int64_t count, fr_type type, fr_error *error); /* in place */
    fr_status (*sum)(fr_comm *comm, void *buffer, int64_t count, fr_type type, fr_error *error); /* in place */
    /* counts[r] elements from rank r, one behind the other. */
    fr_status (*all_gather)(fr_comm *comm, const void *mine, void *all, const int64_t *counts, fr_type type,
                            fr_error *error);
    /* send_counts[r] elements to rank r, recv_counts[r] from it, one behind the other. */
    fr_status (*all_to_all)(fr_comm *comm, const void *send, const int64_t *send_counts, void *receive,
                            const int64_t *receive_counts, fr_type type, fr_error *error);
    /* Host memory: size bytes of every rank, in order of rank, to every rank. */
    fr_status (*gather_host)(fr_comm *comm, const void *mine, size_t size, void *all, fr_error *error);
    /* Host memory: sum (count) <- the vectors of all workers, added in the order of workers; mine: own x count. */
    fr_status (*sum_host)(fr_comm *comm, const double *mine, int own, int64_t count, double *sum, fr_error *error);
    /* Host memory. Optional; an exchange that has it carries vectors coded (exchange/packed.c): messages of any length, as
     * fr_link_exchange. */
    fr_status (*exchange)(fr_comm *comm, const char *what, const fr_message *out, int outs, fr_message *in, int ins,
                          fr_error *error);
    /* Host memory. Optional, with the above: size bytes of rank 0 to every rank, through a tree or from rank 0 to each. */
    fr_status (*broadcast)(fr_comm *comm, void *data, size_t size, bool tree, fr_error *error);
    /* Host memory. Optional, with the above: as fr_world_all_to_all. */
    fr_status (*bruck)(fr_comm *comm, const void *send, size_t size, void *receive, fr_error *error);
    void (*abort)(fr_comm *comm); /* wakes every rank that waits; may be called from any thread */
} fr_comm_ops;

struct fr_comm {
    const fr_comm_ops *ops;
    int rank, size;
    double seconds; /* spent waiting in calls so far */
    /* Of steps alone, where the exchange can count: */
    bool in_step;
    int64_t steps;
    uint64_t sent, received;  /* bytes */
    uint64_t coded, levels;   /* bytes of own vectors as they travelled, and coordinates in them */
    double model_clock;       /* sum over steps of the time at which the model was sent (rank 0) or had come */
    struct fr_scratch *scratch;     /* memory of exchange/packed.c, made when it is first needed; the exchange frees it */
};

/* Own vectors' coordinates and the bytes that they took, for the counters. */
static inline void fr_comm_count(fr_comm *comm, size_t bytes, int64_t levels) {
    comm->coded += bytes;
    comm->levels += (uint64_t)levels;
}

/* Frees the memory of exchange/packed.c; NULL is fine. */
void fr_scratch_free(struct fr_scratch *scratch);

/* The exchange of one rank with itself. */
fr_status fr_comm_local_create(fr_comm **comm, fr_error *error);
static inline void fr_comm_free(fr_comm *comm) {
    if (comm) comm->ops->destroy(comm);
}

#endif
