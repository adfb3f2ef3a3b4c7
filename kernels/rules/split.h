/*
 * split.h - n things divided into groups as equal as possible, for CPUs and GPUs: rows into the shards of workers,
 * columns into their slices, the rows of a worker into lanes.
 *
 * Everything that decides an order of summation or who owns what goes through these few lines, so that the engines,
 * the readers of files and the collectives agree on every border.
 */
#ifndef FR_SPLIT_H
#define FR_SPLIT_H

#include <stdint.h>

#include "kernels/rules/both.h"

/* Things first .. first + count - 1: rows, columns, workers or ranks. */
typedef struct fr_range {
    int64_t first, count;
} fr_range;

/* Where group k of n things begins; groups differ by at most one in size, the longer ones come first. k = groups: n. */
FR_BOTH int64_t fr_split_start(int64_t n, int64_t groups, int64_t k) {
    int64_t longer = n % groups;
    return n / groups * k + (k < longer ? k : longer);
}

/* Groups `these` of n things, which lie side by side. */
FR_BOTH fr_range fr_split_range(int64_t n, int64_t groups, fr_range these) {
    fr_range range;
    range.first = fr_split_start(n, groups, these.first);
    range.count = fr_split_start(n, groups, these.first + these.count) - range.first;
    return range;
}

/* Group k of n things. */
FR_BOTH fr_range fr_split(int64_t n, int64_t groups, int64_t k) {
    fr_range one;
    one.first = k, one.count = 1;
    return fr_split_range(n, groups, one);
}

/* The group that thing j of n lies in: fr_split_start turned round. */
FR_BOTH int64_t fr_split_group_of(int64_t n, int64_t groups, int64_t j) {
    int64_t size = n / groups, longer = n % groups, end = longer * (size + 1);
    return j < end ? j / (size + 1) : longer + (j - end) / size;
}

#endif
