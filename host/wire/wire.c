/*
 * wire.c - the formats int8 and packed, and the choice between the three.
 *
 *   int8     a byte a level, two's complement.
 *   packed   w = b + 1 bits a level. A level l is written as the number l + s, which lies in 0..2s and so fits w bits
 *            for every s from 1 to 127; offset binary has one zero, where sign and magnitude would have two. Level i
 *            takes the bits i w .. i w + w - 1 of the message, and bit j of the message is bit j mod 8 of byte j / 8:
 *            little-endian on any machine. 2s + 1 up to 2^w - 1 stand for nothing and are refused.
 *   elias    wire/elias.c.
 *
 * Eight levels make w whole bytes, so packed works on eight at a time in one 64-bit word: the bytes hold one field
 * each, and three steps join them in pairs, in fours and in eights by pushing the upper half of every lane down onto
 * the lower one. That is some twenty operations for eight levels without a branch, on any processor.
 */
#include "wire/wire.h"

#include <string.h>

#include "base/status.h"
#include "wire/elias.h"

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (uint64_t)(value))
#define LOW_SEVEN EACH_BYTE(0x7f)
#define TOP_BIT EACH_BYTE(0x80)

static uint64_t in_memory_order(uint64_t word) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_bswap64(word);
#else
    return word;
#endif
}

/* Up to eight bytes, the first one lowest; those not there are zero. */
static uint64_t load(const void *from, size_t bytes) {
    uint64_t word = 0;
    memcpy(&word, from, bytes);
    return in_memory_order(word);
}

static void store(void *to, uint64_t word, size_t bytes) {
    word = in_memory_order(word);
    memcpy(to, &word, bytes);
}

/* Eight sums modulo 256: no carry passes from one byte to the next. */
static uint64_t add_bytes(uint64_t a, uint64_t b) {
    return ((a & LOW_SEVEN) + (b & LOW_SEVEN)) ^ ((a ^ b) & TOP_BIT);
}

/* Eight bytes that hold w bits each -> 8 w bits. */
static uint64_t join(uint64_t x, int w) {
    x = (x & UINT64_C(0x00ff00ff00ff00ff)) | (x & UINT64_C(0xff00ff00ff00ff00)) >> (8 - w);
    x = (x & UINT64_C(0x0000ffff0000ffff)) | (x & UINT64_C(0xffff0000ffff0000)) >> (16 - 2 * w);
    return (x & UINT64_C(0x00000000ffffffff)) | (x & UINT64_C(0xffffffff00000000)) >> (32 - 4 * w);
}

/* Masks that part 8 w bits again, one for each step of join, from the last to the first. */
typedef struct lanes {
    uint64_t four, two, one; /* the lower w 4, w 2 and w bits of every 64, 32 and 16 */
} lanes;

static lanes lanes_of(int w) {
    return (lanes){(UINT64_C(1) << (4 * w)) - 1, UINT64_C(0x0000000100000001) * ((UINT64_C(1) << (2 * w)) - 1),
                   UINT64_C(0x0001000100010001) * ((UINT64_C(1) << w) - 1)};
}

/* 8 w bits -> eight bytes that hold w bits each. What lies above the 8 w bits is ignored. */
static uint64_t part(uint64_t x, int w, lanes low) {
    x = (x & low.four) | (x & low.four << (4 * w)) << (32 - 4 * w);
    x = (x & low.two) | (x & low.two << (2 * w)) << (16 - 2 * w);
    return (x & low.one) | (x & low.one << w) << (8 - w);
}

/* The top bit of each byte of x that is above `most`. */
static uint64_t bytes_above(uint64_t x, int most) {
    uint64_t sum = (x & LOW_SEVEN) + EACH_BYTE(127 - (most & 127));
    return (most < 128 ? sum | x : sum & x) & TOP_BIT;
}

/* The last 0 to 7 levels as a word, zero above. */
static uint64_t only_bytes(uint64_t x, size_t bytes) { return x & ((UINT64_C(1) << (8 * bytes)) - 1); }

static size_t packed_bytes(int64_t count, int s) {
    uint64_t w = (uint64_t)fr_wire_bits(s), n = (uint64_t)count;
    return (size_t)(n / 8 * w + (n % 8 * w + 7) / 8);
}

static size_t packed_encode(const int8_t *levels, int64_t count, int s, uint8_t *out) {
    size_t size = packed_bytes(count, s), rest = (size_t)(count % 8), at = 0;
    int w = fr_wire_bits(s);
    uint64_t offset = EACH_BYTE(s);
    int64_t i = 0;
    for (; i + 8 <= count && at + 8 <= size; i += 8, at += (size_t)w) /* the next eight write over what is too much */
        store(out + at, join(add_bytes(load(levels + i, 8), offset), w), 8);
    for (; i + 8 <= count; i += 8, at += (size_t)w)
        store(out + at, join(add_bytes(load(levels + i, 8), offset), w), (size_t)w);
    if (rest) store(out + at, join(only_bytes(add_bytes(load(levels + i, rest), offset), rest), w), size - at);
    return size;
}

/* What reading needs to know, and what it found: the top bits of bytes that were above 2 s. */
typedef struct unpacker {
    int s, w;
    lanes low;
    uint64_t above;
} unpacker;

/* Eight levels from the lowest 8 w bits of a word. */
static inline uint64_t unpack(unpacker *how, uint64_t word) {
    uint64_t fields = part(word, how->w, how->low);
    how->above |= bytes_above(fields, 2 * how->s);
    return add_bytes(fields, EACH_BYTE(256 - how->s));
}

static fr_status packed_decode(const uint8_t *in, size_t size, int64_t count, int s, int8_t *levels,
                               fr_error *error) {
    size_t rest = (size_t)(count % 8), at = 0, w = (size_t)fr_wire_bits(s);
    unpacker how = {s, (int)w, lanes_of((int)w), 0};
    int64_t i = 0;
    for (; i + 8 <= count && at + 8 <= size; i += 8, at += w) store(levels + i, unpack(&how, load(in + at, 8)), 8);
    for (; i + 8 <= count; i += 8, at += w) store(levels + i, unpack(&how, load(in + at, w)), 8);
    if (rest) {
        uint64_t last = load(in + at, size - at);
        if (last >> (rest * w))
            return fr_fail(error, FR_ERROR_DEVICE, "packed levels: bits are set after the last of %lld levels",
                           (long long)count);
        store(levels + i, unpack(&how, last), rest);
    }
    if (how.above) return fr_fail(error, FR_ERROR_DEVICE, "packed levels: one is above the most, %d", s);
    return FR_OK;
}

static fr_status int8_decode(const uint8_t *in, int64_t count, int s, int8_t *levels, fr_error *error) {
    int above = 0;
    memcpy(levels, in, (size_t)count);
    for (int64_t i = 0; i < count; i++) above |= (uint8_t)(in[i] + s) > 2 * s;
    if (above) return fr_fail(error, FR_ERROR_DEVICE, "int8 levels: one is above the most, %d", s);
    return FR_OK;
}

int fr_wire_bits(int s) {
    int bits = 1;
    while (s >> (bits - 1)) bits++;
    return bits;
}

size_t fr_wire_most(fr_wire wire, int64_t count, int s) {
    switch (wire) {
    case FR_WIRE_INT8: return (size_t)count;
    case FR_WIRE_PACKED: return packed_bytes(count, s);
    case FR_WIRE_ELIAS: return fr_elias_most(count, s);
    default: return 0;
    }
}

size_t fr_wire_encode(fr_wire wire, const int8_t *levels, int64_t count, int s, uint8_t *out) {
    if (wire == FR_WIRE_ELIAS) return fr_elias_encode(levels, count, s, out);
    if (wire == FR_WIRE_PACKED) return packed_encode(levels, count, s, out);
    if (wire != FR_WIRE_INT8 || count == 0) return 0;
    memcpy(out, levels, (size_t)count);
    return (size_t)count;
}

fr_status fr_wire_decode(fr_wire wire, const uint8_t *in, size_t size, int64_t count, int s, int8_t *levels,
                         fr_error *error) {
    if (wire != FR_WIRE_INT8 && wire != FR_WIRE_PACKED && wire != FR_WIRE_ELIAS)
        return fr_fail(error, FR_ERROR_USAGE, "wire format %d carries no levels; expected int8, packed or elias",
                       (int)wire);
    if (count < 0 || count > FR_WIRE_COUNT_MOST || s < 1 || s > 127)
        return fr_fail(error, FR_ERROR_USAGE,
                       "%lld levels of at most %d: expected 0 to 2^40 levels of at most 1 to 127", (long long)count,
                       s);
    if (wire == FR_WIRE_ELIAS) return fr_elias_decode(in, size, count, s, levels, error);
    size_t expected = fr_wire_most(wire, count, s);
    if (size != expected)
        return fr_fail(error, FR_ERROR_DEVICE,
                       "%s levels: found %zu bytes, expected %zu for %lld levels of at most %d",
                       wire == FR_WIRE_PACKED ? "packed" : "int8", size, expected, (long long)count, s);
    if (count == 0) return FR_OK;
    return wire == FR_WIRE_PACKED ? packed_decode(in, size, count, s, levels, error)
                                  : int8_decode(in, count, s, levels, error);
}
