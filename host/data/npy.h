/*
 * npy.h - NumPy's array format, shared by the NPY, NPZ and label readers and by the writers.
 *
 * An NPY array is a header (magic, version, a Python dictionary of dtype, order and shape) followed by the values.
 * What is read: float16, float32 and float64, integers of 1 to 8 bytes and booleans, of either byte order, of one or
 * two dimensions, in C or Fortran order. Everything else is refused by name.
 */
#ifndef FR_DATASET_NPY_H
#define FR_DATASET_NPY_H

#include "base/stream.h"
#include "data/dataset.h"
#include "data/missing.h"

#define FR_NPY_MAGIC "\x93NUMPY"

typedef struct fr_npy {
    const char *path;     /* file and array, borrowed, for messages */
    const char *name;     /* "X", "y" or "w_star" */
    char kind;            /* 'f', 'i', 'u' or 'b' */
    int bytes;            /* of one value */
    bool swapped;         /* big-endian */
    bool fortran;         /* column after column */
    int dimensions;       /* 1 or 2 */
    int64_t shape[2];     /* shape[1] is 1 for one dimension */
    int64_t count;        /* values */
    int64_t header_bytes; /* where the values start */
    int64_t data_bytes;
} fr_npy;

/* Bytes needed to tell how long a header is, and the most that a header may take. */
enum { FR_NPY_PREFIX = 12, FR_NPY_HEADER_MOST = 1 << 20 };

/* The length of the whole header, told from its first FR_NPY_PREFIX bytes (fewer if the array has no more). */
fr_status fr_npy_header_bytes(const char *path, const char *name, const char *data, size_t size, int64_t *bytes,
                              fr_error *error);

/* Parses a whole header of size bytes; path and name stay borrowed. */
fr_status fr_npy_parse_header(const char *path, const char *name, const char *data, size_t size, fr_npy *array,
                              fr_error *error);

/* Refuses an array whose values take another number of bytes than `found`, which also bounds what is allocated. */
fr_status fr_npy_check_size(const fr_npy *array, int64_t found, fr_error *error);

/* Checks the roles that arrays play: X is n x d with n, d >= 1 (and d = features unless that is 0); a vector has
 * shape (length,) or (length, 1), and `against` says what gave the length. */
fr_status fr_npy_check_matrix(const fr_npy *array, int64_t features, fr_error *error);
fr_status fr_npy_check_vector(const fr_npy *array, int64_t length, const char *against, fr_error *error);

/* Where the bytes of an array come from, in order: an NPY file or a member of an archive. */
typedef struct fr_npy_source {
    /* Exactly so many bytes, or a failure that says what the array lacks. */
    fr_status (*read)(void *user, const fr_npy *array, void *to, int64_t bytes, fr_error *error);
    fr_status (*skip)(void *user, const fr_npy *array, int64_t bytes, fr_error *error);
    void *user;
} fr_npy_source;

/* The array of an NPY file, open at its first value: *stream is the caller's to free, and is what the source reads. */
fr_status fr_npy_open(const fr_text *file, const char *name, fr_npy *array, fr_stream **stream, fr_error *error);
fr_npy_source fr_npy_file_source(fr_stream *stream);
/* Refuses a file that is not as long as header and shape say, before anything of that size is allocated. */
fr_status fr_npy_check_file(const fr_text *file, const fr_npy *array, fr_error *error);

/* Reads the values of the rows `kept`, counted without those that `missing` leaves out, into target, a row-major array
 * of these rows in the given precision; the others are skipped. `missing` also has the means that stand for missing
 * values; NULL: none is allowed for. Refuses what is not finite or does not fit, by row and column from 0 in the whole
 * array. The source stands at the first value. */
fr_status fr_npy_read(const fr_npy *array, fr_npy_source source, const fr_missing *missing, fr_range kept,
                      fr_precision precision, void *target, fr_error *error);

/* Reads all values, to find those that are missing: NaN. The source stands at the first value. */
fr_status fr_npy_look(const fr_npy *array, fr_npy_source source, fr_missing *missing, fr_error *error);
/* Whether there can be any: integers are never missing. */
static inline bool fr_npy_may_lack(const fr_npy *array) { return array->kind == 'f'; }

/* One array to be written: the header made by fr_npy_describe, and the values, borrowed. */
typedef struct fr_npy_output {
    const char *name; /* "X", "y" or "w_star" */
    const void *values;
    int64_t bytes;
    char header[128];
} fr_npy_output;

/* rows x columns values, or rows values where columns is 0. */
fr_npy_output fr_npy_describe(const char *name, const void *values, int64_t rows, int64_t columns,
                              fr_precision precision);

/* Writes an NPZ archive of uncompressed arrays, whole or not at all (data/write_npz.c). */
fr_status fr_npz_write(const char *path, const fr_npy_output *arrays, int count, fr_error *error);

#endif
