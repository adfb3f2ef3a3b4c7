/*
 * collective.c - allreduce, allgather, two-phase and master, written once over engine.h and comm.h.
 *
 *   allreduce   int8 levels under one shared scale max_k N_k are summed on the wire: K s <= 127.
 *   allgather   each worker's levels and own N_k to all: (2.2) to the letter.
 *   two-phase   levels under the shared scale go to the owner of each slice of columns, which sums them exactly,
 *               rounds the sum stochastically once more, and sends the slice to all. Slices belong to workers, so
 *               that where workers sit changes nothing.
 *   master      the arithmetic of allgather; rank 0 averages and sends the model back.
 *
 * Unquantized, the same exchanges carry float or double; allreduce also bfloat16, each rank's sum rounded once before it
 * leaves, and then summed as the exchange sums bfloat16: the result depends on the number of ranks.
 */
#include "collective.h"

#define FR_TRY(call)                         \
    do {                                     \
        fr_status try_status = (call);       \
        if (try_status != FR_OK) return try_status; \
    } while (0)

enum { MOST_RANKS = 4096 };

static fr_type real_type(const fr_plan *plan) { return plan->precision == FR_F32 ? FR_TYPE_F32 : FR_TYPE_F64; }

static void equal_counts(const fr_comm *comm, int64_t each, int64_t counts[MOST_RANKS]) {
    for (int r = 0; r < comm->size; r++) counts[r] = each;
}

/* Columns of the slices that rank r's workers own, times `rows`. */
static void slice_counts(const fr_plan *plan, const fr_comm *comm, int64_t rows, int64_t counts[MOST_RANKS]) {
    int each = plan->workers / comm->size;
    for (int r = 0; r < comm->size; r++)
        counts[r] = rows * (fr_slice_start(plan, (r + 1) * each) - fr_slice_start(plan, r * each));
}

static fr_status allreduce_step(fr_engine *engine, fr_comm *comm, fr_error *error) {
    const fr_plan *plan = engine->config.plan;
    const fr_engine_ops *ops = engine->ops;
    fr_buffers *b = &engine->buffers;
    if (plan->wire == FR_WIRE_BF16) {
        FR_TRY(ops->total(engine, error));
        FR_TRY(ops->narrow(engine, error)); /* on one rank too, so that it shows what the wire costs */
        FR_TRY(comm->ops->sum(comm, b->total_bf16, plan->features, FR_TYPE_BF16, error));
        return ops->apply(engine, FR_UPDATE_TOTAL_BF16, error);
    }
    if (plan->levels == 0) {
        FR_TRY(ops->total(engine, error));
        FR_TRY(comm->ops->sum(comm, b->total_values, plan->features, real_type(plan), error));
        return ops->apply(engine, FR_UPDATE_TOTAL_VALUES, error);
    }
    FR_TRY(ops->magnitude(engine, error));
    FR_TRY(comm->ops->max(comm, b->shared_scale, 1, real_type(plan), error));
    FR_TRY(ops->encode(engine, true, error));
    FR_TRY(ops->total(engine, error));
    FR_TRY(comm->ops->sum(comm, b->total_levels, plan->features, FR_TYPE_I8, error));
    return ops->apply(engine, FR_UPDATE_TOTAL_LEVELS, error);
}

static fr_status allgather_step(fr_engine *engine, fr_comm *comm, fr_error *error) {
    const fr_plan *plan = engine->config.plan;
    const fr_engine_ops *ops = engine->ops;
    fr_buffers *b = &engine->buffers;
    int64_t counts[MOST_RANKS], each = plan->workers / comm->size;
    equal_counts(comm, each * plan->features, counts);
    if (plan->levels == 0) {
        FR_TRY(comm->ops->all_gather(comm, b->values, b->all_values, counts, real_type(plan), error));
        return ops->apply(engine, FR_UPDATE_ALL_VALUES, error);
    }
    FR_TRY(ops->magnitude(engine, error));
    FR_TRY(ops->encode(engine, false, error));
    FR_TRY(comm->ops->all_gather(comm, b->levels, b->all_levels, counts, FR_TYPE_I8, error));
    equal_counts(comm, each, counts);
    FR_TRY(comm->ops->all_gather(comm, b->scales, b->all_scales, counts, real_type(plan), error));
    return ops->apply(engine, FR_UPDATE_ALL_LEVELS, error);
}

static fr_status two_phase_step(fr_engine *engine, fr_comm *comm, fr_error *error) {
    const fr_plan *plan = engine->config.plan;
    const fr_engine_ops *ops = engine->ops;
    fr_buffers *b = &engine->buffers;
    int64_t send[MOST_RANKS], receive[MOST_RANKS], each = plan->workers / comm->size;
    fr_type type = plan->levels ? FR_TYPE_I8 : real_type(plan);
    if (plan->levels) {
        FR_TRY(ops->magnitude(engine, error));
        FR_TRY(comm->ops->max(comm, b->shared_scale, 1, real_type(plan), error));
        FR_TRY(ops->encode(engine, true, error));
    }
    slice_counts(plan, comm, each, send);
    equal_counts(comm, send[comm->rank], receive);
    FR_TRY(ops->pack(engine, error));
    FR_TRY(comm->ops->all_to_all(comm, b->outgoing, send, b->incoming, receive, type, error));
    FR_TRY(ops->requantize(engine, error));
    slice_counts(plan, comm, 1, receive);
    if (plan->levels == 0) {
        FR_TRY(comm->ops->all_gather(comm, b->own_values, b->total_values, receive, type, error));
        return ops->apply(engine, FR_UPDATE_TOTAL_VALUES, error);
    }
    FR_TRY(comm->ops->all_gather(comm, b->own_slice, b->slice_levels, receive, FR_TYPE_I8, error));
    equal_counts(comm, each, receive);
    FR_TRY(comm->ops->all_gather(comm, b->own_slice_scales, b->slice_scales, receive, real_type(plan), error));
    return ops->apply(engine, FR_UPDATE_SLICE_LEVELS, error);
}

fr_status fr_collective_step(fr_engine *engine, fr_comm *comm, fr_error *error) {
    if (comm->size > MOST_RANKS)
        return fr_fail(error, FR_ERROR_USAGE, "%d ranks; at most %d are supported", comm->size, MOST_RANKS);
    switch (engine->config.plan->collective) {
    case FR_COLLECTIVE_ALLREDUCE: return allreduce_step(engine, comm, error);
    case FR_COLLECTIVE_TWO_PHASE: return two_phase_step(engine, comm, error);
    default: return allgather_step(engine, comm, error);
    }
}
