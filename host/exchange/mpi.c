/*
 * mpi.c - the exchange seam between processes, of direct messages over a link (ranks/link.h); no MPI type here.
 *
 *   max         up and down a tree of ranks, of few by doubling (fr_world_max)
 *   sum         slice r of every rank's vector to rank r, which adds them in the order of ranks; then its sum to all
 *               (many ranks and short slices: by Bruck's all-to-all and by doubling, log2(R) messages each)
 *   all_gather  own elements to every other rank, all_to_all what is theirs: R - 1 messages out and in, one round
 *
 * ranks/routes.h says which way each goes. Direct messages cost each rank 2 (R - 1) / R vectors for a sum, as a ring
 * does, in two rounds instead of 2 (R - 1): latency is what small exchanges are made of. Sums of floating-point
 * numbers have one order, so every rank and every repetition gets the same bits.
 */
#include "exchange/mpi.h"

#include <stdlib.h>
#include <string.h>

#include "exchange/hierarchical.h"
#include "exchange/mpi_parts.h"
#include "ranks/routes.h"

static void mpi_destroy(fr_comm *comm) {
    mpi_comm *c = fr_mpi_of(comm);
    fr_comm_end(comm);
    free(c->owns);
    free(c->out);
    free(c->in);
    free(c->leaving);
    free(c->coming);
    free(c);
}

static void mpi_abort(fr_comm *comm) { (void)comm; } /* the program aborts the world, which ends every process */

/* ------------------------------------------------------------------------------------- the link, counted */

/* What the link has carried since `before`, for the counters of the exchange. */
static void note(fr_comm *comm, const fr_link *before) {
    const fr_link *now = fr_mpi_of(comm)->world->link;
    comm->seconds += now->seconds - before->seconds;
    if (!comm->in_step) return;
    comm->sent += now->sent - before->sent;
    comm->received += now->received - before->received;
}

static fr_status mpi_exchange(fr_comm *comm, const char *what, const fr_message *out, int outs, fr_message *in, int ins,
                              fr_error *error) {
    fr_link *link = fr_mpi_of(comm)->world->link, before = *link;
    fr_status status = fr_link_exchange(link, what, out, outs, in, ins, error);
    note(comm, &before);
    return status;
}

fr_status fr_mpi_exchange(mpi_comm *c, const char *what, int outs, int ins, fr_error *error) {
    return mpi_exchange(&c->base, what, c->out, outs, c->in, ins, error);
}

/* The messages set up in out and in, with every other rank. */
static fr_status exchange(mpi_comm *c, const char *what, fr_error *error) {
    return fr_mpi_exchange(c, what, c->base.size - 1, c->base.size - 1, error);
}

static fr_status mpi_broadcast(fr_comm *comm, void *data, size_t size, bool tree, fr_error *error) {
    fr_world *world = fr_mpi_of(comm)->world;
    fr_link before = *world->link;
    fr_status status = fr_world_broadcast(world, data, size, tree, error);
    note(comm, &before);
    return status;
}

fr_status fr_mpi_bruck(mpi_comm *c, const void *send, size_t size, void *receive, fr_error *error) {
    fr_link before = *c->world->link;
    fr_status status = fr_world_all_to_all(c->world, send, size, receive, error);
    note(&c->base, &before);
    return status;
}

fr_status fr_mpi_gather_host(fr_comm *comm, const void *mine, size_t size, void *all, fr_error *error) {
    fr_world *world = fr_mpi_of(comm)->world;
    fr_link before = *world->link;
    fr_status status = fr_world_gather(world, mine, size, all, error);
    note(comm, &before);
    return status;
}

/* ---------------------------------------------------------------------------- vectors of one type */

static int64_t before(const int64_t *counts, int rank) {
    int64_t sum = 0;
    for (int r = 0; r < rank; r++) sum += counts[r];
    return sum;
}

static fr_status mpi_all_to_all(fr_comm *comm, const void *send, const int64_t *send_counts, void *receive,
                                const int64_t *receive_counts, fr_type type, fr_error *error) {
    mpi_comm *c = fr_mpi_of(comm);
    size_t size = fr_type_bytes(type);
    int rank = comm->rank;
    for (int i = 1; i < comm->size; i++) {
        int r = fr_mpi_after(c, i);
        c->out[i - 1] = (fr_message){r, (char *)send + (size_t)before(send_counts, r) * size,
                                     (size_t)send_counts[r] * size};
        c->in[i - 1] = (fr_message){r, (char *)receive + (size_t)before(receive_counts, r) * size,
                                    (size_t)receive_counts[r] * size};
    }
    memcpy((char *)receive + (size_t)before(receive_counts, rank) * size,
           (const char *)send + (size_t)before(send_counts, rank) * size, (size_t)send_counts[rank] * size);
    return exchange(c, "the all-to-all", error);
}

static fr_status mpi_all_gather(fr_comm *comm, const void *mine, void *all, const int64_t *counts, fr_type type,
                                fr_error *error) {
    mpi_comm *c = fr_mpi_of(comm);
    size_t size = fr_type_bytes(type);
    for (int i = 1; i < comm->size; i++) {
        int r = fr_mpi_after(c, i);
        c->out[i - 1] = (fr_message){r, (void *)mine, (size_t)counts[comm->rank] * size};
        c->in[i - 1] = (fr_message){r, (char *)all + (size_t)before(counts, r) * size, (size_t)counts[r] * size};
    }
    memmove((char *)all + (size_t)before(counts, comm->rank) * size, mine, (size_t)counts[comm->rank] * size);
    return exchange(c, "the all-gather", error);
}

/* To rank 0 alone. */
static fr_status mpi_gather(fr_comm *comm, const void *mine, void *all, const int64_t *counts, fr_type type,
                            fr_error *error) {
    static const char what[] = "the gradients' way to the master";
    mpi_comm *c = fr_mpi_of(comm);
    size_t size = fr_type_bytes(type);
    if (comm->rank > 0) {
        c->out[0] = (fr_message){0, (void *)mine, (size_t)counts[comm->rank] * size};
        return fr_mpi_exchange(c, what, 1, 0, error);
    }
    for (int r = 1; r < comm->size; r++)
        c->in[r - 1] = (fr_message){r, (char *)all + (size_t)before(counts, r) * size, (size_t)counts[r] * size};
    return fr_mpi_exchange(c, what, 0, comm->size - 1, error);
}

/* ---------------------------------------------------------------------------------------------- sums */

/* to <- the sum over ranks of count elements each, in the order of ranks; floating-point numbers in double. */
static void add_ranks(const void *vectors, int ranks, int64_t count, fr_type type, void *to) {
    for (int64_t j = 0; j < count; j++) {
        double real = 0;
        int32_t whole = 0;
        for (int r = 0; r < ranks; r++) {
            int64_t at = r * count + j;
            if (type == FR_TYPE_I8) whole += ((const int8_t *)vectors)[at];
            else if (type == FR_TYPE_I32) whole += ((const int32_t *)vectors)[at];
            else real += type == FR_TYPE_F32 ? (double)((const float *)vectors)[at] : ((const double *)vectors)[at];
        }
        if (type == FR_TYPE_I8) ((int8_t *)to)[j] = (int8_t)whole; /* K s <= 127, as allreduce.c checks */
        else if (type == FR_TYPE_I32) ((int32_t *)to)[j] = whole;
        else if (type == FR_TYPE_F32) ((float *)to)[j] = (float)real;
        else ((double *)to)[j] = real;
    }
}

/* In both ways rank r adds up the columns fr_split(count, ranks, r). With few messages: slices, filled up to one length, go by Bruck's all-to-all, sums by doubling. */
static fr_status sum_by_bruck(fr_comm *comm, char *buffer, int64_t count, size_t size, fr_type type, fr_error *error) {
    int ranks = comm->size;
    size_t each = (size_t)((count + ranks - 1) / ranks) * size, row = (size_t)ranks * each;
    void *memory;
    FR_TRY(fr_comm_scratch(comm, 2 * row, &memory, error));
    char *send = memory, *receive = send + row;
    memset(send, 0, row);
    for (int r = 0; r < ranks; r++) {
        fr_range slice = fr_split(count, ranks, r);
        memcpy(send + (size_t)r * each, buffer + (size_t)slice.first * size, (size_t)slice.count * size);
    }
    FR_TRY(fr_mpi_bruck(fr_mpi_of(comm), send, each, receive, error));
    add_ranks(receive, ranks, (int64_t)(each / size), type, send);
    FR_TRY(fr_mpi_gather_host(comm, send, each, receive, error));
    for (int r = 0; r < ranks; r++) {
        fr_range slice = fr_split(count, ranks, r);
        memcpy(buffer + (size_t)slice.first * size, receive + (size_t)r * each, (size_t)slice.count * size);
    }
    return FR_OK;
}

static fr_status sum_directly(mpi_comm *c, char *buffer, int64_t count, size_t size, fr_type type, fr_error *error) {
    int ranks = c->base.size, rank = c->base.rank;
    fr_range mine = fr_split(count, ranks, rank);
    size_t bytes = (size_t)mine.count * size;
    char *own = buffer + (size_t)mine.first * size;
    void *memory;
    FR_TRY(fr_comm_scratch(&c->base, (size_t)ranks * bytes, &memory, error));
    char *rows = memory; /* own slice of each rank's vector */
    for (int i = 1; i < ranks; i++) {
        int r = fr_mpi_after(c, i);
        fr_range theirs = fr_split(count, ranks, r);
        c->out[i - 1] = (fr_message){r, buffer + (size_t)theirs.first * size, (size_t)theirs.count * size};
        c->in[i - 1] = (fr_message){r, rows + (size_t)r * bytes, bytes};
    }
    memcpy(rows + (size_t)rank * bytes, own, bytes);
    FR_TRY(exchange(c, "the sum", error));
    add_ranks(rows, ranks, mine.count, type, own);
    for (int i = 1; i < ranks; i++) { /* the way back: own slice to all, theirs from them */
        int r = fr_mpi_after(c, i);
        fr_range theirs = fr_split(count, ranks, r);
        c->out[i - 1] = (fr_message){r, own, bytes};
        c->in[i - 1] = (fr_message){r, buffer + (size_t)theirs.first * size, (size_t)theirs.count * size};
    }
    return exchange(c, "the sum", error);
}

static fr_status mpi_sum(fr_comm *comm, void *buffer, int64_t count, fr_type type, fr_error *error) {
    size_t size = fr_type_bytes(type);
    if (fr_sum_uses_bruck(comm->size, (double)size * (double)count / comm->size))
        return sum_by_bruck(comm, buffer, count, size, type, error);
    return sum_directly(fr_mpi_of(comm), buffer, count, size, type, error);
}

/* Numbers travel as doubles, whatever they are here. */
static fr_status mpi_max(fr_comm *comm, void *buffer, int64_t count, fr_type type, fr_error *error) {
    fr_world *world = fr_mpi_of(comm)->world;
    fr_link before = *world->link;
    float *singles = type == FR_TYPE_F32 ? buffer : NULL;
    void *memory = buffer;
    if (singles) FR_TRY(fr_comm_scratch(comm, (size_t)count * sizeof(double), &memory, error));
    double *values = memory;
    for (int64_t i = 0; singles && i < count; i++) values[i] = (double)singles[i];
    fr_status status = fr_world_max(world, values, count, error);
    for (int64_t i = 0; singles && i < count; i++) singles[i] = (float)values[i];
    note(comm, &before);
    return status;
}

static fr_status mpi_sum_host(fr_comm *comm, const double *mine, int own, int64_t count, double *sum,
                              fr_error *error) {
    mpi_comm *c = fr_mpi_of(comm);
    fr_link before = *c->world->link;
    (void)own; /* as owns says */
    fr_status status = fr_world_sum(c->world, c->owns, mine, count, sum, error);
    note(comm, &before);
    return status;
}

static fr_status make_lists(mpi_comm *c, fr_error *error) {
    static const char what[] = "the exchange";
    int ranks = c->base.size;
    FR_TRY(fr_allocate((void **)&c->owns, ranks, sizeof *c->owns, what, error));
    FR_TRY(fr_allocate((void **)&c->out, ranks, sizeof *c->out, what, error));
    FR_TRY(fr_allocate((void **)&c->in, ranks, sizeof *c->in, what, error));
    FR_TRY(fr_allocate((void **)&c->leaving, ranks, sizeof *c->leaving, what, error));
    FR_TRY(fr_allocate((void **)&c->coming, ranks, sizeof *c->coming, what, error));
    for (int r = 0; r < ranks; r++) c->owns[r] = (int)c->base.counts.workers[r];
    return FR_OK;
}

fr_status fr_comm_mpi_create(fr_world *world, const fr_plan *plan, fr_comm **comm, fr_error *error) {
    static const fr_comm_ops ops = {
        .name = "mpi",
        .destroy = mpi_destroy,
        .max = mpi_max,
        .sum = mpi_sum,
        .all_gather = mpi_all_gather,
        .all_to_all = mpi_all_to_all,
        .all_gather_levels = fr_mpi_all_gather_levels,
        .all_to_all_levels = fr_mpi_all_to_all_levels,
        .gather = mpi_gather,
        .gather_levels = fr_mpi_gather_levels,
        .broadcast = mpi_broadcast,
        .exchange = mpi_exchange,
        .gather_host = fr_mpi_gather_host,
        .sum_host = mpi_sum_host,
        .abort = mpi_abort,
    };
    mpi_comm *c = NULL;
    FR_TRY(fr_allocate((void **)&c, 1, sizeof *c, "the exchange", error));
    fr_status status = fr_comm_begin(&c->base, &ops, fr_world_rank(world), fr_world_size(world), plan, error);
    if (status == FR_OK) status = make_lists(c, error);
    if (status != FR_OK) {
        mpi_destroy(&c->base);
        return status;
    }
    c->world = world;
    c->base.by_leaders = fr_is_hierarchical(plan, c->base.size);
    c->base.counts_bytes = true;
    *comm = &c->base;
    return FR_OK;
}
