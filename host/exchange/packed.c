/*
 * packed.c - parcels packed, sent, received and opened.
 *
 * The memory for messages is made at the first step and kept (fr_post). A parcel that does not open - it comes from
 * another machine - is an error that names the rank it came from.
 */
#include "exchange/packed.h"

#include <stdlib.h>
#include <string.h>

#include "exchange/traffic.h"
#include "wire/wire.h"

struct fr_post {
    uint8_t *memory;
    size_t size;
    fr_message *out, *in; /* comm->size each */
};

void fr_post_free(struct fr_post *post) {
    if (!post) return;
    free(post->memory);
    free(post->out);
    free(post->in);
    free(post);
}

static fr_status find_post(fr_comm *comm, size_t size, fr_error *error) {
    static const char what[] = "messages";
    fr_status status = FR_OK;
    if (!comm->post) {
        status = fr_allocate((void **)&comm->post, 1, sizeof *comm->post, what, error);
        if (status == FR_OK)
            status = fr_allocate((void **)&comm->post->out, comm->size, sizeof(fr_message), what, error);
        if (status == FR_OK)
            status = fr_allocate((void **)&comm->post->in, comm->size, sizeof(fr_message), what, error);
    }
    if (status != FR_OK || size <= comm->post->size) return status;
    free(comm->post->memory);
    comm->post->memory = NULL, comm->post->size = 0;
    status = fr_allocate((void **)&comm->post->memory, (int64_t)size, 1, what, error);
    if (status == FR_OK) comm->post->size = size;
    return status;
}

fr_status fr_post_find(fr_comm *comm, size_t size, uint8_t **memory, fr_message **out, fr_message **in,
                       fr_error *error) {
    fr_status status = find_post(comm, size, error);
    if (status == FR_OK) *memory = comm->post->memory, *out = comm->post->out, *in = comm->post->in;
    return status;
}

/* -------------------------------------------------------------------------------------- one parcel */

size_t fr_parcel_most(const fr_plan *plan, const fr_parcel *parcel) {
    return (size_t)parcel->scale_count * fr_precision_bytes(plan->precision) +
           fr_wire_most(plan->wire, parcel->level_count, plan->levels);
}

size_t fr_parcel_pack(const fr_plan *plan, const fr_parcel *parcel, uint8_t *to) {
    size_t scales = (size_t)parcel->scale_count * fr_precision_bytes(plan->precision);
    if (scales > 0) memcpy(to, parcel->scales, scales);
    return scales + fr_wire_encode(plan->wire, parcel->levels, parcel->level_count, plan->levels, to + scales);
}

fr_status fr_parcel_open(const fr_plan *plan, const fr_message *message, fr_parcel *parcel, fr_error *error) {
    fr_error why;
    size_t scales = (size_t)parcel->scale_count * fr_precision_bytes(plan->precision);
    if (message->size < scales)
        return fr_fail(error, FR_ERROR_DEVICE, "rank %d sent %zu bytes; expected at least %zu", message->rank,
                       message->size, scales);
    if (scales > 0) memcpy(parcel->scales, message->data, scales);
    fr_status status = fr_wire_decode(plan->wire, (const uint8_t *)message->data + scales, message->size - scales,
                                      parcel->level_count, plan->levels, parcel->levels, &why);
    if (status == FR_OK) return FR_OK;
    return fr_fail(error, status, "what rank %d sent cannot be decoded: %s", message->rank, why.message);
}

/* Rank i places after this one, so that not all begin with the same. */
static int after(const fr_comm *comm, int i) { return (comm->rank + i) % comm->size; }

/* Opens what came: in order of the messages. */
static fr_status open_all(const fr_comm *comm, const fr_plan *plan, int count, fr_parcel *parcels, fr_error *error) {
    for (int i = 0; i < count; i++) {
        fr_status status = fr_parcel_open(plan, &comm->post->in[i], &parcels[comm->post->in[i].rank], error);
        if (status != FR_OK) return status;
    }
    return FR_OK;
}

/* ------------------------------------------------------------------------------------------- staged */

/* Parcels are filled up to one length, the longest's. */
static size_t longest_of(const fr_comm *comm, const fr_plan *plan, const fr_parcel *parcels) {
    size_t longest = 0;
    for (int r = 0; r < comm->size; r++)
        if (fr_parcel_most(plan, &parcels[r]) > longest) longest = fr_parcel_most(plan, &parcels[r]);
    return longest;
}

/* Opens the parcels of all other ranks, which lie one behind the other. */
static fr_status open_row(const fr_comm *comm, const fr_plan *plan, uint8_t *row, size_t each, fr_parcel *parcels,
                          fr_error *error) {
    for (int r = 0; r < comm->size; r++) {
        fr_message message = {r, row + (size_t)r * each, fr_parcel_most(plan, &parcels[r])};
        fr_status status = r == comm->rank ? FR_OK : fr_parcel_open(plan, &message, &parcels[r], error);
        if (status != FR_OK) return status;
    }
    return FR_OK;
}

static fr_status all_gather_staged(fr_comm *comm, const fr_plan *plan, const fr_parcel *mine, fr_parcel *all,
                                   size_t each, fr_error *error) {
    fr_status status = find_post(comm, (size_t)(comm->size + 1) * each, error);
    if (status != FR_OK) return status;
    uint8_t *own = comm->post->memory, *row = own + each;
    memset(own, 0, each);
    fr_comm_count(comm, fr_parcel_pack(plan, mine, own), mine->level_count);
    status = comm->ops->gather_host(comm, own, each, row, error);
    return status == FR_OK ? open_row(comm, plan, row, each, all, error) : status;
}

static fr_status all_to_all_staged(fr_comm *comm, const fr_plan *plan, const fr_parcel *out, fr_parcel *in, size_t each,
                                   fr_error *error) {
    size_t row = (size_t)comm->size * each;
    fr_status status = find_post(comm, 2 * row, error);
    if (status != FR_OK) return status;
    uint8_t *send = comm->post->memory;
    memset(send, 0, row);
    for (int r = 0; r < comm->size; r++)
        if (r != comm->rank) fr_comm_count(comm, fr_parcel_pack(plan, &out[r], send + (size_t)r * each), out[r].level_count);
    status = comm->ops->shuffle(comm, send, each, send + row, error);
    return status == FR_OK ? open_row(comm, plan, send + row, each, in, error) : status;
}

/* ---------------------------------------------------------------------------------------- exchanges */

fr_status fr_parcel_all_gather(fr_comm *comm, const fr_plan *plan, const fr_parcel *mine, fr_parcel *all,
                               fr_error *error) {
    size_t need = fr_parcel_most(plan, mine), longest = longest_of(comm, plan, all);
    if (fr_parcels_are_staged(plan, comm->size, (double)longest)) return all_gather_staged(comm, plan, mine, all, longest, error);
    for (int r = 0; r < comm->size; r++) need += r == comm->rank ? 0 : fr_parcel_most(plan, &all[r]);
    fr_status status = find_post(comm, need, error);
    if (status != FR_OK) return status;
    uint8_t *at = comm->post->memory;
    size_t bytes = fr_parcel_pack(plan, mine, at);
    fr_comm_count(comm, bytes, mine->level_count);
    at += fr_parcel_most(plan, mine);
    for (int i = 1; i < comm->size; i++) {
        int r = after(comm, i);
        comm->post->out[i - 1] = (fr_message){r, comm->post->memory, bytes};
        comm->post->in[i - 1] = (fr_message){r, at, fr_parcel_most(plan, &all[r])};
        at += fr_parcel_most(plan, &all[r]);
    }
    int others = comm->size - 1;
    status = comm->ops->exchange(comm, "the all-gather", comm->post->out, others, comm->post->in, others, error);
    return status == FR_OK ? open_all(comm, plan, others, all, error) : status;
}

fr_status fr_parcel_all_to_all(fr_comm *comm, const fr_plan *plan, const fr_parcel *out, fr_parcel *in,
                               fr_error *error) {
    size_t need = 0, longest = longest_of(comm, plan, out);
    if (fr_parcels_are_staged(plan, comm->size, (double)longest)) return all_to_all_staged(comm, plan, out, in, longest, error);
    for (int r = 0; r < comm->size; r++) need += fr_parcel_most(plan, &out[r]) + fr_parcel_most(plan, &in[r]);
    fr_status status = find_post(comm, need, error);
    if (status != FR_OK) return status;
    uint8_t *at = comm->post->memory;
    for (int i = 1; i < comm->size; i++) {
        int r = after(comm, i);
        size_t bytes = fr_parcel_pack(plan, &out[r], at);
        fr_comm_count(comm, bytes, out[r].level_count);
        comm->post->out[i - 1] = (fr_message){r, at, bytes};
        at += fr_parcel_most(plan, &out[r]);
        comm->post->in[i - 1] = (fr_message){r, at, fr_parcel_most(plan, &in[r])};
        at += fr_parcel_most(plan, &in[r]);
    }
    int others = comm->size - 1;
    status = comm->ops->exchange(comm, "the all-to-all", comm->post->out, others, comm->post->in, others, error);
    return status == FR_OK ? open_all(comm, plan, others, in, error) : status;
}

fr_status fr_parcel_to_master(fr_comm *comm, const fr_plan *plan, const fr_parcel *mine, fr_parcel *all,
                              fr_error *error) {
    static const char what[] = "the gradients' way to the master";
    size_t need = comm->rank > 0 ? fr_parcel_most(plan, mine) : 0;
    for (int r = 1; comm->rank == 0 && r < comm->size; r++) need += fr_parcel_most(plan, &all[r]);
    fr_status status = find_post(comm, need, error);
    if (status != FR_OK) return status;
    uint8_t *at = comm->post->memory;
    if (comm->rank > 0) {
        size_t bytes = fr_parcel_pack(plan, mine, at);
        fr_comm_count(comm, bytes, mine->level_count);
        comm->post->out[0] = (fr_message){0, at, bytes};
        return comm->ops->exchange(comm, what, comm->post->out, 1, NULL, 0, error);
    }
    for (int r = 1; r < comm->size; r++) {
        comm->post->in[r - 1] = (fr_message){r, at, fr_parcel_most(plan, &all[r])};
        at += fr_parcel_most(plan, &all[r]);
    }
    status = comm->ops->exchange(comm, what, NULL, 0, comm->post->in, comm->size - 1, error);
    return status == FR_OK ? open_all(comm, plan, comm->size - 1, all, error) : status;
}

fr_status fr_parcel_weigh(fr_comm *comm, const fr_plan *plan, const fr_parcel *mine, size_t *bytes, fr_error *error) {
    fr_status status = find_post(comm, fr_parcel_most(plan, mine), error);
    if (status != FR_OK) return status;
    *bytes = fr_parcel_pack(plan, mine, comm->post->memory);
    fr_comm_count(comm, *bytes, mine->level_count);
    return FR_OK;
}
