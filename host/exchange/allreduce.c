/*
 * allreduce.c - all-reduce: the sum over workers is made on the way.
 *
 * Levels of all workers are of one scale, the largest N_k, and are summed as int8: a sum is at most K s, so K s <=
 * 127, and it is exact. Unquantized, values are summed in the precision of the fit, or each rank's sum is rounded
 * once to bfloat16 before it leaves and summed as the exchange sums bfloat16: then the last bits depend on the number
 * of ranks.
 */
#include "exchange/collectives.h"
#include "exchange/traffic.h"

static fr_status step_bf16(fr_engine *engine, fr_comm *comm, fr_error *error) {
    FR_TRY(engine->ops->total(engine, error));
    FR_TRY(engine->ops->round_to_bf16(engine, error)); /* on one rank too, so that it shows what the wire costs */
    FR_TRY(comm->ops->sum(comm, engine->buffers.total_bf16, engine->config.plan->features, FR_TYPE_BF16, error));
    return engine->ops->apply(engine, FR_UPDATE_TOTAL_BF16, error);
}

static fr_status step_values(fr_engine *engine, fr_comm *comm, fr_error *error) {
    const fr_plan *plan = engine->config.plan;
    FR_TRY(engine->ops->total(engine, error));
    FR_TRY(comm->ops->sum(comm, engine->buffers.total_values, plan->features, fr_real_type(plan), error));
    return engine->ops->apply(engine, FR_UPDATE_TOTAL_VALUES, error);
}

static fr_status step_levels(fr_engine *engine, fr_comm *comm, fr_error *error) {
    const fr_plan *plan = engine->config.plan;
    FR_TRY(engine->ops->norm(engine, error));
    FR_TRY(comm->ops->max(comm, engine->buffers.shared_scale, 1, fr_real_type(plan), error));
    FR_TRY(engine->ops->encode(engine, true, error));
    FR_TRY(engine->ops->total(engine, error));
    FR_TRY(comm->ops->sum(comm, engine->buffers.total_levels, plan->features, FR_TYPE_I8, error));
    return engine->ops->apply(engine, FR_UPDATE_TOTAL_LEVELS, error);
}

static fr_status step(fr_engine *engine, fr_comm *comm, fr_error *error) {
    const fr_plan *plan = engine->config.plan;
    if (plan->levels > 0) return step_levels(engine, comm, error);
    return plan->wire == FR_WIRE_BF16 ? step_bf16(engine, comm, error) : step_values(engine, comm, error);
}

static fr_status check(const fr_plan *plan, fr_error *error) {
    int s = plan->levels, k = plan->workers;
    if ((int64_t)k * s <= 127) return FR_OK;
    if (k > 127)
        return fr_fail(error, FR_ERROR_USAGE, "--collective allreduce sums int8 levels of at most 127 workers, and "
                       "there are %d; use two-phase or allgather", k);
    return fr_fail(error, FR_ERROR_USAGE, "--collective allreduce sums %d workers' levels in an int8, and %d x %d "
                   "levels exceed 127; the largest --levels here is %d (or use two-phase or allgather)", k, k, s,
                   127 / k);
}

static fr_traffic traffic(const fr_plan *plan, fr_member member) {
    fr_traffic total = {0};
    fr_traffic_add_max(&total, plan, member);
    fr_traffic_add_sum(&total, member, plan->features, plan->levels > 0 ? 1 : fr_traffic_coded(plan, 1, 0),
                       plan->levels > 0);
    return total;
}

static fr_work work(const fr_plan *plan, int ranks) {
    double d = (double)plan->features, own = plan->workers / ranks * d;
    return (fr_work){own, own + d};
}

const fr_collective_ops fr_allreduce = {
    .name = "allreduce",
    .wires = FR_CARRIES(FR_WIRE_FULL) | FR_CARRIES(FR_WIRE_BF16) | FR_CARRIES(FR_WIRE_INT8),
    .scale = FR_SCALE_MAX,
    .needs = FR_NEEDS_TOTAL,
    .shares_scale = true,
    .step = step,
    .check = check,
    .traffic = traffic,
    .work = work,
};
