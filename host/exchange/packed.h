/*
 * packed.h - quantized vectors as messages: scales in front, then the levels as the plan's wire codes them.
 *
 * For exchanges that carry messages (comm->ops->exchange). All functions are called by all ranks.
 */
#ifndef FR_PACKED_H
#define FR_PACKED_H

#include "exchange/comm.h"
#include "plan/plan.h"

/* What one rank has to say, or the room for what it says. */
typedef struct fr_packed {
    void *scales;        /* scale_count real */
    int64_t scale_count;
    int8_t *levels;      /* level_count, one behind the other */
    int64_t level_count;
} fr_packed;

/* mine to every other rank, theirs into all[r]. all[own rank] is left alone. */
fr_status fr_packed_all_gather(fr_comm *comm, const fr_plan *plan, const fr_packed *mine, fr_packed *all,
                               fr_error *error);
/* out[r] to rank r, and what comes from it into in[r]. */
fr_status fr_packed_all_to_all(fr_comm *comm, const fr_plan *plan, const fr_packed *out, fr_packed *in,
                               fr_error *error);
/* mine to rank 0, which gets all[r] of every r above 0; mine is not read there. */
fr_status fr_packed_to_master(fr_comm *comm, const fr_plan *plan, const fr_packed *mine, fr_packed *all,
                              fr_error *error);
/* Bytes of this packed message coded, for a rank that keeps it: vectors in one process are not sent, but their size is asked. */
fr_status fr_packed_weigh(fr_comm *comm, const fr_plan *plan, const fr_packed *mine, size_t *bytes, fr_error *error);

/* ----------------------------------------------------------------- for exchanges of another shape (exchange/hierarchical.c) */

/* Memory for an exchange's messages, kept from step to step: `size` bytes, and lists of comm->size messages each way. */
fr_status fr_scratch_find(fr_comm *comm, size_t size, uint8_t **memory, fr_message **out, fr_message **in, fr_error *error);
/* Bytes that a packed message takes at most; packs it, returning its bytes; unpacks what has come. */
size_t fr_packed_most(const fr_plan *plan, const fr_packed *packed);
size_t fr_packed_pack(const fr_plan *plan, const fr_packed *packed, uint8_t *to);
fr_status fr_packed_open(const fr_plan *plan, const fr_message *message, fr_packed *packed, fr_error *error);

#endif
