/*
 * fingerprint.c - checksums of files and of rows.
 */
#include "data/fingerprint.h"

#include "base/checksum.h"

enum { END_BYTES = 1 << 16 };

uint64_t fr_file_fingerprint(const fr_text *file) {
    if (fr_is_hashed_whole(file)) {
        uint64_t parts[2] = {file->size, fr_checksum(file->data, file->size)};
        return fr_checksum(parts, sizeof parts);
    }
    uint64_t parts[3] = {file->size, fr_checksum(file->data, END_BYTES),
                         fr_checksum(file->data + file->size - END_BYTES, END_BYTES)};
    return fr_checksum(parts, sizeof parts);
}

fr_row_print fr_dataset_row_print(const fr_dataset *set) {
    fr_row_print print = {fr_dataset_range(set), 0};
    size_t value = fr_precision_bytes(set->precision), row = (size_t)set->features * value;
    uint64_t sum = 0;
#pragma omp parallel for schedule(static) reduction(+ : sum) if (set->local_rows * set->features > 100000)
    for (int64_t i = 0; i < set->local_rows; i++) {
        uint64_t parts[3] = {(uint64_t)(set->first_row + i),
                             fr_checksum((const char *)set->rows + (size_t)i * row, row),
                             fr_checksum((const char *)set->labels + (size_t)i * value, value)};
        sum += fr_checksum(parts, sizeof parts);
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
