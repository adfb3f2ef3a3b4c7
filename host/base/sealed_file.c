/*
 * sealed_file.c - header, payload, checksum.
 */
#include "base/sealed_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/checksum.h"
#include "base/output_file.h"

typedef struct header {
    char magic[8];
    uint32_t version, checksum;
    uint64_t size;
} header;

fr_status fr_sealed_write(const char *path, const fr_seal *seal, const void *payload, size_t size, fr_error *error) {
    FR_OWNED unsigned char *all = NULL;
    fr_output *output = NULL;
    uint64_t sum;
    header head = {.version = seal->version, .checksum = FR_CHECKSUM, .size = size};
    memcpy(head.magic, seal->magic, sizeof head.magic);
    FR_TRY(fr_allocate((void **)&all, (int64_t)(sizeof head + size), 1, seal->what, error));
    memcpy(all, &head, sizeof head);
    memcpy(all + sizeof head, payload, size);
    sum = fr_checksum(all, sizeof head + size);
    FR_TRY(fr_output_open(path, &output, error));
    fr_output_write(output, all, sizeof head + size);
    fr_output_write(output, &sum, sizeof sum);
    return fr_output_commit(output, error);
}

static fr_status read_open(FILE *file, const char *path, const fr_seal *seal, unsigned char **all, size_t *size,
                           fr_error *error) {
    struct stat info;
    if (fstat(fileno(file), &info) != 0 || !S_ISREG(info.st_mode))
        return fr_fail(error, FR_ERROR, "cannot read %s %s: it is not a regular file", seal->what, path);
    *size = (size_t)info.st_size;
    FR_TRY(fr_allocate((void **)all, (int64_t)*size + 1, 1, seal->what, error));
    if (fread(*all, 1, *size, file) == *size) return FR_OK;
    return fr_fail_errno(error, FR_ERROR, "cannot read %s %s", seal->what, path);
}

static fr_status read_all(const char *path, const fr_seal *seal, unsigned char **all, size_t *size, fr_error *error) {
    FILE *file = fopen(path, "rb");
    if (!file) return fr_fail_errno(error, FR_ERROR, "cannot read %s %s", seal->what, path);
    fr_status status = read_open(file, path, seal, all, size, error);
    fclose(file);
    return status;
}

static fr_status check(const char *path, const fr_seal *seal, const unsigned char *all, size_t size,
                       fr_error *error) {
    header head;
    uint64_t sum, stored;
    if (size < sizeof head || memcmp(all, seal->magic, 8) != 0)
        return fr_fail(error, seal->damaged, "%s: not a fitrelu %s", path, seal->what);
    memcpy(&head, all, sizeof head);
    if (head.version > seal->version || head.version < (seal->oldest ? seal->oldest : seal->version))
        return fr_fail(error, seal->damaged, "%s: %s format %u; this program reads format %u", path, seal->what,
                       head.version, seal->version);
    if (size < sizeof head + sizeof sum || head.size != size - sizeof head - sizeof sum)
        return fr_fail(error, seal->damaged, "%s: damaged %s: %zu bytes found, %llu expected", path, seal->what, size,
                       (unsigned long long)(head.size + sizeof head + sizeof sum));
    memcpy(&stored, all + size - sizeof stored, sizeof stored);
    if (!fr_checksum_of_kind(head.checksum, all, size - sizeof sum, &sum))
        return fr_fail(error, seal->damaged, "%s: unknown kind of checksum %u (was fitrelu built without xxhash?)",
                       path, head.checksum);
    if (sum != stored) return fr_fail(error, seal->damaged, "%s: damaged %s: checksum mismatch", path, seal->what);
    return FR_OK;
}

fr_status fr_sealed_read(const char *path, const fr_seal *seal, void **payload, size_t *size, fr_error *error) {
    FR_OWNED unsigned char *all = NULL;
    size_t total = 0;
    FR_TRY(read_all(path, seal, &all, &total, error));
    FR_TRY(check(path, seal, all, total, error));
    *size = total - sizeof(header) - sizeof(uint64_t);
    memmove(all, all + sizeof(header), *size);
    *payload = all;
    all = NULL; /* the caller's */
    return FR_OK;
}
