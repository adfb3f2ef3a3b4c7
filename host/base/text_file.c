/*
 * text_file.c - opens input files, waits for pipes, reads pieces.
 *
 * Pipes are opened and read without blocking, so that a signal that the program keeps for later is heard within a
 * tenth of a second though nobody writes.
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "base/text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_BUFFER = 1 << 16, UNCHECKED_BYTES = 1 << 20, SHOWN_CHARACTERS = 40, LOOK_MILLISECONDS = 100 };

fr_status fr_text_check_stop(const fr_text *text, fr_error *error) {
    if (!text->stop.asked || !text->stop.asked(text->stop.user)) return FR_OK;
    return fr_fail(error, FR_ERROR, "%s: reading was interrupted", text->path);
}

fr_status fr_text_tell(const fr_text *text, uint64_t done, uint64_t total, fr_error *error) {
    const fr_stop *stop = &text->stop;
    if (!stop->watch || stop->watch((int64_t)done, (int64_t)total, stop->user) == 0) return FR_OK;
    return fr_fail(error, FR_ERROR, "%s: reading was interrupted", text->path);
}

/* ------------------------------------------------------------------------------------------- pipes */

static fr_status grow(fr_text *text, size_t *capacity, fr_error *error) {
    size_t wanted = *capacity ? 2 * *capacity : FIRST_BUFFER;
    void *larger = NULL;
    if (wanted <= UNCHECKED_BYTES || wanted - *capacity <= fr_memory_available())
        larger = realloc(text->held, wanted);
    if (!larger)
        return fr_fail(error, FR_ERROR, "%s: no memory left after its first %" PRIu64 " bytes", text->path,
                       text->size);
    text->held = larger;
    *capacity = wanted;
    return FR_OK;
}

/* Returns once there is something to read, or nobody left to write it. */
static fr_status wait_for_bytes(int descriptor, const fr_text *text, fr_error *error) {
    struct pollfd wanted = {.fd = descriptor, .events = POLLIN};
    for (;;) {
        int ready = poll(&wanted, 1, text->stop.asked ? LOOK_MILLISECONDS : -1);
        FR_TRY(fr_text_check_stop(text, error));
        if (ready > 0) return FR_OK;
        if (ready < 0 && errno != EINTR) return fr_fail_errno(error, FR_ERROR, "cannot read %s", text->path);
    }
}

static fr_status gather(int descriptor, fr_text *text, fr_error *error) {
    size_t capacity = 0;
    for (;;) {
        if (text->size == capacity) FR_TRY(grow(text, &capacity, error));
        FR_TRY(wait_for_bytes(descriptor, text, error));
        ssize_t got = read(descriptor, text->held + text->size, capacity - text->size);
        if (got == 0) return FR_OK;
        if (got > 0) text->size += (uint64_t)got;
        else if (errno != EINTR && errno != EAGAIN)
            return fr_fail_errno(error, FR_ERROR, "cannot read %s", text->path);
        FR_TRY(fr_text_tell(text, text->size, 0, error));
    }
}

/* --------------------------------------------------------------------------------------- all files */

bool fr_path_is_stdin(const char *path) { return strcmp(path, "-") == 0 || strcmp(path, "/dev/stdin") == 0; }

/* Keeps the descriptor where pieces can be read at any time; else reads all there is, and closes. */
static fr_status take(int descriptor, fr_text *text, fr_error *error) {
    struct stat about;
    fr_status status = FR_OK;
    if (fstat(descriptor, &about) != 0) status = fr_fail_errno(error, FR_ERROR, "cannot read %s", text->path);
    else if (S_ISDIR(about.st_mode))
        status = fr_fail(error, FR_ERROR, "cannot read %s: it is a directory, expected a file", text->path);
    else if (S_ISREG(about.st_mode) && about.st_size > 0 && lseek(descriptor, 0, SEEK_CUR) == 0) {
        text->descriptor = descriptor;
        text->size = (uint64_t)about.st_size;
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
        return FR_OK;
    } else status = gather(descriptor, text, error);
    close(descriptor);
    return status;
}

fr_status fr_text_open(const char *path, fr_stop stop, fr_text *text, fr_error *error) {
    *text = (fr_text){.path = path, .descriptor = -1, .stop = stop};
    int descriptor = fr_path_is_stdin(path) ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                            : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (descriptor < 0) return fr_fail_errno(error, FR_ERROR, "cannot open %s", path);
    fr_status status = take(descriptor, text, error);
    if (status != FR_OK) fr_text_close(text);
    return status;
}

void fr_text_close(fr_text *text) {
    if (text->path && text->descriptor >= 0) close(text->descriptor);
    free(text->held);
    *text = (fr_text){.path = text->path, .descriptor = -1};
}

fr_status fr_text_read(const fr_text *text, uint64_t offset, void *to, size_t size, size_t *got, fr_error *error) {
    *got = 0;
    FR_TRY(fr_text_check_stop(text, error));
    uint64_t rest = offset < text->size ? text->size - offset : 0;
    if (size > rest) size = (size_t)rest;
    if (text->held) {
        memcpy(to, text->held + offset, size);
        *got = size;
    }
    while (*got < size) {
        ssize_t now = pread(text->descriptor, (char *)to + *got, size - *got, (off_t)(offset + *got));
        if (now < 0 && errno == EINTR) continue;
        if (now < 0) return fr_fail_errno(error, FR_ERROR, "cannot read %s", text->path);
        if (now == 0)
            return fr_fail(error, FR_ERROR_DATA,
                           "%s became shorter while it was read: it ends after %" PRIu64 " bytes, expected %" PRIu64,
                           text->path, offset + *got, text->size);
        *got += (size_t)now;
    }
    return fr_text_tell(text, offset + *got, text->size, error);
}

/* ------------------------------------------------------------------------------------------- names */

bool fr_path_ends(const char *path, const char *ending) {
    size_t length = strlen(path), tail = strlen(ending);
    return length >= tail && strcasecmp(path + length - tail, ending) == 0;
}

const char *fr_text_show(char *buffer, const char *begin, const char *end) {
    if (begin == end) return memcpy(buffer, "nothing", sizeof "nothing");
    size_t length = (size_t)(end - begin);
    bool cut = length > SHOWN_CHARACTERS;
    if (cut) length = SHOWN_CHARACTERS;
    while (cut && length > 0 && ((unsigned char)begin[length] & 0xC0) == 0x80)
        length--; /* not inside a UTF-8 letter */
    char *at = buffer;
    *at++ = '"';
    for (size_t i = 0; i < length; i++) *at++ = (unsigned char)begin[i] < 32 || begin[i] == 127 ? '?' : begin[i];
    if (cut) at = (char *)memcpy(at, "...", 3) + 3;
    *at++ = '"';
    *at = '\0';
    return buffer;
}
