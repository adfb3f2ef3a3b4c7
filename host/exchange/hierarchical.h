/*
 * hierarchical.h - two-phase among many ranks with short slices, by way of leaders.
 *
 * Each rank to each other is R (R - 1) messages twice, each of a few bytes. Where these cost more than what is in
 * them, ranks form groups of about sqrt(0.4 R): members send their levels to the group's first rank, the leader,
 * which adds them up exactly; leaders exchange slices as ranks do otherwise, round them, and hand all of them to
 * their members. Sums are whole numbers and roundings belong to slices, so the weights are the same to the bit.
 */
#ifndef FR_HIERARCHICAL_H
#define FR_HIERARCHICAL_H

#include "engine/engine.h"
#include "exchange/comm.h"
#include "plan/collective.h"

typedef struct fr_group {
    int size;    /* ranks of a group; the last may have fewer */
    int count;   /* groups */
    int index;   /* this rank's group, */
    int leader;  /* its first rank, */
    int members; /* and its other ranks */
    int up, across; /* the largest level on a member's way to its leader, and between leaders */
} fr_group;

fr_group fr_group_of(const fr_plan *plan, int ranks, int rank);

/* Whether two-phase takes this way, by messages (fr_slices_use_leaders). */
bool fr_is_hierarchical(const fr_plan *plan, int ranks);

/* From encoded levels (engine->buffers.levels, shared scale) to slice_levels and slice_scales on every rank. */
fr_status fr_hierarchical_exchange(fr_engine *engine, fr_comm *comm, fr_error *error);

/* What it costs a rank, the largest norm included. */
fr_traffic fr_hierarchical_traffic(const fr_plan *plan, fr_member member);

#endif
