/*
 * text_file.h - the bytes of an input file.
 *
 * A regular file is read piece by piece, wherever a reader wants it; a pipe, which can be read only once, is gathered
 * in memory first. Files are not mapped: one that is cut short while it is mapped ends the process with SIGBUS, and
 * here it is a line that says so. Lines and compressed files are the matter of base/stream.h and base/lines.h.
 */
#ifndef FR_TEXT_FILE_H
#define FR_TEXT_FILE_H

#include "base/status.h"

/* Asked again and again while a file is opened and read; true: give up. Zeroed: never. watch is told how many of its bytes
 * there are, in this pass over it, of how many (0: not known), and may be NULL; what it returns is as for asked. */
typedef struct fr_stop {
    int (*asked)(void *user);
    void *user;
    int (*watch)(int64_t done, int64_t total, void *user);
} fr_stop;

typedef struct fr_text {
    const char *path; /* as it was given, borrowed, for messages */
    uint64_t size;    /* bytes, as the file is stored */
    int descriptor;   /* of a regular file, -1 otherwise */
    char *held;       /* all bytes of what is no regular file, NULL otherwise */
    fr_stop stop;
} fr_text;

/* Opens a file for reading; "-" is standard input. A missing or unreadable file, a directory and a reader that was
 * asked to stop are FR_ERROR. Waits for the writer of a pipe, asking `stop` ten times a second.
 * A failed open leaves nothing to close, and closing it all the same is fine. */
fr_status fr_text_open(const char *path, fr_stop stop, fr_text *text, fr_error *error);
void fr_text_close(fr_text *text);

/* Closes the text that a function owns, whichever way it returns. It must be zeroed or opened before. */
#define FR_OWNED_TEXT __attribute__((cleanup(fr_text_close)))

/* Up to size bytes from offset on; *got is less than size only where the file ends. A file that has become shorter
 * since it was opened is FR_ERROR_DATA. */
fr_status fr_text_read(const fr_text *text, uint64_t offset, void *to, size_t size, size_t *got, fr_error *error);

/* FR_ERROR once the reader was asked to stop, and what was read so far; for those who read by other means. */
fr_status fr_text_check_stop(const fr_text *text, fr_error *error);
fr_status fr_text_tell(const fr_text *text, uint64_t done, uint64_t total, fr_error *error);

/* "-" and "/dev/stdin". */
bool fr_path_is_stdin(const char *path);

/* True where the name ends in ending, whatever the case of its letters. */
bool fr_path_ends(const char *path, const char *ending);

/* Room for what fr_text_show writes. */
enum { FR_SHOWN_SIZE = 64 };

/* Writes [begin, end) for use in a message: in double quotes, cut where long, control characters as '?'; "nothing"
 * without quotes where it is empty. Returns buffer, which holds FR_SHOWN_SIZE bytes. */
const char *fr_text_show(char *buffer, const char *begin, const char *end);

#endif
