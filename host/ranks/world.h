/*
 * world.h - what the processes of a run do together on host memory: gather, add up in the order of workers, agree.
 * Which way each of these goes: ranks/routes.h.
 *
 * A world of one process needs no MPI; NULL stands for it too. Functions that exchange are called by all ranks, in the
 * same order, by one thread at a time.
 */
#ifndef FR_WORLD_H
#define FR_WORLD_H

#include "ranks/link.h"

struct fr_world {
    fr_link *link; /* NULL: this process alone */
    bool agreed;   /* on a failure: every rank knows of it */
};

/* The two halves of fr_world_join, for who wants to set the timeout between them: MPI is started; and the ranks meet for
 * the first time, to find out who shares a machine. */
fr_status fr_world_start(fr_world **world, fr_error *error);
fr_status fr_world_meet(fr_world *world, fr_error *error);

/* From a thread of its own: whether this rank is exchanging with others; and, while it is not, the word to all that it is
 * at work, which whoever waits for it longer than half of the timeout heeds. */
bool fr_world_is_busy(fr_world *world);
void fr_world_beat(fr_world *world);

static inline int fr_world_local_ranks(const fr_world *world) { return world && world->link ? world->link->local_ranks : 1; }
static inline int fr_world_local_rank(const fr_world *world) { return world && world->link ? world->link->local_rank : 0; }

/* Machines of several ranks, by which whole numbers are summed; 0: each rank for itself. */
static inline int fr_world_nodes(const fr_world *world) { return world && world->link ? world->link->nodes : 0; }

/* Whether all ranks read one clock (CLOCK_MONOTONIC of one running kernel). */
static inline bool fr_world_one_clock(const fr_world *world) {
    return world && world->link && world->link->local_ranks == world->link->size;
}

/* sum[j] <- the sum over all ranks' vectors of element j, rank 0's first, each rank's in their order: the same bits
 * however the vectors are spread. mine: owns[rank] vectors of count doubles, one behind the other. Every rank gets
 * the sum. Each rank sends and receives about owns + 1 vectors. */
fr_status fr_world_sum(fr_world *world, const int *owns, const double *mine, int64_t count, double *sum,
                       fr_error *error);

/* values[i] <- the largest of all ranks' values[i]; NaN if one of them is. */
fr_status fr_world_max(fr_world *world, double *values, int64_t count, fr_error *error);

/* size bytes at send + r size to rank r, and what comes from it to receive + r size: Bruck's all-to-all, log2(R)
 * messages instead of R - 1. */
fr_status fr_world_all_to_all(fr_world *world, const void *send, size_t size, void *receive, fr_error *error);

/* data of rank 0 to every rank: by way of other ranks (tree), or from rank 0 to each. */
fr_status fr_world_broadcast(fr_world *world, void *data, size_t size, bool tree, fr_error *error);

/* Refuses, with this status, unless every rank brings the same text, lines of "name=value", of at most
 * FR_WORLD_SAME_SIZE bytes: the message names the first line in which a rank differs from rank 0. */
enum { FR_WORLD_SAME_SIZE = 2048 };
fr_status fr_world_same(fr_world *world, const char *text, fr_status status, fr_error *error);

/* The first line in which two such texts differ: *found and *expected point to it, and the lengths are returned. */
void fr_first_difference(const char **found, int *found_length, const char **expected, int *expected_length);

/* A vector of count elements of `size` bytes as R slices (fr_split), the r-th at slices + r * stride; and back. */
void fr_slices_cut(const void *vector, int64_t count, int ranks, size_t size, size_t stride, void *slices);
void fr_slices_join(const void *slices, int64_t count, int ranks, size_t size, size_t stride, void *vector);

#endif
