/*
 * packed.h - a packed message: quantized vectors as one run of bytes, the scales in front and then the levels in the
 * plan's format (wire/wire.h).
 *
 * Used below the exchange seam by comms that send messages, and by what is made of messages alone
 * (exchange/hierarchical.c).
 */
#ifndef FR_PACKED_H
#define FR_PACKED_H

#include "plan/plan.h"
#include "ranks/link.h"

/* How levels become bytes. */
typedef struct fr_coding {
    fr_wire wire;
    int most;    /* levels lie in -most..most */
    size_t real; /* bytes of a scale */
} fr_coding;

static inline fr_coding fr_coding_of(const fr_plan *plan) {
    return (fr_coding){plan->wire, plan->levels, fr_precision_bytes(plan->precision)};
}

/* What a message holds: where its scales and levels are, or shall go. */
typedef struct fr_packed {
    void *scales; /* scale_count real */
    int64_t scale_count;
    int8_t *levels; /* level_count, one behind the other */
    int64_t level_count;
} fr_packed;

/* Bytes that it takes at most. */
size_t fr_packed_most(fr_coding coding, const fr_packed *packed);
/* Writes it to `to`, which has room for fr_packed_most bytes; returns the bytes written. */
size_t fr_packed_write(fr_coding coding, const fr_packed *packed, uint8_t *to);
/* Reads a message that has come into scales and levels. FR_ERROR_DEVICE where it is none: it comes from another
 * machine. */
fr_status fr_packed_read(fr_coding coding, const fr_message *message, fr_packed *packed, fr_error *error);

#endif
