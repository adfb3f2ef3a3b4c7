/*
 * temporary_file.h - the files that stand beside a target for a while: the new one until it takes the target's name, and a
 * second name of the old one until nothing can fail any more.
 *
 * The new file has no name (O_TMPFILE) where the file system can do that: then the system removes it however the process
 * ends. It gets its name by linkat, which cannot replace a file: so a name of its own first, and rename next. Elsewhere,
 * and for the moment between these two calls, the file is called .fitrelu-HASH-NUMBER.tmp, HASH being that of the target's
 * name. Who made it holds a lock on it (flock). A file of this target's whose lock is free was left by a process that died,
 * and the next writer of the target removes it. The lock tells this on other hosts too, where a process number would not.
 */
#ifndef FR_TEMPORARY_FILE_H
#define FR_TEMPORARY_FILE_H

#include <stdbool.h>

typedef struct fr_temporary {
    char *name;     /* NULL: none */
    int descriptor; /* holds the lock; -1: none */
} fr_temporary;
#define FR_NO_TEMPORARY ((fr_temporary){.name = 0, .descriptor = -1})

/* Removes what dead writers of this target left, and opens a new file for writing, of mode 0600, with a name or without.
 * False with errno. */
bool fr_temporary_open(const char *target, fr_temporary *file);

/* Gives a file without a name one, by which it can be renamed. False with errno. */
bool fr_temporary_name(const char *target, fr_temporary *file);

/* Gives the file that the target is a second name; where the file system has none, the file moves. No name where there is
 * no target. False with errno. */
bool fr_temporary_keep(const char *target, fr_temporary *old);

/* Removes the name and closes. */
void fr_temporary_end(fr_temporary *file);

/* For tests: new files have names, as on a file system without O_TMPFILE. */
extern bool fr_temporary_always_named;

#endif
