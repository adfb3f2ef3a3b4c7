/*
 * lines.c - cuts a stream into lines.
 *
 * The buffer is refilled only when it holds no whole line: what is left of the last piece moves to its front, and the
 * buffer doubles where a line is longer.
 */
#include "base/lines.h"

#include <inttypes.h>

enum { FIRST_BUFFER = 1 << 18, UNCHECKED_BYTES = 1 << 20 };

fr_status fr_lines_open(const fr_text *text, fr_lines *lines, fr_error *error) {
    *lines = (fr_lines){.path = text->path, .error = error, .capacity = FIRST_BUFFER};
    lines->status = fr_stream_open(text, &lines->stream, error);
    if (lines->status == FR_OK && !(lines->buffer = malloc(FIRST_BUFFER)))
        lines->status = fr_fail(error, FR_ERROR, "%s: out of memory", text->path);
    if (lines->status == FR_OK)
        lines->status = fr_stream_read(lines->stream, lines->buffer, lines->capacity, &lines->filled, error);
    if (lines->filled >= 3 && memcmp(lines->buffer, "\xef\xbb\xbf", 3) == 0) lines->at = 3;
    return lines->status;
}

void fr_lines_close(fr_lines *lines) {
    fr_stream_free(lines->stream);
    free(lines->buffer);
    *lines = (fr_lines){.status = lines->status};
}

static fr_status widen(fr_lines *lines) {
    size_t wanted = 2 * lines->capacity;
    char *larger = NULL;
    if (wanted <= UNCHECKED_BYTES || wanted <= fr_memory_available()) larger = realloc(lines->buffer, wanted);
    if (!larger)
        return fr_fail(lines->error, FR_ERROR, "%s:%" PRId64 ": no memory for a line of more than %zu bytes",
                       lines->path, lines->number + 1, lines->filled);
    lines->buffer = larger;
    lines->capacity = wanted;
    return FR_OK;
}

/* Brings more of the file behind what is left; *more is false at the end. */
static fr_status refill(fr_lines *lines, bool *more) {
    size_t rest = lines->filled - lines->at, got;
    memmove(lines->buffer, lines->buffer + lines->at, rest);
    lines->at = 0;
    lines->filled = rest;
    if (rest == lines->capacity) FR_TRY(widen(lines));
    FR_TRY(fr_stream_read(lines->stream, lines->buffer + rest, lines->capacity - rest, &got, lines->error));
    lines->filled += got;
    *more = got > 0;
    return FR_OK;
}

bool fr_lines_next(fr_lines *lines) {
    const char *end = NULL;
    bool more = true;
    size_t looked = 0; /* bytes of this line in which there is no end of line */
    while (lines->status == FR_OK) {
        size_t rest = lines->filled - lines->at;
        if (rest > looked) end = memchr(lines->buffer + lines->at + looked, '\n', rest - looked);
        looked = rest;
        if (end || !more) break;
        lines->status = refill(lines, &more);
    }
    if (lines->status != FR_OK || (!end && looked == 0)) return false;
    lines->begin = lines->buffer + lines->at;
    lines->end = end ? end : lines->begin + looked;
    lines->at += (size_t)(lines->end - lines->begin) + (end != NULL);
    lines->number++;
    if (lines->end > lines->begin && lines->end[-1] == '\r') lines->end--;
    return true;
}

size_t fr_error_value_length(const char *begin, const char *end) {
    static const char *const words[] = {"#N/A N/A", "#N/A",    "#NA",     "#DIV/0!",  "#VALUE!",
                                        "#REF!",    "#NAME?",  "#NUM!",   "#NULL!",   "#SPILL!",
                                        "#CALC!",   "#FIELD!", "#ERROR!", "#BLOCKED!"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(end - begin) < length || memcmp(begin, words[i], length) != 0) continue;
        char next = begin + length < end ? begin[length] : ' ';
        bool goes_on = (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z') || (next >= '0' && next <= '9');
        if (!goes_on) return length;
    }
    return 0;
}

bool fr_lines_next_content(fr_lines *lines) {
    while (fr_lines_next(lines)) {
        const char *at = lines->begin;
        while (at < lines->end && fr_is_blank(*at)) at++;
        if (at == lines->end) continue;
        if (*at != '#' || lines->data_only || fr_error_value_length(at, lines->end) > 0) return true;
    }
    return false;
}
