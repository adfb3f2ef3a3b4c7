/*
 * local.c - the exchange when one rank holds all workers: nothing has to move.
 */
#include <stdlib.h>
#include <string.h>

#include "exchange/comm.h"

static void local_destroy(fr_comm *comm) {
    fr_scratch_free(comm->scratch);
    free(comm);
}
static void local_abort(fr_comm *comm) { (void)comm; }

static fr_status local_reduce(fr_comm *comm, void *buffer, int64_t count, fr_type type, fr_error *error) {
    (void)comm, (void)buffer, (void)count, (void)type, (void)error;
    return FR_OK;
}

static fr_status local_all_gather(fr_comm *comm, const void *mine, void *all, const int64_t *counts, fr_type type,
                                  fr_error *error) {
    (void)comm, (void)error;
    if (mine != all) memcpy(all, mine, (size_t)counts[0] * fr_type_bytes(type));
    return FR_OK;
}

static fr_status local_all_to_all(fr_comm *comm, const void *send, const int64_t *send_counts, void *receive,
                                  const int64_t *receive_counts, fr_type type, fr_error *error) {
    (void)receive_counts;
    return local_all_gather(comm, send, receive, send_counts, type, error);
}

static fr_status local_gather_host(fr_comm *comm, const void *mine, size_t size, void *all, fr_error *error) {
    (void)comm, (void)error;
    if (mine != all) memcpy(all, mine, size);
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

fr_status fr_comm_local_create(fr_comm **comm, fr_error *error) {
    static const fr_comm_ops ops = {
        .name = "local",
        .destroy = local_destroy,
        .max = local_reduce,
        .sum = local_reduce,
        .all_gather = local_all_gather,
        .all_to_all = local_all_to_all,
        .gather_host = local_gather_host,
        .sum_host = local_sum_host,
        .abort = local_abort,
    };
    fr_status status = fr_allocate((void **)comm, 1, sizeof **comm, "the local exchange", error);
    if (status != FR_OK) return status;
    (*comm)->ops = &ops;
    (*comm)->size = 1;
    return FR_OK;
}
