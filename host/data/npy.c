/*
 * npy.c - reads NumPy's NPY arrays.
 *
 * The header is a Python dictionary in text, such as
 *
 *     {'descr': '<f8', 'fortran_order': False, 'shape': (800, 1000), }
 *
 * parsed here strictly by hand: three keys, each once, in any order. Sizes are checked against the file before
 * anything is allocated, so that a damaged shape costs a line and no memory. Values are taken from where they lie: of a
 * mapped file, only the pages of the rows that are kept are read.
 */
#include "data/npy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "data/parse.h"
#include "base/parse_number.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "NPY values are read as they lie in the file, which needs a little-endian machine"
#endif

static fr_status bad(const fr_npy *array, const char *found, fr_error *error) {
    return fr_fail(error, FR_ERROR_DATA, "%s: array %s: %s", array->path, array->name, found);
}

/* ------------------------------------------------------------------------------------------- header */

fr_status fr_npy_header_bytes(const char *path, const char *name, const char *data, size_t size, int64_t *bytes,
                              fr_error *error) {
    fr_npy array = {.path = path, .name = name};
    const unsigned char *at = (const unsigned char *)data;
    if (size < 6 || memcmp(data, FR_NPY_MAGIC, 6) != 0)
        return bad(&array, "no NPY header found, expected one that starts with \\x93NUMPY", error);
    if (size < FR_NPY_PREFIX) return bad(&array, "truncated inside the NPY header", error);
    if (at[6] < 1 || at[6] > 3)
        return fr_fail(error, FR_ERROR_DATA, "%s: array %s: NPY version %d.%d, expected 1, 2 or 3", path, name, at[6],
                       at[7]);
    if (at[6] == 1) *bytes = 10 + at[8] + 256 * at[9];
    else *bytes = 12 + ((int64_t)at[8] | (int64_t)at[9] << 8 | (int64_t)at[10] << 16 | (int64_t)at[11] << 24);
    if (*bytes > FR_NPY_HEADER_MOST)
        return fr_fail(error, FR_ERROR_DATA, "%s: array %s: NPY header of %" PRId64 " bytes, expected at most %d",
                       path, name, *bytes, FR_NPY_HEADER_MOST);
    return FR_OK;
}

/* Where the parser stands in the dictionary. */
typedef struct cursor {
    const char *at, *end;
} cursor;

static bool take(cursor *c, char symbol) {
    while (c->at < c->end && (fr_is_blank(*c->at) || *c->at == '\n')) c->at++;
    if (c->at == c->end || *c->at != symbol) return false;
    c->at++;
    return true;
}

static bool take_word(cursor *c, const char *word) {
    size_t length = strlen(word);
    while (c->at < c->end && fr_is_blank(*c->at)) c->at++;
    if ((size_t)(c->end - c->at) < length || memcmp(c->at, word, length) != 0) return false;
    c->at += length;
    return true;
}

static bool take_string(cursor *c, char *text, size_t size) {
    char quote = '\'';
    if (!take(c, quote)) {
        quote = '"';
        if (!take(c, quote)) return false;
    }
    size_t length = 0;
    while (c->at < c->end && *c->at != quote && length + 1 < size) text[length++] = *c->at++;
    text[length] = '\0';
    return take(c, quote);
}

static fr_status parse_descr(cursor *c, fr_npy *array, fr_error *error) {
    char text[32], line[160];
    if (take(c, '[')) return bad(array, "structured dtype found, expected plain numbers such as <f8", error);
    if (!take_string(c, text, sizeof text)) return bad(array, "damaged NPY header: 'descr' is no dtype", error);
    array->kind = text[0] ? text[1] : '\0';
    array->bytes = array->kind && text[2] >= '1' && text[2] <= '8' && !text[3] ? text[2] - '0' : 0;
    bool sized =
        array->bytes == 8 || array->bytes == 4 || (array->kind != 'f' && (array->bytes == 2 || array->bytes == 1));
    bool kind =
        array->kind == 'f' || array->kind == 'i' || array->kind == 'u' || (array->kind == 'b' && array->bytes == 1);
    bool order = text[0] == '<' || (text[0] == '|' && array->bytes == 1);
    if (kind && sized && order) return FR_OK;
    const char *word = text[0] == '>'                             ? "big-endian"
                       : array->kind == 'O'                       ? "object"
                       : array->kind == 'c'                       ? "complex"
                       : array->kind == 'S' || array->kind == 'U' ? "string"
                                                                  : "unsupported";
    snprintf(line, sizeof line,
             "%s dtype '%s' found, expected little-endian float32, float64 or integers (<f4, <f8, <i4, ...)", word,
             text);
    return bad(array, line, error);
}

static fr_status parse_shape(cursor *c, fr_npy *array, fr_error *error) {
    const char *damaged = "damaged NPY header: 'shape' is no tuple of sizes";
    if (!take(c, '(')) return bad(array, damaged, error);
    array->shape[0] = array->shape[1] = 1;
    array->dimensions = 0;
    bool comma = true;
    while (!take(c, ')')) {
        int64_t size;
        while (c->at < c->end && fr_is_blank(*c->at)) c->at++;
        const char *after = fr_parse_int64_prefix(c->at, c->end, &size);
        if (!after || size < 0 || !comma) return bad(array, damaged, error);
        c->at = after;
        take(c, 'L'); /* as Python 2 wrote */
        if (array->dimensions == 2) return bad(array, "found more than 2 dimensions, expected 1 or 2", error);
        array->shape[array->dimensions++] = size;
        comma = take(c, ',');
    }
    if (array->dimensions == 0)
        return bad(array, "found a single value of shape (), expected 1 or 2 dimensions", error);
    return FR_OK;
}

static fr_status parse_entry(cursor *c, fr_npy *array, unsigned *seen, fr_error *error) {
    char key[32];
    if (!take_string(c, key, sizeof key) || !take(c, ':'))
        return bad(array, "damaged NPY header: expected 'key': value", error);
    unsigned bit = strcmp(key, "descr") == 0           ? 1
                   : strcmp(key, "fortran_order") == 0 ? 2
                   : strcmp(key, "shape") == 0         ? 4
                                                       : 0;
    if (bit == 0 || (*seen & bit)) return bad(array, "damaged NPY header: unknown or repeated key", error);
    *seen |= bit;
    if (bit == 1) return parse_descr(c, array, error);
    if (bit == 4) return parse_shape(c, array, error);
    array->fortran = take_word(c, "True");
    if (array->fortran || take_word(c, "False")) return FR_OK;
    return bad(array, "damaged NPY header: 'fortran_order' is neither True nor False", error);
}

fr_status fr_npy_parse_header(const char *path, const char *name, const char *data, size_t size, fr_npy *array,
                              fr_error *error) {
    *array = (fr_npy){.path = path, .name = name};
    fr_status status = fr_npy_header_bytes(path, name, data, size, &array->header_bytes, error);
    if (status != FR_OK) return status;
    if ((int64_t)size < array->header_bytes) return bad(array, "truncated inside the NPY header", error);
    cursor c = {data + (data[6] == 1 ? 10 : 12), data + array->header_bytes};
    if (!take(&c, '{')) return bad(array, "damaged NPY header: no dictionary", error);
    unsigned seen = 0;
    bool comma = true;
    while (!take(&c, '}')) {
        if (!comma) return bad(array, "damaged NPY header: expected a comma or the end of the dictionary", error);
        status = parse_entry(&c, array, &seen, error);
        if (status != FR_OK) return status;
        comma = take(&c, ',');
    }
    if (seen != 7) return bad(array, "damaged NPY header: expected 'descr', 'fortran_order' and 'shape'", error);
    if (__builtin_mul_overflow(array->shape[0], array->shape[1], &array->count) ||
        __builtin_mul_overflow(array->count, (int64_t)array->bytes, &array->data_bytes))
        return fr_fail(error, FR_ERROR_DATA, "%s: array %s: shape (%" PRId64 ", %" PRId64 ") is larger than any file",
                       path, name, array->shape[0], array->shape[1]);
    return FR_OK;
}

/* ------------------------------------------------------------------------------------------- checks */

fr_status fr_npy_check_size(const fr_npy *array, int64_t found, fr_error *error) {
    if (found == array->data_bytes) return FR_OK;
    return fr_fail(error, FR_ERROR_DATA, "%s: array %s: %s: found %" PRId64 " bytes of values, expected %" PRId64,
                   array->path, array->name, found < array->data_bytes ? "truncated" : "more values than its shape",
                   found, array->data_bytes);
}

fr_status fr_npy_check_matrix(const fr_npy *array, int64_t features, fr_error *error) {
    int64_t n = array->shape[0], d = array->shape[1];
    if (array->dimensions != 2)
        return fr_fail(error, FR_ERROR_DATA,
                       "%s: array %s has shape (%" PRId64 ",), expected 2-D (samples, features)", array->path,
                       array->name, n);
    if (n < 1 || d < 1)
        return fr_fail(error, FR_ERROR_DATA, "%s: array %s is empty: shape (%" PRId64 ", %" PRId64 ")", array->path,
                       array->name, n, d);
    if (features > 0 && d != features)
        return fr_fail(error, FR_ERROR_DATA, "%s: array %s has %" PRId64 " features, expected %" PRId64, array->path,
                       array->name, d, features);
    return FR_OK;
}

fr_status fr_npy_check_vector(const fr_npy *array, int64_t length, const char *against, fr_error *error) {
    if (array->shape[1] != 1)
        return fr_fail(error, FR_ERROR_DATA,
                       "%s: array %s has shape (%" PRId64 ", %" PRId64 "), expected (%" PRId64 ",)", array->path,
                       array->name, array->shape[0], array->shape[1], length);
    if (array->shape[0] != length)
        return fr_fail(error, FR_ERROR_DATA, "%s: array %s has %" PRId64 " values, expected %" PRId64 " for the %s",
                       array->path, array->name, array->shape[0], length, against);
    return FR_OK;
}

/* ------------------------------------------------------------------------------------------- values */

enum { BLOCK = 1024, PIECE_BYTES = 1 << 16 };

#define DECODE(type)                                                                                                 \
    for (int64_t i = 0; i < count; i++) {                                                                            \
        type value;                                                                                                  \
        memcpy(&value, (const char *)from + (size_t)i * sizeof value, sizeof value);                                 \
        to[i] = (double)value;                                                                                       \
    }                                                                                                                \
    return

/* One block of the file's values as doubles; they need not be aligned in the file. */
static void decode(const fr_npy *array, const void *from, int64_t count, double *to) {
    switch (array->kind * 16 + array->bytes) {
    case 'f' * 16 + 8: DECODE(double);
    case 'f' * 16 + 4: DECODE(float);
    case 'i' * 16 + 8: DECODE(int64_t);
    case 'i' * 16 + 4: DECODE(int32_t);
    case 'i' * 16 + 2: DECODE(int16_t);
    case 'i' * 16 + 1: DECODE(int8_t);
    case 'u' * 16 + 8: DECODE(uint64_t);
    case 'u' * 16 + 4: DECODE(uint32_t);
    case 'u' * 16 + 2: DECODE(uint16_t);
    default: DECODE(uint8_t); /* u1 and b1 */
    }
}

static fr_status refuse(const fr_npy *array, int64_t position, double value, fr_precision precision,
                        fr_error *error) {
    char number[FR_NUMBER_SIZE], place[64];
    int64_t n = array->shape[0], d = array->shape[1];
    int64_t row = array->fortran ? position % n : position / d;
    int64_t column = array->fortran ? position / n : position % d;
    fr_format_double(number, sizeof number, value);
    if (array->dimensions == 1) snprintf(place, sizeof place, "[%" PRId64 "]", row);
    else snprintf(place, sizeof place, "[%" PRId64 ",%" PRId64 "]", row, column);
    return fr_fail(error, FR_ERROR_DATA, "%s: %s%s is %s, %s", array->path, array->name, place, number,
                   fr_misfit(value, precision));
}

/* The values that follow one another both in the file and, `stride` apart, in the target: all rows in C order, one
 * column in Fortran order. */
typedef struct run {
    int64_t first, count; /* values of the file, of kept rows only */
    int64_t target;       /* where the first goes */
    int64_t stride;
} run;

static void store(const double *values, run part, fr_precision precision, void *target) {
    int64_t at = part.target;
    for (int64_t i = 0; i < part.count; i++, at += part.stride) {
        if (precision == FR_F32) ((float *)target)[at] = (float)values[i];
        else ((double *)target)[at] = values[i];
    }
}

static fr_status convert_run(const fr_npy *array, const char *values, run all, fr_precision precision, void *target,
                             fr_error *error) {
    double block[BLOCK];
    for (int64_t done = 0; done < all.count; done += BLOCK) {
        int64_t here = all.count - done < BLOCK ? all.count - done : BLOCK;
        decode(array, values + done * array->bytes, here, block);
        for (int64_t i = 0; i < here; i++) {
            if (!fr_fits(block[i], precision)) return refuse(array, all.first + done + i, block[i], precision, error);
        }
        run part = {all.first + done, here, all.target + done * all.stride, all.stride};
        store(block, part, precision, target);
    }
    return FR_OK;
}

fr_status fr_npy_convert(const fr_npy *array, const void *values, int64_t first, int64_t count, fr_range kept,
                         fr_precision precision, void *target, fr_error *error) {
    /* A line is what lies together: the whole array, or a column. Of each, values from .. to - 1 are kept. */
    int64_t d = array->shape[1], line = array->fortran ? array->shape[0] : array->count;
    int64_t from = array->fortran ? kept.first : kept.first * d;
    int64_t to = from + (array->fortran ? kept.count : kept.count * d);
    fr_status status = FR_OK;
    for (int64_t start = first - first % line; status == FR_OK && start < first + count; start += line) {
        int64_t begin = start + from > first ? start + from : first;
        int64_t end = start + to < first + count ? start + to : first + count;
        int64_t offset = begin - start - from; /* from the first that is kept of this line */
        run part = {begin, end - begin, offset, 1};
        if (array->fortran) part.target = offset * d + start / line, part.stride = d;
        if (begin < end)
            status = convert_run(array, (const char *)values + (begin - first) * array->bytes, part, precision,
                                 target, error);
    }
    return status;
}

/* --------------------------------------------------------------------------------------- the reader */

/* Reading ahead along the file would fetch whole columns of a Fortran-ordered one; where their kept pieces are long
 * enough to be read by themselves, they are. */
static void fetch_columns(const fr_text *file, const fr_npy *x, fr_range kept) {
    size_t piece = (size_t)(kept.count * x->bytes);
    if (!x->fortran || kept.count == x->shape[0] || piece < PIECE_BYTES) return;
    for (int64_t j = 0; j < x->shape[1]; j++) {
        int64_t value = j * x->shape[0] + kept.first;
        fr_text_fetch_piece(file, (size_t)(x->header_bytes + value * x->bytes), piece);
    }
}

fr_status fr_dataset_parse_npy(const fr_text *file, const fr_read_options *options, fr_dataset **set,
                               fr_error *error) {
    fr_npy x;
    fr_dataset *made = NULL;
    fr_status status = fr_npy_parse_header(file->path, "X", file->data, file->size, &x, error);
    if (status == FR_OK) status = fr_npy_check_matrix(&x, options->features, error);
    if (status == FR_OK) status = fr_npy_check_size(&x, (int64_t)file->size - x.header_bytes, error);
    if (status == FR_OK && fr_wants_own_labels(options))
        status = fr_fail(error, FR_ERROR_USAGE, "%s: an NPY file holds no labels, name their file with --labels FILE",
                         file->path);
    if (status == FR_OK)
        status = fr_dataset_allocate(x.shape[0], x.shape[1], fr_kept_rows(options, x.shape[0]),
                                     fr_wants_labels(options), options->precision, file->path, &made, error);
    if (status == FR_OK) fetch_columns(file, &x, fr_dataset_range(made));
    if (status == FR_OK)
        status = fr_npy_convert(&x, file->data + x.header_bytes, 0, x.count, fr_dataset_range(made),
                                options->precision, made->rows, error);
    if (status == FR_OK) *set = made;
    else fr_dataset_free(made);
    return status;
}
