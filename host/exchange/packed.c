/*
 * packed.c - packed messages packed, sent, received and opened.
 *
 * The memory for messages is made at the first step and kept (fr_scratch). A packed message that does not open - it comes from
 * another machine - is an error that names the rank it came from.
 */
#include "exchange/packed.h"

#include <stdlib.h>
#include <string.h>

#include "exchange/traffic.h"
#include "wire/wire.h"

struct fr_scratch {
    uint8_t *memory;
    size_t size;
    fr_message *out, *in; /* comm->size each */
};

void fr_scratch_free(struct fr_scratch *scratch) {
    if (!scratch) return;
    free(scratch->memory);
    free(scratch->out);
    free(scratch->in);
    free(scratch);
}

static fr_status find_scratch(fr_comm *comm, size_t size, fr_error *error) {
    static const char what[] = "messages";
    fr_status status = FR_OK;
    if (!comm->scratch) {
        status = fr_allocate((void **)&comm->scratch, 1, sizeof *comm->scratch, what, error);
        if (status == FR_OK)
            status = fr_allocate((void **)&comm->scratch->out, comm->size, sizeof(fr_message), what, error);
        if (status == FR_OK)
            status = fr_allocate((void **)&comm->scratch->in, comm->size, sizeof(fr_message), what, error);
    }
    if (status != FR_OK || size <= comm->scratch->size) return status;
    free(comm->scratch->memory);
    comm->scratch->memory = NULL, comm->scratch->size = 0;
    status = fr_allocate((void **)&comm->scratch->memory, (int64_t)size, 1, what, error);
    if (status == FR_OK) comm->scratch->size = size;
    return status;
}

fr_status fr_scratch_find(fr_comm *comm, size_t size, uint8_t **memory, fr_message **out, fr_message **in,
                       fr_error *error) {
    fr_status status = find_scratch(comm, size, error);
    if (status == FR_OK) *memory = comm->scratch->memory, *out = comm->scratch->out, *in = comm->scratch->in;
    return status;
}

/* -------------------------------------------------------------------------------------- one packed message */

size_t fr_packed_most(const fr_plan *plan, const fr_packed *packed) {
    return (size_t)packed->scale_count * fr_precision_bytes(plan->precision) +
           fr_wire_most(plan->wire, packed->level_count, plan->levels);
}

size_t fr_packed_pack(const fr_plan *plan, const fr_packed *packed, uint8_t *to) {
    size_t scales = (size_t)packed->scale_count * fr_precision_bytes(plan->precision);
    if (scales > 0) memcpy(to, packed->scales, scales);
    return scales + fr_wire_encode(plan->wire, packed->levels, packed->level_count, plan->levels, to + scales);
}

fr_status fr_packed_open(const fr_plan *plan, const fr_message *message, fr_packed *packed, fr_error *error) {
    fr_error why;
    size_t scales = (size_t)packed->scale_count * fr_precision_bytes(plan->precision);
    if (message->size < scales)
        return fr_fail_on_rank(error, FR_ERROR_DEVICE, message->rank, "rank %d sent %zu bytes; expected at least %zu",
                               message->rank, message->size, scales);
    if (scales > 0) memcpy(packed->scales, message->data, scales);
    fr_status status = fr_wire_decode(plan->wire, (const uint8_t *)message->data + scales, message->size - scales,
                                      packed->level_count, plan->levels, packed->levels, &why);
    if (status == FR_OK) return FR_OK;
    return fr_fail(error, status, "what rank %d sent cannot be decoded: %s", message->rank, why.message);
}

/* Rank i places after this one, so that not all begin with the same. */
static int after(const fr_comm *comm, int i) { return (comm->rank + i) % comm->size; }

/* Opens what came: in order of the messages. */
static fr_status open_all(const fr_comm *comm, const fr_plan *plan, int count, fr_packed *packed, fr_error *error) {
    for (int i = 0; i < count; i++) {
        fr_status status = fr_packed_open(plan, &comm->scratch->in[i], &packed[comm->scratch->in[i].rank], error);
        if (status != FR_OK) return status;
    }
    return FR_OK;
}

/* ------------------------------------------------------------------------------------------- staged */

/* Packed messages are filled up to one length, the longest's. */
static size_t longest_of(const fr_comm *comm, const fr_plan *plan, const fr_packed *packed) {
    size_t longest = 0;
    for (int r = 0; r < comm->size; r++)
        if (fr_packed_most(plan, &packed[r]) > longest) longest = fr_packed_most(plan, &packed[r]);
    return longest;
}

/* Opens the packed messages of all other ranks, which lie one behind the other. */
static fr_status open_row(const fr_comm *comm, const fr_plan *plan, uint8_t *row, size_t each, fr_packed *packed,
                          fr_error *error) {
    for (int r = 0; r < comm->size; r++) {
        fr_message message = {r, row + (size_t)r * each, fr_packed_most(plan, &packed[r])};
        fr_status status = r == comm->rank ? FR_OK : fr_packed_open(plan, &message, &packed[r], error);
        if (status != FR_OK) return status;
    }
    return FR_OK;
}

static fr_status all_gather_staged(fr_comm *comm, const fr_plan *plan, const fr_packed *mine, fr_packed *all,
                                   size_t each, fr_error *error) {
    fr_status status = find_scratch(comm, (size_t)(comm->size + 1) * each, error);
    if (status != FR_OK) return status;
    uint8_t *own = comm->scratch->memory, *row = own + each;
    memset(own, 0, each);
    fr_comm_count(comm, fr_packed_pack(plan, mine, own), mine->level_count);
    status = comm->ops->gather_host(comm, own, each, row, error);
    return status == FR_OK ? open_row(comm, plan, row, each, all, error) : status;
}

static fr_status all_to_all_staged(fr_comm *comm, const fr_plan *plan, const fr_packed *out, fr_packed *in, size_t each,
                                   fr_error *error) {
    size_t row = (size_t)comm->size * each;
    fr_status status = find_scratch(comm, 2 * row, error);
    if (status != FR_OK) return status;
    uint8_t *send = comm->scratch->memory;
    memset(send, 0, row);
    for (int r = 0; r < comm->size; r++)
        if (r != comm->rank) fr_comm_count(comm, fr_packed_pack(plan, &out[r], send + (size_t)r * each), out[r].level_count);
    status = comm->ops->bruck(comm, send, each, send + row, error);
    return status == FR_OK ? open_row(comm, plan, send + row, each, in, error) : status;
}

/* ---------------------------------------------------------------------------------------- exchanges */

fr_status fr_packed_all_gather(fr_comm *comm, const fr_plan *plan, const fr_packed *mine, fr_packed *all,
                               fr_error *error) {
    size_t need = fr_packed_most(plan, mine), longest = longest_of(comm, plan, all);
    if (fr_packed_uses_bruck(plan, comm->size, (double)longest)) return all_gather_staged(comm, plan, mine, all, longest, error);
    for (int r = 0; r < comm->size; r++) need += r == comm->rank ? 0 : fr_packed_most(plan, &all[r]);
    fr_status status = find_scratch(comm, need, error);
    if (status != FR_OK) return status;
    uint8_t *at = comm->scratch->memory;
    size_t bytes = fr_packed_pack(plan, mine, at);
    fr_comm_count(comm, bytes, mine->level_count);
    at += fr_packed_most(plan, mine);
    for (int i = 1; i < comm->size; i++) {
        int r = after(comm, i);
        comm->scratch->out[i - 1] = (fr_message){r, comm->scratch->memory, bytes};
        comm->scratch->in[i - 1] = (fr_message){r, at, fr_packed_most(plan, &all[r])};
        at += fr_packed_most(plan, &all[r]);
    }
    int others = comm->size - 1;
    status = comm->ops->exchange(comm, "the all-gather", comm->scratch->out, others, comm->scratch->in, others, error);
    return status == FR_OK ? open_all(comm, plan, others, all, error) : status;
}

fr_status fr_packed_all_to_all(fr_comm *comm, const fr_plan *plan, const fr_packed *out, fr_packed *in,
                               fr_error *error) {
    size_t need = 0, longest = longest_of(comm, plan, out);
    if (fr_packed_uses_bruck(plan, comm->size, (double)longest)) return all_to_all_staged(comm, plan, out, in, longest, error);
    for (int r = 0; r < comm->size; r++) need += fr_packed_most(plan, &out[r]) + fr_packed_most(plan, &in[r]);
    fr_status status = find_scratch(comm, need, error);
    if (status != FR_OK) return status;
    uint8_t *at = comm->scratch->memory;
    for (int i = 1; i < comm->size; i++) {
        int r = after(comm, i);
        size_t bytes = fr_packed_pack(plan, &out[r], at);
        fr_comm_count(comm, bytes, out[r].level_count);
        comm->scratch->out[i - 1] = (fr_message){r, at, bytes};
        at += fr_packed_most(plan, &out[r]);
        comm->scratch->in[i - 1] = (fr_message){r, at, fr_packed_most(plan, &in[r])};
        at += fr_packed_most(plan, &in[r]);
    }
    int others = comm->size - 1;
    status = comm->ops->exchange(comm, "the all-to-all", comm->scratch->out, others, comm->scratch->in, others, error);
    return status == FR_OK ? open_all(comm, plan, others, in, error) : status;
}

fr_status fr_packed_to_master(fr_comm *comm, const fr_plan *plan, const fr_packed *mine, fr_packed *all,
                              fr_error *error) {
    static const char what[] = "the gradients' way to the master";
    size_t need = comm->rank > 0 ? fr_packed_most(plan, mine) : 0;
    for (int r = 1; comm->rank == 0 && r < comm->size; r++) need += fr_packed_most(plan, &all[r]);
    fr_status status = find_scratch(comm, need, error);
    if (status != FR_OK) return status;
    uint8_t *at = comm->scratch->memory;
    if (comm->rank > 0) {
        size_t bytes = fr_packed_pack(plan, mine, at);
        fr_comm_count(comm, bytes, mine->level_count);
        comm->scratch->out[0] = (fr_message){0, at, bytes};
        return comm->ops->exchange(comm, what, comm->scratch->out, 1, NULL, 0, error);
    }
    for (int r = 1; r < comm->size; r++) {
        comm->scratch->in[r - 1] = (fr_message){r, at, fr_packed_most(plan, &all[r])};
        at += fr_packed_most(plan, &all[r]);
    }
    status = comm->ops->exchange(comm, what, NULL, 0, comm->scratch->in, comm->size - 1, error);
    return status == FR_OK ? open_all(comm, plan, comm->size - 1, all, error) : status;
}

fr_status fr_packed_weigh(fr_comm *comm, const fr_plan *plan, const fr_packed *mine, size_t *bytes, fr_error *error) {
    fr_status status = find_scratch(comm, fr_packed_most(plan, mine), error);
    if (status != FR_OK) return status;
    *bytes = fr_packed_pack(plan, mine, comm->scratch->memory);
    fr_comm_count(comm, *bytes, mine->level_count);
    return FR_OK;
}
