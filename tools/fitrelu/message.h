/*
 * message.h - what the program says about itself on stderr, and the last look at stdout.
 *
 * Every failure is one line that starts with "fitrelu: error: ". Exit codes stand here by name, so that no other file
 * of the program has a bare number.
 */
#ifndef FITRELU_MESSAGE_H
#define FITRELU_MESSAGE_H

#include "fitrelu.h"

enum {
    EXIT_DONE = 0,
    EXIT_OUTPUT = 1,     /* input, output or internal */
    EXIT_USAGE = 2,      /* wrong options or arguments */
    EXIT_TOLERANCE = 3,  /* --tolerance was not reached */
    EXIT_DIVERGED = 4,   /* the iterates grew without bound */
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

/* From now on errors are kept for message_held instead of printed; remarks are printed only by a rank that speaks. */
void message_hold(bool hold, bool speaks);
/* The last line kept since this was last asked, "" if none. */
const char *message_held(void);

/* Closes stdout; where anything written to it was lost (a full disk), says so and returns EXIT_OUTPUT instead of
 * code; where its reader went away, it returns 141 in silence, as if SIGPIPE had ended the program. */
int message_close_stdout(int code);

#endif
