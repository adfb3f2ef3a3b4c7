/*
 * link_collectives.c - MPI's own collectives, where no way of our own was measured to be 1.3 times as fast (bench/NOTES.md).
 *
 * They are non-blocking and waited for as messages are. What they send and receive lies in memory of the link, from which and
 * to which the caller's is copied. Long vectors go in rounds of `piece` bytes from a rank to another: Open MPI's send to the
 * same rank first, and beyond 64 kB ask it before they send, whose answer waits behind other data.
 *
 * Which way MPI goes, nobody is told. Their bytes are modelled: what a rank must send and receive in any case.
 */
#include <string.h>

#include "base/clock.h"
#include "ranks/link_parts.h"
#include "ranks/routes.h"

/* Memory that is kept from call to call. */
static fr_status make_stage(mpi_link *l, size_t size, fr_error *error) {
    if (size <= l->stage_size) return FR_OK;
    free(l->stage);
    l->stage = NULL, l->stage_size = 0;
    FR_TRY(fr_allocate((void **)&l->stage, (int64_t)size, 1, "a collective of MPI's", error));
    l->stage_size = size;
    return FR_OK;
}

/* Open MPI's test looks at the request first and for messages then: what has come, the next test tells. */
fr_status fr_link_finish(mpi_link *l, int code, const char *what, fr_error *error) {
    link_wait p = fr_link_wait(fr_seconds());
    for (int done = 0;;) {
        for (int i = 0; i < 2 && code == MPI_SUCCESS && !done; i++)
            code = MPI_Test(&l->collective, &done, MPI_STATUS_IGNORE);
        if (code != MPI_SUCCESS) return fr_link_fail(l, code, what, error);
        if (done) return FR_OK;
        FR_TRY(fr_link_rest(l, &p, false, what, error));
    }
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* ------------------------------------------------------------------------------- one round, and all of them */

static fr_status sum(mpi_link *l, const char *what, uint32_t *words, int64_t count, fr_error *error) {
    int64_t most = (int64_t)(l->base.largest / sizeof *words);
    for (int64_t at = 0; at < count; at += most) {
        int n = (int)(count - at < most ? count - at : most);
        FR_TRY(make_stage(l, 2 * (size_t)n * sizeof *words, error));
        uint32_t *total = (uint32_t *)l->stage + n; /* in place Open MPI never goes by a ring */
        memcpy(l->stage, words + at, (size_t)n * sizeof *words);
        int code = MPI_Iallreduce(l->stage, total, n, MPI_UINT32_T, MPI_SUM, l->comm, &l->collective);
        FR_TRY(fr_link_finish(l, code, what, error));
        memcpy(words + at, total, (size_t)n * sizeof *words);
    }
    return FR_OK;
}

static fr_status broadcast(mpi_link *l, const char *what, char *data, size_t size, fr_error *error) {
    for (size_t at = 0; at < size; at += l->base.piece) {
        size_t n = smaller(size - at, l->base.piece);
        FR_TRY(make_stage(l, n, error));
        if (l->base.rank == 0) memcpy(l->stage, data + at, n);
        FR_TRY(fr_link_finish(l, MPI_Ibcast(l->stage, (int)n, MPI_BYTE, 0, l->comm, &l->collective), what, error));
        memcpy(data + at, l->stage, n);
    }
    return FR_OK;
}

static fr_status gather(mpi_link *l, const char *what, const char *mine, size_t size, char *all, fr_error *error) {
    for (size_t at = 0; at < size; at += l->base.piece) {
        size_t n = smaller(size - at, l->base.piece);
        FR_TRY(make_stage(l, (size_t)(l->base.size + 1) * n, error));
        char *rows = l->stage + n;
        memcpy(l->stage, mine + at, n);
        int code = MPI_Iallgather(l->stage, (int)n, MPI_BYTE, rows, (int)n, MPI_BYTE, l->comm, &l->collective);
        FR_TRY(fr_link_finish(l, code, what, error));
        for (int r = 0; r < l->base.size; r++) memcpy(all + (size_t)r * size + at, rows + (size_t)r * n, n);
    }
    return FR_OK;
}

static fr_status all_to_all(mpi_link *l, const char *what, const char *send, size_t size, char *receive, fr_error *error) {
    for (size_t at = 0; at < size; at += l->base.piece) {
        size_t n = smaller(size - at, l->base.piece), row = (size_t)l->base.size * n;
        FR_TRY(make_stage(l, 2 * row, error));
        char *rows = l->stage + row;
        for (int r = 0; r < l->base.size; r++) memcpy(l->stage + (size_t)r * n, send + (size_t)r * size + at, n);
        int code = MPI_Ialltoall(l->stage, (int)n, MPI_BYTE, rows, (int)n, MPI_BYTE, l->comm, &l->collective);
        FR_TRY(fr_link_finish(l, code, what, error));
        for (int r = 0; r < l->base.size; r++) memcpy(receive + (size_t)r * size + at, rows + (size_t)r * n, n);
    }
    return FR_OK;
}

/* -------------------------------------------------------------------------------------------------- the seam */

/* By the clock and by the processor. */
typedef struct instant {
    double seconds, processor;
} instant;

static instant begin(mpi_link *l) {
    pthread_mutex_lock(&l->lock);
    return (instant){fr_seconds(), fr_processor_seconds()};
}

static fr_status end(mpi_link *l, instant began, double sent, double received, fr_status status) {
    pthread_mutex_unlock(&l->lock);
    l->base.modelled++;
    l->base.seconds += fr_seconds() - began.seconds;
    l->base.processor += fr_processor_seconds() - began.processor;
    l->base.sent += (uint64_t)sent;
    l->base.received += (uint64_t)received;
    return status;
}

fr_status fr_link_sum(fr_link *link, const char *what, uint32_t *words, int64_t count, fr_error *error) {
    mpi_link *l = (mpi_link *)link;
    const instant began = begin(l);
    double bytes = (double)count * sizeof *words;
    if (link->nodes > 1) {
        bytes = fr_node_sum_bytes(l, bytes);
        return end(l, began, bytes, bytes, fr_node_sum(l, what, words, count, error));
    }
    bytes *= fr_sum_goes_round(bytes) ? 2 * (link->size - 1.0) / link->size : fr_sum_visits(link->size, link->rank);
    return end(l, began, bytes, bytes, sum(l, what, words, count, error));
}

fr_status fr_link_broadcast(fr_link *link, const char *what, void *data, size_t size, fr_error *error) {
    mpi_link *l = (mpi_link *)link;
    const instant began = begin(l);
    double out = fr_binomial_children(link->size, link->rank), in = link->rank > 0;
    return end(l, began, out * (double)size, in * (double)size, broadcast(l, what, data, size, error));
}

fr_status fr_link_gather(fr_link *link, const char *what, const void *mine, size_t size, void *all, fr_error *error) {
    mpi_link *l = (mpi_link *)link;
    const instant began = begin(l);
    double bytes = (double)(link->size - 1) * (double)size;
    return end(l, began, bytes, bytes, gather(l, what, mine, size, all, error));
}

fr_status fr_link_all_to_all(fr_link *link, const char *what, const void *send, size_t size, void *receive,
                             fr_error *error) {
    mpi_link *l = (mpi_link *)link;
    const instant began = begin(l);
    double bytes = (double)(link->size - 1) * (double)size;
    return end(l, began, bytes, bytes, all_to_all(l, what, send, size, receive, error));
}
