/*
 * message.h - what the program says about itself on stderr: errors and remarks, kept for the JSON object as well.
 *
 * Every failure is one line that starts with "fitrelu: error: ". Exit codes stand here by name, so that no other file
 * of the program has a bare number.
 */
#ifndef FITRELU_MESSAGE_H
#define FITRELU_MESSAGE_H

#include <stdbool.h>

#include "fitrelu.h"

enum {
    EXIT_DONE = 0,
    EXIT_OUTPUT = 1,     /* input, output or internal */
    EXIT_USAGE = 2,      /* wrong options or arguments */
    EXIT_TOLERANCE = 3,  /* --tolerance was not reached */
    EXIT_DIVERGED = 4,   /* the iterates grew without bound */
    EXIT_AGAIN = 75,     /* stopped by SIGUSR1 with a checkpoint: run again with --resume (EX_TEMPFAIL) */
    EXIT_SIGNALLED = 128 /* plus the number of the signal */
};

/* Prints "fitrelu: error: ...", one line, on stderr. */
void message_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same; returns EXIT_USAGE, so that a refusal is one statement. */
int message_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Prints what the library says and returns the exit code for it. */
int message_library(const fr_error *error);
/* Prints "fitrelu: ...", a remark that is no error. */
void message_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* From now on remarks are kept but not printed (--quiet). */
void message_quiet(void);

/* From now on errors are kept for message_held instead of printed; remarks are made only by a rank that speaks. */
void message_hold(bool hold, bool speaks);
/* The last error kept since this was last asked: its line, "" if none, and its rank, or -1. */
fr_error message_held(void);

/* From now on what this thread says is kept, not printed, and apart from what others say, until message_restore: for a
 * fit inside another program. False where memory ran out. */
bool message_divert(void);
void message_restore(void);

/* An error was printed elsewhere. */
void message_told(const fr_error *error);
/* The last error printed: its line, "" if none, and the rank that it is of, or -1. */
const fr_error *message_last_error(void);
/* The remarks so far, `count` of them in their order; valid until the next one. */
const char *const *message_notes(int *count);

#endif
