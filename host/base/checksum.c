/*
 * checksum.c - XXH3 and FNV-1a over a block of memory.
 */
#include "base/checksum.h"

#ifdef FR_HAVE_XXHASH
#define XXH_INLINE_ALL
#include <xxhash.h>
#endif

static uint64_t fnv(const unsigned char *bytes, size_t size) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++) hash = (hash ^ bytes[i]) * 0x100000001b3u;
    return hash;
}

bool fr_checksum_of_kind(uint32_t kind, const void *bytes, size_t size, uint64_t *sum) {
    if (kind == FR_CHECKSUM_FNV) *sum = fnv(bytes, size);
#ifdef FR_HAVE_XXHASH
    else if (kind == FR_CHECKSUM_XXH3) *sum = XXH3_64bits(bytes, size);
#endif
    else return false;
    return true;
}

uint64_t fr_checksum(const void *bytes, size_t size) {
    uint64_t sum = 0;
    fr_checksum_of_kind(FR_CHECKSUM, bytes, size, &sum);
    return sum;
}
