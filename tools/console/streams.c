/*
 * streams.c - descriptors 0 to 2.
 *
 * stdout is closed with close, not with fclose: after the flush nothing is left for fclose to do, and its answer would
 * not say whether the flush or the close failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "console/message.h"
#include "console/streams.h"

/* open takes the lowest number that is free. What is lost on a stdout that is not there must still be seen, therefore
 * the stand-in for an output is open for reading alone, and the one for the input for writing. */
void streams_take(void) {
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++) {
        if (fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) continue;
        if (open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY) != descriptor) return;
    }
}

/* True where stdout is a pipe that nobody reads any more (`fitrelu ... | head`). */
static bool reader_is_gone(void) {
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) == 1 && (out.revents & POLLERR);
}

static bool told; /* a loss is told once */

static int tell_loss(int reason) {
    if (reader_is_gone()) return EXIT_SIGNALLED + SIGPIPE;
    const char *why = reason ? strerror(reason) : "an earlier write failed";
    if (!told) message_error("standard output: cannot write: %s", why);
    told = true;
    return EXIT_OUTPUT;
}

int streams_flush(int code) {
    errno = 0;
    bool failed = fflush(stdout) != 0;
    int reason = errno;
    return failed || ferror(stdout) ? tell_loss(reason) : code;
}

int streams_close(int code) {
    code = streams_flush(code);
    return close(STDOUT_FILENO) != 0 ? tell_loss(errno) : code;
}
