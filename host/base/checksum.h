/*
 * checksum.h - 64-bit checksums, against damage and mix-ups, not against malice.
 *
 * XXH3 where the build has xxhash, else FNV-1a, which is slower and always there. What is kept in a file names its
 * kind, so that another build can tell that it lacks it.
 */
#ifndef FR_CHECKSUM_H
#define FR_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FR_CHECKSUM_FNV = 1, FR_CHECKSUM_XXH3 = 2 };

/* The kind that this build uses. */
#ifdef FR_HAVE_XXHASH
#define FR_CHECKSUM FR_CHECKSUM_XXH3
#else
#define FR_CHECKSUM FR_CHECKSUM_FNV
#endif

/* The checksum of the given kind; false where this build lacks the kind. */
bool fr_checksum_of_kind(uint32_t kind, const void *bytes, size_t size, uint64_t *sum);

/* The checksum of this build's own kind. */
uint64_t fr_checksum(const void *bytes, size_t size);

#endif
