/*
 * nccl_parts.h - the exchange over NCCL from inside: its state, for the two files that make it up.
 *
 *   exchange/nccl.c       the object, exchanges of device memory, and what happens when a rank fails
 *   exchange/nccl_host.c  what the ranks share, their meeting place, and exchanges of host memory
 */
#ifndef FR_NCCL_PARTS_H
#define FR_NCCL_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/engine.h"
#include "exchange/comm.h"
#include "exchange/nccl_library.h"
#include "ranks/world.h"

typedef struct fr_nccl_group fr_nccl_group; /* exchange/nccl.h */
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
    unsigned char *votes; /* of nccl_agree, size */
} nccl_comm;

static inline nccl_comm *fr_nccl_of(fr_comm *comm) { return (nccl_comm *)comm; }

/* FR_OK, or this rank's end because another failed or time is over. */
fr_status fr_nccl_look_around(nccl_comm *c, double since, const char *what, fr_error *error);
/* This rank's end: the others learn of it. */
fr_status fr_nccl_give_up(nccl_comm *c, fr_status status, fr_error *error);

/* exchange/nccl_host.c */
/* Waits until all ranks of this process have come, or one has failed. */
fr_status fr_nccl_meet(nccl_comm *c, fr_error *error);
/* size bytes of every rank into the group's joint memory, which stays as it is until the next call. */
fr_status fr_nccl_gather_joint(nccl_comm *c, const void *mine, size_t size, fr_error *error);
/* Entries of fr_comm_ops. */
fr_status fr_nccl_gather_host(fr_comm *comm, const void *mine, size_t size, void *all, fr_error *error);
fr_status fr_nccl_sum_host(fr_comm *comm, const double *mine, int own, int64_t count, double *sum, fr_error *error);

#endif
