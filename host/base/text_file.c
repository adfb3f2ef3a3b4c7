/*
 * text_file.c - opens input files as memory and walks over their lines.
 *
 * Mapping lets the readers go over a file twice (count, then parse) without a copy and without a buffer to refill in
 * the middle of a number. Should another program cut a mapped file short while it is read, the system ends the
 * process with SIGBUS, as for any program that maps files.
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "base/text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_BUFFER = 1 << 16, UNCHECKED_BYTES = 1 << 20, SHOWN_CHARACTERS = 40 };

static bool map_file(int descriptor, size_t size, fr_text *text) {
    void *memory = mmap(NULL, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (memory == MAP_FAILED) return false;
    posix_madvise(memory, size, POSIX_MADV_SEQUENTIAL);
    text->buffer = memory;
    text->mapped = true;
    text->data = memory;
    text->size = size;
    return true;
}

static fr_status grow(fr_text *text, size_t *capacity, fr_error *error) {
    size_t wanted = *capacity ? 2 * *capacity : FIRST_BUFFER;
    if (wanted > UNCHECKED_BYTES && wanted - *capacity > fr_memory_available())
        return fr_fail(error, FR_ERROR, "%s: no memory left after its first %zu bytes", text->path, text->size);
    void *larger = realloc(text->buffer, wanted);
    if (!larger)
        return fr_fail(error, FR_ERROR, "%s: no memory left after its first %zu bytes", text->path, text->size);
    text->buffer = larger;
    text->data = larger;
    *capacity = wanted;
    return FR_OK;
}

static fr_status read_all(int descriptor, fr_text *text, fr_error *error) {
    size_t capacity = 0;
    for (;;) {
        if (text->size == capacity) {
            fr_status status = grow(text, &capacity, error);
            if (status != FR_OK) return status;
        }
        ssize_t got = read(descriptor, (char *)text->buffer + text->size, capacity - text->size);
        if (got == 0) return FR_OK;
        if (got > 0) text->size += (size_t)got;
        else if (errno != EINTR) return fr_fail_errno(error, FR_ERROR, "cannot read %s", text->path);
    }
}

fr_status fr_text_open(const char *path, fr_text *text, fr_error *error) {
    *text = (fr_text){.path = path};
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return fr_fail_errno(error, FR_ERROR, "cannot open %s", path);
    fr_status status = FR_OK;
    struct stat about;
    if (fstat(descriptor, &about) != 0) status = fr_fail_errno(error, FR_ERROR, "cannot read %s", path);
    else if (S_ISDIR(about.st_mode))
        status = fr_fail(error, FR_ERROR, "cannot read %s: it is a directory, expected a file", path);
    else if (!(S_ISREG(about.st_mode) && about.st_size > 0 && map_file(descriptor, (size_t)about.st_size, text)))
        status = read_all(descriptor, text, error);
    close(descriptor);
    if (status != FR_OK) fr_text_close(text);
    return status;
}

void fr_text_close(fr_text *text) {
    if (text->mapped) munmap(text->buffer, text->size);
    else free(text->buffer);
    text->buffer = NULL;
    text->data = NULL;
    text->size = 0;
    text->mapped = false;
}

void fr_text_fetch_piece(const fr_text *text, size_t offset, size_t size) {
    if (!text->mapped) return;
    size_t before = offset % (size_t)sysconf(_SC_PAGESIZE); /* advice starts at a page */
    posix_madvise(text->buffer, text->size, POSIX_MADV_RANDOM);
    posix_madvise((char *)text->buffer + offset - before, size + before, POSIX_MADV_WILLNEED);
}

fr_lines fr_lines_start(const fr_text *text) {
    fr_lines lines = {.next = text->data, .limit = text->data + text->size};
    if (text->size >= 3 && memcmp(text->data, "\xef\xbb\xbf", 3) == 0) lines.next += 3;
    return lines;
}

bool fr_lines_next(fr_lines *lines) {
    if (lines->next >= lines->limit) return false;
    const char *end = memchr(lines->next, '\n', (size_t)(lines->limit - lines->next));
    lines->begin = lines->next;
    lines->end = end ? end : lines->limit;
    lines->next = end ? end + 1 : lines->limit;
    lines->number++;
    if (lines->end > lines->begin && lines->end[-1] == '\r') lines->end--;
    return true;
}

bool fr_lines_next_content(fr_lines *lines) {
    while (fr_lines_next(lines)) {
        const char *at = lines->begin;
        while (at < lines->end && fr_is_blank(*at)) at++;
        if (at < lines->end && *at != '#') return true;
    }
    return false;
}

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
