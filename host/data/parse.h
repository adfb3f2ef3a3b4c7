/*
 * parse.h - what the readers of data sets share.
 *
 * A parser turns the bytes of one file into a data set: rows always, labels where the options want them from this
 * file. Opening the file, and labels from a file of their own, are the same for all and live in data/read.c.
 */
#ifndef FR_DATASET_PARSE_H
#define FR_DATASET_PARSE_H

#include <float.h>
#include <math.h>

#include "data/dataset.h"
#include "base/text_file.h"

/* options is never NULL, and its workers make sense. On failure *set is NULL. */
typedef fr_status fr_dataset_parser(const fr_text *file, const fr_read_options *options, fr_dataset **set,
                                    fr_error *error);

fr_dataset_parser fr_dataset_parse_npy, fr_dataset_parse_npz, fr_dataset_parse_csv, fr_dataset_parse_libsvm;

/* True where the lines look like LIBSVM: the tokens after the first are index:value. */
bool fr_looks_like_libsvm(const fr_text *file);

/* Whether the data set gets labels, and whether they come from the data file itself. */
static inline bool fr_wants_labels(const fr_read_options *options) { return !options->without_labels; }
static inline bool fr_wants_own_labels(const fr_read_options *options) {
    return !options->without_labels && !options->labels;
}

/* The rows that are kept of a file of n: those of the options' workers, cut as a fit cuts them. */
static inline fr_range fr_kept_rows(const fr_read_options *options, int64_t n) {
    if (options->all_workers == 0) return (fr_range){0, n};
    return fr_split_range(n, options->all_workers, (fr_range){options->first_worker, options->worker_count});
}

/* True for a finite value that the precision can hold. */
static inline bool fr_fits(double value, fr_precision precision) {
    return fabs(value) <= (precision == FR_F32 ? (double)FLT_MAX : DBL_MAX);
}

/* What is wrong with a value that does not fit, and what was expected: the end of a message. */
static inline const char *fr_misfit(double value, fr_precision precision) {
    if (isnan(value) || precision == FR_F64 || isinf(value)) return "expected a finite number";
    return "expected a number within the range of float32 (or --precision f64)";
}

#endif
