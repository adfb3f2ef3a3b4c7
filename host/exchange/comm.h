/*
 * comm.h - the exchange seam: what ranks do with each other's vectors.
 *
 * A rank is a device or a process; it holds some of the plan's workers, rank r those of fr_workers_of_rank(plan,
 * size, r). A comm carries two things: vectors of one type, and quantized vectors, which are levels with a scale a
 * worker. How levels become bytes (an int8 each, packed, Elias' code) and by which way they go is decided below this
 * seam, in each comm: exchange/local.c (one rank), exchange/nccl.c (GPUs), exchange/mpi.c (processes).
 *
 * Calls are made by all ranks in the same order, enqueue on the rank's stream of work, and act on buffers in the
 * engine's memory. What belongs to rank r of a gathered vector stands one behind the other, in order of rank;
 * counts[r] elements (levels) of it are rank r's. The counts that a step needs stand ready in comm->counts. The host
 * calls take ordinary memory and block.
 */
#ifndef FR_COMM_H
#define FR_COMM_H

#include "plan/plan.h"
#include "ranks/link.h"

typedef enum fr_type { FR_TYPE_I8, FR_TYPE_I32, FR_TYPE_U32, FR_TYPE_F32, FR_TYPE_F64, FR_TYPE_BF16 } fr_type;

static inline size_t fr_type_bytes(fr_type type) {
    return type == FR_TYPE_I8 ? 1 : type == FR_TYPE_BF16 ? 2 : type == FR_TYPE_F64 ? 8 : 4;
}
/* Of values and scales, by the plan's precision. */
static inline fr_type fr_real_type(const fr_plan *plan) {
    return plan->precision == FR_F32 ? FR_TYPE_F32 : FR_TYPE_F64;
}

/* Quantized vectors one behind the other: their levels, in -s..s, and their scales, real, one for each worker; or in blocks of
 * so many bytes, one a rank (fr_buffers). */
typedef struct fr_quantized {
    int8_t *levels;
    void *scales;
    size_t block; /* 0: no blocks */
} fr_quantized;

/* How much is whose: size entries each, made once from the plan. */
typedef struct fr_counts {
    int64_t *workers;  /* of rank r, */
    int64_t *vectors;  /* elements of their vectors: workers x d, */
    int64_t *columns;  /* and of their slices */
    int64_t *outgoing; /* own workers' elements in rank r's columns, */
    int64_t *incoming; /* and rank r's workers' in own columns */
} fr_counts;

typedef struct fr_comm fr_comm;

typedef struct fr_comm_ops {
    const char *name; /* "local", "nccl", "mpi" */
    void (*destroy)(fr_comm *comm);

    fr_status (*max)(fr_comm *comm, void *buffer, int64_t count, fr_type type, fr_error *error); /* in place */
    fr_status (*sum)(fr_comm *comm, void *buffer, int64_t count, fr_type type, fr_error *error); /* the same; U32 wraps */
    /* counts[r] elements from rank r, to every rank. */
    fr_status (*all_gather)(fr_comm *comm, const void *mine, void *all, const int64_t *counts, fr_type type,
                            fr_error *error);
    /* send_counts[r] elements to rank r, receive_counts[r] from it. */
    fr_status (*all_to_all)(fr_comm *comm, const void *send, const int64_t *send_counts, void *receive,
                            const int64_t *receive_counts, fr_type type, fr_error *error);
    /* counts[r] levels and a scale for each worker of rank r, to every rank. */
    fr_status (*all_gather_levels)(fr_comm *comm, fr_quantized mine, fr_quantized all, const int64_t *counts,
                                   fr_error *error);
    /* send_counts[r] levels to rank r, receive_counts[r] from it; their scale is one that all know. */
    fr_status (*all_to_all_levels)(fr_comm *comm, const int8_t *send, const int64_t *send_counts, int8_t *receive,
                                   const int64_t *receive_counts, fr_error *error);

    /* Optional, where rank 0 keeps the model (plan->dedicated_master): as the two gathers above, to rank 0 alone,
     * which has nothing to add; and size bytes of rank 0 to every rank, by way of other ranks (tree) or from rank 0
     * to each. */
    fr_status (*gather)(fr_comm *comm, const void *mine, void *all, const int64_t *counts, fr_type type,
                        fr_error *error);
    fr_status (*gather_levels)(fr_comm *comm, fr_quantized mine, fr_quantized all, const int64_t *counts,
                               fr_error *error);
    fr_status (*broadcast)(fr_comm *comm, void *data, size_t size, bool tree, fr_error *error);
    /* Optional, where comm->by_leaders: messages of any length, as fr_link_exchange. */
    fr_status (*exchange)(fr_comm *comm, const char *what, const fr_message *out, int outs, fr_message *in, int ins,
                          fr_error *error);

    /* Host memory: size bytes of every rank, in order of rank, to every rank. */
    fr_status (*gather_host)(fr_comm *comm, const void *mine, size_t size, void *all, fr_error *error);
    /* Host memory: sum (count) <- the vectors of all workers, added in the order of workers; mine: own x count. */
    fr_status (*sum_host)(fr_comm *comm, const double *mine, int own, int64_t count, double *sum, fr_error *error);
    void (*abort)(fr_comm *comm); /* wakes every rank that waits; may be called from any thread */
} fr_comm_ops;

struct fr_comm {
    const fr_comm_ops *ops;
    int rank, size;
    const fr_plan *plan; /* outlives the comm */
    fr_counts counts;
    bool by_leaders;     /* two-phase goes by way of leaders (exchange/hierarchical.h) */
    bool counts_bytes;   /* of the messages of steps, in sent and received, */
    bool models_bytes;   /* though some of them went by MPI's collectives, of which nobody can count them */
    double seconds;      /* spent waiting in calls so far, */
    double processor;    /* and by the processors, between processes */
    /* Of steps alone: */
    bool in_step;
    int64_t steps;
    uint64_t sent, received; /* bytes; of one rank, what a worker would send, where the formula cannot tell (Elias) */
    uint64_t coded, levels;  /* bytes of own vectors as they travelled, and coordinates in them; 0: not counted */
    double model_clock;      /* sum over steps of the time at which the model was sent (rank 0) or had come */
    void *scratch;           /* fr_comm_scratch */
    size_t scratch_size;
};

/* For those who make a comm: fills in what all have, and frees it. comm is all zero before. */
fr_status fr_comm_begin(fr_comm *comm, const fr_comm_ops *ops, int rank, int size, const fr_plan *plan,
                        fr_error *error);
void fr_comm_end(fr_comm *comm);

/* Memory of `size` bytes for messages, kept from step to step; the next call may move it. */
fr_status fr_comm_scratch(fr_comm *comm, size_t size, void **memory, fr_error *error);

/* Own vectors' coordinates and the bytes that they took, for the counters. */
static inline void fr_comm_count(fr_comm *comm, size_t bytes, int64_t levels) {
    comm->coded += bytes;
    comm->levels += (uint64_t)levels;
}

/* The exchange of one rank with itself. The plan outlives it. */
fr_status fr_comm_local_create(const fr_plan *plan, fr_comm **comm, fr_error *error);
static inline void fr_comm_free(fr_comm *comm) {
    if (comm) comm->ops->destroy(comm);
}

#endif
