/*
 * elias.h - the Elias code of levels; wire/wire.h is what others call, and says what each function promises.
 */
#ifndef FR_WIRE_ELIAS_H
#define FR_WIRE_ELIAS_H

#include "fitrelu.h"

/* Bits of Elias(k), k >= 1. */
int fr_elias_length(uint64_t k);

size_t fr_elias_most(int64_t count, int s);
size_t fr_elias_encode(const int8_t *levels, int64_t count, int s, uint8_t *out);
fr_status fr_elias_decode(const uint8_t *in, size_t size, int64_t count, int s, int8_t *levels, fr_error *error);

#endif
