/*
 * message.c - lines on stderr, and a memory of them.
 *
 * A mutable global, like the stream that it writes to: what a program of one process says is one thing. A thread of
 * another program (message_divert) has a memory of its own.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/message.h"

enum { NOTES_MOST = 32 };

/* No line, and of no rank, device or step. */
#define NO_ERROR {.rank = -1, .device = -1, .step = -1}

typedef struct memory {
    bool holds, silent; /* of a program that is one of several ranks (console/ranks.h) */
    bool quiet;
    fr_error held, last;
    char *notes[NOTES_MOST]; /* more than there are remarks in the program; further ones are printed only */
    int count;
} memory;

static memory of_program = {.held = NO_ERROR, .last = NO_ERROR};
static _Thread_local memory *of_thread;

static memory *said(void) { return of_thread ? of_thread : &of_program; }

bool message_divert(void) {
    memory *own = calloc(1, sizeof *own);
    if (own) *own = (memory){.holds = true, .quiet = true, .held = NO_ERROR, .last = NO_ERROR};
    of_thread = own;
    return own != NULL;
}

void message_restore(void) {
    for (int i = 0; of_thread && i < of_thread->count; i++) free(of_thread->notes[i]);
    free(of_thread);
    of_thread = NULL;
}

void message_quiet(void) { said()->quiet = true; }

void message_hold(bool hold, bool speaks) {
    said()->holds = hold;
    said()->silent = !speaks;
}

fr_error message_held(void) {
    fr_error held = said()->held;
    said()->held = (fr_error)NO_ERROR;
    return held;
}

void message_told(const fr_error *error) { said()->last = *error; }

const fr_error *message_last_error(void) { return &said()->last; }

const char *const *message_notes(int *count) {
    *count = said()->count;
    return (const char *const *)said()->notes;
}

/* A line break inside a message (from a file name, say) would make two lines of it. */
static void write_text(char *text, size_t size, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));
static void write_text(char *text, size_t size, const char *format, va_list arguments) {
    vsnprintf(text, size, format, arguments);
    for (char *c = text; *c; c++) {
        if (*c == '\n' || *c == '\r') *c = ' ';
    }
}

static void tell(const fr_error *error) {
    if (said()->holds) {
        said()->held = *error;
        return;
    }
    said()->last = *error;
    fprintf(stderr, "fitrelu: error: %s\n", error->message);
}

static void tell_text(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));
static void tell_text(const char *format, va_list arguments) {
    fr_error error = NO_ERROR;
    write_text(error.message, sizeof error.message, format, arguments);
    tell(&error);
}

void message_error(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    tell_text(format, arguments);
    va_end(arguments);
}

int message_usage(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    tell_text(format, arguments);
    va_end(arguments);
    return EXIT_USAGE;
}

int message_library(const fr_error *error) {
    fr_error told = *error;
    if (!told.message[0]) snprintf(told.message, sizeof told.message, "the library failed without saying why");
    tell(&told);
    return told.status == FR_OK ? EXIT_OUTPUT : (int)told.status;
}

void message_note(const char *format, ...) {
    char text[1024];
    va_list arguments;
    if (said()->silent) return;
    va_start(arguments, format);
    write_text(text, sizeof text, format, arguments);
    va_end(arguments);
    if (!said()->quiet) fprintf(stderr, "fitrelu: %s\n", text);
    if (said()->count < NOTES_MOST && (said()->notes[said()->count] = strdup(text))) said()->count++;
}
