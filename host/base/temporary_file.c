/*
 * temporary_file.c - names that are free, locks that tell the living from the dead.
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "base/temporary_file.h"

#include "base/checksum.h"
#include "base/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES_TRIED = 1000, LEFTOVERS_SOUGHT = 8, LINK_SIZE = 40 };

bool fr_temporary_always_named;

/* ------------------------------------------------------------------------------------------ names */

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

/* Makes a file of that name; false with errno, EEXIST where the name is not free. */
typedef bool make_file(fr_temporary *file, const char *target, const char *name);

/* Makes it by the first name that is free. */
static bool make_beside(const char *target, make_file *make, fr_temporary *file) {
    for (int i = 0; i < NAMES_TRIED; i++) {
        char *name = temporary_name(target, i);
        if (name && make(file, target, name)) {
            file->name = name;
            return true;
        }
        int reason = name ? errno : ENOMEM;
        free(name);
        errno = reason;
        if (reason != EEXIST) return false;
    }
    return false;
}

/* ---------------------------------------------------------------------------------------- new files */

/* A file system that has no locks keeps leftovers: nobody can tell there. */
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

static void link_of(int descriptor, char text[LINK_SIZE]) { snprintf(text, LINK_SIZE, "/proc/self/fd/%d", descriptor); }

/* A file without a name in the folder of the target. It needs /proc to get its name in the end. */
static bool open_nameless(const char *target, fr_temporary *file) {
#ifdef O_TMPFILE
    char link[LINK_SIZE];
    int length = folder_length(target);
    char *folder = length > 0 ? strndup(target, (size_t)length) : strdup(".");
    if (folder && !fr_temporary_always_named)
        file->descriptor = fr_above_standard(open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
    free(folder);
    if (file->descriptor < 0) return false;
    link_of(file->descriptor, link);
    if (access(link, F_OK) == 0) {
        (void)!flock(file->descriptor, LOCK_EX | LOCK_NB); /* before it gets a name that others see */
        return true;
    }
    close(file->descriptor);
    file->descriptor = -1;
#endif
    return false;
}

/* Between open and flock another writer may take the file for a leftover: then it is gone, or locked, and the next name is
 * tried. */
static bool create(fr_temporary *file, const char *target, const char *name) {
    (void)target;
    int descriptor = fr_above_standard(open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (descriptor < 0 && errno == EMFILE) unlink(name); /* made, but with no number above 2 left */
    if (descriptor < 0) return false;
    bool locked = flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
    if (locked && is_named(descriptor, name)) {
        file->descriptor = descriptor;
        return true;
    }
    close(descriptor);
    errno = EEXIST;
    return false;
}

bool fr_temporary_open(const char *target, fr_temporary *file) {
    *file = FR_NO_TEMPORARY;
    remove_leftovers(target);
    return open_nameless(target, file) || make_beside(target, create, file);
}

static bool link_nameless(fr_temporary *file, const char *target, const char *name) {
    char link[LINK_SIZE];
    (void)target;
    link_of(file->descriptor, link);
    return linkat(AT_FDCWD, link, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0;
}

bool fr_temporary_name(const char *target, fr_temporary *file) {
    return file->name || make_beside(target, link_nameless, file);
}

/* ---------------------------------------------------------------------------------------- old files */

/* The lock is shared, since two writers may keep one file. As in create, the name may be gone before it is locked. */
static bool link_target(fr_temporary *old, const char *target, const char *name) {
    if (link(target, name) != 0 && (errno == EEXIST || errno == ENOENT || rename(target, name) != 0)) return false;
    old->descriptor = fr_above_standard(open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (old->descriptor < 0 && errno != ENOENT) return true; /* without a lock where it may not be read */
    if (old->descriptor >= 0) {
        (void)!flock(old->descriptor, LOCK_SH | LOCK_NB);
        if (is_named(old->descriptor, name)) return true;
        close(old->descriptor);
        old->descriptor = -1;
    }
    errno = EEXIST;
    return false;
}

bool fr_temporary_keep(const char *target, fr_temporary *old) {
    *old = FR_NO_TEMPORARY;
    return make_beside(target, link_target, old) || errno == ENOENT;
}

/* -------------------------------------------------------------------------------------------- ending */

/* The name goes while it is locked: it may be another's afterwards. */
void fr_temporary_end(fr_temporary *file) {
    if (file->name) unlink(file->name);
    if (file->descriptor >= 0) close(file->descriptor);
    free(file->name);
    *file = FR_NO_TEMPORARY;
}
