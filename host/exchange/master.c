/*
 * master.c - a master: every worker's vector to rank 0, which averages them, makes the step and sends the model back.
 *
 * That is so over the CPUs of several processes, where rank 0 has no workers (plan->dedicated_master). In one
 * process, and among GPUs, which have no master, the arithmetic is that of allgather: the same weights, to the bit.
 */
#include "base/clock.h"
#include "exchange/collectives.h"
#include "exchange/traffic.h"
#include "ranks/routes.h"

static fr_status send_vectors(fr_engine *engine, fr_comm *comm, fr_error *error) {
    const fr_plan *plan = engine->config.plan;
    fr_buffers *b = &engine->buffers;
    if (plan->levels == 0)
        return comm->ops->gather(comm, b->values, b->all_values, comm->counts.vectors, fr_real_type(plan), error);
    fr_quantized mine = {b->levels, b->scales, b->block}, all = {b->all_levels, b->all_scales, b->block};
    return comm->ops->gather_levels(comm, mine, all, comm->counts.vectors, error);
}

static fr_status broadcast_model(fr_engine *engine, fr_comm *comm, fr_error *error) {
    const fr_plan *plan = engine->config.plan;
    double *model = engine->buffers.model;
    return comm->ops->broadcast(comm, model, (size_t)plan->features * sizeof *model, !plan->star, error);
}

static fr_status step_as_worker(fr_engine *engine, fr_comm *comm, fr_error *error) {
    if (engine->config.plan->levels > 0) {
        FR_TRY(engine->ops->norm(engine, error));
        FR_TRY(engine->ops->encode(engine, false, error));
    }
    FR_TRY(send_vectors(engine, comm, error));
    FR_TRY(broadcast_model(engine, comm, error));
    comm->model_clock += fr_seconds();
    return engine->ops->apply(engine, FR_UPDATE_MODEL, error);
}

static fr_status step_as_master(fr_engine *engine, fr_comm *comm, fr_error *error) {
    fr_update update = engine->config.plan->levels > 0 ? FR_UPDATE_ALL_LEVELS : FR_UPDATE_ALL_VALUES;
    FR_TRY(send_vectors(engine, comm, error));
    FR_TRY(engine->ops->apply(engine, update, error));
    comm->model_clock += fr_seconds();
    return broadcast_model(engine, comm, error);
}

static fr_status step(fr_engine *engine, fr_comm *comm, fr_error *error) {
    if (!engine->config.plan->dedicated_master) return fr_allgather.step(engine, comm, error);
    return comm->rank == 0 ? step_as_master(engine, comm, error) : step_as_worker(engine, comm, error);
}

/* The model from rank 0 to all. What rank 0 sends, its link takes one by one: as many hops. */
static void add_broadcast(fr_traffic *total, const fr_plan *plan, fr_member member) {
    int ranks = member.ranks, rank = member.rank;
    double model = (double)plan->features * sizeof(double);
    bool tree = !plan->star;
    if (tree && fr_broadcast_uses_chunks(ranks, (size_t)model)) {
        double chunk = (double)fr_chunk_bytes(ranks, (size_t)model);
        total->sent += rank == 0 ? (ranks - 1) * chunk : 0;
        total->received += rank == 0 ? 0 : chunk;
        total->hops += 1;
        total->messages += rank == 0 ? ranks - 1 : 1;
        fr_traffic_add_gather(total, member, chunk);
        return;
    }
    int below = tree ? fr_binomial_children(ranks, rank) : rank == 0 ? ranks - 1 : 0;
    total->sent += below * model;
    total->received += rank == 0 ? 0 : model;
    total->hops += tree ? fr_binomial_children(ranks, 0) : ranks - 1;
    total->messages += below + (rank > 0);
}

static fr_traffic traffic(const fr_plan *plan, fr_member member) {
    fr_traffic total = {0};
    int ranks = member.ranks;
    if (member.rings) { /* a worker's part: its vector out */
        total.sent = fr_traffic_vectors(plan, ranks, member.rank);
        return total;
    }
    if (!plan->dedicated_master) return fr_allgather.traffic(plan, member);
    add_broadcast(&total, plan, member);
    total.hops += 1;
    total.messages += member.rank == 0 ? ranks - 1 : 1;
    if (member.rank > 0) total.sent += fr_traffic_vectors(plan, ranks, member.rank);
    else total.received += (ranks - 1) * fr_traffic_vectors(plan, ranks, 1);
    return total;
}

static fr_work work(const fr_plan *plan, int ranks) { return fr_allgather.work(plan, ranks); }

const fr_collective_ops fr_master = {
    .name = "master",
    .wires = FR_CARRIES(FR_WIRE_FULL) | FR_CARRIES(FR_WIRE_INT8) | FR_CARRIES(FR_WIRE_PACKED) |
             FR_CARRIES(FR_WIRE_ELIAS),
    .scale = FR_SCALE_L2,
    .needs = FR_NEEDS_ALL,
    .has_master = true,
    .step = step,
    .traffic = traffic,
    .work = work,
};
