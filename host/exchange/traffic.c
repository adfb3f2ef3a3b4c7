/*
 * traffic.c - what each collective makes a rank send and receive in a step.
 *
 * R ranks, rank r with c_r workers and w_r columns of its own in two-phase; a sum gives rank r the s_r columns of its
 * slice. |x| is the size of x on the wire.
 *
 *   allreduce   the largest norm up and down a tree: a number from and to each rank next to it (few ranks: by
 *               doubling, R - 1); slices out and in: d - s_r + (R - 1) s_r numbers
 *   allgather   (R - 1) |c_r vectors| out, those of all others in
 *   two-phase   the largest norm; the columns of all others out, own columns of all others in; own slice to all
 *               (allreduce, two-phase and allgather of many ranks and small pieces: as often as Bruck's all-to-all hands them on);
 *               by way of leaders a vector up, sums and slices of groups across, all slices down
 *   master      |c_r vectors| out, the model in and on to the ranks below in the tree; rank 0 the other way round. A
 *               long model goes in pieces, one from rank 0 to each, which all then gather
 */
#include "exchange/traffic.h"

#include <math.h>

#include "exchange/hierarchical.h"
#include "wire/wire.h"
#include "ranks/world.h"

/* |count numbers of own vectors|, with scales of as many vectors. */
static double coded(const fr_plan *plan, double count, double scales) {
    double real = (double)fr_precision_bytes(plan->precision);
    if (plan->levels == 0) return count * (plan->wire == FR_WIRE_BF16 ? 2 : real);
    return scales * real + (double)fr_wire_most(plan->wire, (int64_t)count, plan->levels);
}

static int workers_of(const fr_plan *plan, int ranks, int rank) {
    return fr_first_worker(plan, ranks, rank + 1) - fr_first_worker(plan, ranks, rank);
}

static double columns_of(const fr_plan *plan, int ranks, int rank) {
    return (double)(fr_split_start(plan->features, plan->workers, fr_first_worker(plan, ranks, rank + 1)) -
                    fr_split_start(plan->features, plan->workers, fr_first_worker(plan, ranks, rank)));
}

/* Pieces that a rank hands on in Bruck's all-to-all. */
static double bruck_pieces(int ranks) {
    double pieces = 0;
    for (int i = 1; i < ranks; i++)
        for (int rest = i; rest > 0; rest /= 2) pieces += rest % 2;
    return pieces;
}

/* Every rank its own message to every other at once. */
static void add_direct(fr_traffic *total, int ranks, double out, double in) {
    total->sent += out, total->received += in;
    total->hops += 1;
    total->messages += 2 * (ranks - 1);
}

/* `pieces` of so many bytes each, in rounds of one message each way whose distance doubles. */
static void add_doubling(fr_traffic *total, int ranks, double pieces, double bytes) {
    double rounds = ceil(log2(ranks));
    total->sent += pieces * bytes, total->received += pieces * bytes;
    total->hops += rounds;
    total->messages += 2 * rounds;
}

static void add_gather(fr_traffic *total, int ranks, double bytes) { add_doubling(total, ranks, ranks - 1, bytes); }
static void add_bruck(fr_traffic *total, int ranks, double bytes) {
    add_doubling(total, ranks, bruck_pieces(ranks), bytes);
}

/* As fr_world_max has it. Ranks on the way from the last one to the root take turns, and each serves its children. */
static void add_largest_norm(fr_traffic *total, const fr_plan *plan, int ranks, int rank) {
    if (plan->levels == 0) return;
    if (!fr_goes_by_tree(ranks)) {
        add_gather(total, ranks, sizeof(double));
        return;
    }
    int near = fr_tree_children(ranks, rank) + (rank > 0);
    total->sent += near * (double)sizeof(double), total->received += near * (double)sizeof(double);
    for (int r = ranks - 1; r > 0; r = fr_tree_parent(r)) total->hops += 2;
    total->messages += 2 * near;
}

static fr_traffic allreduce(const fr_plan *plan, int ranks, int rank) {
    fr_traffic total = {0};
    double d = (double)plan->features, size = plan->levels > 0 ? 1 : coded(plan, 1, 0);
    double slice =
        (double)(fr_split_start(plan->features, ranks, rank + 1) - fr_split_start(plan->features, ranks, rank));
    add_largest_norm(&total, plan, ranks, rank);
    if (fr_uses_bruck(ranks, size * d / ranks)) { /* slices filled up to the longest */
        add_bruck(&total, ranks, size * ceil(d / ranks));
        add_gather(&total, ranks, size * ceil(d / ranks));
    } else {
        add_direct(&total, ranks, size * (d - slice), size * (ranks - 1) * slice);
        add_direct(&total, ranks, size * (ranks - 1) * slice, size * (d - slice));
    }
    return total;
}

/* Columns of the rank that has most. */
static double most_columns(const fr_plan *plan, int ranks) {
    double most = 0;
    for (int r = 0; r < ranks; r++) most = fmax(most, columns_of(plan, ranks, r));
    return most;
}

static fr_traffic allgather(const fr_plan *plan, int ranks, int rank) {
    fr_traffic total = {0};
    double vector =
        coded(plan, workers_of(plan, ranks, rank) * (double)plan->features, workers_of(plan, ranks, rank));
    double out = 0, in = 0;
    if (fr_packed_uses_bruck(plan, ranks, vector)) {
        add_gather(&total, ranks, vector);
        return total;
    }
    for (int r = 0; r < ranks; r++) {
        double workers = workers_of(plan, ranks, r), bytes = coded(plan, workers * (double)plan->features, workers);
        if (r == rank) out += (ranks - 1) * bytes;
        else in += bytes;
    }
    add_direct(&total, ranks, out, in);
    return total;
}

/* As exchange/hierarchical.c has it: a member tells its leader its sums and hears all slices; leaders trade both among them. */
static fr_traffic hierarchical(const fr_plan *plan, int ranks, int rank) {
    fr_traffic total = {0};
    fr_group group = fr_group_of(plan, ranks, rank);
    int each = plan->workers / ranks, own = group.index;
    double up = (double)fr_wire_most(plan->wire, plan->features, group.up);
    double down = coded(plan, (double)plan->features, plan->workers), members = group.members;
    add_largest_norm(&total, plan, ranks, rank);
    total.hops += 4;
    if (rank != group.leader) {
        total.sent += up, total.received += down, total.messages += 2;
        return total;
    }
    total.sent += members * down, total.received += members * up;
    total.messages += 2 * members + 4 * (group.count - 1);
    double mine = (double)(fr_group_start(plan, ranks, own + 1) - fr_group_start(plan, ranks, own));
    double scales = (group.members + 1) * each;
    for (int i = 0; i < group.count; i++) {
        int size = fr_group_of(plan, ranks, i * group.size).members + 1;
        double theirs = (double)(fr_group_start(plan, ranks, i + 1) - fr_group_start(plan, ranks, i));
        if (i == own) continue;
        total.sent += (double)fr_wire_most(plan->wire, (int64_t)theirs, group.across) + coded(plan, mine, scales);
        total.received += (double)fr_wire_most(plan->wire, (int64_t)mine, group.across) + coded(plan, theirs, size * each);
    }
    return total;
}

static fr_traffic two_phase(const fr_plan *plan, int ranks, int rank) {
    if (fr_is_hierarchical(plan, ranks)) return hierarchical(plan, ranks, rank);
    double own = columns_of(plan, ranks, rank), each = workers_of(plan, ranks, rank),
           most = most_columns(plan, ranks);
    fr_traffic total = {0};
    double piece = coded(plan, each * most, 0), slice = coded(plan, most, each);
    double out = 0, in = 0, back_out = 0, back_in = 0;
    for (int r = 0; r < ranks; r++) {
        if (r == rank) continue;
        double theirs = columns_of(plan, ranks, r);
        out += coded(plan, each * theirs, 0), in += coded(plan, each * own, 0);
        back_out += coded(plan, own, each), back_in += coded(plan, theirs, each);
    }
    add_largest_norm(&total, plan, ranks, rank);
    if (fr_packed_uses_bruck(plan, ranks, piece)) add_bruck(&total, ranks, piece);
    else add_direct(&total, ranks, out, in);
    if (fr_packed_uses_bruck(plan, ranks, slice)) add_gather(&total, ranks, slice);
    else add_direct(&total, ranks, back_out, back_in);
    return total;
}

/* Ranks that rank `rank` hands the model on to. */
static int ranks_below(const fr_plan *plan, int ranks, int rank) {
    int count = 0;
    if (plan->star) return rank == 0 ? ranks - 1 : 0;
    for (int bit = 1; bit < ranks && !(rank & bit); bit *= 2) count += rank + bit < ranks;
    return count;
}

static fr_traffic master(const fr_plan *plan, int ranks, int rank) {
    double d = (double)plan->features, own = workers_of(plan, ranks, rank), workers = plan->workers;
    double model = d * sizeof(double);
    int below = ranks_below(plan, ranks, rank);
    fr_traffic total = {below * model, rank > 0 ? model : 0, 1 + ranks_below(plan, ranks, 0),
                        below + (rank > 0 ? 2 : ranks - 1)}; /* what rank 0 sends, its link takes one by one */
    if (!plan->star && fr_goes_in_pieces(ranks, (size_t)model)) {
        double piece = (double)fr_piece_of(ranks, (size_t)model), scattered = (ranks - 1) * piece;
        total = (fr_traffic){rank == 0 ? scattered : 0, rank == 0 ? 0 : piece, 2, rank == 0 ? 2 * (ranks - 1) : 2};
        add_gather(&total, ranks, piece);
    }
    if (rank > 0) total.sent += coded(plan, own * d, own);
    else total.received += (ranks - 1) * coded(plan, workers / (ranks - 1) * d, workers / (ranks - 1));
    return total;
}

fr_traffic fr_traffic_of(const fr_plan *plan, int ranks, int rank) {
    if (ranks < 2) return (fr_traffic){0};
    switch (plan->collective) {
    case FR_COLLECTIVE_ALLGATHER: return allgather(plan, ranks, rank);
    case FR_COLLECTIVE_TWO_PHASE: return two_phase(plan, ranks, rank);
    case FR_COLLECTIVE_MASTER: return plan->dedicated_master ? master(plan, ranks, rank) : allgather(plan, ranks, rank);
    default: return allreduce(plan, ranks, rank);
    }
}

double fr_traffic_mean(const fr_plan *plan, int ranks) {
    double sum = 0;
    for (int r = 0; r < ranks; r++) sum += fr_traffic_of(plan, ranks, r).sent;
    return sum / ranks;
}

double fr_traffic_bits(const fr_plan *plan) {
    double d = (double)plan->features;
    if (plan->levels > 0 && plan->collective == FR_COLLECTIVE_ALLREDUCE) return 8;
    return 8 * coded(plan, d, 1) / d;
}
