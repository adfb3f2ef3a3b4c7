/*
 * mpi_levels.c - quantized vectors between processes: one packed message from a rank to another (exchange/packed.h),
 * in the format of the plan's wire.
 *
 * To all, messages are filled up to the length of the longest. Elias' codes vary, so that their lengths go first.
 */
#include <string.h>

#include "exchange/mpi_parts.h"
#include "ranks/routes.h"

/* ------------------------------------------------------------------------------ what messages hold */

/* lists[r] <- where rank r's levels and scales are among all. */
static void cut_gathered(const fr_comm *comm, fr_quantized all, const int64_t *counts, fr_packed *lists) {
    size_t real = fr_precision_bytes(comm->plan->precision);
    char *scales = all.scales;
    int8_t *levels = all.levels;
    for (int r = 0; r < comm->size; r++) {
        lists[r] = (fr_packed){scales, comm->counts.workers[r], levels, counts[r]};
        scales += (size_t)comm->counts.workers[r] * real;
        levels += counts[r];
    }
}

static void cut_levels(const fr_comm *comm, int8_t *levels, const int64_t *counts, fr_packed *lists) {
    for (int r = 0; r < comm->size; levels += counts[r], r++) lists[r] = (fr_packed){NULL, 0, levels, counts[r]};
}

static fr_packed own_packed(const fr_comm *comm, fr_quantized mine, const int64_t *counts) {
    return (fr_packed){mine.scales, comm->counts.workers[comm->rank], mine.levels, counts[comm->rank]};
}

static size_t longest_of(fr_coding coding, const fr_packed *lists, int count) {
    size_t longest = 0;
    for (int r = 0; r < count; r++)
        if (fr_packed_most(coding, &lists[r]) > longest) longest = fr_packed_most(coding, &lists[r]);
    return longest;
}

/* Writes a message of own levels, counted. */
static size_t write_own(fr_comm *comm, fr_coding coding, const fr_packed *packed, uint8_t *to) {
    size_t bytes = fr_packed_write(coding, packed, to);
    fr_comm_count(comm, bytes, packed->level_count);
    return bytes;
}

/* Reads what came as `count` messages of c->in into what c->coming says of their ranks. */
static fr_status read_messages(mpi_comm *c, fr_coding coding, int count, fr_error *error) {
    for (int i = 0; i < count; i++) FR_TRY(fr_packed_read(coding, &c->in[i], &c->coming[c->in[i].rank], error));
    return FR_OK;
}

/* The same of all other ranks' messages, which lie one behind the other, `each` bytes apart, of so many bytes; lengths NULL:
 * their most. */
static fr_status read_row(mpi_comm *c, fr_coding coding, uint8_t *row, size_t each, const uint64_t *lengths,
                          fr_error *error) {
    for (int r = 0; r < c->base.size; r++) {
        fr_message message = {r, row + (size_t)r * each, lengths ? lengths[r] : fr_packed_most(coding, &c->coming[r])};
        if (r != c->base.rank) FR_TRY(fr_packed_read(coding, &message, &c->coming[r], error));
    }
    return FR_OK;
}

/* ------------------------------------------------------------------------------------------- gather */

/* *each <- the longest of all ranks' messages, own of so many bytes. */
static fr_status gather_lengths(fr_comm *comm, uint64_t own, uint64_t *lengths, size_t *each, fr_error *error) {
    FR_TRY(fr_mpi_gather_host(comm, &own, sizeof own, lengths, error));
    *each = 0;
    for (int r = 0; r < comm->size; r++) *each = lengths[r] > *each ? lengths[r] : *each;
    return FR_OK;
}

fr_status fr_mpi_all_gather_levels(fr_comm *comm, fr_quantized mine, fr_quantized all, const int64_t *counts,
                                   fr_error *error) {
    mpi_comm *c = fr_mpi_of(comm);
    fr_coding coding = fr_coding_of(comm->plan);
    fr_packed own = own_packed(comm, mine, counts);
    cut_gathered(comm, all, counts, c->coming);
    memcpy(c->coming[comm->rank].scales, own.scales, (size_t)own.scale_count * coding.real);
    memcpy(c->coming[comm->rank].levels, own.levels, (size_t)own.level_count);
    size_t longest = longest_of(coding, c->coming, comm->size), each = longest;
    FR_OWNED uint64_t *lengths = NULL;
    void *memory;
    FR_TRY(fr_comm_scratch(comm, (size_t)(comm->size + 1) * longest, &memory, error));
    uint8_t *message = memory, *row = message + longest;
    memset(message, 0, longest);
    size_t bytes = write_own(comm, coding, &own, message);
    if (coding.wire == FR_WIRE_ELIAS) {
        FR_TRY(fr_allocate((void **)&lengths, comm->size, sizeof *lengths, "lengths of messages", error));
        FR_TRY(gather_lengths(comm, bytes, lengths, &each, error));
    }
    FR_TRY(fr_mpi_gather_host(comm, message, each, row, error));
    return read_row(c, coding, row, each, lengths, error);
}

/* To rank 0 alone. */
fr_status fr_mpi_gather_levels(fr_comm *comm, fr_quantized mine, fr_quantized all, const int64_t *counts,
                               fr_error *error) {
    static const char what[] = "the gradients' way to the master";
    mpi_comm *c = fr_mpi_of(comm);
    fr_coding coding = fr_coding_of(comm->plan);
    size_t need = 0;
    void *memory;
    if (comm->rank > 0) {
        fr_packed own = own_packed(comm, mine, counts);
        FR_TRY(fr_comm_scratch(comm, fr_packed_most(coding, &own), &memory, error));
        c->out[0] = (fr_message){0, memory, write_own(comm, coding, &own, memory)};
        return fr_mpi_exchange(c, what, 1, 0, error);
    }
    cut_gathered(comm, all, counts, c->coming);
    for (int r = 1; r < comm->size; r++) need += fr_packed_most(coding, &c->coming[r]);
    FR_TRY(fr_comm_scratch(comm, need, &memory, error));
    uint8_t *at = memory;
    for (int r = 1; r < comm->size; r++) {
        c->in[r - 1] = (fr_message){r, at, fr_packed_most(coding, &c->coming[r])};
        at += c->in[r - 1].size;
    }
    FR_TRY(fr_mpi_exchange(c, what, 0, comm->size - 1, error));
    return read_messages(c, coding, comm->size - 1, error);
}

/* --------------------------------------------------------------------------------------- all-to-all */

fr_status fr_mpi_all_to_all_levels(fr_comm *comm, const int8_t *send, const int64_t *send_counts, int8_t *receive,
                                   const int64_t *receive_counts, fr_error *error) {
    mpi_comm *c = fr_mpi_of(comm);
    fr_coding coding = fr_coding_of(comm->plan);
    cut_levels(comm, (int8_t *)send, send_counts, c->leaving); /* which are read alone */
    cut_levels(comm, receive, receive_counts, c->coming);
    memcpy(c->coming[comm->rank].levels, c->leaving[comm->rank].levels, (size_t)send_counts[comm->rank]);
    size_t each = longest_of(coding, c->leaving, comm->size), row = (size_t)comm->size * each;
    void *memory;
    FR_TRY(fr_comm_scratch(comm, 2 * row, &memory, error));
    uint8_t *out = memory;
    memset(out, 0, row);
    for (int r = 0; r < comm->size; r++)
        if (r != comm->rank) write_own(comm, coding, &c->leaving[r], out + (size_t)r * each);
    FR_TRY(fr_mpi_all_to_all_host(c, out, each, out + row, error));
    return read_row(c, coding, out + row, each, NULL, error);
}
