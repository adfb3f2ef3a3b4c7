/*
 * npy_values.c - the values of an NPY array: decoded, checked, and put where they belong in a row-major matrix.
 *
 * Values come in chunks, in the order of the file. Rows that are kept and follow one another in the file without one
 * left out between them are a run; a chunk is converted run by run, each in blocks that stay in the cache.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse_number.h"
#include "data/npy.h"
#include "data/parse.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "NPY values are read as they lie in the file, which needs a little-endian machine"
#endif

enum { BLOCK = 1024, CHUNK_BYTES = 1 << 18 /* a multiple of every value size */ };

/* ------------------------------------------------------------------------------------------- decoding */

/* IEEE binary16: 1 sign, 5 exponent and 10 fraction bits. */
static double half_value(uint16_t bits) {
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double size = exponent == 31  ? (fraction ? NAN : INFINITY)
                  : exponent == 0 ? ldexp(fraction, -24)
                                  : ldexp(1024 + fraction, exponent - 25);
    return bits >> 15 ? -size : size;
}

/* Big-endian values, turned round. to: count values of `bytes` bytes. */
static void swap_bytes(const char *from, int64_t count, int bytes, char *to) {
    for (int64_t i = 0; i < count; i++)
        for (int k = 0; k < bytes; k++) to[i * bytes + k] = from[i * bytes + bytes - 1 - k];
}

#define DECODE(type, convert)                                                        \
    for (int64_t i = 0; i < count; i++) {                                            \
        type value;                                                                  \
        memcpy(&value, (const char *)from + (size_t)i * sizeof value, sizeof value); \
        to[i] = convert(value);                                                      \
    }                                                                                \
    return

/* At most BLOCK of the file's values as doubles; they need not be aligned in the file. */
static void decode(const fr_npy *array, const void *from, int64_t count, double *to) {
    char turned[BLOCK * sizeof(double)];
    if (array->swapped) {
        swap_bytes(from, count, array->bytes, turned);
        from = turned;
    }
    switch (array->kind * 16 + array->bytes) {
    case 'f' * 16 + 8: DECODE(double, );
    case 'f' * 16 + 4: DECODE(float, (double));
    case 'f' * 16 + 2: DECODE(uint16_t, half_value);
    case 'i' * 16 + 8: DECODE(int64_t, (double));
    case 'i' * 16 + 4: DECODE(int32_t, (double));
    case 'i' * 16 + 2: DECODE(int16_t, (double));
    case 'i' * 16 + 1: DECODE(int8_t, (double));
    case 'u' * 16 + 8: DECODE(uint64_t, (double));
    case 'u' * 16 + 4: DECODE(uint32_t, (double));
    case 'u' * 16 + 2: DECODE(uint16_t, (double));
    default: DECODE(uint8_t, (double)); /* u1 and b1 */
    }
}

typedef struct place {
    int64_t row, column;
} place;

/* Of value number `position` of the file. */
static place place_of(const fr_npy *array, int64_t position) {
    int64_t n = array->shape[0], d = array->shape[1];
    return array->fortran ? (place){position % n, position / n} : (place){position / d, position % d};
}

static fr_status refuse(const fr_npy *array, int64_t position, double value, fr_precision precision,
                        fr_error *error) {
    char number[FR_NUMBER_SIZE], where[64];
    place at = place_of(array, position);
    fr_format_double(number, sizeof number, value);
    if (array->dimensions == 1) snprintf(where, sizeof where, "[%" PRId64 "]", at.row);
    else snprintf(where, sizeof where, "[%" PRId64 ",%" PRId64 "]", at.row, at.column);
    return fr_fail(error, FR_ERROR_DATA, "%s: %s%s is %s, %s", array->path, array->name, where, number,
                   fr_misfit(value, precision));
}

/* --------------------------------------------------------------------------------------- converting */

/* Where values go. */
typedef struct target {
    fr_precision precision;
    void *rows;
    const double *means; /* of the columns, for missing values; or NULL */
    const bool *selected; /* of the columns; what the others hold is nothing, and 0 here. NULL: all */
} target;

/* The values that follow one another both in the file and, `stride` apart, in the target: all rows in C order, one
 * column in Fortran order. */
typedef struct run {
    int64_t first, count; /* values of the file, of kept rows only */
    int64_t target;       /* where the first goes */
    int64_t stride;
} run;

static void store(const double *values, run part, const target *to) {
    int64_t at = part.target;
    for (int64_t i = 0; i < part.count; i++, at += part.stride) {
        if (to->precision == FR_F32) ((float *)to->rows)[at] = (float)values[i];
        else ((double *)to->rows)[at] = values[i];
    }
}

static fr_status convert_run(const fr_npy *array, const char *values, run all, const target *to, fr_error *error) {
    double block[BLOCK];
    for (int64_t done = 0; done < all.count; done += BLOCK) {
        int64_t here = all.count - done < BLOCK ? all.count - done : BLOCK;
        decode(array, values + done * array->bytes, here, block);
        for (int64_t i = 0; i < here; i++) {
            int64_t position = all.first + done + i;
            if (to->selected && !to->selected[place_of(array, position).column]) block[i] = 0;
            if (isnan(block[i]) && to->means) block[i] = to->means[place_of(array, position).column];
            if (!fr_fits(block[i], to->precision)) return refuse(array, position, block[i], to->precision, error);
        }
        run part = {all.first + done, here, all.target + done * all.stride, all.stride};
        store(block, part, to);
    }
    return FR_OK;
}

/* Values first .. first + count - 1 of the file that lie in the rows `kept` of it, which follow one another; the first
 * of these goes to row `row` of the target. */
static fr_status convert_rows(const fr_npy *array, const char *values, int64_t first, int64_t count, fr_range kept,
                              int64_t row, const target *to, fr_error *error) {
    /* A line is what lies together: the whole array, or a column. Of each, values from .. until - 1 are kept. */
    int64_t d = array->shape[1], line = array->fortran ? array->shape[0] : array->count;
    int64_t from = array->fortran ? kept.first : kept.first * d;
    int64_t until = from + (array->fortran ? kept.count : kept.count * d);
    for (int64_t start = first - first % line; start < first + count; start += line) {
        int64_t begin = start + from > first ? start + from : first;
        int64_t end = start + until < first + count ? start + until : first + count;
        int64_t offset = begin - start - from; /* from the first that is kept of this line */
        run part = {begin, end - begin, row * d + offset, 1};
        if (array->fortran) part.target = (row + offset) * d + start / line, part.stride = d;
        if (begin < end) FR_TRY(convert_run(array, values + (begin - first) * array->bytes, part, to, error));
    }
    return FR_OK;
}

/* The rows of the file that a chunk touches. */
static fr_range rows_of_chunk(const fr_npy *array, int64_t first, int64_t count) {
    place begin = place_of(array, first), end = place_of(array, first + count - 1);
    if (array->fortran && begin.column != end.column) return (fr_range){0, array->shape[0]};
    return (fr_range){begin.row, end.row - begin.row + 1};
}

/* A chunk, run by run between the rows that are left out. kept: rows without those. */
static fr_status convert_chunk(const fr_npy *array, const char *values, int64_t first, int64_t count,
                               const fr_missing *missing, fr_range kept, const target *to, fr_error *error) {
    fr_range touched = rows_of_chunk(array, first, count);
    int64_t after = touched.first + touched.count, row = 0, last = kept.count; /* among the kept ones */
    if (!missing || missing->count == 0) return convert_rows(array, values, first, count, kept, 0, to, error);
    while (row < last) { /* the first kept row that the chunk touches */
        int64_t middle = row + (last - row) / 2;
        if (fr_missing_file_row(missing, kept.first + middle) < touched.first) row = middle + 1;
        else last = middle;
    }
    while (row < kept.count) {
        int64_t begin = fr_missing_file_row(missing, kept.first + row);
        if (begin >= after) break;
        int64_t length = fr_missing_run(missing, begin);
        if (length > kept.count - row) length = kept.count - row;
        FR_TRY(convert_rows(array, values, first, count, (fr_range){begin, length}, row, to, error));
        row += length;
    }
    return FR_OK;
}

/* ------------------------------------------------------------------------------------------- reading */

/* Values first .. end - 1 of the file, chunk by chunk. */
typedef struct piece {
    int64_t first, end;
} piece;

/* What is to be read: pieces of the file, one, or one a column. rows: of the file, from the first kept to the last. */
static int64_t count_pieces(const fr_npy *array, fr_range rows) {
    return array->fortran && rows.count < array->shape[0] ? array->shape[1] : 1;
}
static piece piece_at(const fr_npy *array, fr_range rows, int64_t number) {
    int64_t n = array->shape[0], d = array->shape[1], end = rows.first + rows.count;
    if (!array->fortran) return (piece){rows.first * d, end * d};
    if (rows.count == n) return (piece){0, array->count};
    return (piece){number * n + rows.first, number * n + end};
}

fr_status fr_npy_read(const fr_npy *array, fr_npy_source source, const fr_missing *missing, fr_range kept,
                      fr_precision precision, void *rows, fr_error *error) {
    FR_OWNED char *chunk = NULL;
    if (kept.count == 0) return FR_OK;
    FR_TRY(fr_allocate((void **)&chunk, CHUNK_BYTES, 1, "values of an array", error));
    fr_range all = kept;
    if (missing) {
        all.first = fr_missing_file_row(missing, kept.first);
        all.count = fr_missing_file_row(missing, kept.first + kept.count - 1) + 1 - all.first;
    }
    bool fills = missing && missing->rule == FR_MISSING_MEAN && missing->features == array->shape[1];
    bool selects = missing && missing->selected && missing->columns == array->shape[1];
    target to = {precision, rows, fills ? missing->sum : NULL, selects ? missing->selected : NULL};
    int64_t at = 0, step = CHUNK_BYTES / array->bytes;
    for (int64_t k = 0; k < count_pieces(array, all); k++) {
        piece p = piece_at(array, all, k);
        FR_TRY(source.skip(source.user, array, (p.first - at) * array->bytes, error));
        for (at = p.first; at < p.end;) {
            int64_t count = p.end - at < step ? p.end - at : step;
            FR_TRY(source.read(source.user, array, chunk, count * array->bytes, error));
            FR_TRY(convert_chunk(array, chunk, at, count, missing, kept, &to, error));
            at += count;
        }
    }
    return source.skip(source.user, array, (array->count - at) * array->bytes, error);
}

/* ------------------------------------------------------------------------------------ missing values */

static fr_status look_at(const fr_npy *array, int64_t position, double value, fr_missing *m, fr_error *error) {
    place at = place_of(array, position);
    if (!fr_missing_counts(m, at.column)) return FR_OK;
    if (m->rule == FR_MISSING_DROP) return isnan(value) ? fr_missing_drop(m, at.row, error) : FR_OK;
    if (fr_missing_is_dropped(m, at.row) || fr_missing_holds_out(m, at.row)) return FR_OK;
    if (isnan(value)) m->absent[at.column]++;
    else m->sum[at.column] += value, m->present[at.column]++;
    return FR_OK;
}

fr_status fr_npy_look(const fr_npy *array, fr_npy_source source, fr_missing *missing, fr_error *error) {
    char values[BLOCK * sizeof(double)];
    double block[BLOCK];
    for (int64_t first = 0; first < array->count; first += BLOCK) {
        int64_t count = array->count - first < BLOCK ? array->count - first : BLOCK;
        FR_TRY(source.read(source.user, array, values, count * array->bytes, error));
        decode(array, values, count, block);
        for (int64_t i = 0; i < count; i++) FR_TRY(look_at(array, first + i, block[i], missing, error));
        if (missing->count > array->shape[0])
            fr_missing_sort(missing); /* columns name the same rows again and again */
    }
    return FR_OK;
}
