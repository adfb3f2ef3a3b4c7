/*
 * mpi_parts.h - the exchange between processes from inside: its state, for the two files that make it up.
 *
 *   exchange/mpi.c         the object, and vectors of one type
 *   exchange/mpi_levels.c  quantized vectors, as packed messages
 */
#ifndef FR_MPI_PARTS_H
#define FR_MPI_PARTS_H

#include "exchange/comm.h"
#include "exchange/packed.h"
#include "ranks/world.h"

typedef struct mpi_comm {
    fr_comm base;
    fr_world *world;
    int *owns;                  /* workers of each rank, for fr_world_sum */
    fr_message *out, *in;       /* size each */
    fr_packed *leaving, *coming; /* what packed messages hold, size each */
} mpi_comm;

static inline mpi_comm *fr_mpi_of(fr_comm *comm) { return (mpi_comm *)comm; }

/* Sends the first `outs` messages set up in c->out, and receives the first `ins` of c->in. what: for the line about a
 * rank that does not answer. */
fr_status fr_mpi_exchange(mpi_comm *c, const char *what, int outs, int ins, fr_error *error);
/* As fr_world_all_to_all and fr_world_gather, counted. */
fr_status fr_mpi_all_to_all_host(mpi_comm *c, const void *send, size_t size, void *receive, fr_error *error);
fr_status fr_mpi_gather_host(fr_comm *comm, const void *mine, size_t size, void *all, fr_error *error);

/* exchange/mpi_levels.c: entries of fr_comm_ops */
fr_status fr_mpi_all_gather_levels(fr_comm *comm, fr_quantized mine, fr_quantized all, const int64_t *counts,
                                   fr_error *error);
fr_status fr_mpi_all_to_all_levels(fr_comm *comm, const int8_t *send, const int64_t *send_counts, int8_t *receive,
                                   const int64_t *receive_counts, fr_error *error);
fr_status fr_mpi_gather_levels(fr_comm *comm, fr_quantized mine, fr_quantized all, const int64_t *counts,
                               fr_error *error);

#endif
