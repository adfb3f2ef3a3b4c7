/*
 * local.c - the exchange when one rank holds all workers: nothing has to move.
 *
 * What a worker would send, were it a rank of its own, is told by formula (exchange/traffic.h), except for Elias'
 * codes, which vary in length: vectors are coded here to see how long they are, and thrown away.
 */
#include <stdlib.h>
#include <string.h>

#include "exchange/comm.h"
#include "exchange/packed.h"
#include "exchange/traffic.h"

typedef struct local_comm {
    fr_comm base;
    size_t copies; /* of its vector that a worker would send */
} local_comm;

static void local_destroy(fr_comm *comm) {
    fr_comm_end(comm);
    free(comm);
}
static void local_abort(fr_comm *comm) { (void)comm; }

static fr_status local_reduce(fr_comm *comm, void *buffer, int64_t count, fr_type type, fr_error *error) {
    (void)comm, (void)buffer, (void)count, (void)type, (void)error;
    return FR_OK;
}

/* The engine of one rank lets several names share a buffer, where nothing is to be copied. */
static void copy(void *to, const void *from, size_t bytes) {
    if (to != from) memcpy(to, from, bytes);
}

static fr_status local_all_gather(fr_comm *comm, const void *mine, void *all, const int64_t *counts, fr_type type,
                                  fr_error *error) {
    (void)comm, (void)error;
    copy(all, mine, (size_t)counts[0] * fr_type_bytes(type));
    return FR_OK;
}

static fr_status local_all_to_all(fr_comm *comm, const void *send, const int64_t *send_counts, void *receive,
                                  const int64_t *receive_counts, fr_type type, fr_error *error) {
    (void)receive_counts;
    return local_all_gather(comm, send, receive, send_counts, type, error);
}

/* Counts the bytes of the vectors, coded. */
static fr_status measure(fr_comm *comm, fr_quantized mine, int64_t count, fr_error *error) {
    fr_coding coding = fr_coding_of(comm->plan);
    fr_packed packed = {mine.scales, comm->plan->workers, mine.levels, count};
    void *memory;
    FR_TRY(fr_comm_scratch(comm, fr_packed_most(coding, &packed), &memory, error));
    size_t bytes = fr_packed_write(coding, &packed, memory);
    fr_comm_count(comm, bytes, count);
    comm->sent += bytes / (size_t)comm->plan->workers * ((local_comm *)comm)->copies;
    return FR_OK;
}

static fr_status local_all_gather_levels(fr_comm *comm, fr_quantized mine, fr_quantized all, const int64_t *counts,
                                         fr_error *error) {
    if (comm->plan->wire == FR_WIRE_ELIAS) FR_TRY(measure(comm, mine, counts[0], error));
    copy(all.levels, mine.levels, (size_t)counts[0]);
    copy(all.scales, mine.scales, (size_t)comm->counts.workers[0] * fr_precision_bytes(comm->plan->precision));
    return FR_OK;
}

static fr_status local_all_to_all_levels(fr_comm *comm, const int8_t *send, const int64_t *send_counts, int8_t *receive,
                                         const int64_t *receive_counts, fr_error *error) {
    return local_all_to_all(comm, send, send_counts, receive, receive_counts, FR_TYPE_I8, error);
}

static fr_status local_gather_host(fr_comm *comm, const void *mine, size_t size, void *all, fr_error *error) {
    (void)comm, (void)error;
    copy(all, mine, size);
    return FR_OK;
}

static fr_status local_sum_host(fr_comm *comm, const double *mine, int own, int64_t count, double *sum,
                                fr_error *error) {
    (void)comm, (void)error;
    memset(sum, 0, (size_t)count * sizeof *sum);
    for (int k = 0; k < own; k++)
        for (int64_t j = 0; j < count; j++) sum[j] += mine[k * count + j];
    return FR_OK;
}

fr_status fr_comm_local_create(const fr_plan *plan, fr_comm **comm, fr_error *error) {
    static const fr_comm_ops ops = {
        .name = "local",
        .destroy = local_destroy,
        .max = local_reduce,
        .sum = local_reduce,
        .all_gather = local_all_gather,
        .all_to_all = local_all_to_all,
        .all_gather_levels = local_all_gather_levels,
        .all_to_all_levels = local_all_to_all_levels,
        .gather_host = local_gather_host,
        .sum_host = local_sum_host,
        .abort = local_abort,
    };
    local_comm *c = NULL;
    FR_TRY(fr_allocate((void **)&c, 1, sizeof *c, "the local exchange", error));
    fr_status status = fr_comm_begin(&c->base, &ops, 0, 1, plan, error);
    if (status != FR_OK) {
        local_destroy(&c->base);
        return status;
    }
    if (plan->wire == FR_WIRE_ELIAS) {
        fr_traffic worker = fr_collective_of(plan)->traffic(plan, (fr_member){plan->workers, 0, true, 0});
        c->copies = (size_t)(worker.sent / fr_traffic_vector(plan));
    }
    *comm = &c->base;
    return FR_OK;
}
