/*
 * world.h - what the processes of a run do together on host memory: gather, add up in the order of workers, agree.
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

/* Whether all ranks read one clock (CLOCK_MONOTONIC of one running kernel). */
static inline bool fr_world_one_clock(const fr_world *world) {
    return world && world->link && world->link->local_ranks == world->link->size;
}

/* sum[j] <- the sum over all ranks' vectors of element j, rank 0's first, each rank's in their order: the same bits
 * however the vectors are spread. mine: owns[rank] vectors of count doubles, one behind the other. Every rank gets
 * the sum. Each rank sends and receives about owns + 1 vectors. */
fr_status fr_world_sum(fr_world *world, const int *owns, const double *mine, int64_t count, double *sum,
                       fr_error *error);

/* A tree of ranks for numbers too small to care who sends them: each rank has up to FR_FAN children below it. */
enum { FR_FAN = 8 };
static inline int fr_tree_parent(int rank) { return (rank - 1) / FR_FAN; }
static inline int fr_tree_first_child(int rank) { return FR_FAN * rank + 1; }
static inline int fr_tree_children(int ranks, int rank) {
    int64_t rest = ranks - (int64_t)FR_FAN * rank - 1;
    return rest < 0 ? 0 : rest < FR_FAN ? (int)rest : FR_FAN;
}
/* Whether a maximum goes up and down this tree, 2 (R - 1) messages in all; of fewer ranks, by doubling. */
static inline bool fr_goes_by_tree(int ranks) { return ranks > 4; }

/* values[i] <- the largest of all ranks' values[i]; NaN if one of them is. */
fr_status fr_world_max(fr_world *world, double *values, int64_t count, fr_error *error);

/* size bytes at send + r size to rank r, and what comes from it to receive + r size: an all-to-all of small pieces in
 * log2(R) messages instead of R - 1, each piece travelling by way of other ranks. */
fr_status fr_world_all_to_all(fr_world *world, const void *send, size_t size, void *receive, fr_error *error);

/* Whether a broadcast by way of other ranks goes in pieces: a binomial tree hands all of it on log2(R) times one after the
 * other, pieces scattered by rank 0 and gathered by all take the time of two, whatever R is. */
static inline bool fr_goes_in_pieces(int ranks, size_t size) { return ranks > 4 && size > 8192; }
static inline size_t fr_piece_of(int ranks, size_t size) { return (size + (size_t)ranks - 1) / (size_t)ranks; }

/* data of rank 0 to every rank: by way of other ranks (tree), or from rank 0 to each. */
fr_status fr_world_broadcast(fr_world *world, void *data, size_t size, bool tree, fr_error *error);

/* Refuses, with this status, unless every rank brings the same text, lines of "name=value", of at most
 * FR_WORLD_SAME_SIZE bytes: the message names the first line in which a rank differs from rank 0. */
enum { FR_WORLD_SAME_SIZE = 2048 };
fr_status fr_world_same(fr_world *world, const char *text, fr_status status, fr_error *error);

/* The first line in which two such texts differ: *found and *expected point to it, and the lengths are returned. */
void fr_first_difference(const char **found, int *found_length, const char **expected, int *expected_length);

#endif
