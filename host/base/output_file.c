/*
 * output_file.c - writes through a temporary file that is renamed at the end.
 *
 * A full disk may show only in fsync or close, a crash may come at any time, and another program may read the old
 * file meanwhile: so the target keeps its old content until every byte of the new one is on the disk. Of several files
 * that belong together, the old ones keep a second name until all new ones have theirs, so that they can be put back.
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "base/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER_BYTES = 1 << 16, LARGEST_WRITE = 1 << 30, NAMES_TRIED = 1000 };

struct fr_output {
    char *path;      /* as it was given, for messages */
    char *target;    /* path with symbolic links followed */
    char *temporary; /* NULL where the target is written directly, and once it has its name */
    char *old;       /* a second name of the file that the target was, NULL: none */
    bool named;      /* the new file has its name */
    int descriptor;  /* -1 once closed */
    int failure;     /* errno of the first failure, 0 before */
    int64_t offset;  /* of the first buffered byte */
    size_t used;
    char buffer[BUFFER_BYTES];
};

/* ------------------------------------------------------------------------------------------ opening */

static fr_status cannot_write(const char *path, int reason, fr_error *error) {
    errno = reason;
    return fr_fail_errno(error, FR_ERROR, "cannot write %s", path);
}

/* The descriptor that already leads to this very file, standard output or standard error, or -1. Writing through it
 * keeps its offset and whatever else was printed. */
static int standard_descriptor(const struct stat *target) {
    for (int descriptor = STDOUT_FILENO; descriptor <= STDERR_FILENO; descriptor++) {
        struct stat about;
        if (fstat(descriptor, &about) == 0 && about.st_dev == target->st_dev && about.st_ino == target->st_ino)
            return descriptor;
    }
    return -1;
}

/* The same file by a number above 2, and never one of 0 to 2: a program that was started with standard error closed
 * would print into it. */
static int above_standard(int descriptor) {
    if (descriptor < 0 || descriptor > STDERR_FILENO) return descriptor;
    int higher = fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1), reason = errno;
    close(descriptor);
    errno = reason;
    return higher;
}

/* Opens a device, a pipe, or the file behind standard output. */
static bool open_directly(fr_output *output, const struct stat *about) {
    int standard = standard_descriptor(about);
    output->descriptor = standard >= 0 ? fcntl(standard, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
                                       : above_standard(open(output->path, O_WRONLY | O_NOCTTY | O_CLOEXEC));
    return output->descriptor >= 0;
}

/* Makes a new file in the folder of the target, under a name that nothing had; false with errno. */
typedef bool make_file(fr_output *output, const char *name);

/* O_EXCL settles races with other threads and programs, and open applies the umask as it does for any new file. */
static bool create(fr_output *output, const char *name) {
    output->descriptor = above_standard(open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (output->descriptor < 0 && errno == EMFILE) unlink(name); /* made, but with no number above 2 left */
    return output->descriptor >= 0;
}

/* Where the file system has no second names, the file itself moves. */
static bool link_target(fr_output *output, const char *name) {
    if (link(output->target, name) == 0) return true;
    return errno != EEXIST && errno != ENOENT && rename(output->target, name) == 0;
}

/* The name that `make` gave to a new file, or NULL with errno. */
static char *make_beside(fr_output *output, make_file *make) {
    const char *slash = strrchr(output->target, '/');
    int folder = slash ? (int)(slash - output->target) + 1 : 0;
    size_t size = (size_t)folder + 48;
    char *name = malloc(size);
    for (int i = 0; name && i < NAMES_TRIED; i++) {
        snprintf(name, size, "%.*s.fitrelu-%ld-%d.tmp", folder, output->target, (long)getpid(), i);
        if (make(output, name)) return name;
        if (errno != EEXIST) break;
    }
    int reason = errno;
    free(name);
    errno = reason;
    return NULL;
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
    if (exists && (!S_ISREG(about.st_mode) || standard_descriptor(&about) >= 0)) return open_directly(output, &about);
    if (exists && faccessat(AT_FDCWD, output->path, W_OK, AT_EACCESS) != 0) return false;
    output->target = exists ? realpath(output->path, NULL) : strdup(output->path);
    if (!output->target) return false;
    output->temporary = make_beside(output, create);
    if (!output->temporary) return false;
    if (exists)
        (void)!fchmod(output->descriptor, about.st_mode & 07777); /* the old file's mode, where it may be kept */
    return true;
}

fr_status fr_output_open(const char *path, fr_output **output, fr_error *error) {
    *output = NULL;
    fr_output *out = calloc(1, sizeof *out);
    if (!out) return cannot_write(path, ENOMEM, error);
    out->descriptor = -1;
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
        ssize_t written = write(output->descriptor, data, size < LARGEST_WRITE ? size : LARGEST_WRITE);
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
    if (lseek(output->descriptor, (off_t)offset, SEEK_SET) < 0) return fail_with_errno(output);
    output->offset = offset;
    return true;
}

int64_t fr_output_tell(const fr_output *output) { return output->offset + (int64_t)output->used; }

/* ------------------------------------------------------------------------------------------- ending */

/* Devices and pipes know no fsync, and answer EINVAL; so do some file systems. */
static bool bring_to_disk(int descriptor) {
    return fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EROFS;
}

fr_status fr_output_finish(fr_output *output, fr_error *error) {
    if (output->descriptor >= 0) {
        fr_output_flush(output);
        if (!output->failure && output->temporary && !bring_to_disk(output->descriptor)) fail_with_errno(output);
        if (close(output->descriptor) != 0) fail_with_errno(output);
        output->descriptor = -1;
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

static fr_status take_name(fr_output *output, fr_error *error) {
    if (!output->temporary) return FR_OK; /* written directly */
    if (rename(output->temporary, output->target) != 0) return cannot_write(output->path, errno, error);
    free(output->temporary); /* no longer ours to remove */
    output->temporary = NULL;
    output->named = true;
    return FR_OK;
}

/* One file needs no second name: its renaming happens or does not. */
static fr_status take_names(fr_output **outputs, int count, fr_error *error) {
    for (int i = 0; i < count; i++) FR_TRY(fr_output_finish(outputs[i], error));
    for (int i = 0; i < count && count > 1; i++)
        if (outputs[i]->temporary) outputs[i]->old = make_beside(outputs[i], link_target);
    for (int i = 0; i < count; i++) FR_TRY(take_name(outputs[i], error));
    return FR_OK;
}

/* The target as it was before take_names. Between two names of one file rename does nothing; the second name then goes
 * in fr_output_discard. */
static void put_back(fr_output *output) {
    if (output->old) (void)!rename(output->old, output->target);
    else if (output->named) unlink(output->target);
}

fr_status fr_output_commit_all(fr_output **outputs, int count, fr_error *error) {
    fr_status status = take_names(outputs, count, error);
    for (int i = 0; i < count; i++) {
        if (status != FR_OK) put_back(outputs[i]);
        else if (outputs[i]->named) sync_folder(outputs[i]->target);
        fr_output_discard(outputs[i]);
        outputs[i] = NULL;
    }
    return status;
}

fr_status fr_output_commit(fr_output *output, fr_error *error) { return fr_output_commit_all(&output, 1, error); }

void fr_output_discard(fr_output *output) {
    if (!output) return;
    if (output->descriptor >= 0) close(output->descriptor);
    if (output->temporary) unlink(output->temporary);
    if (output->old) unlink(output->old);
    free(output->temporary);
    free(output->old);
    free(output->target);
    free(output->path);
    free(output);
}
