/*
 * routes.c - the limits between one way and another, and the shapes of trees and groups. All depend on numbers alone,
 * the same on every rank.
 */
#include "ranks/routes.h"

#include <math.h>

static bool are_many(int ranks) { return ranks > 8; }

bool fr_gather_doubles(double bytes) { return bytes <= 512; }
bool fr_all_to_all_uses_bruck(int ranks, double bytes) { return are_many(ranks) && bytes <= 128; }
bool fr_sum_is_mpis(int ranks, int nodes) { return nodes > 1 || are_many(ranks); }
bool fr_sum_goes_round(double bytes) { return bytes >= 65536; }

bool fr_max_uses_tree(int ranks) { return ranks > 4; }

int fr_tree_children(int ranks, int rank) {
    int64_t rest = ranks - (int64_t)FR_FAN * rank - 1;
    return rest < 0 ? 0 : rest < FR_FAN ? (int)rest : FR_FAN;
}

bool fr_broadcast_uses_chunks(int ranks, size_t size) { return ranks > 2 && size > 4096; }

size_t fr_chunk_bytes(int ranks, size_t size) { return (size + (size_t)ranks - 1) / (size_t)ranks; }

int fr_binomial_children(int ranks, int rank) {
    int children = 0;
    for (int64_t bit = 1; bit < ranks && !(rank & bit); bit *= 2) children += rank + bit < ranks;
    return children;
}

bool fr_slices_use_leaders(int ranks, size_t bytes, int most) { return are_many(ranks) && bytes <= 256 && most <= 127; }

int fr_group_size(int ranks) {
    int size = (int)sqrt(0.4 * ranks);
    return size < 2 ? 2 : size;
}
