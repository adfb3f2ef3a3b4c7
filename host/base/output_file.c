/*
 * output_file.c - writes through a temporary file that takes the target's name at the end.
 *
 * A full disk may show only in fsync or close, a crash may come at any time, and another program may read the old
 * file meanwhile: so the target keeps its old content until every byte of the new one is on the disk. Of several files
 * that belong together, the old ones keep a second name until all new ones have theirs, so that they can be put back.
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "base/output_file.h"

#include "base/descriptor.h"
#include "base/temporary_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER_BYTES = 1 << 16, LARGEST_WRITE = 1 << 30 };

struct fr_output {
    char *path;        /* as it was given, for messages */
    char *target;      /* path with symbolic links followed */
    fr_temporary file; /* its descriptor stays open until the renaming, since it holds the lock */
    fr_temporary old;  /* a second name of the file that the target was */
    bool direct;       /* the target is written itself, by file.descriptor */
    bool finished;     /* every byte is on the disk */
    bool named;        /* the new file has the target's name */
    mode_t mode;       /* that the target will have */
    int failure;       /* errno of the first failure, 0 before */
    int64_t offset;    /* of the first buffered byte */
    size_t used;
    char buffer[BUFFER_BYTES];
};

/* ------------------------------------------------------------------------------------------ opening */

static fr_status cannot_write(const char *path, int reason, fr_error *error) {
    if (reason == ENXIO) return fr_fail(error, FR_ERROR, "cannot write %s: nobody reads this pipe", path);
    errno = reason;
    return fr_fail_errno(error, FR_ERROR, "cannot write %s", path);
}

bool fr_output_is_named_pipe(const char *path) {
    struct stat about;
    if (stat(path, &about) != 0 || !S_ISFIFO(about.st_mode)) return false;
    char *name = realpath(path, NULL); /* of other pipes: /proc/.../pipe:[123], which is no name */
    bool named = name != NULL;
    free(name);
    return named;
}

/* Opens a device, a pipe, or the file behind standard output. */
static bool open_directly(fr_output *output, const struct stat *about) {
    int standard = fr_standard_descriptor(about);
    output->direct = true;
    if (standard >= 0) output->file.descriptor = fr_copy_descriptor(standard);
    else if (S_ISFIFO(about->st_mode)) output->file.descriptor = fr_open_pipe(output->path);
    else output->file.descriptor = fr_above_standard(open(output->path, O_WRONLY | O_NOCTTY | O_CLOEXEC));
    return output->file.descriptor >= 0;
}

/* The mode of new files under the umask, which is asked by setting it: for that instant to the strictest. */
static mode_t mode_of_new_files(void) {
    mode_t mask = umask(077);
    umask(mask);
    return 0666 & ~mask;
}

/* Decides how the target is written and opens it; false with errno. */
static bool open_output(fr_output *output) {
    size_t length = strlen(output->path);
    struct stat about;
    errno = length == 0 ? ENOENT : EISDIR;
    if (length == 0 || output->path[length - 1] == '/') return false;
    bool exists = stat(output->path, &about) == 0;
    if (!exists && errno != ENOENT) return false;
    errno = EISDIR;
    if (exists && S_ISDIR(about.st_mode)) return false;
    if (exists && (!S_ISREG(about.st_mode) || fr_standard_descriptor(&about) >= 0))
        return open_directly(output, &about);
    if (exists && faccessat(AT_FDCWD, output->path, W_OK, AT_EACCESS) != 0) return false;
    output->target = exists ? realpath(output->path, NULL) : strdup(output->path);
    if (!output->target) return false;
    output->mode = exists ? about.st_mode & 0777 : mode_of_new_files(); /* set-user-id and the like are not copied */
    return fr_temporary_open(output->target, &output->file);
}

fr_status fr_output_open(const char *path, fr_output **output, fr_error *error) {
    *output = NULL;
    fr_output *out = calloc(1, sizeof *out);
    if (!out) return cannot_write(path, ENOMEM, error);
    out->file = out->old = FR_NO_TEMPORARY;
    out->path = strdup(path);
    if (!out->path || !open_output(out)) {
        int reason = errno;
        fr_output_discard(out);
        return cannot_write(path, reason, error);
    }
    *output = out;
    return FR_OK;
}

/* ------------------------------------------------------------------------------------------ writing */

static bool fail_with_errno(fr_output *output) {
    if (!output->failure) output->failure = errno ? errno : EIO;
    return false;
}

static bool write_through(fr_output *output, const char *data, size_t size) {
    while (size > 0) {
        ssize_t written = write(output->file.descriptor, data, size < LARGEST_WRITE ? size : LARGEST_WRITE);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return fail_with_errno(output);
        data += written;
        size -= (size_t)written;
        output->offset += written;
    }
    return true;
}

bool fr_output_flush(fr_output *output) {
    if (output->failure) return false;
    size_t used = output->used;
    output->used = 0;
    return write_through(output, output->buffer, used);
}

bool fr_output_write(fr_output *output, const void *data, size_t size) {
    if (output->failure) return false;
    if (size == 0) return true;
    if (size > BUFFER_BYTES - output->used && !fr_output_flush(output)) return false;
    if (size >= BUFFER_BYTES) return write_through(output, data, size);
    memcpy(output->buffer + output->used, data, size);
    output->used += size;
    return true;
}

bool fr_output_printf(fr_output *output, const char *format, ...) {
    char line[1024];
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(line, sizeof line, format, arguments);
    bool written = false;
    if (length < 0) fail_with_errno(output);
    else if ((size_t)length < sizeof line) written = fr_output_write(output, line, (size_t)length);
    else {
        char *longer = malloc((size_t)length + 1);
        if (longer) vsnprintf(longer, (size_t)length + 1, format, again);
        written = longer ? fr_output_write(output, longer, (size_t)length) : fail_with_errno(output);
        free(longer);
    }
    va_end(again);
    va_end(arguments);
    return written;
}

bool fr_output_seek(fr_output *output, int64_t offset) {
    if (!fr_output_flush(output)) return false;
    if (lseek(output->file.descriptor, (off_t)offset, SEEK_SET) < 0) return fail_with_errno(output);
    output->offset = offset;
    return true;
}

int64_t fr_output_tell(const fr_output *output) { return output->offset + (int64_t)output->used; }

/* ------------------------------------------------------------------------------------------- ending */

/* Devices and pipes know no fsync, and answer EINVAL; so do some file systems. */
static bool bring_to_disk(int descriptor) {
    return fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EROFS;
}

/* Some file systems (NFS, quotas) tell of a lost write in close alone. Closing a copy asks them, and keeps the lock. */
static bool close_copy(int descriptor) {
    int copy = fr_copy_descriptor(descriptor);
    return copy >= 0 && close(copy) == 0;
}

fr_status fr_output_finish(fr_output *output, fr_error *error) {
    if (!output->finished) {
        output->finished = true;
        fr_output_flush(output);
        if (!output->failure && !output->direct && !bring_to_disk(output->file.descriptor)) fail_with_errno(output);
        if (!close_copy(output->file.descriptor)) fail_with_errno(output);
    }
    return output->failure ? cannot_write(output->path, output->failure, error) : FR_OK;
}

/* So that the new name survives a power cut; the file itself is already safe, hence no check. */
static void sync_folder(const char *target) {
    char *folder = strdup(target);
    if (!folder) return;
    char *slash = strrchr(folder, '/');
    if (slash) slash[1] = '\0';
    int descriptor = open(slash ? folder : ".", O_RDONLY | O_CLOEXEC);
    if (descriptor >= 0) {
        (void)!fsync(descriptor);
        close(descriptor);
    }
    free(folder);
}

/* The mode is set last: until then nobody else reads the file. A file system without modes keeps its own. */
static bool take_name(fr_output *output) {
    if (output->direct) return true;
    if (!fr_temporary_name(output->target, &output->file)) return false;
    (void)!fchmod(output->file.descriptor, output->mode);
    if (rename(output->file.name, output->target) != 0) return false;
    free(output->file.name); /* no longer ours to remove */
    output->file.name = NULL;
    output->named = true;
    return true;
}

/* One file needs no second name of the old one: its renaming happens or does not. */
static fr_status take_names(fr_output **outputs, int count, fr_error *error) {
    for (int i = 0; i < count; i++) FR_TRY(fr_output_finish(outputs[i], error));
    for (int i = 0; i < count && count > 1; i++) {
        if (!outputs[i]->direct && !fr_temporary_keep(outputs[i]->target, &outputs[i]->old))
            return cannot_write(outputs[i]->path, errno, error);
    }
    for (int i = 0; i < count; i++)
        if (!take_name(outputs[i])) return cannot_write(outputs[i]->path, errno, error);
    return FR_OK;
}

/* The target as it was before take_names. Between two names of one file rename does nothing; the second name then goes
 * in fr_output_discard. */
static void put_back(fr_output *output) {
    if (output->old.name) (void)!rename(output->old.name, output->target);
    else if (output->named) unlink(output->target);
}

fr_status fr_output_commit_all(fr_output **outputs, int count, fr_error *error) {
    fr_status status = take_names(outputs, count, error);
    for (int i = 0; i < count; i++) {
        if (status != FR_OK) put_back(outputs[i]);
        if (outputs[i]->named) sync_folder(outputs[i]->target);
        fr_output_discard(outputs[i]);
        outputs[i] = NULL;
    }
    return status;
}

fr_status fr_output_commit(fr_output *output, fr_error *error) { return fr_output_commit_all(&output, 1, error); }

void fr_output_discard(fr_output *output) {
    if (!output) return;
    fr_temporary_end(&output->file);
    fr_temporary_end(&output->old);
    free(output->target);
    free(output->path);
    free(output);
}
