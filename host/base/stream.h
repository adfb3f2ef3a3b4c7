/*
 * stream.h - the content of an input file from its start to its end, decompressed where it is compressed.
 *
 * gzip (RFC 1952, several members too) and zstd (RFC 8878, several frames too) are told by their first bytes, whatever
 * the file is called. A stream holds a piece of the file and the decoder's window, never the whole content.
 */
#ifndef FR_STREAM_H
#define FR_STREAM_H

#include "base/text_file.h"

typedef struct fr_stream fr_stream;

/* Begins at the start of the content; the text stays borrowed. FR_ERROR where this build lacks the decoder. */
fr_status fr_stream_open(const fr_text *text, fr_stream **stream, fr_error *error);
void fr_stream_free(fr_stream *stream); /* NULL is fine */

/* The next size bytes; *got is less than size only at the end of the content. Damaged or truncated compressed data
 * are FR_ERROR_DATA. */
fr_status fr_stream_read(fr_stream *stream, void *to, size_t size, size_t *got, fr_error *error);

/* Leaves out bytes, at no cost in a file that is not compressed; past the end, what follows reads as the end. */
fr_status fr_stream_skip(fr_stream *stream, uint64_t bytes, fr_error *error);

/* The bytes of the content. Of a compressed file only reading it tells, for what it says of itself may be wrong. */
fr_status fr_stream_size(const fr_text *text, uint64_t *bytes, fr_error *error);

/* Whether the file is compressed, by its first bytes: "gzip", "zstd" or NULL. */
fr_status fr_stream_packing(const fr_text *text, const char **packing, fr_error *error);

/* A stream that a function owns. */
#define FR_OWNED_STREAM __attribute__((cleanup(fr_stream_free_owned)))
static inline void fr_stream_free_owned(fr_stream **stream) { fr_stream_free(*stream); }

#endif
