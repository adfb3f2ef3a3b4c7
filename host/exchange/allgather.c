/*
 * allgather.c - all-gather: every worker's vector to every rank, levels with the worker's own scale N_k, and each
 * rank averages them as (2.2) has it. Most bytes, no further rounding.
 */
#include "exchange/collectives.h"
#include "exchange/traffic.h"

static fr_status step(fr_engine *engine, fr_comm *comm, fr_error *error) {
    const fr_plan *plan = engine->config.plan;
    fr_buffers *b = &engine->buffers;
    if (plan->levels == 0) {
        FR_TRY(comm->ops->all_gather(comm, b->values, b->all_values, comm->counts.vectors, fr_real_type(plan), error));
        return engine->ops->apply(engine, FR_UPDATE_ALL_VALUES, error);
    }
    fr_quantized mine = {b->levels, b->scales, b->block}, all = {b->all_levels, b->all_scales, b->block};
    FR_TRY(engine->ops->norm(engine, error));
    FR_TRY(engine->ops->encode(engine, false, error));
    FR_TRY(comm->ops->all_gather_levels(comm, mine, all, comm->counts.vectors, error));
    return engine->ops->apply(engine, FR_UPDATE_ALL_LEVELS, error);
}

static fr_traffic traffic(const fr_plan *plan, fr_member member) {
    fr_traffic total = {0};
    fr_traffic_add_gather(&total, member, fr_traffic_vectors(plan, member.ranks, member.rank));
    if (plan->wire == FR_WIRE_ELIAS && !member.rings) fr_traffic_add_gather(&total, member, sizeof(uint64_t));
    return total;
}

static fr_work work(const fr_plan *plan, int ranks) {
    double own = plan->workers / ranks * (double)plan->features;
    return (fr_work){own, ranks * own};
}

const fr_collective_ops fr_allgather = {
    .name = "allgather",
    .wires = FR_CARRIES(FR_WIRE_FULL) | FR_CARRIES(FR_WIRE_INT8) | FR_CARRIES(FR_WIRE_PACKED) |
             FR_CARRIES(FR_WIRE_ELIAS),
    .scale = FR_SCALE_L2,
    .needs = FR_NEEDS_ALL,
    .step = step,
    .traffic = traffic,
    .work = work,
};
