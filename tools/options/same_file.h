/*
 * same_file.h - refuses a command line on which one file would be written over another that is read or written too.
 */
#ifndef FITRELU_SAME_FILE_H
#define FITRELU_SAME_FILE_H

#include <stdbool.h>

typedef struct named_file {
    const char *option; /* "--model", or the name of an operand, for the message */
    const char *path;   /* NULL: not given */
    bool written;
} named_file;

/* Two of the files are the same one where they have one device and inode, or, for a file that is still to be made, one
 * folder and name: so "a", "./a" and a link to it are one. Files that are only read may be the same. A terminal,
 * /dev/null or another character device holds nothing to lose. Returns 0, or EXIT_USAGE after naming both options. */
int same_file_check(const named_file files[], int count);

#endif
