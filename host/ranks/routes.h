/*
 * routes.h - who sends to whom: the way that an exchange between R processes goes. Whoever sends (ranks/world.c,
 * exchange/mpi.c) and whoever counts bytes, messages and hops (exchange/traffic.c) ask here, and so cannot differ.
 *
 *   direct        each rank a message to each other: R - 1 out and in, in 1 hop. Fewest bytes, most messages.
 *   doubling      in round i each rank hands all that it has to the rank 2^i before it: all-gather in log2(R) messages.
 *   Bruck         all-to-all in log2(R) messages: in round i each chunk with bit i in the number of ranks that it
 *                 has to go moves 2^i ranks on. A chunk travels log2(R) / 2 times.
 *   tree          a number up to rank 0 and down again, FR_FAN ranks below each.
 *   binomial      a broadcast handed on by those who have it.
 *   chunks        a broadcast of which rank 0 sends each rank a chunk, and all gather them.
 *   hierarchical  groups of about sqrt(0.4 R) ranks, the first of which, the leader, speaks for them.
 *
 * A message costs the processor as much as a few kilobytes cost a fast link: that is where the limits below come from.
 */
#ifndef FR_ROUTES_H
#define FR_ROUTES_H

#include "fitrelu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a sum goes by Bruck's all-to-all and by doubling, rather than directly; bytes of one of its R slices. */
bool fr_sum_uses_bruck(int ranks, double bytes);
/* Whether quantized vectors do; bytes of the longest message. Elias' codes vary in length and go directly, as do
 * unquantized vectors that are not summed. */
bool fr_levels_use_bruck(int ranks, fr_wire wire, double bytes);

/* A maximum: by the tree, 2 (R - 1) messages in all; of few ranks, by doubling. */
bool fr_max_uses_tree(int ranks);
enum { FR_FAN = 8 };
static inline int fr_tree_parent(int rank) { return (rank - 1) / FR_FAN; }
static inline int fr_tree_first_child(int rank) { return FR_FAN * rank + 1; }
int fr_tree_children(int ranks, int rank); /* how many, from the first on */

/* A broadcast by way of other ranks: in chunks where it is long, which takes the time of about two, whatever R is;
 * else by the binomial tree, which hands on all of it log2(R) times one after the other. */
bool fr_broadcast_uses_chunks(int ranks, size_t size);
size_t fr_chunk_bytes(int ranks, size_t size); /* of one of the R chunks */

/* The binomial tree: rank r hears from r less its lowest bit, and then speaks to r + 2^i for every 2^i below that
 * bit. */
static inline int fr_binomial_parent(int rank) { return rank & (rank - 1); }
/* How many ranks it speaks to, farthest first; children: room for FR_BINOMIAL_MOST, or NULL. */
enum { FR_BINOMIAL_MOST = 32 };
int fr_binomial_children(int ranks, int rank, int *children);

/* Whether slices of so many bytes go by way of leaders, whose sums of levels are up to `most`: 4 hops of few
 * messages. */
bool fr_slices_use_leaders(int ranks, size_t bytes, int most);
int fr_group_size(int ranks);

#endif
