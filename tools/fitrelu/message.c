/*
 * message.c - lines on stderr, and stdout closed with care: a result that did not reach the disk is a failure.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fitrelu/message.h"

/* Of a program that is one of several ranks (fitrelu/ranks.h). */
static bool holds, silent;
static char held[1024], handed[1024];

void message_hold(bool hold, bool speaks) {
    holds = hold;
    silent = !speaks;
}

const char *message_held(void) {
    snprintf(handed, sizeof handed, "%s", held);
    held[0] = '\0';
    return handed;
}

/* A line break inside a message (from a file name, say) would make two lines of it. */
static void print_line(const char *start, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
static void print_line(const char *start, const char *format, va_list arguments) {
    char text[1024];
    vsnprintf(text, sizeof text, format, arguments);
    for (char *c = text; *c; c++) {
        if (*c == '\n' || *c == '\r') *c = ' ';
    }
    fprintf(stderr, "%s%s\n", start, text);
}

static void tell_error(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));
static void tell_error(const char *format, va_list arguments) {
    if (holds) vsnprintf(held, sizeof held, format, arguments);
    else print_line("fitrelu: error: ", format, arguments);
}

void message_error(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    tell_error(format, arguments);
    va_end(arguments);
}

int message_usage(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    tell_error(format, arguments);
    va_end(arguments);
    return EXIT_USAGE;
}

void message_note(const char *format, ...) {
    va_list arguments;
    if (silent) return;
    va_start(arguments, format);
    print_line("fitrelu: ", format, arguments);
    va_end(arguments);
}

int message_library(const fr_error *error) {
    message_error("%s", error->message[0] ? error->message : "the library failed without saying why");
    return error->status == FR_OK ? EXIT_OUTPUT : (int)error->status;
}

/* True where stdout is a pipe that nobody reads any more (`fitrelu ... | head`). */
static bool reader_is_gone(void) {
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) == 1 && (out.revents & POLLERR);
}

int message_close_stdout(int code) {
    bool lost = ferror(stdout) != 0, unread = reader_is_gone();
    errno = 0;
    if (fflush(stdout) != 0) lost = true;
    int reason = errno;
    if (fclose(stdout) != 0 && reason != 0) lost = true;
    if (!lost) return code;
    if (unread) return EXIT_SIGNALLED + SIGPIPE;
    message_error("standard output: cannot write: %s", reason ? strerror(reason) : "an earlier write failed");
    return EXIT_OUTPUT;
}
