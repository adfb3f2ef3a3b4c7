/*
 * lines.h - the lines of a text file, one after the other.
 *
 * Lines end in LF or CRLF; a UTF-8 byte-order mark before the first is skipped. A walk holds a piece of the file that
 * is as long as its longest line at least, never the whole file.
 */
#ifndef FR_LINES_H
#define FR_LINES_H

#include "base/stream.h"

/* After each true return of fr_lines_next, begin and end bound the line without its end-of-line characters, until the
 * next call; number counts from 1. After a false return, status tells whether it was the end (FR_OK). */
typedef struct fr_lines {
    const char *begin, *end;
    int64_t number;
    bool data_only; /* set by the caller where no more comments may come: then # begins a line like any other */
    fr_status status;
    fr_error *error; /* of the walk's owner, borrowed */
    fr_stream *stream;
    const char *path;
    char *buffer;
    size_t at, filled, capacity;
} fr_lines;

/* Begins before the first line. The text stays borrowed, and so does error, into which a later failure goes. */
fr_status fr_lines_open(const fr_text *text, fr_lines *lines, fr_error *error);
bool fr_lines_next(fr_lines *lines);
/* The next line that is neither blank nor a comment. A comment starts with #, unless that is the start of a
 * spreadsheet's error value (#N/A, #DIV/0!, ...). */
bool fr_lines_next_content(fr_lines *lines);
void fr_lines_close(fr_lines *lines);

/* A walk that a function owns: FR_OWNED_LINES fr_lines lines = {0}; */
#define FR_OWNED_LINES __attribute__((cleanup(fr_lines_close)))

static inline bool fr_is_blank(char c) { return c == ' ' || c == '\t'; }

/* The length of the error value of a spreadsheet that [begin, end) starts with ("#DIV/0!"), or 0. */
size_t fr_error_value_length(const char *begin, const char *end);

#endif
