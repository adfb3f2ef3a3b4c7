/*
 * library.h - shared libraries that are opened when they are first needed, so that the program starts without them.
 */
#ifndef FR_LIBRARY_H
#define FR_LIBRARY_H

#include "base/status.h"

/* A library, and where it is looked for. */
typedef struct fr_library {
    const char *name;     /* "NCCL", for people */
    const char *variable; /* of the environment: a file to open in place of the others; NULL: none */
    const char *files[4]; /* in this order, up to the first NULL; one without a slash is looked for as the linker does */
} fr_library;

/* One function: its name, and where its address belongs. */
typedef struct fr_symbol {
    const char *name;
    void *address; /* of a pointer to a function */
} fr_symbol;

/* Opens the library for good and fills in all functions. FR_ERROR_DEVICE, with the library's name and what the loader
 * says, where no file opens or one of the functions is missing. file (of `size` bytes): the one that was opened. */
fr_status fr_library_open(const fr_library *library, const fr_symbol *symbols, int count, char *file, size_t size,
                          fr_error *error);

#endif
