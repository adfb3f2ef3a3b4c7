/*
 * allreduce.c - all-reduce: the sum over workers is made on the way.
 *
 * Levels of all workers are of one scale, the largest N_k. They are summed as int8 (a sum is at most K s, so K s <= 127) or
 * as fields of words (K s <= 32767; kernels/rules/fields.h): exact both, and so the same bits. Unquantized, values are summed in the precision of the fit, or each rank's sum is rounded
 * once to bfloat16 before it leaves and summed as the exchange sums bfloat16: then the last bits depend on the number
 * of ranks.
 */
#include "exchange/collectives.h"
#include "exchange/traffic.h"
#include "kernels/rules/fields.h"

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
    int bits = fr_summed_field_bits(plan);
    if (bits > 0) {
        int64_t words = fr_field_words(plan->features, bits);
        FR_TRY(comm->ops->sum(comm, engine->buffers.total_fields, words, FR_TYPE_U32, error));
        return engine->ops->apply(engine, FR_UPDATE_TOTAL_FIELDS, error);
    }
    FR_TRY(comm->ops->sum(comm, engine->buffers.total_levels, plan->features, FR_TYPE_I8, error));
    return engine->ops->apply(engine, FR_UPDATE_TOTAL_LEVELS, error);
}

static fr_status step(fr_engine *engine, fr_comm *comm, fr_error *error) {
    const fr_plan *plan = engine->config.plan;
    if (plan->levels > 0) return step_levels(engine, comm, error);
    return plan->wire == FR_WIRE_BF16 ? step_bf16(engine, comm, error) : step_values(engine, comm, error);
}

/* The levels of all workers add up to at most K s, which an int8 holds up to 127 and a field of a word up to 32767. */
static fr_status check(const fr_plan *plan, fr_error *error) {
    int s = plan->levels, k = plan->workers;
    bool packed = plan->wire == FR_WIRE_PACKED;
    int most = packed ? FR_FIELDS_MOST : FR_SUMMED_LEVELS_MOST;
    const char *field = packed ? "a field of 16 bits" : "an int8", *or = packed ? "" : "--wire packed, ";
    if ((int64_t)k * s <= most) return FR_OK;
    if (k > most)
        return fr_fail(error, FR_ERROR_USAGE, "--collective allreduce sums levels of at most %d workers in %s, and there are "
                       "%d; use %stwo-phase or allgather", most, field, k, or);
    return fr_fail(error, FR_ERROR_USAGE, "--collective allreduce sums %d workers' levels in %s, and %d x %d exceed %d; the "
                   "largest --levels here is %d (or use %stwo-phase or allgather)", k, field, k, s, most, most / k, or);
}

static fr_traffic traffic(const fr_plan *plan, fr_member member) {
    fr_traffic total = {0};
    fr_traffic_add_max(&total, plan, member);
    int bits = fr_summed_field_bits(plan);
    if (bits > 0) fr_traffic_add_sum(&total, member, fr_field_words(plan->features, bits), sizeof(uint32_t), true);
    else if (plan->levels > 0) fr_traffic_add_sum(&total, member, plan->features, 1, true);
    else fr_traffic_add_sum(&total, member, plan->features, fr_traffic_coded(plan, 1, 0), false);
    return total;
}

static fr_work work(const fr_plan *plan, int ranks) {
    double d = (double)plan->features, own = plan->workers / ranks * d;
    return (fr_work){own, own + d};
}

const fr_collective_ops fr_allreduce = {
    .name = "allreduce",
    .wires = FR_CARRIES(FR_WIRE_FULL) | FR_CARRIES(FR_WIRE_BF16) | FR_CARRIES(FR_WIRE_INT8) |
             FR_CARRIES(FR_WIRE_PACKED),
    .scale = FR_SCALE_MAX,
    .needs = FR_NEEDS_TOTAL,
    .shares_scale = true,
    .step = step,
    .check = check,
    .traffic = traffic,
    .work = work,
};
