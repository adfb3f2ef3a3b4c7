/*
 * write_npz.c - writes an NPZ archive through libzip into an fr_output.
 *
 * libzip writes to files of its own making; to keep the promise that a file appears whole or not at all, on any kind
 * of target and with errors that name it, libzip is given a "source" whose writes go to base/output_file.h. The arrays lie
 * in memory and are stored uncompressed, as numpy.savez does, without a copy.
 */
#include "data/npy.h"
#include "base/output_file.h"

#ifdef FR_HAVE_LIBZIP

#include <errno.h>
#include <stdio.h>
#include <zip.h>

/* The archive as libzip sees it: an empty file at first, that can be written and moved about in. */
typedef struct sink {
    fr_output *output;
    zip_error_t error;
} sink;

static zip_int64_t sink_result(sink *s, bool good, zip_int64_t result) {
    if (good) return result;
    zip_error_set(&s->error, ZIP_ER_WRITE, EIO); /* fr_output keeps the true reason */
    return -1;
}

static zip_int64_t sink_stat(void *data, zip_uint64_t size) {
    zip_stat_t *about = data;
    if (size < sizeof *about) return -1;
    zip_stat_init(about);
    about->size = 0;
    about->valid = ZIP_STAT_SIZE;
    return sizeof *about;
}

static zip_int64_t sink_seek(sink *s, const void *data, zip_uint64_t size) {
    if (size < sizeof(zip_source_args_seek_t)) return sink_result(s, false, 0);
    const zip_source_args_seek_t *to = data;
    if (to->whence == SEEK_END) return sink_result(s, false, 0); /* libzip never asks for it */
    int64_t base = to->whence == SEEK_CUR ? fr_output_tell(s->output) : 0;
    return sink_result(s, fr_output_seek(s->output, base + to->offset), 0);
}

static zip_int64_t sink_command(void *user, void *data, zip_uint64_t size, zip_source_cmd_t command) {
    sink *s = user;
    switch (command) {
    case ZIP_SOURCE_SUPPORTS:
        return zip_source_make_command_bitmap(ZIP_SOURCE_SUPPORTS, ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE,
                                              ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE, ZIP_SOURCE_SEEK,
                                              ZIP_SOURCE_TELL, ZIP_SOURCE_BEGIN_WRITE, ZIP_SOURCE_COMMIT_WRITE,
                                              ZIP_SOURCE_ROLLBACK_WRITE, ZIP_SOURCE_SEEK_WRITE, ZIP_SOURCE_TELL_WRITE,
                                              ZIP_SOURCE_WRITE, ZIP_SOURCE_REMOVE, -1);
    case ZIP_SOURCE_STAT: return sink_stat(data, size);
    case ZIP_SOURCE_ERROR: return zip_error_to_data(&s->error, data, size);
    case ZIP_SOURCE_WRITE: return sink_result(s, fr_output_write(s->output, data, size), (zip_int64_t)size);
    case ZIP_SOURCE_SEEK_WRITE: return sink_seek(s, data, size);
    case ZIP_SOURCE_TELL_WRITE: return fr_output_tell(s->output);
    case ZIP_SOURCE_COMMIT_WRITE: return sink_result(s, fr_output_flush(s->output), 0);
    default: return 0; /* open, close, read of nothing, rollback, free: the caller owns the output */
    }
}

static bool add_array(zip_t *archive, const fr_npy_output *array) {
    char entry[32];
    snprintf(entry, sizeof entry, "%s.npy", array->name);
    zip_buffer_fragment_t parts[2] = {{(zip_uint8_t *)(size_t)array->header, sizeof array->header},
                                      {(zip_uint8_t *)(size_t)array->values, (zip_uint64_t)array->bytes}};
    zip_source_t *source = zip_source_buffer_fragment(archive, parts, 2, 0);
    zip_int64_t index = source ? zip_file_add(archive, entry, source, ZIP_FL_ENC_UTF_8) : -1;
    if (index < 0) {
        zip_source_free(source); /* NULL is fine */
        return false;
    }
    /* One date for all, 1 January 1980: the same data give the same bytes. */
    return zip_set_file_compression(archive, (zip_uint64_t)index, ZIP_CM_STORE, 0) == 0 &&
           zip_file_set_dostime(archive, (zip_uint64_t)index, 0, 0x21, 0) == 0;
}

/* Runs libzip over the sink; false with a reason in s->error where it is libzip's own. */
static bool write_archive(sink *s, const fr_npy_output *arrays, int count) {
    zip_source_t *source = zip_source_function_create(sink_command, s, &s->error);
    if (!source) return false;
    zip_t *archive = zip_open_from_source(source, ZIP_CREATE | ZIP_TRUNCATE, &s->error);
    if (!archive) {
        zip_source_free(source);
        return false;
    }
    bool good = true;
    for (int i = 0; good && i < count; i++) good = add_array(archive, &arrays[i]);
    if (good && zip_close(archive) == 0) return true;
    zip_error_set(&s->error, zip_error_code_zip(zip_get_error(archive)), 0);
    zip_discard(archive);
    return false;
}

fr_status fr_npz_write(const char *path, const fr_npy_output *arrays, int count, fr_error *error) {
    sink s = {0};
    fr_status status = fr_output_open(path, &s.output, error);
    if (status != FR_OK) return status;
    zip_error_init(&s.error);
    bool good = write_archive(&s, arrays, count);
    /* A failed write has its reason in the output; what is left is libzip's own. */
    status = good ? FR_OK : fr_output_finish(s.output, error);
    if (!good && status == FR_OK)
        status = fr_fail(error, FR_ERROR, "cannot write %s: libzip: %s", path, zip_error_strerror(&s.error));
    zip_error_fini(&s.error);
    if (status == FR_OK) return fr_output_commit(s.output, error);
    fr_output_discard(s.output);
    return status;
}

#else

fr_status fr_npz_write(const char *path, const fr_npy_output *arrays, int count, fr_error *error) {
    (void)arrays;
    (void)count;
    return fr_fail(error, FR_ERROR,
                   "cannot write %s: this fitrelu was built without libzip, which NPZ needs; write .npy, "
                   "or build with libzip",
                   path);
}

#endif
