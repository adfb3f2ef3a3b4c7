/*
 * descriptor.c - descriptors of files to write.
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "base/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

enum { READER_LOOKS = 200 };

int fr_standard_descriptor(const struct stat *about) {
    for (int descriptor = STDOUT_FILENO; descriptor <= STDERR_FILENO; descriptor++) {
        struct stat own;
        if (fstat(descriptor, &own) == 0 && own.st_dev == about->st_dev && own.st_ino == about->st_ino)
            return descriptor;
    }
    return -1;
}

int fr_copy_descriptor(int descriptor) { return fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1); }

int fr_above_standard(int descriptor) {
    if (descriptor < 0 || descriptor > STDERR_FILENO) return descriptor;
    int higher = fr_copy_descriptor(descriptor), reason = errno;
    close(descriptor);
    errno = reason;
    return higher;
}

int fr_open_pipe(const char *path) {
    const struct timespec pause = {.tv_nsec = 10000000};
    int descriptor;
    for (int i = 0; (descriptor = fr_above_standard(open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK))) < 0; i++)
        if (errno != ENXIO || i == READER_LOOKS || nanosleep(&pause, NULL) != 0) return -1;
    if (fcntl(descriptor, F_SETFL, O_WRONLY) == 0) return descriptor;
    close(descriptor);
    return -1;
}
