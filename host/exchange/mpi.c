/*
 * mpi.c - the exchange seam between processes, of direct messages over a link (ranks/link.h); no MPI type here.
 *
 *   max         up and down a tree of ranks, of few by doubling (fr_world_max)
 *   sum         slice r of every rank's buffer to rank r, which adds them in the order of ranks; then its sum to all
 *               (many ranks and small slices: by Bruck's all-to-all and gathering, log2(R) messages each, see exchange/traffic.h)
 *   all_gather  own elements to every other rank, all_to_all own pieces: R - 1 messages out and R - 1 in, one round
 *
 * Direct messages cost each rank 2 (R - 1) / R buffers for a sum, as a ring does, in two rounds instead of 2 (R - 1):
 * latency is what small exchanges are made of. Sums of floating-point numbers have one order, so every rank and every
 * repetition gets the same bits.
 */
#include "exchange/mpi.h"

#include <stdlib.h>
#include <string.h>

#include "exchange/traffic.h"

typedef struct mpi_comm {
    fr_comm base;
    fr_world *world;
    int *owns;              /* workers of each rank */
    fr_message *out, *in;   /* size each */
    void *gathered;         /* of a sum or a maximum */
    size_t gathered_size;
} mpi_comm;

static mpi_comm *of(fr_comm *comm) { return (mpi_comm *)comm; }

static void mpi_destroy(fr_comm *comm) {
    mpi_comm *c = of(comm);
    fr_scratch_free(comm->scratch);
    free(c->owns);
    free(c->out);
    free(c->in);
    free(c->gathered);
    free(c);
}

static void mpi_abort(fr_comm *comm) { (void)comm; } /* the program aborts the world, which ends every process */

/* Memory for `size` bytes that stays for the next call. */
static fr_status gathered(mpi_comm *c, size_t size, fr_error *error) {
    if (size <= c->gathered_size) return FR_OK;
    free(c->gathered);
    c->gathered = NULL, c->gathered_size = 0;
    fr_status status = fr_allocate(&c->gathered, (int64_t)size, 1, "the exchange", error);
    if (status == FR_OK) c->gathered_size = size;
    return status;
}

/* What the link has carried since `before`, for the counters of the exchange. */
static void note(fr_comm *comm, const fr_link *before) {
    const fr_link *now = of(comm)->world->link;
    comm->seconds += now->seconds - before->seconds;
    if (!comm->in_step) return;
    comm->sent += now->sent - before->sent;
    comm->received += now->received - before->received;
}

static fr_status mpi_exchange(fr_comm *comm, const char *what, const fr_message *out, int outs, fr_message *in, int ins,
                              fr_error *error) {
    fr_link before = *of(comm)->world->link;
    fr_status status = fr_link_exchange(of(comm)->world->link, what, out, outs, in, ins, error);
    note(comm, &before);
    return status;
}

/* The messages set up in out and in, with every other rank. */
static fr_status exchange(mpi_comm *c, const char *what, fr_error *error) {
    int others = c->base.size - 1;
    return mpi_exchange(&c->base, what, c->out, others, c->in, others, error);
}

static fr_status mpi_broadcast(fr_comm *comm, void *data, size_t size, bool tree, fr_error *error) {
    fr_link before = *of(comm)->world->link;
    fr_status status = fr_world_broadcast(of(comm)->world, data, size, tree, error);
    note(comm, &before);
    return status;
}

/* Rank i places after this one: whoever begins with the next rank never meets all others at the same one. */
static int after(const mpi_comm *c, int i) { return (c->base.rank + i) % c->base.size; }

static fr_status mpi_bruck(fr_comm *comm, const void *send, size_t size, void *receive, fr_error *error) {
    fr_link before = *of(comm)->world->link;
    fr_status status = fr_world_all_to_all(of(comm)->world, send, size, receive, error);
    note(comm, &before);
    return status;
}

/* --------------------------------------------------------------------------------------------- gather */

static int64_t before(const int64_t *counts, int rank) {
    int64_t sum = 0;
    for (int r = 0; r < rank; r++) sum += counts[r];
    return sum;
}

static fr_status mpi_all_to_all(fr_comm *comm, const void *send, const int64_t *send_counts, void *receive,
                                const int64_t *receive_counts, fr_type type, fr_error *error) {
    mpi_comm *c = of(comm);
    size_t size = fr_type_bytes(type);
    int rank = comm->rank;
    for (int i = 1; i < comm->size; i++) {
        int r = after(c, i);
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
    mpi_comm *c = of(comm);
    size_t size = fr_type_bytes(type);
    for (int i = 1; i < comm->size; i++) {
        int r = after(c, i);
        c->out[i - 1] = (fr_message){r, (void *)mine, (size_t)counts[comm->rank] * size};
        c->in[i - 1] = (fr_message){r, (char *)all + (size_t)before(counts, r) * size, (size_t)counts[r] * size};
    }
    memmove((char *)all + (size_t)before(counts, comm->rank) * size, mine, (size_t)counts[comm->rank] * size);
    return exchange(c, "the all-gather", error);
}

static fr_status mpi_gather_host(fr_comm *comm, const void *mine, size_t size, void *all, fr_error *error) {
    mpi_comm *c = of(comm);
    fr_link before = *c->world->link;
    fr_status status = fr_world_gather(c->world, mine, size, all, error);
    note(comm, &before);
    return status;
}

/* ---------------------------------------------------------------------------------------------- sums */

/* to <- the sum over ranks of count elements each, in the order of ranks; floating-point numbers in double. */
static void add_ranks(const void *pieces, int ranks, int64_t count, fr_type type, void *to) {
    for (int64_t j = 0; j < count; j++) {
        double real = 0;
        int32_t whole = 0;
        for (int r = 0; r < ranks; r++) {
            int64_t at = r * count + j;
            if (type == FR_TYPE_I8) whole += ((const int8_t *)pieces)[at];
            else if (type == FR_TYPE_I32) whole += ((const int32_t *)pieces)[at];
            else real += type == FR_TYPE_F32 ? (double)((const float *)pieces)[at] : ((const double *)pieces)[at];
        }
        if (type == FR_TYPE_I8) ((int8_t *)to)[j] = (int8_t)whole; /* K s <= 127, by fr_plan_begin */
        else if (type == FR_TYPE_I32) ((int32_t *)to)[j] = whole;
        else if (type == FR_TYPE_F32) ((float *)to)[j] = (float)real;
        else ((double *)to)[j] = real;
    }
}

/* The same with few messages: slices, filled up to one length, go by Bruck's all-to-all, sums by gathering. */
static fr_status sum_staged(fr_comm *comm, char *buffer, int64_t count, size_t size, fr_type type, fr_error *error) {
    mpi_comm *c = of(comm);
    int ranks = comm->size;
    size_t piece = (size_t)((count + ranks - 1) / ranks) * size;
    fr_status status = gathered(c, 2 * (size_t)ranks * piece, error);
    char *send = c->gathered, *receive = send + (size_t)ranks * piece;
    if (status != FR_OK) return status;
    memset(send, 0, (size_t)ranks * piece);
    for (int r = 0; r < ranks; r++) {
        int64_t from = fr_split_start(count, ranks, r), here = fr_split_start(count, ranks, r + 1) - from;
        memcpy(send + (size_t)r * piece, buffer + (size_t)from * size, (size_t)here * size);
    }
    status = mpi_bruck(comm, send, piece, receive, error);
    if (status != FR_OK) return status;
    add_ranks(receive, ranks, (int64_t)(piece / size), type, send);
    status = mpi_gather_host(comm, send, piece, receive, error);
    for (int r = 0; status == FR_OK && r < ranks; r++) {
        int64_t from = fr_split_start(count, ranks, r), here = fr_split_start(count, ranks, r + 1) - from;
        memcpy(buffer + (size_t)from * size, receive + (size_t)r * piece, (size_t)here * size);
    }
    return status;
}

static fr_status mpi_sum(fr_comm *comm, void *buffer, int64_t count, fr_type type, fr_error *error) {
    mpi_comm *c = of(comm);
    int ranks = comm->size;
    size_t size = fr_type_bytes(type);
    if (fr_uses_bruck(ranks, (double)size * (double)count / ranks))
        return sum_staged(comm, buffer, count, size, type, error);
    int64_t first = fr_split_start(count, ranks, comm->rank), width = fr_split_start(count, ranks, comm->rank + 1) - first;
    fr_status status = gathered(c, (size_t)ranks * (size_t)width * size, error);
    if (status != FR_OK) return status;
    for (int i = 1; i < ranks; i++) {
        int r = after(c, i);
        int64_t from = fr_split_start(count, ranks, r), here = fr_split_start(count, ranks, r + 1) - from;
        c->out[i - 1] = (fr_message){r, (char *)buffer + (size_t)from * size, (size_t)here * size};
        c->in[i - 1] = (fr_message){r, (char *)c->gathered + (size_t)(r * width) * size, (size_t)width * size};
    }
    memcpy((char *)c->gathered + (size_t)(comm->rank * width) * size, (char *)buffer + (size_t)first * size,
           (size_t)width * size);
    status = exchange(c, "the sum", error);
    if (status != FR_OK) return status;
    add_ranks(c->gathered, ranks, width, type, (char *)buffer + (size_t)first * size);
    for (int i = 1; i < ranks; i++) { /* the way back: own slice to all, theirs from them */
        int r = after(c, i);
        int64_t from = fr_split_start(count, ranks, r), here = fr_split_start(count, ranks, r + 1) - from;
        c->out[i - 1] = (fr_message){r, (char *)buffer + (size_t)first * size, (size_t)width * size};
        c->in[i - 1] = (fr_message){r, (char *)buffer + (size_t)from * size, (size_t)here * size};
    }
    return exchange(c, "the sum", error);
}

/* Numbers travel as doubles, whatever they are here. */
static fr_status mpi_max(fr_comm *comm, void *buffer, int64_t count, fr_type type, fr_error *error) {
    mpi_comm *c = of(comm);
    fr_link before = *c->world->link;
    float *singles = type == FR_TYPE_F32 ? buffer : NULL;
    fr_status status = singles ? gathered(c, (size_t)count * sizeof(double), error) : FR_OK;
    double *values = singles ? c->gathered : buffer;
    if (status != FR_OK) return status;
    for (int64_t i = 0; singles && i < count; i++) values[i] = (double)singles[i];
    status = fr_world_max(c->world, values, count, error);
    for (int64_t i = 0; singles && i < count; i++) singles[i] = (float)values[i];
    note(comm, &before);
    return status;
}

static fr_status mpi_sum_host(fr_comm *comm, const double *mine, int own, int64_t count, double *sum,
                              fr_error *error) {
    mpi_comm *c = of(comm);
    fr_link before = *c->world->link;
    (void)own; /* as owns says */
    fr_status status = fr_world_sum(c->world, c->owns, mine, count, sum, error);
    note(comm, &before);
    return status;
}

fr_status fr_comm_mpi_create(fr_world *world, const fr_plan *plan, fr_comm **comm, fr_error *error) {
    static const fr_comm_ops ops = {
        .name = "mpi",
        .destroy = mpi_destroy,
        .max = mpi_max,
        .sum = mpi_sum,
        .all_gather = mpi_all_gather,
        .all_to_all = mpi_all_to_all,
        .gather_host = mpi_gather_host,
        .sum_host = mpi_sum_host,
        .exchange = mpi_exchange,
        .broadcast = mpi_broadcast,
        .bruck = mpi_bruck,
        .abort = mpi_abort,
    };
    mpi_comm *c = NULL;
    int ranks = fr_world_size(world);
    fr_status status = fr_allocate((void **)&c, 1, sizeof *c, "the exchange", error);
    if (status != FR_OK) return status;
    c->base = (fr_comm){.ops = &ops, .rank = fr_world_rank(world), .size = ranks};
    c->world = world;
    status = fr_allocate((void **)&c->owns, ranks, sizeof *c->owns, "the exchange", error);
    if (status == FR_OK) status = fr_allocate((void **)&c->out, ranks, sizeof *c->out, "the exchange", error);
    if (status == FR_OK) status = fr_allocate((void **)&c->in, ranks, sizeof *c->in, "the exchange", error);
    for (int r = 0; status == FR_OK && r < ranks; r++)
        c->owns[r] = fr_first_worker(plan, ranks, r + 1) - fr_first_worker(plan, ranks, r);
    if (status == FR_OK) *comm = &c->base;
    else mpi_destroy(&c->base);
    return status;
}
