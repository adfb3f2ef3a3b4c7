/*
 * collective.c - allreduce, allgather, two-phase and master, written once over engine/engine.h and exchange/comm.h.
 *
 *   allreduce   int8 levels under one shared scale max_k N_k are summed on the wire: K s <= 127.
 *   allgather   each worker's levels and own N_k to all: (2.2) to the letter.
 *   two-phase   levels under the shared scale go to the owner of each slice of columns, which sums them exactly,
 *               rounds the sum stochastically once more, and sends the slice to all. Slices belong to workers, so
 *               that where workers sit changes nothing. Many ranks with short slices take other ways (exchange/hierarchical.h).
 *   master      the arithmetic of allgather; rank 0 averages and sends the model back.
 *
 * Unquantized, the same exchanges carry float or double; allreduce also bfloat16, each rank's sum rounded once before it
 * leaves, and then summed as the exchange sums bfloat16: the result depends on the number of ranks.
 */
#include "exchange/collective.h"

#include <string.h>

#include "base/clock.h"
#include "exchange/hierarchical.h"
#include "exchange/packed.h"

enum { MOST_RANKS = 4096 };

static fr_type real_type(const fr_plan *plan) { return plan->precision == FR_F32 ? FR_TYPE_F32 : FR_TYPE_F64; }

static void equal_counts(const fr_comm *comm, int64_t each, int64_t counts[MOST_RANKS]) {
    for (int r = 0; r < comm->size; r++) counts[r] = each;
}

/* Columns of the slices that rank r's workers own, times `rows`. */
static void slice_counts(const fr_plan *plan, const fr_comm *comm, int64_t rows, int64_t counts[MOST_RANKS]) {
    for (int r = 0; r < comm->size; r++)
        counts[r] = rows * (fr_slice_start(plan, fr_first_worker(plan, comm->size, r + 1)) -
                            fr_slice_start(plan, fr_first_worker(plan, comm->size, r)));
}

static fr_status allreduce_step(fr_engine *engine, fr_comm *comm, fr_error *error) {
    const fr_plan *plan = engine->config.plan;
    const fr_engine_ops *ops = engine->ops;
    fr_buffers *b = &engine->buffers;
    if (plan->wire == FR_WIRE_BF16) {
        FR_TRY(ops->total(engine, error));
        FR_TRY(ops->round_to_bf16(engine, error)); /* on one rank too, so that it shows what the wire costs */
        FR_TRY(comm->ops->sum(comm, b->total_bf16, plan->features, FR_TYPE_BF16, error));
        return ops->apply(engine, FR_UPDATE_TOTAL_BF16, error);
    }
    if (plan->levels == 0) {
        FR_TRY(ops->total(engine, error));
        FR_TRY(comm->ops->sum(comm, b->total_values, plan->features, real_type(plan), error));
        return ops->apply(engine, FR_UPDATE_TOTAL_VALUES, error);
    }
    FR_TRY(ops->norm(engine, error));
    FR_TRY(comm->ops->max(comm, b->shared_scale, 1, real_type(plan), error));
    FR_TRY(ops->encode(engine, true, error));
    FR_TRY(ops->total(engine, error));
    FR_TRY(comm->ops->sum(comm, b->total_levels, plan->features, FR_TYPE_I8, error));
    return ops->apply(engine, FR_UPDATE_TOTAL_LEVELS, error);
}

/* ------------------------------------------------------------------------------- allgather, master */

/* The levels and scales of rank r's workers among all. */
static fr_packed packed_of(const fr_engine *engine, int ranks, int rank) {
    const fr_plan *plan = engine->config.plan;
    const fr_buffers *b = &engine->buffers;
    int64_t first = fr_first_worker(plan, ranks, rank), count = fr_first_worker(plan, ranks, rank + 1) - first;
    return (fr_packed){(char *)b->all_scales + (size_t)first * fr_precision_bytes(plan->precision), count,
                       b->all_levels + first * plan->features, count * plan->features};
}

static fr_packed own_packed(const fr_engine *engine) {
    const fr_buffers *b = &engine->buffers;
    int64_t own = engine->config.worker_count;
    return (fr_packed){b->scales, own, b->levels, own * engine->config.plan->features};
}

static fr_status gather_packed(fr_engine *engine, fr_comm *comm, fr_error *error) {
    const fr_plan *plan = engine->config.plan;
    fr_packed all[MOST_RANKS], mine = own_packed(engine);
    for (int r = 0; r < comm->size; r++) all[r] = packed_of(engine, comm->size, r);
    memcpy(all[comm->rank].scales, mine.scales, (size_t)mine.scale_count * fr_precision_bytes(plan->precision));
    memcpy(all[comm->rank].levels, mine.levels, (size_t)mine.level_count);
    return fr_packed_all_gather(comm, plan, &mine, all, error);
}

static fr_status gather_typed(fr_engine *engine, fr_comm *comm, fr_error *error) {
    const fr_plan *plan = engine->config.plan;
    fr_buffers *b = &engine->buffers;
    int64_t counts[MOST_RANKS], each = plan->workers / comm->size;
    equal_counts(comm, each * plan->features, counts);
    FR_TRY(comm->ops->all_gather(comm, b->levels, b->all_levels, counts, FR_TYPE_I8, error));
    equal_counts(comm, each, counts);
    return comm->ops->all_gather(comm, b->scales, b->all_scales, counts, real_type(plan), error);
}

/* One process sends nothing; how long its vectors would be is told by coding them, where nothing else tells it. */
static fr_status weigh(fr_engine *engine, fr_comm *comm, fr_error *error) {
    const fr_plan *plan = engine->config.plan;
    fr_packed mine = own_packed(engine);
    size_t bytes;
    if (plan->wire != FR_WIRE_ELIAS || comm->size > 1) return FR_OK;
    FR_TRY(fr_packed_weigh(comm, plan, &mine, &bytes, error));
    comm->sent += bytes / (size_t)plan->workers *
                  (size_t)(plan->collective == FR_COLLECTIVE_ALLGATHER ? plan->workers - 1 : 1);
    return FR_OK;
}

static fr_status allgather_step(fr_engine *engine, fr_comm *comm, fr_error *error) {
    const fr_plan *plan = engine->config.plan;
    const fr_engine_ops *ops = engine->ops;
    fr_buffers *b = &engine->buffers;
    int64_t counts[MOST_RANKS], each = plan->workers / comm->size;
    if (plan->levels == 0) {
        equal_counts(comm, each * plan->features, counts);
        FR_TRY(comm->ops->all_gather(comm, b->values, b->all_values, counts, real_type(plan), error));
        return ops->apply(engine, FR_UPDATE_ALL_VALUES, error);
    }
    FR_TRY(ops->norm(engine, error));
    FR_TRY(ops->encode(engine, false, error));
    FR_TRY(weigh(engine, comm, error));
    FR_TRY(comm->ops->exchange ? gather_packed(engine, comm, error) : gather_typed(engine, comm, error));
    return ops->apply(engine, FR_UPDATE_ALL_LEVELS, error);
}

/* Every worker's vector to rank 0. */
static fr_status to_master(fr_engine *engine, fr_comm *comm, fr_error *error) {
    static const char what[] = "the gradients' way to the master";
    const fr_plan *plan = engine->config.plan;
    size_t vector = (size_t)plan->features * fr_precision_bytes(plan->precision);
    if (plan->levels > 0) {
        fr_packed all[MOST_RANKS], mine = own_packed(engine);
        for (int r = 0; comm->rank == 0 && r < comm->size; r++) all[r] = packed_of(engine, comm->size, r);
        return fr_packed_to_master(comm, plan, &mine, all, error);
    }
    if (comm->rank > 0) {
        fr_message out = {0, engine->buffers.values, (size_t)engine->config.worker_count * vector};
        return comm->ops->exchange(comm, what, &out, 1, NULL, 0, error);
    }
    fr_message in[MOST_RANKS];
    for (int r = 1; r < comm->size; r++) {
        int first = fr_first_worker(plan, comm->size, r), count = fr_first_worker(plan, comm->size, r + 1) - first;
        in[r - 1] = (fr_message){r, (char *)engine->buffers.all_values + (size_t)first * vector, (size_t)count * vector};
    }
    return comm->ops->exchange(comm, what, NULL, 0, in, comm->size - 1, error);
}

static fr_status from_master(fr_engine *engine, fr_comm *comm, fr_error *error) {
    const fr_plan *plan = engine->config.plan;
    fr_buffers *b = &engine->buffers;
    return comm->ops->broadcast(comm, b->model, (size_t)plan->features * sizeof *b->model, !plan->star, error);
}

/* Rank 0 averages what the others send and sends the model back. In one process, or where GPUs have no master, the
 * arithmetic is that of allgather. */
static fr_status master_step(fr_engine *engine, fr_comm *comm, fr_error *error) {
    const fr_plan *plan = engine->config.plan;
    const fr_engine_ops *ops = engine->ops;
    if (!plan->dedicated_master) return allgather_step(engine, comm, error);
    if (comm->rank > 0) {
        if (plan->levels > 0) FR_TRY(ops->norm(engine, error));
        if (plan->levels > 0) FR_TRY(ops->encode(engine, false, error));
        FR_TRY(to_master(engine, comm, error));
        FR_TRY(from_master(engine, comm, error));
        comm->model_clock += fr_seconds();
        return ops->apply(engine, FR_UPDATE_MODEL, error);
    }
    FR_TRY(to_master(engine, comm, error));
    FR_TRY(ops->apply(engine, plan->levels > 0 ? FR_UPDATE_ALL_LEVELS : FR_UPDATE_ALL_VALUES, error));
    comm->model_clock += fr_seconds();
    return from_master(engine, comm, error);
}

/* ---------------------------------------------------------------------------------------- two-phase */

/* outgoing and incoming, cut by ranks. */
static fr_status scatter_packed(fr_engine *engine, fr_comm *comm, const int64_t *send, const int64_t *receive,
                                 fr_error *error) {
    fr_packed out[MOST_RANKS], in[MOST_RANKS];
    int8_t *from = engine->buffers.outgoing, *to = engine->buffers.incoming;
    for (int r = 0; r < comm->size; r++) {
        out[r] = (fr_packed){NULL, 0, from, send[r]};
        in[r] = (fr_packed){NULL, 0, to, receive[r]};
        from += send[r];
        to += receive[r];
    }
    memcpy(in[comm->rank].levels, out[comm->rank].levels, (size_t)send[comm->rank]);
    return fr_packed_all_to_all(comm, engine->config.plan, out, in, error);
}

static fr_status gather_slices(fr_engine *engine, fr_comm *comm, const int64_t *widths, fr_error *error) {
    const fr_plan *plan = engine->config.plan;
    fr_buffers *b = &engine->buffers;
    size_t real = fr_precision_bytes(plan->precision);
    int64_t each = plan->workers / comm->size;
    if (!comm->ops->exchange) {
        int64_t counts[MOST_RANKS];
        equal_counts(comm, each, counts);
        FR_TRY(comm->ops->all_gather(comm, b->own_slice, b->slice_levels, widths, FR_TYPE_I8, error));
        return comm->ops->all_gather(comm, b->own_slice_scales, b->slice_scales, counts, real_type(plan), error);
    }
    fr_packed all[MOST_RANKS], mine = {b->own_slice_scales, each, b->own_slice, widths[comm->rank]};
    int8_t *levels = b->slice_levels;
    for (int r = 0; r < comm->size; r++) {
        all[r] = (fr_packed){(char *)b->slice_scales + (size_t)(r * each) * real, each, levels, widths[r]};
        levels += widths[r];
    }
    memcpy(all[comm->rank].scales, mine.scales, (size_t)each * real);
    memcpy(all[comm->rank].levels, mine.levels, (size_t)mine.level_count);
    return fr_packed_all_gather(comm, plan, &mine, all, error);
}

static fr_status two_phase_step(fr_engine *engine, fr_comm *comm, fr_error *error) {
    const fr_plan *plan = engine->config.plan;
    const fr_engine_ops *ops = engine->ops;
    fr_buffers *b = &engine->buffers;
    int64_t send[MOST_RANKS], receive[MOST_RANKS], widths[MOST_RANKS], each = plan->workers / comm->size;
    fr_type type = plan->levels ? FR_TYPE_I8 : real_type(plan);
    if (plan->levels) {
        FR_TRY(ops->norm(engine, error));
        FR_TRY(comm->ops->max(comm, b->shared_scale, 1, real_type(plan), error));
        FR_TRY(ops->encode(engine, true, error));
    }
    if (comm->ops->exchange && ops->requantize_slices && fr_is_hierarchical(plan, comm->size)) {
        FR_TRY(fr_hierarchical_exchange(engine, comm, error));
        return ops->apply(engine, FR_UPDATE_SLICE_LEVELS, error);
    }
    slice_counts(plan, comm, each, send);
    slice_counts(plan, comm, 1, widths);
    equal_counts(comm, send[comm->rank], receive);
    FR_TRY(ops->pack(engine, error));
    if (plan->levels && comm->ops->exchange) FR_TRY(scatter_packed(engine, comm, send, receive, error));
    else FR_TRY(comm->ops->all_to_all(comm, b->outgoing, send, b->incoming, receive, type, error));
    FR_TRY(ops->requantize(engine, error));
    if (plan->levels == 0) {
        FR_TRY(comm->ops->all_gather(comm, b->own_values, b->total_values, widths, type, error));
        return ops->apply(engine, FR_UPDATE_TOTAL_VALUES, error);
    }
    FR_TRY(gather_slices(engine, comm, widths, error));
    return ops->apply(engine, FR_UPDATE_SLICE_LEVELS, error);
}

static fr_status one_step(fr_engine *engine, fr_comm *comm, fr_error *error) {
    switch (engine->config.plan->collective) {
    case FR_COLLECTIVE_ALLREDUCE: return allreduce_step(engine, comm, error);
    case FR_COLLECTIVE_TWO_PHASE: return two_phase_step(engine, comm, error);
    case FR_COLLECTIVE_MASTER: return master_step(engine, comm, error);
    default: return allgather_step(engine, comm, error);
    }
}

fr_status fr_collective_step(fr_engine *engine, fr_comm *comm, fr_error *error) {
    if (comm->size > MOST_RANKS)
        return fr_fail(error, FR_ERROR_USAGE, "%d ranks; at most %d are supported", comm->size, MOST_RANKS);
    comm->in_step = true;
    fr_status status = one_step(engine, comm, error);
    comm->in_step = false;
    comm->steps++;
    return status;
}
