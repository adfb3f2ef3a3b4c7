/*
 * packed.c - packed messages written and read. One that cannot be read is an error that names the rank it came from.
 */
#include "exchange/packed.h"

#include <string.h>

#include "wire/wire.h"

size_t fr_packed_most(fr_coding coding, const fr_packed *packed) {
    return (size_t)packed->scale_count * coding.real + fr_wire_most(coding.wire, packed->level_count, coding.most);
}

size_t fr_packed_write(fr_coding coding, const fr_packed *packed, uint8_t *to) {
    size_t scales = (size_t)packed->scale_count * coding.real;
    if (scales > 0) memcpy(to, packed->scales, scales);
    return scales + fr_wire_encode(coding.wire, packed->levels, packed->level_count, coding.most, to + scales);
}

fr_status fr_packed_read(fr_coding coding, const fr_message *message, fr_packed *packed, fr_error *error) {
    fr_error why;
    size_t scales = (size_t)packed->scale_count * coding.real;
    if (message->size < scales)
        return fr_fail_on_rank(error, FR_ERROR_DEVICE, message->rank, "rank %d sent %zu bytes; expected at least %zu",
                               message->rank, message->size, scales);
    if (scales > 0) memcpy(packed->scales, message->data, scales);
    fr_status status = fr_wire_decode(coding.wire, (const uint8_t *)message->data + scales, message->size - scales,
                                      packed->level_count, coding.most, packed->levels, &why);
    if (status == FR_OK) return FR_OK;
    return fr_fail(error, status, "what rank %d sent cannot be decoded: %s", message->rank, why.message);
}
