/*
 * traffic.c - what the parts of an exchange cost a rank, and what they come to.
 *
 * R ranks; |x| is the size of x on the wire. A sum by messages gives rank r the s_r columns of its slice.
 *
 *   maximum     by messages, up and down a tree: a number from and to each rank next to it (few ranks: doubling)
 *   sum         by messages: slices from each to each, and sums to all; in a ring: 2 (R - 1) / R |sum|; whole numbers of many
 *               ranks by MPI, modelled as a ring where they are long, else as a binomial tree up and down
 *   gather      (R - 1) |own| out and in: doubling, ceil(log2 R) messages each way; by MPI, R - 1 each way in every round
 *   all-to-all  by MPI the same; Bruck's as often as it hands chunks on: chunk i once for each bit of i
 */
#include "exchange/traffic.h"

#include <math.h>

#include "kernels/rules/fields.h"
#include "ranks/link.h"
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

/* ------------------------------------------------------------------------------------------- parts */

/* A message to each other rank, in rounds of one piece each. */
static void add_rounds(fr_traffic *total, fr_member member, double bytes) {
    double rounds = ceil(bytes / (double)FR_LINK_PIECE), others = member.ranks - 1;
    total->sent += others * bytes, total->received += others * bytes;
    total->hops += rounds;
    total->messages += 2 * others * rounds;
}

/* `chunks` of so many bytes each, in rounds of one message each way whose distance doubles. */
static void add_doubling(fr_traffic *total, fr_member member, double chunks, double bytes) {
    double rounds = ceil(log2(member.ranks));
    total->sent += chunks * bytes, total->received += chunks * bytes;
    total->hops += rounds;
    total->messages += 2 * rounds;
}

void fr_traffic_add_gather(fr_traffic *total, fr_member member, double bytes) {
    if (!member.rings && !fr_gather_doubles(bytes)) add_rounds(total, member, bytes);
    else add_doubling(total, member, member.ranks - 1, bytes);
}

static void add_bruck(fr_traffic *total, fr_member member, double bytes) {
    double chunks = 0; /* that a rank hands on */
    for (int i = 1; i < member.ranks; i++)
        for (int rest = i; rest > 0; rest /= 2) chunks += rest % 2;
    add_doubling(total, member, chunks, bytes);
}

void fr_traffic_add_all_to_all(fr_traffic *total, fr_member member, double bytes) {
    if (fr_all_to_all_uses_bruck(member.ranks, bytes)) add_bruck(total, member, bytes);
    else add_rounds(total, member, bytes);
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

static void add_sum_by_mpi(fr_traffic *total, fr_member member, double bytes) {
    double ranks = member.ranks, visits = fr_sum_visits(member.ranks, member.rank);
    bool ring = fr_sum_goes_round(bytes);
    double each = ring ? 2 * (ranks - 1) / ranks * bytes : visits * bytes;
    total->sent += each, total->received += each;
    total->hops += ring ? 2 * (ranks - 1) : 2 * ceil(log2(ranks));
    total->messages += ring ? 4 * (ranks - 1) : 2 * visits;
    total->uneven |= !ring;
}

void fr_traffic_add_sum(fr_traffic *total, fr_member member, int64_t count, double size, bool whole) {
    double slice = size * ceil((double)count / member.ranks);
    if (member.rings) {
        total->summed += size * (double)count;
    } else if (whole && fr_sum_is_mpis(member.ranks, member.nodes)) { /* in words of four bytes */
        bool by_node = member.nodes > 1;
        const fr_member firsts = {by_node ? member.nodes : member.ranks, member.rank, false, 0};
        if (!by_node || member.rank < member.nodes) add_sum_by_mpi(total, firsts, 4 * ceil(size * (double)count / 4));
    } else { /* slices filled up to the longest */
        fr_traffic_add_all_to_all(total, member, slice);
        fr_traffic_add_gather(total, member, slice);
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
    return traffic_of(plan, (fr_member){ranks, rank, false, 0});
}

double fr_traffic_mean(const fr_plan *plan, int ranks, int nodes) {
    double sum = 0;
    for (int r = 0; r < ranks; r++) sum += traffic_of(plan, (fr_member){ranks, r, false, nodes}).sent;
    return sum / ranks;
}

double fr_traffic_of_worker(const fr_plan *plan) {
    return traffic_of(plan, (fr_member){plan->workers, 0, true, 0}).sent;
}

double fr_traffic_vector(const fr_plan *plan) {
    int bits = fr_summed_field_bits(plan);
    if (bits > 0) return (double)fr_field_words(plan->features, bits) * sizeof(uint32_t);
    bool has_scale = fr_collective_of(plan)->needs != FR_NEEDS_TOTAL; /* what is summed on the way has one for all */
    return fr_traffic_coded(plan, (double)plan->features, has_scale);
}

double fr_traffic_bits(const fr_plan *plan) { return 8 * fr_traffic_vector(plan) / (double)plan->features; }
