/*
 * npz.c - reads NumPy's NPZ archives: X, y and, of generated sets, the planted w_star.
 *
 * An NPZ is a ZIP of NPY files, stored or deflated. libzip reads it; values are converted chunk by chunk as they are
 * inflated, so that the archive costs no second copy of X. Where some of the rows
 * are kept, the others pass through the chunk all the same: the checksum is one of the whole array.
 */
#include "data/npy.h"
#include "data/parse.h"
#include "data/select.h"

#ifdef FR_HAVE_LIBZIP

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

/* One array of the archive, open at its first value. */
typedef struct member {
    const fr_text *file;
    zip_file_t *stream;
    fr_npy array;
    int64_t done; /* bytes read of it */
} member;

/* What libzip says of a failure; errno was 0 before. Want of memory and of a readable disk are not the archive's fault,
 * though libzip may call want of memory "Not a zip archive". */
static fr_status zip_fault(zip_error_t *reason) {
    if (errno == ENOMEM) zip_error_set(reason, ZIP_ER_MEMORY, 0);
    const int system_faults[] = {ZIP_ER_MEMORY, ZIP_ER_OPEN, ZIP_ER_READ, ZIP_ER_SEEK, ZIP_ER_TELL};
    for (size_t i = 0; i < sizeof system_faults / sizeof *system_faults; i++)
        if (zip_error_code_zip(reason) == system_faults[i]) return FR_ERROR;
    return FR_ERROR_DATA;
}

/* libzip reads a regular file by itself, and what came through a pipe from memory. */
static zip_t *open_zip(const fr_text *file, zip_error_t *reason) {
    int code = 0;
    if (file->held) {
        zip_source_t *source = zip_source_buffer_create(file->held, file->size, 0, reason);
        zip_t *archive = source ? zip_open_from_source(source, ZIP_RDONLY, reason) : NULL;
        if (source && !archive) zip_source_free(source);
        return archive;
    }
    int own = fcntl(file->descriptor, F_DUPFD_CLOEXEC, 3); /* libzip closes it */
    zip_t *archive = own < 0 ? NULL : zip_fdopen(own, 0, &code);
    if (archive) return archive;
    zip_error_set(reason, own < 0 ? ZIP_ER_OPEN : code, errno);
    if (own >= 0) close(own);
    return NULL;
}

static fr_status open_archive(const fr_text *file, zip_t **archive, fr_error *error) {
    zip_error_t reason;
    zip_error_init(&reason);
    errno = 0;
    *archive = open_zip(file, &reason);
    fr_status status = *archive ? FR_OK : zip_fault(&reason);
    if (status != FR_OK)
        fr_fail(error, status, "%s: %s%s", file->path, zip_error_strerror(&reason),
                status == FR_ERROR_DATA ? ", expected an NPZ archive" : "");
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
    FR_TRY(fr_text_check_stop(m->file, error));
    errno = 0;
    while (got < size) {
        zip_int64_t now = zip_fread(m->stream, (char *)to + got, (zip_uint64_t)(size - got));
        if (now < 0) {
            fr_status status = zip_fault(zip_file_get_error(m->stream));
            return fr_fail(error, status, "%s: array %s: %s%s", m->array.path, m->array.name,
                           status == FR_ERROR_DATA ? "damaged: " : "", zip_file_strerror(m->stream));
        }
        if (now == 0) return fr_fail(error, FR_ERROR_DATA, "%s: array %s: truncated", m->array.path, m->array.name);
        got += now;
    }
    m->done += size;
    return fr_text_tell(m->file, (uint64_t)m->done, (uint64_t)(m->array.count * m->array.bytes), error);
}

static fr_status read_header(member *m, int64_t size, fr_error *error) {
    const char *path = m->array.path, *name = m->array.name;
    char prefix[FR_NPY_PREFIX];
    FR_OWNED char *header = NULL;
    int64_t bytes = 0;
    int64_t start = size < FR_NPY_PREFIX ? size : FR_NPY_PREFIX;
    FR_TRY(read_exactly(m, prefix, start, error));
    FR_TRY(fr_npy_header_bytes(path, name, prefix, (size_t)start, &bytes, error));
    if (bytes < start || bytes > size)
        return fr_fail(error, FR_ERROR_DATA, "%s: array %s: truncated inside the NPY header", path, name);
    header = malloc((size_t)bytes);
    if (!header) return fr_fail(error, FR_ERROR, "%s: out of memory", path);
    memcpy(header, prefix, (size_t)start);
    FR_TRY(read_exactly(m, header + start, bytes - start, error));
    FR_TRY(fr_npy_parse_header(path, name, header, (size_t)bytes, &m->array, error));
    return fr_npy_check_size(&m->array, size - bytes, error);
}

static void close_member(member *m) {
    if (m->stream) zip_fclose(m->stream);
    m->stream = NULL;
}
#define OWNED_MEMBER __attribute__((cleanup(close_member)))

/* What an archive says of the size of a member decides how much is allocated; deflate makes one byte of no more than
 * 1032, and what is stored is as long as it is. */
static fr_status check_claim(const member *m, const zip_stat_t *about, fr_error *error) {
    const zip_uint64_t needed = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
    const char *path = m->array.path, *name = m->array.name;
    if ((about->valid & needed) != needed || about->size > INT64_MAX || about->comp_size > m->file->size)
        return fr_fail(error, FR_ERROR_DATA, "%s: array %s: damaged: impossible size", path, name);
    if (about->comp_method != ZIP_CM_STORE && about->comp_method != ZIP_CM_DEFLATE)
        return fr_fail(error, FR_ERROR_DATA, "%s: array %s: compressed by method %d, expected stored or deflated",
                       path, name, about->comp_method);
    zip_uint64_t most = about->comp_method == ZIP_CM_STORE ? 1 : 1032;
    if (about->size / most <= about->comp_size) return FR_OK;
    return fr_fail(error, FR_ERROR_DATA, "%s: array %s: damaged: %" PRIu64 " bytes cannot hold %" PRIu64, path, name,
                   about->comp_size, about->size);
}

/* Opens an array of the archive; m, zeroed before, is the caller's to close. */
static fr_status open_member(zip_t *archive, const fr_text *file, const char *name, member *m, fr_error *error) {
    zip_stat_t about;
    *m = (member){.file = file, .array = {.path = file->path, .name = name}};
    errno = 0;
    int64_t index = find_member(archive, name);
    if (index < 0) return missing(archive, file->path, name, error);
    if (zip_stat_index(archive, (zip_uint64_t)index, 0, &about) == 0) {
        FR_TRY(check_claim(m, &about, error));
        m->stream = zip_fopen_index(archive, (zip_uint64_t)index, 0);
    }
    if (!m->stream)
        return fr_fail(error, zip_fault(zip_get_error(archive)), "%s: array %s: cannot be opened: %s", file->path,
                       name, zip_strerror(archive));
    return read_header(m, (int64_t)about.size, error);
}

/* ------------------------------------------------------------------------------------------- values */

static fr_status read_member(void *user, const fr_npy *array, void *to, int64_t bytes, fr_error *error) {
    (void)array;
    return read_exactly(user, to, bytes, error);
}

/* Reads what it passes over: the checksum is one of the whole array. */
static fr_status skip_member(void *user, const fr_npy *array, int64_t bytes, fr_error *error) {
    char dropped[4096];
    (void)array;
    while (bytes > 0) {
        int64_t now = bytes < (int64_t)sizeof dropped ? bytes : (int64_t)sizeof dropped;
        FR_TRY(read_exactly(user, dropped, now, error));
        bytes -= now;
    }
    return FR_OK;
}

static fr_npy_source source_of(member *m) { return (fr_npy_source){read_member, skip_member, m}; }

/* Converts the values of the rows that are kept, and reads to the end, where libzip compares the checksum. Who keeps
 * none leaves both to those who do. */
static fr_status read_values(member *m, const fr_missing *left_out, fr_range kept, fr_precision precision,
                             void *target, fr_error *error) {
    char byte;
    if (kept.count == 0) return FR_OK;
    FR_TRY(fr_npy_read(&m->array, source_of(m), left_out, kept, precision, target, error));
    if (zip_fread(m->stream, &byte, 1) == 0) return FR_OK;
    return fr_fail(error, FR_ERROR_DATA, "%s: array %s: damaged: %s", m->array.path, m->array.name,
                   zip_file_strerror(m->stream));
}

/* The values `kept` of a vector; without those of rows left out it has `length`, and against says what gave it. */
static fr_status read_vector(zip_t *archive, const fr_text *file, const char *name, int64_t length,
                             const char *against, const fr_missing *left_out, fr_range kept, fr_precision precision,
                             void *target, fr_error *error) {
    OWNED_MEMBER member m = {0};
    FR_TRY(open_member(archive, file, name, &m, error));
    FR_TRY(fr_npy_check_vector(&m.array, length + (left_out ? left_out->count : 0), against, error));
    return read_values(&m, left_out, kept, precision, target, error);
}

/* ------------------------------------------------------------------------------------------- archive */

/* Leaves out the rows without a label or value and those kept apart, and forms means. */
static fr_status look(zip_t *archive, const fr_text *file, bool own_labels, fr_missing *left_out, int64_t *samples,
                      fr_error *error) {
    OWNED_MEMBER member y = {0}, x = {0};
    const fr_missing_rule rule = left_out->rule;
    bool *const selected = left_out->selected;
    const bool looks = fr_missing_looks(left_out);
    fr_status status = own_labels ? open_member(archive, file, "y", &y, error) : FR_OK;
    left_out->rule = FR_MISSING_DROP; /* of labels, whatever the rule */
    left_out->selected = NULL;
    if (status == FR_OK && own_labels) status = fr_npy_check_vector(&y.array, *samples, "rows of X", error);
    if (status == FR_OK && own_labels && looks && fr_npy_may_lack(&y.array))
        status = fr_npy_look(&y.array, source_of(&y), left_out, error);
    left_out->rule = rule;
    left_out->selected = selected;
    FR_TRY(status);
    FR_TRY(open_member(archive, file, "X", &x, error));
    FR_TRY(fr_missing_begin(left_out, x.array.shape[1], error));
    if (fr_missing_looks_at_all(left_out) || (looks && fr_npy_may_lack(&x.array)))
        FR_TRY(fr_npy_look(&x.array, source_of(&x), left_out, error));
    return fr_missing_settle(left_out, file->path, samples, error);
}

static fr_status read_rows(zip_t *archive, const fr_text *file, const fr_read_options *options, bool own_labels,
                           fr_missing *left_out, fr_dataset **set, fr_error *error) {
    OWNED_MEMBER member m = {0};
    FR_TRY(open_member(archive, file, "X", &m, error));
    FR_TRY(fr_npy_check_matrix(&m.array, options->features, error));
    FR_TRY(fr_select_begin(file->path, options, m.array.shape[1], left_out, error));
    int64_t samples = m.array.shape[0];
    if (fr_missing_settles(left_out)) FR_TRY(look(archive, file, own_labels, left_out, &samples, error));
    FR_TRY(fr_dataset_allocate(samples, m.array.shape[1], fr_kept_rows(options, samples),
                               own_labels || (fr_wants_labels(options) && options->labels), options->precision,
                               file->path, set, error));
    return read_values(&m, left_out, fr_dataset_range(*set), options->precision, (*set)->rows, error);
}

static fr_status read_planted(zip_t *archive, const fr_text *file, fr_dataset *set, fr_error *error) {
    FR_TRY(fr_allocate((void **)&set->planted, set->features, sizeof(double), "w_star", error));
    return read_vector(archive, file, "w_star", set->features, "columns of X", NULL, (fr_range){0, set->features},
                       FR_F64, set->planted, error);
}

static fr_status read_archive(zip_t *archive, const fr_text *file, const fr_read_options *options,
                              fr_missing *left_out, fr_dataset **set, fr_error *error) {
    bool own_labels = fr_wants_own_labels(options);
    if (fr_labels_optional(options)) own_labels = find_member(archive, "y") >= 0;
    FR_TRY(read_rows(archive, file, options, own_labels, left_out, set, error));
    fr_missing rows_alone = *left_out; /* the rows left out, but no means */
    rows_alone.rule = FR_MISSING_DROP;
    rows_alone.selected = NULL;
    if (own_labels)
        FR_TRY(read_vector(archive, file, "y", (*set)->samples, "rows of X", &rows_alone, fr_dataset_range(*set),
                           (*set)->precision, (*set)->labels, error));
    return find_member(archive, "w_star") >= 0 ? read_planted(archive, file, *set, error) : FR_OK;
}

fr_status fr_dataset_parse_npz(const fr_text *file, const fr_read_options *options, fr_missing *left_out,
                               fr_dataset **set, fr_error *error) {
    zip_t *archive = NULL;
    *set = NULL;
    FR_TRY(open_archive(file, &archive, error));
    fr_status status = read_archive(archive, file, options, left_out, set, error);
    zip_discard(archive);
    if (status == FR_OK) return FR_OK;
    fr_dataset_free(*set);
    *set = NULL;
    return status;
}

#else

fr_status fr_dataset_parse_npz(const fr_text *file, const fr_read_options *options, fr_missing *left_out,
                               fr_dataset **set, fr_error *error) {
    (void)options;
    (void)left_out;
    *set = NULL;
    return fr_fail(error, FR_ERROR,
                   "cannot read %s: this fitrelu was built without libzip, which NPZ needs; "
                   "use NPY, CSV or LIBSVM, or build with libzip",
                   file->path);
}

#endif
