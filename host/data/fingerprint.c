/*
 * fingerprint.c - checksums of files and of rows.
 */
#include "data/fingerprint.h"

#include "base/checksum.h"
#include "base/stream.h"
#include "base/threads.h"

enum { START_BYTES = 1 << 16, PIECE_BYTES = 1 << 20 };

/* Piece by piece, up to the first that ends above FR_WHOLE_FILE_BYTES. */
static fr_status hash_content(fr_stream *stream, char *piece, fr_file_print *print, fr_error *error) {
    uint64_t all[2] = {0, 0}; /* of the pieces so far, and their bytes */
    size_t got = PIECE_BYTES;
    while (got == PIECE_BYTES && all[1] <= FR_WHOLE_FILE_BYTES) {
        FR_TRY(fr_stream_read(stream, piece, PIECE_BYTES, &got, error));
        if (all[1] == 0) print->sum = fr_checksum(piece, got < START_BYTES ? got : START_BYTES);
        const uint64_t parts[2] = {all[0], fr_checksum(piece, got)};
        all[0] = fr_checksum(parts, sizeof parts);
        all[1] += got;
    }
    print->whole = all[1] <= FR_WHOLE_FILE_BYTES;
    if (print->whole) print->sum = fr_checksum(all, sizeof all);
    return FR_OK;
}

/* A large file that is not compressed is known by its size. */
static fr_status hash_start(fr_stream *stream, char *piece, fr_file_print *print, fr_error *error) {
    size_t got;
    FR_TRY(fr_stream_read(stream, piece, START_BYTES, &got, error));
    *print = (fr_file_print){.sum = fr_checksum(piece, got)};
    return FR_OK;
}

fr_status fr_file_fingerprint(const fr_text *file, fr_file_print *print, fr_error *error) {
    FR_OWNED_STREAM fr_stream *stream = NULL;
    FR_OWNED char *piece = NULL;
    const char *packing;
    FR_TRY(fr_allocate((void **)&piece, PIECE_BYTES, 1, "a checksum", error));
    FR_TRY(fr_stream_packing(file, &packing, error));
    FR_TRY(fr_stream_open(file, &stream, error));
    bool large = !packing && file->size > FR_WHOLE_FILE_BYTES;
    return large ? hash_start(stream, piece, print, error) : hash_content(stream, piece, print, error);
}

fr_row_print fr_dataset_row_print(const fr_dataset *set) {
    fr_row_print print = {fr_dataset_range(set), 0};
    size_t value = fr_precision_bytes(set->precision), row = (size_t)set->features * value;
    uint64_t sum = 0;
#pragma omp parallel for schedule(static) reduction(+ : sum) num_threads(fr_loop_threads()) \
    if (set->local_rows * set->features > 100000)
    for (int64_t i = 0; i < set->local_rows; i++) {
        uint64_t parts[4] = {(uint64_t)(set->first_row + i),
                             fr_checksum(fr_dataset_at(set, i), row),
                             fr_checksum((const char *)set->labels + (size_t)i * value, value)};
        if (set->weights) memcpy(&parts[3], &set->weights[i], sizeof parts[3]);
        sum += fr_checksum(parts, (set->weights ? 4 : 3) * sizeof *parts);
    }
    print.sum = sum;
    return print;
}

uint64_t fr_dataset_content(const fr_dataset *set, uint64_t row_sum) {
    uint64_t features = (uint64_t)(set->features - (set->intercept ? 1 : 0));
    uint64_t planted = set->planted ? fr_checksum(set->planted, features * sizeof *set->planted) : 0;
    uint64_t parts[4] = {(uint64_t)set->samples, features, row_sum, planted};
    return fr_checksum(parts, sizeof parts);
}
