/*
 * mpi.c - the exchange seam between processes, of direct messages over a link (ranks/link.h); no MPI type here.
 *
 *   max         fr_world_max
 *   sum         integers of many ranks by MPI's own; else slice r of every rank's vector to rank r, which adds them in the
 *               order of ranks, and its sum to all: two turns, whatever R is
 *   all_gather, all_to_all   filled up to one length, by fr_world_gather and fr_world_all_to_all
 *
 * ranks/routes.h says which way each goes. Sums of floating-point numbers have one order, so every rank and every repetition
 * gets the same bits; sums of integers have none.
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
    comm->processor += now->processor - before->processor;
    if (!comm->in_step) return;
    comm->models_bytes |= now->modelled != before->modelled;
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

static fr_status mpi_broadcast(fr_comm *comm, void *data, size_t size, bool tree, fr_error *error) {
    fr_world *world = fr_mpi_of(comm)->world;
    fr_link before = *world->link;
    fr_status status = fr_world_broadcast(world, data, size, tree, error);
    note(comm, &before);
    return status;
}

fr_status fr_mpi_all_to_all_host(mpi_comm *c, const void *send, size_t size, void *receive, fr_error *error) {
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

static int64_t most_of(const int64_t *counts, int ranks) {
    int64_t most = 0;
    for (int r = 0; r < ranks; r++) most = counts[r] > most ? counts[r] : most;
    return most;
}

/* Ranks have equally many workers, so the longest of what a rank sends is the longest of all. */
static fr_status mpi_all_to_all(fr_comm *comm, const void *send, const int64_t *send_counts, void *receive,
                                const int64_t *receive_counts, fr_type type, fr_error *error) {
    size_t size = fr_type_bytes(type), each = (size_t)most_of(send_counts, comm->size) * size;
    void *memory;
    FR_TRY(fr_comm_scratch(comm, 2 * (size_t)comm->size * each, &memory, error));
    char *out = memory, *in = out + (size_t)comm->size * each;
    for (int r = 0; r < comm->size; r++)
        memcpy(out + (size_t)r * each, (const char *)send + (size_t)before(send_counts, r) * size,
               (size_t)send_counts[r] * size);
    FR_TRY(fr_mpi_all_to_all_host(fr_mpi_of(comm), out, each, in, error));
    for (int r = 0; r < comm->size; r++)
        memcpy((char *)receive + (size_t)before(receive_counts, r) * size, in + (size_t)r * each,
               (size_t)receive_counts[r] * size);
    return FR_OK;
}

static fr_status mpi_all_gather(fr_comm *comm, const void *mine, void *all, const int64_t *counts, fr_type type,
                                fr_error *error) {
    size_t size = fr_type_bytes(type), each = (size_t)most_of(counts, comm->size) * size;
    void *memory;
    FR_TRY(fr_comm_scratch(comm, (size_t)(comm->size + 1) * each, &memory, error));
    char *own = memory, *rows = own + each;
    memcpy(own, mine, (size_t)counts[comm->rank] * size);
    FR_TRY(fr_mpi_gather_host(comm, own, each, rows, error));
    for (int r = 0; r < comm->size; r++)
        memcpy((char *)all + (size_t)before(counts, r) * size, rows + (size_t)r * each, (size_t)counts[r] * size);
    return FR_OK;
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
        uint32_t whole = 0;
        for (int r = 0; r < ranks; r++) {
            int64_t at = r * count + j;
            if (type == FR_TYPE_I8) whole += (uint32_t)((const int8_t *)vectors)[at];
            else if (type == FR_TYPE_I32 || type == FR_TYPE_U32) whole += ((const uint32_t *)vectors)[at];
            else real += type == FR_TYPE_F32 ? (double)((const float *)vectors)[at] : ((const double *)vectors)[at];
        }
        if (type == FR_TYPE_I8) ((int8_t *)to)[j] = (int8_t)whole; /* K s <= 127, as allreduce.c checks */
        else if (type == FR_TYPE_I32 || type == FR_TYPE_U32) ((uint32_t *)to)[j] = whole;
        else if (type == FR_TYPE_F32) ((float *)to)[j] = (float)real;
        else ((double *)to)[j] = real;
    }
}

/* Rank r adds up the columns fr_split(count, ranks, r); slices are filled up to one length. */
static fr_status sum_by_slices(fr_comm *comm, char *buffer, int64_t count, size_t size, fr_type type, fr_error *error) {
    int ranks = comm->size;
    size_t each = (size_t)((count + ranks - 1) / ranks) * size, row = (size_t)ranks * each;
    void *memory;
    FR_TRY(fr_comm_scratch(comm, 2 * row, &memory, error));
    char *send = memory, *receive = send + row;
    memset(send, 0, row);
    fr_slices_cut(buffer, count, ranks, size, each, send);
    FR_TRY(fr_mpi_all_to_all_host(fr_mpi_of(comm), send, each, receive, error));
    add_ranks(receive, ranks, (int64_t)(each / size), type, send);
    FR_TRY(fr_mpi_gather_host(comm, send, each, receive, error));
    fr_slices_join(receive, count, ranks, size, each, buffer);
    return FR_OK;
}

static fr_status sum_words(fr_comm *comm, uint32_t *words, int64_t count, fr_error *error) {
    fr_link *link = fr_mpi_of(comm)->world->link, before = *link;
    fr_status status = fr_link_sum(link, "the sum", words, count, error);
    note(comm, &before);
    return status;
}

/* Levels of own workers lie in -W s .. W s: moved up by W s they are bytes, and four of them a word, which MPI adds without a
 * carry from one to the next, since K s <= 127. */
static fr_status sum_levels(fr_comm *comm, int8_t *levels, int64_t count, fr_error *error) {
    const int all = comm->plan->workers * comm->plan->levels, own = all / comm->size;
    int64_t words = (count + 3) / 4;
    void *memory;
    FR_TRY(fr_comm_scratch(comm, (size_t)words * sizeof(uint32_t), &memory, error));
    uint8_t *bytes = memory;
    memset(bytes + count, 0, (size_t)(4 * words - count));
    for (int64_t j = 0; j < count; j++) bytes[j] = (uint8_t)(levels[j] + own);
    fr_status status = sum_words(comm, memory, words, error);
    for (int64_t j = 0; j < count; j++) levels[j] = (int8_t)(bytes[j] - all);
    return status;
}

static fr_status mpi_sum(fr_comm *comm, void *buffer, int64_t count, fr_type type, fr_error *error) {
    bool mpis = fr_sum_is_mpis(comm->size, fr_mpi_of(comm)->world->link->nodes);
    if (type == FR_TYPE_I8 && mpis) return sum_levels(comm, buffer, count, error);
    if (type == FR_TYPE_U32 && mpis) return sum_words(comm, buffer, count, error);
    return sum_by_slices(comm, buffer, count, fr_type_bytes(type), type, error);
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
