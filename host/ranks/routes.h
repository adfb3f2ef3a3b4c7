/*
 * routes.h - who sends to whom: the way that an exchange between R processes goes. Whoever sends (ranks/world.c,
 * exchange/mpi.c) and whoever counts bytes, messages and hops (exchange/traffic.c) ask here, and so cannot differ.
 *
 *   doubling      in round i each rank hands all that it has to the rank 2^i before it: all-gather in log2(R) messages.
 *   Bruck         all-to-all in log2(R) messages: in round i each chunk with bit i in the number of ranks that it
 *                 has to go moves 2^i ranks on. A chunk travels log2(R) / 2 times.
 *   tree          a maximum up to rank 0 and down again, FR_FAN ranks below each.
 *   chunks        a broadcast of which rank 0 sends each rank a chunk, and all gather them.
 *   hierarchical  groups of about sqrt(0.4 R) ranks, the first of which, the leader, speaks for them.
 *
 * All else goes by MPI's collectives. Each way here was measured to be at least 1.3 times as fast as these within its limits
 * (bench/NOTES.md): a message costs the processor as much as a few kilobytes cost a fast link.
 *
 */
#ifndef FR_ROUTES_H
#define FR_ROUTES_H

#include "fitrelu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether `bytes` of each rank are gathered by doubling; and whether such pieces go from each to each by Bruck's all-to-all. */
bool fr_gather_doubles(double bytes);
bool fr_all_to_all_uses_bruck(int ranks, double bytes);
/* Whether integers are summed by MPI, rather than slice by slice as floating-point numbers are; nodes: by which they are summed
 * (ranks/link_node.c), 0 or 1 where they are not. */
bool fr_sum_is_mpis(int ranks, int nodes);
/* Whether MPI then goes round a ring, as Open MPI does, or up and down a tree. */
bool fr_sum_goes_round(double bytes);

/* A maximum: by the tree, 2 (R - 1) messages in all; of few ranks, by doubling. */
bool fr_max_uses_tree(int ranks);
enum { FR_FAN = 8 };
static inline int fr_tree_parent(int rank) { return (rank - 1) / FR_FAN; }
static inline int fr_tree_first_child(int rank) { return FR_FAN * rank + 1; }
int fr_tree_children(int ranks, int rank); /* how many, from the first on */

/* A broadcast by way of other ranks: in chunks where it is long, which takes the time of about two, whatever R is. */
bool fr_broadcast_uses_chunks(int ranks, size_t size);
size_t fr_chunk_bytes(int ranks, size_t size); /* of one of the R chunks */

/* The binomial tree, which stands for MPI's sums and broadcasts where bytes are modelled: rank r hears from r less its lowest
 * bit, and then speaks to this many others; each link of its own carries a sum once each way. */
int fr_binomial_children(int ranks, int rank);
static inline int fr_sum_visits(int ranks, int rank) { return fr_binomial_children(ranks, rank) + (rank > 0); }

/* Whether slices of so many bytes go by way of leaders, whose sums of levels are up to `most`: 4 hops of few
 * messages. */
bool fr_slices_use_leaders(int ranks, size_t bytes, int most);
int fr_group_size(int ranks);

#endif
