/*
 * hierarchical.c - the four turns of two-phase by way of leaders: up to the leader, across twice, down to the members.
 *
 * A member sends and receives in one exchange, so that it wakes once a step. With W workers a rank and groups of g, a
 * coordinate on its way up lies in -W s .. W s, across in -g W s .. g W s, and after the second rounding in -s .. s.
 */
#include "exchange/hierarchical.h"

#include <string.h>

#include "exchange/packed.h"
#include "exchange/traffic.h"
#include "ranks/routes.h"
#include "wire/wire.h"

fr_group fr_group_of(const fr_plan *plan, int ranks, int rank) {
    fr_group group = {.size = fr_group_size(ranks)};
    group.count = (ranks + group.size - 1) / group.size;
    group.index = rank / group.size;
    group.leader = group.index * group.size;
    group.members = (group.leader + group.size < ranks ? group.size : ranks - group.leader) - 1;
    group.up = plan->workers / ranks * plan->levels;
    group.across = group.size * group.up;
    return group;
}

bool fr_is_hierarchical(const fr_plan *plan, int ranks) {
    if (plan->levels == 0) return false;
    size_t slice = fr_wire_most(plan->wire, (plan->features + ranks - 1) / ranks, plan->levels);
    return fr_slices_use_leaders(ranks, slice, fr_group_of(plan, ranks, 0).across);
}

static fr_range group_workers(const fr_plan *plan, int ranks, int group) {
    fr_group of = fr_group_of(plan, ranks, group * fr_group_size(ranks));
    return fr_workers_of_ranks(plan, ranks, (fr_range){of.leader, of.members + 1});
}

/* Columns of the slices of a group's workers. */
static fr_range group_columns(const fr_plan *plan, int ranks, int group) {
    return fr_slice_of_workers(plan, group_workers(plan, ranks, group));
}

/* What is computed once a step and used by all turns. */
typedef struct turn {
    fr_engine *engine;
    fr_comm *comm;
    const fr_plan *plan;
    fr_coding coding;
    fr_group group;
    int8_t *rows;         /* a leader's: group.count x own columns, sums of each group */
    uint8_t *memory;      /* for messages */
    fr_message *out, *in; /* comm->size each */
} turn;

/* Bytes of one coded vector of d levels on its way up. */
static size_t up_bytes(const turn *t) { return fr_wire_most(t->plan->wire, t->plan->features, t->group.up); }

static fr_range columns_of(const turn *t, int group) { return group_columns(t->plan, t->comm->size, group); }

/* The slices of these workers in the engine's buffers. */
static fr_packed slices_of(const turn *t, fr_range workers) {
    const fr_buffers *b = &t->engine->buffers;
    fr_range columns = fr_slice_of_workers(t->plan, workers);
    return (fr_packed){(char *)b->slice_scales + (size_t)workers.first * t->coding.real, workers.count,
                       b->slice_levels + columns.first, columns.count};
}
static fr_packed slices_of_all(const turn *t) { return slices_of(t, (fr_range){0, t->plan->workers}); }
static fr_packed slices_of_group(const turn *t, int group) {
    return slices_of(t, group_workers(t->plan, t->comm->size, group));
}

/* total_levels <- the sum of own workers' levels; then member: out with it, and in with what all come to. */
static fr_status member_turn(turn *t, fr_error *error) {
    fr_packed all = slices_of_all(t);
    size_t size = up_bytes(t), back = fr_packed_most(t->coding, &all);
    fr_wire_encode(t->plan->wire, t->engine->buffers.total_levels, t->plan->features, t->group.up, t->memory);
    fr_comm_count(t->comm, size, t->plan->features);
    t->out[0] = (fr_message){t->group.leader, t->memory, size};
    t->in[0] = (fr_message){t->group.leader, t->memory + size, back};
    FR_TRY(t->comm->ops->exchange(t->comm, "the leader's sum", t->out, 1, t->in, 1, error));
    return fr_packed_read(t->coding, &t->in[0], &all, error);
}

/* Levels up to `most`, without a scale. */
static fr_status read_levels(const turn *t, const fr_message *message, int64_t count, int most, int8_t *levels,
                             fr_error *error) {
    fr_packed packed = {NULL, 0, levels, count};
    fr_coding coding = {t->coding.wire, most, t->coding.real};
    return fr_packed_read(coding, message, &packed, error);
}

/* total_levels <- + what the members send. */
static fr_status hear_members(turn *t, fr_error *error) {
    int64_t d = t->plan->features;
    int8_t *sum = t->engine->buffers.total_levels, *one = (int8_t *)t->memory;
    uint8_t *coded = t->memory + d;
    size_t size = up_bytes(t);
    for (int i = 0; i < t->group.members; i++)
        t->in[i] = (fr_message){t->group.leader + 1 + i, coded + (size_t)i * size, size};
    if (t->group.members == 0) return FR_OK;
    FR_TRY(t->comm->ops->exchange(t->comm, "the members' levels", NULL, 0, t->in, t->group.members, error));
    for (int i = 0; i < t->group.members; i++) {
        FR_TRY(read_levels(t, &t->in[i], d, t->group.up, one, error));
        for (int64_t j = 0; j < d; j++) sum[j] = (int8_t)(sum[j] + one[j]); /* at most g W s <= 127 */
    }
    return FR_OK;
}

/* The i-th of the other groups, beginning after this one. */
static int other(const turn *t, int i) { return (t->group.index + i) % t->group.count; }

/* Slices of the group's sum to their leaders; rows <- own columns of every group's. */
static fr_status trade_sums(turn *t, fr_error *error) {
    const int8_t *sum = t->engine->buffers.total_levels;
    int others = t->group.count - 1;
    fr_range own = columns_of(t, t->group.index);
    size_t in_size = fr_wire_most(t->plan->wire, own.count, t->group.across);
    uint8_t *at = t->memory;
    for (int i = 1; i <= others; i++, at += in_size)
        t->in[i - 1] = (fr_message){other(t, i) * t->group.size, at, in_size};
    for (int i = 1; i <= others; i++) {
        fr_range theirs = columns_of(t, other(t, i));
        size_t size = fr_wire_encode(t->plan->wire, sum + theirs.first, theirs.count, t->group.across, at);
        t->out[i - 1] = (fr_message){other(t, i) * t->group.size, at, size};
        at += size;
    }
    FR_TRY(t->comm->ops->exchange(t->comm, "the leaders' sums", t->out, others, t->in, others, error));
    memcpy(t->rows, sum + own.first, (size_t)own.count);
    for (int i = 1; i <= others; i++)
        FR_TRY(read_levels(t, &t->in[i - 1], own.count, t->group.across, t->rows + i * own.count, error));
    return FR_OK;
}

/* Own slices, rounded, to the other leaders, and theirs from them. */
static fr_status trade_slices(turn *t, fr_error *error) {
    fr_packed mine = slices_of_group(t, t->group.index);
    int others = t->group.count - 1;
    size_t size = fr_packed_write(t->coding, &mine, t->memory);
    uint8_t *at = t->memory + size;
    fr_comm_count(t->comm, size, mine.level_count);
    for (int i = 1; i <= others; i++) {
        fr_packed theirs = slices_of_group(t, other(t, i));
        t->out[i - 1] = (fr_message){other(t, i) * t->group.size, t->memory, size};
        t->in[i - 1] = (fr_message){other(t, i) * t->group.size, at, fr_packed_most(t->coding, &theirs)};
        at += t->in[i - 1].size;
    }
    FR_TRY(t->comm->ops->exchange(t->comm, "the leaders' slices", t->out, others, t->in, others, error));
    for (int i = 1; i <= others; i++) {
        fr_packed theirs = slices_of_group(t, other(t, i));
        FR_TRY(fr_packed_read(t->coding, &t->in[i - 1], &theirs, error));
    }
    return FR_OK;
}

static fr_status tell_members(turn *t, fr_error *error) {
    fr_packed all = slices_of_all(t);
    if (t->group.members == 0) return FR_OK;
    size_t size = fr_packed_write(t->coding, &all, t->memory);
    for (int i = 0; i < t->group.members; i++)
        t->out[i] = (fr_message){t->group.leader + 1 + i, t->memory, size};
    return t->comm->ops->exchange(t->comm, "the leader's sum", t->out, t->group.members, NULL, 0, error);
}

/* The most that one turn keeps: a vector as it is beside the members' coded ones, or beside its slices both ways. */
static size_t messages_of(const turn *t) {
    size_t most = fr_wire_most(t->plan->wire, t->plan->features, t->group.across) + (size_t)t->plan->features;
    return (size_t)(t->group.size + 1) * most + (size_t)t->comm->size * 64 +
           (size_t)t->plan->workers * fr_precision_bytes(t->plan->precision) * 2;
}

/* One run of memory: the two lists of messages, rows, and the messages. */
static fr_status make_room(turn *t, fr_error *error) {
    size_t lists = 2 * (size_t)t->comm->size * sizeof *t->out;
    size_t rows = (size_t)(t->group.count * columns_of(t, t->group.index).count);
    void *memory;
    FR_TRY(fr_comm_scratch(t->comm, lists + rows + messages_of(t), &memory, error));
    t->out = memory;
    t->in = t->out + t->comm->size;
    t->rows = (int8_t *)memory + lists;
    t->memory = (uint8_t *)t->rows + rows;
    return FR_OK;
}

fr_status fr_hierarchical_exchange(fr_engine *engine, fr_comm *comm, fr_error *error) {
    const fr_plan *plan = engine->config.plan;
    turn t = {.engine = engine, .comm = comm, .plan = plan, .coding = fr_coding_of(plan),
              .group = fr_group_of(plan, comm->size, comm->rank)};
    FR_TRY(make_room(&t, error));
    FR_TRY(engine->ops->total(engine, error));
    if (comm->rank != t.group.leader) return member_turn(&t, error);
    FR_TRY(hear_members(&t, error));
    FR_TRY(trade_sums(&t, error));
    fr_packed mine = slices_of_group(&t, t.group.index);
    int first = (int)group_workers(plan, comm->size, t.group.index).first;
    FR_TRY(engine->ops->requantize_slices(engine, first, (int)mine.scale_count, t.rows, t.group.count, mine.levels,
                                          mine.scales, error));
    FR_TRY(trade_slices(&t, error));
    return tell_members(&t, error);
}

/* ----------------------------------------------------------------------------------------- traffic */

/* What a leader trades with the other leaders: sums of slices, and the slices rounded, each both ways. */
static void add_trade(fr_traffic *total, const fr_plan *plan, int ranks, fr_group group) {
    int own = group.index;
    double mine = (double)group_columns(plan, ranks, own).count;
    double scales = (double)group_workers(plan, ranks, own).count;
    total->messages += 4 * (group.count - 1);
    for (int i = 0; i < group.count; i++) {
        double theirs = (double)group_columns(plan, ranks, i).count;
        if (i == own) continue;
        total->sent += (double)fr_wire_most(plan->wire, (int64_t)theirs, group.across);
        total->sent += fr_traffic_coded(plan, mine, scales);
        total->received += (double)fr_wire_most(plan->wire, (int64_t)mine, group.across);
        total->received += fr_traffic_coded(plan, theirs, (double)group_workers(plan, ranks, i).count);
    }
}

fr_traffic fr_hierarchical_traffic(const fr_plan *plan, fr_member member) {
    fr_traffic total = {.hops = 4, .uneven = true};
    fr_group group = fr_group_of(plan, member.ranks, member.rank);
    double up = (double)fr_wire_most(plan->wire, plan->features, group.up);
    double down = fr_traffic_coded(plan, (double)plan->features, plan->workers);
    bool leads = member.rank == group.leader;
    int partners = leads ? group.members : 1;
    fr_traffic_add_max(&total, plan, member);
    total.sent += leads ? partners * down : up;
    total.received += leads ? partners * up : down;
    total.messages += 2 * partners;
    if (leads) add_trade(&total, plan, member.ranks, group);
    return total;
}
