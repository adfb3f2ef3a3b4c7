/*
 * stream.c - plain bytes, gzip through zlib, zstd through libzstd.
 *
 * Each decoder is one function that turns some of the bytes at hand into some of the bytes wanted and says whether it
 * stands between two members; the loop around it is the same for both.
 */
#include "base/stream.h"

#include <stdio.h>
#ifdef FR_HAVE_ZLIB
#include <zlib.h>
#endif
#ifdef FR_HAVE_ZSTD
#include <zstd.h>
#endif

enum { PIECE_BYTES = 1 << 16, GZIP_WINDOW = 15 + 16 /* zlib: the largest window, gzip headers only */ };

typedef enum kind { PLAIN, GZIP, ZSTD } kind;

struct fr_stream {
    const fr_text *text;
    kind packing;
    uint64_t offset;   /* in the file, of the next byte to be read from it */
    size_t begin, end; /* of the piece: compressed bytes not yet decoded */
    bool between;      /* members: here the content may end */
#ifdef FR_HAVE_ZLIB
    z_stream gzip;
#endif
#ifdef FR_HAVE_ZSTD
    ZSTD_DCtx *zstd;
#endif
    char piece[PIECE_BYTES];
};

/* ---------------------------------------------------------------------------------------- decoders */

/* Decodes from the piece into `to`, of size bytes; *made bytes were written. */
typedef fr_status decoder(fr_stream *s, void *to, size_t size, size_t *made, fr_error *error);

static fr_status damaged(const fr_stream *s, const char *reason, fr_error *error) {
    return fr_fail(error, FR_ERROR_DATA, "%s: damaged %s data: %s", s->text->path,
                   s->packing == GZIP ? "gzip" : "zstd", reason);
}

#ifdef FR_HAVE_ZLIB
static fr_status decode_gzip(fr_stream *s, void *to, size_t size, size_t *made, fr_error *error) {
    z_stream *z = &s->gzip;
    if (s->between && inflateReset2(z, GZIP_WINDOW) != Z_OK) return damaged(s, "cannot begin", error);
    z->next_in = (unsigned char *)s->piece + s->begin;
    z->avail_in = (unsigned)(s->end - s->begin);
    z->next_out = to;
    z->avail_out = size < PIECE_BYTES ? (unsigned)size : PIECE_BYTES;
    size_t room = z->avail_out;
    int code = inflate(z, Z_NO_FLUSH);
    s->begin = s->end - z->avail_in;
    s->between = code == Z_STREAM_END;
    *made = room - z->avail_out;
    if (code == Z_MEM_ERROR) return fr_fail(error, FR_ERROR, "%s: out of memory", s->text->path);
    if (code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR) return FR_OK;
    return damaged(s, z->msg ? z->msg : "no gzip member", error);
}
#endif

#ifdef FR_HAVE_ZSTD
static fr_status decode_zstd(fr_stream *s, void *to, size_t size, size_t *made, fr_error *error) {
    ZSTD_inBuffer in = {s->piece, s->end, s->begin};
    ZSTD_outBuffer out = {to, size, 0};
    size_t code = ZSTD_decompressStream(s->zstd, &out, &in);
    s->begin = in.pos;
    *made = out.pos;
    s->between = code == 0;
    return ZSTD_isError(code) ? damaged(s, ZSTD_getErrorName(code), error) : FR_OK;
}
#endif

static decoder *decoder_of(kind packing) {
#ifdef FR_HAVE_ZLIB
    if (packing == GZIP) return decode_gzip;
#endif
#ifdef FR_HAVE_ZSTD
    if (packing == ZSTD) return decode_zstd;
#endif
    (void)packing;
    return NULL;
}

static bool start_decoder(fr_stream *s) {
    (void)s; /* where there is none */
#ifdef FR_HAVE_ZLIB
    if (s->packing == GZIP) return inflateInit2(&s->gzip, GZIP_WINDOW) == Z_OK;
#endif
#ifdef FR_HAVE_ZSTD
    if (s->packing == ZSTD) return (s->zstd = ZSTD_createDCtx()) != NULL;
#endif
    return true;
}

/* ----------------------------------------------------------------------------------------- streams */

static fr_status find_packing(const fr_text *text, kind *found, fr_error *error) {
    unsigned char head[4] = {0};
    size_t got;
    FR_TRY(fr_text_read(text, 0, head, sizeof head, &got, error));
    *found = PLAIN;
    if (got >= 2 && head[0] == 0x1f && head[1] == 0x8b) *found = GZIP;
    if (got == 4 && memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0) *found = ZSTD;
    return FR_OK;
}

fr_status fr_stream_packing(const fr_text *text, const char **name, fr_error *error) {
    kind found;
    FR_TRY(find_packing(text, &found, error));
    *name = found == GZIP ? "gzip" : found == ZSTD ? "zstd" : NULL;
    return FR_OK;
}

fr_status fr_stream_open(const fr_text *text, fr_stream **stream, fr_error *error) {
    kind found;
    *stream = NULL;
    FR_TRY(find_packing(text, &found, error));
    if (found != PLAIN && !decoder_of(found))
        return fr_fail(error, FR_ERROR,
                       "cannot read %s: this fitrelu was built without %s, which %s files need; "
                       "decompress the file, or build with it",
                       text->path, found == GZIP ? "zlib" : "libzstd", found == GZIP ? "gzip" : "zstd");
    fr_stream *s = calloc(1, sizeof *s);
    if (!s) return fr_fail(error, FR_ERROR, "%s: out of memory", text->path);
    *s = (fr_stream){.text = text, .packing = found};
    if (!start_decoder(s)) {
        s->packing = PLAIN; /* nothing to end */
        fr_stream_free(s);
        return fr_fail(error, FR_ERROR, "%s: out of memory", text->path);
    }
    *stream = s;
    return FR_OK;
}

void fr_stream_free(fr_stream *s) {
    if (!s) return;
#ifdef FR_HAVE_ZLIB
    if (s->packing == GZIP) inflateEnd(&s->gzip);
#endif
#ifdef FR_HAVE_ZSTD
    ZSTD_freeDCtx(s->zstd);
#endif
    free(s);
}

/* Some more content, at most size bytes; *made is 0 only at its end. */
static fr_status decode(fr_stream *s, void *to, size_t size, size_t *made, fr_error *error) {
    for (*made = 0; *made == 0;) {
        if (s->begin == s->end) {
            s->begin = 0;
            FR_TRY(fr_text_read(s->text, s->offset, s->piece, PIECE_BYTES, &s->end, error));
            s->offset += s->end;
        }
        bool over = s->begin == s->end;
        if (over && s->between) return FR_OK;
        FR_TRY(decoder_of(s->packing)(s, to, size, made, error)); /* at the end: what the decoder still holds */
        if (over && *made == 0 && !s->between) return damaged(s, "truncated", error);
    }
    return FR_OK;
}

fr_status fr_stream_read(fr_stream *s, void *to, size_t size, size_t *got, fr_error *error) {
    *got = 0;
    if (s->packing == PLAIN) {
        FR_TRY(fr_text_read(s->text, s->offset, to, size, got, error));
        s->offset += *got;
        return FR_OK;
    }
    for (size_t made = 1; *got < size && made > 0; *got += made)
        FR_TRY(decode(s, (char *)to + *got, size - *got, &made, error));
    return FR_OK;
}

fr_status fr_stream_skip(fr_stream *s, uint64_t bytes, fr_error *error) {
    char dropped[4096];
    size_t got = 1;
    if (s->packing == PLAIN) {
        s->offset = bytes > UINT64_MAX - s->offset ? UINT64_MAX : s->offset + bytes;
        return FR_OK;
    }
    for (; bytes > 0 && got > 0; bytes -= got)
        FR_TRY(fr_stream_read(s, dropped, bytes < sizeof dropped ? (size_t)bytes : sizeof dropped, &got, error));
    return FR_OK;
}

fr_status fr_stream_size(const fr_text *text, uint64_t *bytes, fr_error *error) {
    FR_OWNED_STREAM fr_stream *s = NULL;
    FR_TRY(fr_stream_open(text, &s, error));
    *bytes = text->size;
    if (s->packing == PLAIN) return FR_OK;
    char dropped[4096];
    size_t got = 1;
    for (*bytes = 0; got > 0; *bytes += got) FR_TRY(fr_stream_read(s, dropped, sizeof dropped, &got, error));
    return FR_OK;
}
