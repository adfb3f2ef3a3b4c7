/*
 * nccl.h - the exchange between the GPUs of one machine: one rank a GPU, one host thread a rank.
 */
#ifndef FR_COMM_NCCL_H
#define FR_COMM_NCCL_H

#include "exchange/comm.h"
#include "engine/engine.h"
#include "ranks/world.h"

/* The version of NCCL and its file, or "none" and why, for fitrelu info. */
void fr_nccl_describe(char *text, size_t size);

/* What the ranks share: NCCL's id, the meeting place of their threads, and whether one of them gave up. Made before
 * the threads, freed after the last exchange. */
typedef struct fr_nccl_group fr_nccl_group;

/* Opens NCCL. For `local` ranks in each process of the world (NULL: this one alone). timeout: seconds that a rank may
 * stay silent, 0: no limit. */
fr_status fr_nccl_group_create(fr_world *world, int local, double timeout, fr_nccl_group **group, fr_error *error);
void fr_nccl_group_free(fr_nccl_group *group); /* NULL is fine */

/* The rank whose failure made the others stop, or -1. */
int fr_nccl_group_failed_rank(const fr_nccl_group *group);
/* For a rank that fails before it has an exchange: nobody shall wait for it. */
void fr_nccl_group_abort(fr_nccl_group *group, int rank);

/* Called by all ranks at once, each on its own thread; works on the stream of `engine`, whose blocking calls then
 * notice a lost rank. Destroyed by all ranks at once, before their engines. */
fr_status fr_comm_nccl_create(fr_nccl_group *group, int rank, fr_engine *engine, fr_comm **comm, fr_error *error);

#endif
