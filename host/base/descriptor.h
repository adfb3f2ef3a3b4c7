/*
 * descriptor.h - descriptors of files to write: none of 0 to 2, and none that waits for ever for a reader.
 */
#ifndef FR_DESCRIPTOR_H
#define FR_DESCRIPTOR_H

#include <sys/stat.h>

/* The one that already leads to this very file, standard output or standard error, or -1. Writing through it keeps its
 * offset and whatever else was printed. */
int fr_standard_descriptor(const struct stat *about);

/* The same file by a number above 2, and never one of 0 to 2: a program that was started with standard error closed
 * would print into it. Takes `descriptor` over; of -1, and without a number left, -1 with errno. */
int fr_above_standard(int descriptor);
/* Another number above 2 for the file. */
int fr_copy_descriptor(int descriptor);

/* Opens a named pipe for writing. Without a reader open would wait for one for ever, deaf to signals. Two seconds are enough
 * for a reader that is started at the same time; then this is -1 with errno ENXIO, and with EINTR at a signal. */
int fr_open_pipe(const char *path);

#endif
