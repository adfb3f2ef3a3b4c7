/*
 * wire.h - how a vector of int8 levels in -s..s travels: as it is, packed into b + 1 bits a level, or by Elias' code.
 *
 * What a rank receives comes from another machine, so fr_wire_decode trusts nothing: it accepts exactly the bytes that
 * fr_wire_encode writes for some vector of `count` levels, and refuses everything else in bounded time. Each vector has
 * one encoding, and the bits that fill up the last byte are zero.
 *
 * The scale of the vector, a float or double, travels beside it and is no part of these formats.
 */
#ifndef FR_WIRE_H
#define FR_WIRE_H

#include "fitrelu.h"

/* Coordinates that a vector may have here; a code word of Elias then fits 53 bits. */
#define FR_WIRE_COUNT_MOST ((int64_t)1 << 40)

/* Bits a level takes when packed: b + 1, b = ceil(log2(s + 1)) for the magnitude and one for the sign. s from 1 to 127. */
int fr_wire_bits(int s);

/* Bytes that `count` levels take at most: for int8 and packed exactly, for elias the size of the worst vector, every
 * level of which is s or -s. 0 for a wire that carries no levels. */
size_t fr_wire_most(fr_wire wire, int64_t count, int s);

/* Writes `count` levels, each from -s to s (the caller's duty: it is the quantizer that made them), to `out`, which has
 * room for fr_wire_most bytes; returns the bytes written. count from 0 to FR_WIRE_COUNT_MOST. */
size_t fr_wire_encode(fr_wire wire, const int8_t *levels, int64_t count, int s, uint8_t *out);

/* Reads `size` bytes at `in` back into `count` levels. FR_ERROR_DEVICE and a line that says what was found where the
 * bytes are not an encoding of `count` levels in -s..s: a level above s, bytes missing or left over, bits set after the
 * end. Never reads past size nor writes past count; after a failure the levels are of no use. */
fr_status fr_wire_decode(fr_wire wire, const uint8_t *in, size_t size, int64_t count, int s, int8_t *levels,
                         fr_error *error);

#endif
