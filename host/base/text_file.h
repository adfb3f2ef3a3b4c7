/*
 * text_file.h - the bytes of an input file, and its lines.
 *
 * Readers see a file as one block of memory: mapped where it is a regular file, gathered in a growing buffer where it
 * is a pipe such as /dev/stdin. Lines end in LF or CRLF; a UTF-8 byte-order mark before the first is skipped.
 */
#ifndef FR_TEXT_FILE_H
#define FR_TEXT_FILE_H

#include "base/status.h"

typedef struct fr_text {
    const char *path; /* as it was given, borrowed, for messages */
    const char *data; /* size bytes, never NULL while open; byte-order mark included */
    size_t size;
    void *buffer; /* what close gives back: mapped where mapped is set, allocated otherwise */
    bool mapped;
} fr_text;

/* Opens a file for reading. A missing or unreadable file and a directory are FR_ERROR. Zero an fr_text or open it
 * before closing it; a failed open leaves nothing to close, and closing it all the same is fine. */
fr_status fr_text_open(const char *path, fr_text *text, fr_error *error);
void fr_text_close(fr_text *text);

/* For a file of which scattered pieces are read: from the first call on, the system no longer reads ahead along the
 * file, and each call has it fetch the piece of `size` bytes at `offset`, which is read soon. Changes speed alone, and
 * of what is not mapped, nothing. */
void fr_text_fetch_piece(const fr_text *text, size_t offset, size_t size);

/* A walk over lines: after each true return of fr_lines_next, begin and end bound the line without its end-of-line
 * characters and number counts from 1. */
typedef struct fr_lines {
    const char *begin, *end;
    int64_t number;
    const char *next, *limit;
} fr_lines;

fr_lines fr_lines_start(const fr_text *text);
bool fr_lines_next(fr_lines *lines);
/* The next line that is neither blank nor a comment (# first). */
bool fr_lines_next_content(fr_lines *lines);

static inline bool fr_is_blank(char c) { return c == ' ' || c == '\t'; }

/* True where the name ends in ending, whatever the case of its letters. */
bool fr_path_ends(const char *path, const char *ending);

/* Room for what fr_text_show writes. */
enum { FR_SHOWN_SIZE = 64 };

/* Writes [begin, end) for use in a message: in double quotes, cut where long, control characters as '?'; "nothing"
 * without quotes where it is empty. Returns buffer, which holds FR_SHOWN_SIZE bytes. */
const char *fr_text_show(char *buffer, const char *begin, const char *end);

#endif
