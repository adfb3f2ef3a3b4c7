/*
 * two_phase.c - two-phase: slices of columns to their owners and back, as a reduce-scatter and an all-gather.
 *
 * Levels of all workers are of one scale, the largest N_k. The owner of a slice sums them exactly, in integers,
 * rounds the sum stochastically once more, to s levels of the slice's own scale, and sends it to all. Slices belong
 * to workers, not to ranks, so where workers sit changes no bit. About two vectors a rank, whatever K is, and no
 * limit on K s. Unquantized, owners sum values in the order of workers. Many ranks with short slices go by leaders
 * (exchange/hierarchical.h).
 */
#include <math.h>

#include "exchange/collectives.h"
#include "exchange/hierarchical.h"
#include "exchange/traffic.h"

static fr_status step_values(fr_engine *engine, fr_comm *comm, fr_error *error) {
    fr_buffers *b = &engine->buffers;
    const fr_counts *counts = &comm->counts;
    fr_type type = fr_real_type(engine->config.plan);
    FR_TRY(engine->ops->pack(engine, error));
    FR_TRY(comm->ops->all_to_all(comm, b->outgoing, counts->outgoing, b->incoming, counts->incoming, type, error));
    FR_TRY(engine->ops->requantize(engine, error));
    FR_TRY(comm->ops->all_gather(comm, b->own_values, b->total_values, counts->columns, type, error));
    return engine->ops->apply(engine, FR_UPDATE_TOTAL_VALUES, error);
}

/* From levels to slice_levels and slice_scales. */
static fr_status exchange_slices(fr_engine *engine, fr_comm *comm, fr_error *error) {
    fr_buffers *b = &engine->buffers;
    const fr_counts *counts = &comm->counts;
    fr_quantized mine = {b->own_slice, b->own_slice_scales, b->block}, all = {b->slice_levels, b->slice_scales, b->block};
    FR_TRY(engine->ops->pack(engine, error));
    FR_TRY(comm->ops->all_to_all_levels(comm, b->outgoing, counts->outgoing, b->incoming, counts->incoming, error));
    FR_TRY(engine->ops->requantize(engine, error));
    return comm->ops->all_gather_levels(comm, mine, all, counts->columns, error);
}

static fr_status step(fr_engine *engine, fr_comm *comm, fr_error *error) {
    const fr_plan *plan = engine->config.plan;
    if (plan->levels == 0) return step_values(engine, comm, error);
    FR_TRY(engine->ops->norm(engine, error));
    FR_TRY(comm->ops->max(comm, engine->buffers.shared_scale, 1, fr_real_type(plan), error));
    FR_TRY(engine->ops->encode(engine, true, error));
    FR_TRY(comm->by_leaders ? fr_hierarchical_exchange(engine, comm, error) : exchange_slices(engine, comm, error));
    return engine->ops->apply(engine, FR_UPDATE_SLICE_LEVELS, error);
}

/* ----------------------------------------------------------------------------------------- traffic */

/* In rings the two halves are those of an all-reduce; a scale a slice comes on top. */
static fr_traffic traffic_in_rings(const fr_plan *plan, fr_member member) {
    fr_traffic total = {0};
    fr_traffic_add_max(&total, plan, member);
    fr_traffic_add_sum(&total, member, 1, fr_traffic_coded(plan, (double)plan->features, 0), true);
    fr_traffic_add_gather(&total, member, fr_traffic_coded(plan, 0, 1));
    return total;
}

static double most_columns(const fr_plan *plan, int ranks) {
    double most = 0;
    for (int r = 0; r < ranks; r++)
        most = fmax(most, (double)fr_slice_of_workers(plan, fr_workers_of_rank(plan, ranks, r)).count);
    return most;
}

static fr_traffic traffic(const fr_plan *plan, fr_member member) {
    if (member.rings) return traffic_in_rings(plan, member);
    if (fr_is_hierarchical(plan, member.ranks)) return fr_hierarchical_traffic(plan, member);
    int ranks = member.ranks;
    double each = plan->workers / ranks, most = most_columns(plan, ranks);
    fr_traffic total = {0};
    fr_traffic_add_max(&total, plan, member);
    fr_traffic_add_all_to_all(&total, member, fr_traffic_coded(plan, each * most, 0));
    fr_traffic_add_gather(&total, member, fr_traffic_coded(plan, most, each));
    return total;
}

/* Own vectors and own slices out; all ranks' shares of own slices and all slices in. */
static fr_work work(const fr_plan *plan, int ranks) {
    double d = (double)plan->features, own = plan->workers / ranks * d, all = ranks * own;
    return (fr_work){own + d / ranks, all / ranks + d};
}

const fr_collective_ops fr_two_phase = {
    .name = "two-phase",
    .wires = FR_CARRIES(FR_WIRE_FULL) | FR_CARRIES(FR_WIRE_INT8) | FR_CARRIES(FR_WIRE_PACKED),
    .scale = FR_SCALE_MAX,
    .needs = FR_NEEDS_SLICES,
    .shares_scale = true,
    .rounds_sums = true,
    .step = step,
    .traffic = traffic,
    .work = work,
};
