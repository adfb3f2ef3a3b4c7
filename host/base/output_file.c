/*
 * output_file.c - writes through a temporary file that takes the target's name at the end.
 *
 * A full disk may show only in fsync or close, a crash may come at any time, and another program may read the old
 * file meanwhile: so the target keeps its old content until every byte of the new one is on the disk.
 *
 * The temporary file has no name (O_TMPFILE) where the file system can do that: then the system removes it however the
 * process ends. It gets its name by linkat, which cannot replace a file: so a name of its own first, and rename next.
 * Elsewhere, and for the moment between these two calls, the file is called .fitrelu-HASH-NUMBER.tmp, HASH being that of
 * the target's name. Its writer holds a lock on it (flock). A file of this target's whose lock is free was left by a
 * process that died, and the next writer of the target removes it. The lock tells this on other hosts too, where a
 * process number would not.
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "base/output_file.h"

#include "base/checksum.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER_BYTES = 1 << 16, LARGEST_WRITE = 1 << 30, NAMES_TRIED = 1000, LEFTOVERS_SOUGHT = 8, READER_LOOKS = 200 };

bool fr_output_always_named;

struct fr_output {
    char *path;      /* as it was given, for messages */
    char *target;    /* path with symbolic links followed */
    char *temporary; /* name of the temporary file, NULL while it has none */
    int descriptor;  /* -1 once closed; of a temporary file open until it is renamed, since it holds the lock */
    bool direct;     /* the target is written itself */
    bool finished;   /* every byte is on the disk */
    mode_t mode;     /* that the target will have */
    int failure;     /* errno of the first failure, 0 before */
    int64_t offset;  /* of the first buffered byte */
    size_t used;
    char buffer[BUFFER_BYTES];
};

/* ------------------------------------------------------------------------------------------ opening */

static fr_status cannot_write(const char *path, int reason, fr_error *error) {
    if (reason == ENXIO) return fr_fail(error, FR_ERROR, "cannot write %s: nobody reads this pipe", path);
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

bool fr_output_is_named_pipe(const char *path) {
    struct stat about;
    if (stat(path, &about) != 0 || !S_ISFIFO(about.st_mode)) return false;
    char *name = realpath(path, NULL); /* of other pipes: /proc/.../pipe:[123], which is no name */
    bool named = name != NULL;
    free(name);
    return named;
}

/* Opening a pipe without a reader would wait for one for ever, deaf to signals. Two seconds are enough for a reader that
 * is started at the same time; then this fails with ENXIO, and with EINTR at a signal. */
static int open_pipe(const char *path) {
    const struct timespec pause = {.tv_nsec = 10000000};
    int descriptor;
    for (int i = 0; (descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK)) < 0; i++)
        if (errno != ENXIO || i == READER_LOOKS || nanosleep(&pause, NULL) != 0) return -1;
    if (fcntl(descriptor, F_SETFL, O_WRONLY) == 0) return descriptor;
    close(descriptor);
    return -1;
}

/* Opens a device, a pipe, or the file behind standard output. */
static bool open_directly(fr_output *output, const struct stat *about) {
    int standard = standard_descriptor(about);
    output->direct = true;
    if (standard >= 0) output->descriptor = fcntl(standard, F_DUPFD_CLOEXEC, 3);
    else if (S_ISFIFO(about->st_mode)) output->descriptor = open_pipe(output->path);
    else output->descriptor = open(output->path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
    return output->descriptor >= 0;
}

/* ---------------------------------------------------------------------------------- temporary files */

/* The length of the folder's part of the target, its slash included. */
static int folder_length(const char *target) {
    const char *slash = strrchr(target, '/');
    return slash ? (int)(slash - target) + 1 : 0;
}

/* The temporary name of that number; NULL without memory. */
static char *temporary_name(const char *target, int number) {
    int folder = folder_length(target);
    size_t size = (size_t)folder + 48;
    char *name = malloc(size);
    unsigned long long hash = fr_checksum(target + folder, strlen(target + folder));
    if (name) snprintf(name, size, "%.*s.fitrelu-%016llx-%d.tmp", folder, target, hash, number);
    return name;
}

/* True where the name leads to the file behind the descriptor. */
static bool is_named(int descriptor, const char *name) {
    struct stat file, found;
    return fstat(descriptor, &file) == 0 && lstat(name, &found) == 0 && file.st_dev == found.st_dev &&
           file.st_ino == found.st_ino;
}

/* Removes what dead writers of this target left. A file system that has no locks keeps it: nobody can tell there. */
static void remove_leftovers(const char *target) {
    for (int number = 0; number < LEFTOVERS_SOUGHT; number++) {
        char *name = temporary_name(target, number);
        int descriptor = name ? open(name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;
        if (descriptor >= 0) {
            if (flock(descriptor, LOCK_EX | LOCK_NB) == 0 && is_named(descriptor, name)) unlink(name);
            close(descriptor);
        }
        free(name);
    }
}

/* The mode of new files under the umask, which is asked by setting it: for that instant to the strictest. */
static mode_t mode_of_new_files(void) {
    mode_t mask = umask(077);
    umask(mask);
    return 0666 & ~mask;
}

/* A file without a name in the folder of the target. It needs /proc to get its name in the end. */
static bool open_nameless(fr_output *output) {
#ifdef O_TMPFILE
    char link[40];
    int length = folder_length(output->target);
    char *folder = length > 0 ? strndup(output->target, (size_t)length) : strdup(".");
    if (folder && !fr_output_always_named)
        output->descriptor = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    free(folder);
    if (output->descriptor < 0) return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", output->descriptor);
    if (access(link, F_OK) == 0) {
        (void)!flock(output->descriptor, LOCK_EX | LOCK_NB); /* before it gets a name that others see */
        return true;
    }
    close(output->descriptor);
    output->descriptor = -1;
#endif
    return false;
}

/* Creates a file of that name and locks it. Between the two calls another writer may take it for a leftover: then it
 * is gone, or locked, and the next name is tried. False with errno EEXIST where the name is not free. */
static bool create_named(fr_output *output, char *name) {
    int descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0) return false;
    bool locked = flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
    if (locked && is_named(descriptor, name)) {
        output->descriptor = descriptor;
        output->temporary = name;
        return true;
    }
    close(descriptor);
    errno = EEXIST;
    return false;
}

static bool open_named(fr_output *output) {
    for (int i = 0; i < NAMES_TRIED; i++) {
        char *name = temporary_name(output->target, i);
        if (name && create_named(output, name)) return true;
        int reason = name ? errno : ENOMEM;
        free(name);
        errno = reason;
        if (reason != EEXIST) return false;
    }
    return false;
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
    remove_leftovers(output->target);
    output->mode = exists ? about.st_mode & 0777 : mode_of_new_files(); /* set-user-id and the like are not copied */
    return open_nameless(output) || open_named(output);
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

/* Some file systems (NFS, quotas) tell of a lost write in close alone. Closing a copy asks them, and keeps the lock. */
static bool close_copy(int descriptor) {
    int copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
    return copy >= 0 && close(copy) == 0;
}

fr_status fr_output_finish(fr_output *output, fr_error *error) {
    if (!output->finished) {
        output->finished = true;
        fr_output_flush(output);
        if (!output->failure && !output->direct && !bring_to_disk(output->descriptor)) fail_with_errno(output);
        if (!close_copy(output->descriptor)) fail_with_errno(output);
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

/* Gives a nameless file a temporary name; false with errno. */
static bool name_file(fr_output *output) {
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", output->descriptor);
    for (int i = 0; i < NAMES_TRIED; i++) {
        char *name = temporary_name(output->target, i);
        if (name && linkat(AT_FDCWD, link, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0) {
            output->temporary = name;
            return true;
        }
        int reason = name ? errno : ENOMEM;
        free(name);
        errno = reason;
        if (reason != EEXIST) return false;
    }
    return false;
}

/* The mode is set last: until then nobody else reads the file. A file system without modes keeps its own. */
static bool take_name(fr_output *output) {
    if (!output->temporary && !name_file(output)) return false;
    (void)!fchmod(output->descriptor, output->mode);
    if (rename(output->temporary, output->target) != 0) return false;
    free(output->temporary); /* no longer ours to remove */
    output->temporary = NULL;
    sync_folder(output->target);
    return true;
}

fr_status fr_output_commit(fr_output *output, fr_error *error) {
    fr_status status = fr_output_finish(output, error);
    if (status == FR_OK && !output->direct && !take_name(output)) status = cannot_write(output->path, errno, error);
    fr_output_discard(output);
    return status;
}

void fr_output_discard(fr_output *output) {
    if (!output) return;
    if (output->temporary) unlink(output->temporary); /* while it is locked: the name may be another's afterwards */
    if (output->descriptor >= 0) close(output->descriptor);
    free(output->temporary);
    free(output->target);
    free(output->path);
    free(output);
}
