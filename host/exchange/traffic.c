/*
 * traffic.c - what the parts of an exchange cost a rank, and what they come to.
 *
 * R ranks; |x| is the size of x on the wire. A sum by messages gives rank r the s_r columns of its slice.
 *
 *   maximum     by messages, up and down a tree: a number from and to each rank next to it (few ranks: doubling)
 *   sum         by messages: slices out and in, d - s_r + (R - 1) s_r numbers; in a ring: 2 (R - 1) / R |sum|
 *   direct      one message to each other rank
 *   gather      doubling: (R - 1) |own| out and in, ceil(log2 R) messages each way
 *   Bruck       as often as it hands chunks on: chunk i once for each bit of i
 */
#include "exchange/traffic.h"

#include <math.h>

#include "ranks/routes.h"
#include "wire/wire.h"

double fr_traffic_coded(const fr_plan *plan, double count, double scales) {
    double real = (double)fr_precision_bytes(plan->precision);
    if (plan->levels == 0) return count * (plan->wire == FR_WIRE_BF16 ? 2 : real);
    return scales * real + (double)fr_wire_most(plan->wire, (int64_t)count, plan->levels);
}

double fr_traffic_vectors(const fr_plan *plan, int ranks, int rank) {
    double workers = (double)fr_workers_of_rank(plan, ranks, rank).count;
    return fr_traffic_coded(plan, workers * (double)plan->features, workers);
}

bool fr_traffic_levels_use_bruck(const fr_plan *plan, fr_member member, double bytes) {
    return plan->levels > 0 && !member.rings && fr_levels_use_bruck(member.ranks, plan->wire, bytes);
}

/* ------------------------------------------------------------------------------------------- parts */

void fr_traffic_add_direct(fr_traffic *total, fr_member member, double out, double in) {
    total->sent += out, total->received += in;
    total->hops += 1;
    total->messages += 2 * (member.ranks - 1);
}

/* `chunks` of so many bytes each, in rounds of one message each way whose distance doubles. */
static void add_doubling(fr_traffic *total, fr_member member, double chunks, double bytes) {
    double rounds = ceil(log2(member.ranks));
    total->sent += chunks * bytes, total->received += chunks * bytes;
    total->hops += rounds;
    total->messages += 2 * rounds;
}

void fr_traffic_add_gather(fr_traffic *total, fr_member member, double bytes) {
    add_doubling(total, member, member.ranks - 1, bytes);
}

void fr_traffic_add_bruck(fr_traffic *total, fr_member member, double bytes) {
    double chunks = 0; /* that a rank hands on */
    for (int i = 1; i < member.ranks; i++)
        for (int rest = i; rest > 0; rest /= 2) chunks += rest % 2;
    add_doubling(total, member, chunks, bytes);
}

/* Ranks on the way from the last one to the root take turns, and each serves its children. */
static void add_max_by_tree(fr_traffic *total, fr_member member) {
    int near = fr_tree_children(member.ranks, member.rank) + (member.rank > 0);
    total->sent += near * (double)sizeof(double), total->received += near * (double)sizeof(double);
    for (int r = member.ranks - 1; r > 0; r = fr_tree_parent(r)) total->hops += 2;
    total->messages += 2 * near;
}

void fr_traffic_add_max(fr_traffic *total, const fr_plan *plan, fr_member member) {
    if (plan->levels == 0) return;
    if (member.rings) total->summed += (double)fr_precision_bytes(plan->precision);
    else if (fr_max_uses_tree(member.ranks)) add_max_by_tree(total, member);
    else fr_traffic_add_gather(total, member, sizeof(double));
}

void fr_traffic_add_sum(fr_traffic *total, fr_member member, int64_t count, double size) {
    int ranks = member.ranks;
    double d = (double)count, slice = (double)fr_split(count, ranks, member.rank).count;
    if (member.rings) {
        total->summed += size * d;
    } else if (fr_sum_uses_bruck(ranks, size * d / ranks)) { /* slices filled up to the longest */
        fr_traffic_add_bruck(total, member, size * ceil(d / ranks));
        fr_traffic_add_gather(total, member, size * ceil(d / ranks));
    } else {
        fr_traffic_add_direct(total, member, size * (d - slice), size * (ranks - 1) * slice);
        fr_traffic_add_direct(total, member, size * (ranks - 1) * slice, size * (d - slice));
    }
}

/* ------------------------------------------------------------------------------------------- totals */

static fr_traffic traffic_of(const fr_plan *plan, fr_member member) {
    if (member.ranks < 2) return (fr_traffic){0};
    fr_traffic total = fr_collective_of(plan)->traffic(plan, member);
    double ranks = member.ranks, ring = 2 * (ranks - 1) / ranks * total.summed;
    total.sent += ring, total.received += ring;
    return total;
}

fr_traffic fr_traffic_of(const fr_plan *plan, int ranks, int rank) {
    return traffic_of(plan, (fr_member){ranks, rank, false});
}

double fr_traffic_mean(const fr_plan *plan, int ranks) {
    double sum = 0;
    for (int r = 0; r < ranks; r++) sum += fr_traffic_of(plan, ranks, r).sent;
    return sum / ranks;
}

double fr_traffic_of_worker(const fr_plan *plan) {
    return traffic_of(plan, (fr_member){plan->workers, 0, true}).sent;
}

double fr_traffic_vector(const fr_plan *plan) {
    bool has_scale = fr_collective_of(plan)->needs != FR_NEEDS_TOTAL; /* what is summed on the way has one for all */
    return fr_traffic_coded(plan, (double)plan->features, has_scale);
}

double fr_traffic_bits(const fr_plan *plan) { return 8 * fr_traffic_vector(plan) / (double)plan->features; }
