/*
 * npz.c - reads NumPy's NPZ archives: X, y and, of generated sets, the planted w_star.
 *
 * An NPZ is a ZIP of NPY files, stored or deflated. libzip reads it from the bytes already in memory; values are
 * converted chunk by chunk as they are inflated, so that the archive costs no second copy of X. Where some of the rows
 * are kept, the others pass through the chunk all the same: the checksum is one of the whole array.
 */
#include "data/npy.h"
#include "data/parse.h"

#ifdef FR_HAVE_LIBZIP

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

enum { CHUNK_BYTES = 1 << 18 }; /* a multiple of every value size */

/* One array of the archive, open at its first value. */
typedef struct member {
    zip_file_t *stream;
    fr_npy array;
} member;

static fr_status open_archive(const fr_text *file, zip_t **archive, fr_error *error) {
    zip_error_t reason;
    zip_error_init(&reason);
    zip_source_t *source = zip_source_buffer_create(file->data, file->size, 0, &reason);
    *archive = source ? zip_open_from_source(source, ZIP_RDONLY, &reason) : NULL;
    fr_status status = FR_OK;
    if (!*archive) {
        status =
            fr_fail(error, FR_ERROR_DATA, "%s: %s, expected an NPZ archive", file->path, zip_error_strerror(&reason));
        if (source) zip_source_free(source);
    }
    zip_error_fini(&reason);
    return status;
}

static int64_t find_member(zip_t *archive, const char *name) {
    char entry[32];
    snprintf(entry, sizeof entry, "%s.npy", name);
    return zip_name_locate(archive, entry, 0);
}

static fr_status missing(zip_t *archive, const char *path, const char *name, fr_error *error) {
    char names[200] = "";
    size_t used = 0;
    for (zip_int64_t i = 0; i < zip_get_num_entries(archive, 0) && used < sizeof names - 1; i++) {
        const char *entry = zip_get_name(archive, (zip_uint64_t)i, 0);
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", entry ? entry : "?");
    }
    return fr_fail(error, FR_ERROR_DATA, "%s: no array %s.npy in the archive, which holds: %s", path, name,
                   names[0] ? names : "nothing");
}

/* Reads exactly size bytes. */
static fr_status read_exactly(member *m, void *to, int64_t size, fr_error *error) {
    int64_t got = 0;
    while (got < size) {
        zip_int64_t now = zip_fread(m->stream, (char *)to + got, (zip_uint64_t)(size - got));
        if (now < 0)
            return fr_fail(error, FR_ERROR_DATA, "%s: array %s: damaged: %s", m->array.path, m->array.name,
                           zip_file_strerror(m->stream));
        if (now == 0) return fr_fail(error, FR_ERROR_DATA, "%s: array %s: truncated", m->array.path, m->array.name);
        got += now;
    }
    return FR_OK;
}

static fr_status read_header(member *m, int64_t size, fr_error *error) {
    const char *path = m->array.path, *name = m->array.name;
    char prefix[FR_NPY_PREFIX];
    char *header = NULL;
    int64_t bytes = 0;
    int64_t start = size < FR_NPY_PREFIX ? size : FR_NPY_PREFIX;
    fr_status status = read_exactly(m, prefix, start, error);
    if (status == FR_OK) status = fr_npy_header_bytes(path, name, prefix, (size_t)start, &bytes, error);
    if (status != FR_OK) return status;
    if (bytes < start || bytes > size)
        return fr_fail(error, FR_ERROR_DATA, "%s: array %s: truncated inside the NPY header", path, name);
    header = malloc((size_t)bytes);
    if (!header) return fr_fail(error, FR_ERROR, "%s: out of memory", path);
    memcpy(header, prefix, (size_t)start);
    status = read_exactly(m, header + start, bytes - start, error);
    if (status == FR_OK) status = fr_npy_parse_header(path, name, header, (size_t)bytes, &m->array, error);
    if (status == FR_OK) status = fr_npy_check_size(&m->array, size - bytes, error);
    free(header);
    return status;
}

/* Opens array number index; m->stream is the caller's to close. */
static fr_status open_member(zip_t *archive, const char *path, const char *name, int64_t index, member *m,
                             fr_error *error) {
    zip_stat_t about;
    *m = (member){.array = {.path = path, .name = name}};
    if (zip_stat_index(archive, (zip_uint64_t)index, 0, &about) == 0 && (about.valid & ZIP_STAT_SIZE))
        m->stream = zip_fopen_index(archive, (zip_uint64_t)index, 0);
    if (!m->stream)
        return fr_fail(error, FR_ERROR_DATA, "%s: array %s: cannot be opened: %s", path, name, zip_strerror(archive));
    if (about.size > INT64_MAX)
        return fr_fail(error, FR_ERROR_DATA, "%s: array %s: damaged: impossible size", path, name);
    return read_header(m, (int64_t)about.size, error);
}

/* Converts the values of the rows that are kept, and reads to the end, where libzip compares the checksum. Who keeps
 * none leaves both to those who do. */
static fr_status read_values(member *m, fr_range kept, fr_precision precision, void *target, fr_error *error) {
    if (kept.count == 0) return FR_OK;
    char *chunk = malloc(CHUNK_BYTES);
    if (!chunk) return fr_fail(error, FR_ERROR, "%s: out of memory", m->array.path);
    int64_t step = CHUNK_BYTES / m->array.bytes;
    fr_status status = FR_OK;
    for (int64_t first = 0; status == FR_OK && first < m->array.count; first += step) {
        int64_t count = m->array.count - first < step ? m->array.count - first : step;
        status = read_exactly(m, chunk, count * m->array.bytes, error);
        if (status == FR_OK) status = fr_npy_convert(&m->array, chunk, first, count, kept, precision, target, error);
    }
    if (status == FR_OK && zip_fread(m->stream, chunk, 1) != 0)
        status = fr_fail(error, FR_ERROR_DATA, "%s: array %s: damaged: %s", m->array.path, m->array.name,
                         zip_file_strerror(m->stream));
    free(chunk);
    return status;
}

static fr_status read_rows(zip_t *archive, const fr_text *file, const fr_read_options *options, fr_dataset **set,
                           fr_error *error) {
    member m = {0};
    int64_t index = find_member(archive, "X");
    if (index < 0) return missing(archive, file->path, "X", error);
    fr_status status = open_member(archive, file->path, "X", index, &m, error);
    if (status == FR_OK) status = fr_npy_check_matrix(&m.array, options->features, error);
    if (status == FR_OK)
        status = fr_dataset_allocate(m.array.shape[0], m.array.shape[1], fr_kept_rows(options, m.array.shape[0]),
                                     fr_wants_labels(options), options->precision, file->path, set, error);
    if (status == FR_OK) status = read_values(&m, fr_dataset_range(*set), options->precision, (*set)->rows, error);
    if (m.stream) zip_fclose(m.stream);
    return status;
}

/* The values `kept` of a vector of the given length; against says what gave the length. */
static fr_status read_vector(zip_t *archive, const fr_text *file, const char *name, int64_t length,
                             const char *against, fr_range kept, fr_precision precision, void *target,
                             fr_error *error) {
    member m = {0};
    int64_t index = find_member(archive, name);
    if (index < 0) return missing(archive, file->path, name, error);
    fr_status status = open_member(archive, file->path, name, index, &m, error);
    if (status == FR_OK) status = fr_npy_check_vector(&m.array, length, against, error);
    if (status == FR_OK) status = read_values(&m, kept, precision, target, error);
    if (m.stream) zip_fclose(m.stream);
    return status;
}

static fr_status read_planted(zip_t *archive, const fr_text *file, fr_dataset *set, fr_error *error) {
    void *planted = NULL;
    fr_status status = fr_allocate(&planted, set->features, sizeof(double), "w_star", error);
    if (status != FR_OK) return status;
    set->planted = planted;
    return read_vector(archive, file, "w_star", set->features, "columns of X", (fr_range){0, set->features}, FR_F64,
                       planted, error);
}

fr_status fr_dataset_parse_npz(const fr_text *file, const fr_read_options *options, fr_dataset **set,
                               fr_error *error) {
    zip_t *archive = NULL;
    fr_dataset *made = NULL;
    fr_status status = open_archive(file, &archive, error);
    if (status != FR_OK) return status;
    status = read_rows(archive, file, options, &made, error);
    if (status == FR_OK && fr_wants_own_labels(options))
        status = read_vector(archive, file, "y", made->samples, "rows of X", fr_dataset_range(made), made->precision,
                             made->labels, error);
    if (status == FR_OK && find_member(archive, "w_star") >= 0) status = read_planted(archive, file, made, error);
    zip_discard(archive);
    if (status == FR_OK) *set = made;
    else fr_dataset_free(made);
    return status;
}

#else

fr_status fr_dataset_parse_npz(const fr_text *file, const fr_read_options *options, fr_dataset **set,
                               fr_error *error) {
    (void)options;
    *set = NULL;
    return fr_fail(error, FR_ERROR,
                   "cannot read %s: this fitrelu was built without libzip, which NPZ needs; "
                   "use NPY, CSV or LIBSVM, or build with libzip",
                   file->path);
}

#endif
