/*
 * comm.c - what all comms have: the counts of who holds what, and memory for messages.
 */
#include "exchange/comm.h"

#include <stdlib.h>

#include "base/status.h"

fr_status fr_comm_begin(fr_comm *comm, const fr_comm_ops *ops, int rank, int size, const fr_plan *plan,
                        fr_error *error) {
    enum { LISTS = 5 };
    fr_counts *c = &comm->counts;
    comm->ops = ops, comm->rank = rank, comm->size = size, comm->plan = plan;
    FR_TRY(fr_allocate((void **)&c->workers, (int64_t)LISTS * size, sizeof *c->workers, "the exchange", error));
    c->vectors = c->workers + size;
    c->columns = c->vectors + size;
    c->outgoing = c->columns + size;
    c->incoming = c->outgoing + size;
    for (int r = 0; r < size; r++) {
        fr_range workers = fr_workers_of_rank(plan, size, r);
        c->workers[r] = workers.count;
        c->vectors[r] = workers.count * plan->features;
        c->columns[r] = fr_slice_of_workers(plan, workers).count;
    }
    for (int r = 0; r < size; r++) {
        c->outgoing[r] = c->workers[rank] * c->columns[r];
        c->incoming[r] = c->workers[r] * c->columns[rank];
    }
    return FR_OK;
}

void fr_comm_end(fr_comm *comm) {
    free(comm->counts.workers); /* the other lists stand behind it */
    free(comm->scratch);
}

fr_status fr_comm_scratch(fr_comm *comm, size_t size, void **memory, fr_error *error) {
    if (size > comm->scratch_size) {
        free(comm->scratch);
        comm->scratch = NULL, comm->scratch_size = 0;
        FR_TRY(fr_allocate(&comm->scratch, (int64_t)size, 1, "messages", error));
        comm->scratch_size = size;
    }
    *memory = comm->scratch;
    return FR_OK;
}
