/*
 * elias.c - levels by Elias' recursive code, as in the QSGD paper (Alistarh et al. 2017, section 3.2): short where
 * most levels are zero, and never needing to know how they are distributed.
 *
 * Elias(k) for k >= 1, the "omega" code: start from a single 0; while k > 1, put k in binary before what there is and
 * go on with k := the bits just put there - 1.
 *
 *     1: 0    2: 10 0    3: 11 0    4: 10 100 0    8: 11 1000 0    16: 10 100 10000 0
 *
 * Read from the left: N = 1; a 0 ends the number; a 1 begins a group of N + 1 bits, which is the new N. A group begins
 * with a 1, so its length is that of its number and each k has one code word.
 *
 * The message, coordinates counted from 1: for each non-zero level l, Elias(the distance from the last non-zero one, or
 * from 0), a sign bit (1: negative), Elias(|l|). The end is one more distance, to the coordinate count + 1. The bits
 * stand in the order of reading, the first in the top bit of the first byte; the last byte is filled up with zeros.
 *
 * The size at worst. Let E be the length of Elias(s) and g_1 .. g_p, g_end the distances; g_1 + .. + g_p + g_end =
 * count + 1. For 2^j <= k < 2^(j+1), j >= 1, |Elias(k)| = |Elias(j)| + j + 1; by induction it does not fall with k, and
 * is at most (2 j - 1) + j + 1 = 3 j <= 2 2^j - 1 <= 2 k - 1, which |Elias(1)| = 1 keeps too. So a non-zero level takes
 * |Elias(g)| + 1 + |Elias(l)| <= 2 g + E <= g (2 + E) bits, and the whole at most (count + 1 - g_end)(2 + E) +
 * 2 g_end - 1. That falls with g_end (E >= 1) and is largest at g_end = 1:
 *
 *     bits <= count (2 + E) + 1,     reached by the vector that is s everywhere.
 */
#include "wire/elias.h"

#include <assert.h>
#include <string.h>

#include "base/status.h"

/* Distances are at most 2^40 + 1, numbers of 41 bits; a word is then 2 + 3 + 6 + 41 + 1 = 53 bits. */
enum { NUMBER_BITS_MOST = 41, CLASSES = NUMBER_BITS_MOST + 1 };

static int bit_length(uint64_t k) { return 64 - __builtin_clzll(k); }

/* All k of one bit length have the same groups before their own: Elias(k) = (base ^ 2 k), in `length` bits. */
typedef struct word_class {
    uint64_t base;
    int length;
} word_class;

static word_class class_of(int bits) {
    if (bits == 1) return (word_class){2, 1}; /* k = 1, the word 0: its own bit is not written, so 2 k is taken out */
    uint64_t groups = 0;
    int length = 0;
    for (int next = bits - 1; next > 1; next = bit_length((uint64_t)next) - 1) {
        groups |= (uint64_t)next << length;
        length += bit_length((uint64_t)next);
    }
    return (word_class){groups << (bits + 1), length + bits + 1};
}

int fr_elias_length(uint64_t k) { return class_of(bit_length(k)).length; }

static uint64_t bits_most(int64_t count, int s) {
    return (uint64_t)count * (uint64_t)(2 + fr_elias_length((uint64_t)s)) + 1;
}

size_t fr_elias_most(int64_t count, int s) { return (size_t)((bits_most(count, s) + 7) / 8); }

/* ------------------------------------------------------------------------------------------------- writing */

/* Bits gather at the lower end of `pending`, fewer than 32 between calls, and leave four bytes at a time. */
typedef struct writer {
    uint8_t *at;
    uint64_t pending;
    int fill;
} writer;

static inline void put(writer *to, uint64_t bits, int length) { /* at most 32 */
    to->pending = to->pending << length | bits;
    to->fill += length;
    if (to->fill < 32) return;
    to->fill -= 32;
    uint32_t whole = (uint32_t)(to->pending >> to->fill);
    for (int i = 0; i < 4; i++) to->at[i] = (uint8_t)(whole >> (24 - 8 * i));
    to->at += 4;
}

static inline void put_number(writer *to, const word_class classes[CLASSES], uint64_t k) {
    word_class c = classes[bit_length(k)];
    uint64_t word = c.base ^ k << 1;
    if (c.length > 32) {
        put(to, word >> 32, c.length - 32);
        put(to, word & UINT32_MAX, 32);
    } else put(to, word, c.length);
}

static void finish(writer *to) {
    for (; to->fill > 0; to->fill -= 8)
        *to->at++ = (uint8_t)(to->fill >= 8 ? to->pending >> (to->fill - 8) : to->pending << (8 - to->fill));
}

size_t fr_elias_encode(const int8_t *levels, int64_t count, int s, uint8_t *out) {
    word_class classes[CLASSES];
    writer to = {out, 0, 0};
    int64_t last = -1; /* the last non-zero coordinate, from 0 */
    for (int bits = 1; bits < CLASSES; bits++) classes[bits] = class_of(bits);
    for (int64_t i = 0; i < count; i++) {
        uint64_t eight = 1;
        if (i + 8 <= count) memcpy(&eight, levels + i, 8);
        if (eight == 0) { /* long runs of zeros go by eight */
            i += 7;
            continue;
        }
        if (levels[i] == 0) continue;
        put_number(&to, classes, (uint64_t)(i - last));
        int size = levels[i] < 0 ? -levels[i] : levels[i];
        word_class c = classes[bit_length((uint64_t)size)];
        put(&to, (uint64_t)(levels[i] < 0) << c.length | (c.base ^ (uint64_t)size << 1), c.length + 1);
        last = i;
    }
    put_number(&to, classes, (uint64_t)(count - last));
    finish(&to);
    assert((size_t)(to.at - out) <= fr_elias_most(count, s));
    (void)s;
    return (size_t)(to.at - out);
}

/* ------------------------------------------------------------------------------------------------- reading */

typedef struct reader {
    const uint8_t *in;
    size_t size;
    uint64_t position; /* bits read; beyond 8 size where the message was cut short */
} reader;

/* The next 57 bits or more, the next one on top; zeros follow the end. */
static inline uint64_t look(const reader *from) {
    size_t byte = (size_t)(from->position >> 3);
    uint64_t window = 0;
    if (byte + 8 <= from->size)
        for (int i = 0; i < 8; i++) window |= (uint64_t)from->in[byte + (size_t)i] << (56 - 8 * i);
    else
        for (size_t i = byte; i < from->size; i++) window |= (uint64_t)from->in[i] << (56 - 8 * (i - byte));
    return window << (from->position & 7);
}

/* One number; 0 where it has more than 41 bits. At most 53 bits are read, so one look is enough: a group longer than
 * 41 bits is refused before it is read, and before one of 17 to 41 stand at most 2 + 3 + 6. */
static inline uint64_t read_number(reader *from, uint64_t window) {
    uint64_t number = 1;
    int used = 0;
    while (window >> 63) {
        if (number >= NUMBER_BITS_MOST) return 0;
        int length = (int)number + 1;
        number = window >> (64 - length);
        window <<= length;
        used += length;
    }
    from->position += (uint64_t)used + 1;
    return number;
}

static fr_status refuse(fr_error *error, const reader *from, const char *what) {
    return fr_fail(error, FR_ERROR_DEVICE, "Elias code: %s near bit %llu of %zu bytes", what,
                   (unsigned long long)from->position, from->size);
}

/* After the last distance: nothing may be missing, left over or set. */
static fr_status check_end(const reader *from, fr_error *error) {
    if (from->position > 8 * (uint64_t)from->size) return refuse(error, from, "the message ends too early");
    if ((from->position + 7) / 8 != from->size) return refuse(error, from, "bytes are left over");
    int spare = (int)(8 * (uint64_t)from->size - from->position);
    if (from->in[from->size - 1] & ((1 << spare) - 1)) return refuse(error, from, "bits are set after the end");
    return FR_OK;
}

/* Each turn advances by one coordinate or more, so there are at most count + 1 whatever the bytes are. */
fr_status fr_elias_decode(const uint8_t *in, size_t size, int64_t count, int s, int8_t *levels, fr_error *error) {
    reader from = {in, size, 0};
    int64_t at = -1;
    if (count > 0) memset(levels, 0, (size_t)count);
    for (;;) {
        uint64_t gap = read_number(&from, look(&from));
        if (from.position > 8 * (uint64_t)size) return refuse(error, &from, "the message ends too early");
        if (gap == 0 || gap > (uint64_t)(count - at)) return refuse(error, &from, "a coordinate beyond the last");
        at += (int64_t)gap;
        if (at == count) return check_end(&from, error);
        uint64_t window = look(&from);
        from.position++;
        uint64_t level = read_number(&from, window << 1);
        if (level == 0 || level > (uint64_t)s) return refuse(error, &from, "a level above the most");
        levels[at] = (int8_t)(window >> 63 ? -(int)level : (int)level);
    }
}
