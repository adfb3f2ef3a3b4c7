/*
 * npy.c - reads NumPy's NPY arrays.
 *
 * The header is a Python dictionary in text, such as
 *
 *     {'descr': '<f8', 'fortran_order': False, 'shape': (800, 1000), }
 *
 * parsed here strictly by hand: three keys, each once, in any order. Sizes are checked against the file before
 * anything is allocated, so that a damaged shape costs a line and no memory. Of a file that is not compressed, only the
 * rows that are kept are read. data/npy_values.c converts the values.
 */
#include "data/npy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse_number.h"
#include "data/parse.h"
#include "data/select.h"

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
    array->swapped = text[0] == '>' && array->bytes > 1;
    bool sized =
        array->bytes == 8 || array->bytes == 4 || array->bytes == 2 || (array->bytes == 1 && array->kind != 'f');
    bool kind =
        array->kind == 'f' || array->kind == 'i' || array->kind == 'u' || (array->kind == 'b' && array->bytes == 1);
    bool order = text[0] == '<' || text[0] == '>' || (text[0] == '|' && array->bytes == 1);
    if (kind && sized && order) return FR_OK;
    const char *word = array->kind == 'O'                         ? "object"
                       : array->kind == 'c'                       ? "complex"
                       : array->kind == 'S' || array->kind == 'U' ? "string"
                                                                  : "unsupported";
    snprintf(line, sizeof line,
             "%s dtype '%s' found, expected float16, float32, float64 or integers (<f4, <f8, <i4, ...)", word, text);
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

/* ------------------------------------------------------------------------------------------- a file */

static fr_status read_file(void *user, const fr_npy *array, void *to, int64_t bytes, fr_error *error) {
    size_t got;
    FR_TRY(fr_stream_read(user, to, (size_t)bytes, &got, error));
    return (int64_t)got == bytes ? FR_OK : bad(array, "truncated", error);
}

static fr_status skip_file(void *user, const fr_npy *array, int64_t bytes, fr_error *error) {
    (void)array;
    return fr_stream_skip(user, (uint64_t)bytes, error);
}

fr_npy_source fr_npy_file_source(fr_stream *stream) { return (fr_npy_source){read_file, skip_file, stream}; }

fr_status fr_npy_open(const fr_text *file, const char *name, fr_npy *array, fr_stream **stream, fr_error *error) {
    FR_OWNED char *header = NULL;
    char prefix[FR_NPY_PREFIX];
    size_t got, rest;
    int64_t bytes;
    FR_TRY(fr_stream_open(file, stream, error));
    FR_TRY(fr_stream_read(*stream, prefix, sizeof prefix, &got, error));
    FR_TRY(fr_npy_header_bytes(file->path, name, prefix, got, &bytes, error));
    *array = (fr_npy){.path = file->path, .name = name};
    if (bytes < (int64_t)got) return bad(array, "truncated inside the NPY header", error);
    FR_TRY(fr_allocate((void **)&header, bytes, 1, "the NPY header", error));
    memcpy(header, prefix, got);
    FR_TRY(fr_stream_read(*stream, header + got, (size_t)bytes - got, &rest, error));
    return fr_npy_parse_header(file->path, name, header, got + rest, array, error);
}

fr_status fr_npy_check_file(const fr_text *file, const fr_npy *array, fr_error *error) {
    uint64_t size;
    FR_TRY(fr_stream_size(file, &size, error));
    return fr_npy_check_size(array, (int64_t)size - array->header_bytes, error);
}

/* --------------------------------------------------------------------------------------- the reader */

/* Leaves out rows with missing values and those kept apart, and forms means. */
static fr_status look(const fr_text *file, fr_missing *missing, int64_t *samples, fr_error *error) {
    FR_OWNED_STREAM fr_stream *stream = NULL;
    fr_npy x;
    FR_TRY(fr_npy_open(file, "X", &x, &stream, error));
    FR_TRY(fr_missing_begin(missing, x.shape[1], error));
    if (fr_missing_looks_at_all(missing) || (fr_missing_looks(missing) && fr_npy_may_lack(&x)))
        FR_TRY(fr_npy_look(&x, fr_npy_file_source(stream), missing, error));
    return fr_missing_settle(missing, file->path, samples, error);
}

static fr_status read_matrix(const fr_text *file, const fr_read_options *options, fr_missing *missing,
                             fr_dataset **set, fr_error *error) {
    FR_OWNED_STREAM fr_stream *stream = NULL;
    fr_npy x;
    FR_TRY(fr_npy_open(file, "X", &x, &stream, error));
    FR_TRY(fr_npy_check_matrix(&x, options->features, error));
    FR_TRY(fr_npy_check_file(file, &x, error));
    if (fr_wants_own_labels(options) && !fr_labels_optional(options))
        return fr_fail(error, FR_ERROR_USAGE, "%s: an NPY file holds no labels, name their file with --labels FILE",
                       file->path);
    FR_TRY(fr_select_begin(file->path, options, x.shape[1], missing, error));
    int64_t samples = x.shape[0];
    if (fr_missing_settles(missing)) FR_TRY(look(file, missing, &samples, error));
    FR_TRY(fr_dataset_allocate(samples, x.shape[1], fr_kept_rows(options, samples), options->labels != NULL,
                               options->precision, file->path, set, error));
    return fr_npy_read(&x, fr_npy_file_source(stream), missing, fr_dataset_range(*set), options->precision,
                       (*set)->rows, error);
}

fr_status fr_dataset_parse_npy(const fr_text *file, const fr_read_options *options, fr_missing *missing,
                               fr_dataset **set, fr_error *error) {
    *set = NULL;
    fr_status status = read_matrix(file, options, missing, set, error);
    if (status == FR_OK) return FR_OK;
    fr_dataset_free(*set);
    *set = NULL;
    return status;
}
