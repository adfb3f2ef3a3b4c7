/*
 * sealed_file.h - small binary files that are refused, not misread, when damaged: models and checkpoints.
 *
 * Layout, little-endian: magic (8 bytes), format version (u32), kind of checksum (u32), payload size (u64), payload,
 * checksum (u64) over everything before it.
 */
#ifndef FR_SEALED_FILE_H
#define FR_SEALED_FILE_H

#include "base/status.h"

typedef struct fr_seal {
    char magic[9];      /* 8 characters */
    uint32_t version;   /* that is written, and the newest that is read */
    const char *what;   /* "model", "checkpoint": for messages */
    fr_status damaged;  /* status of a file that is not whole or not of this kind */
    uint32_t oldest;    /* version that is read too; 0: none older */
} fr_seal;

/* Writes the payload whole or not at all. */
fr_status fr_sealed_write(const char *path, const fr_seal *seal, const void *payload, size_t size, fr_error *error);
/* Reads and checks; the caller frees payload. */
fr_status fr_sealed_read(const char *path, const fr_seal *seal, void **payload, size_t *size, fr_error *error);

#endif
