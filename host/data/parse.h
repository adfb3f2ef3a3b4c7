/*
 * parse.h - what the readers of data sets share.
 *
 * A parser turns the content of one file into a data set: rows always, labels where the options want them from this
 * file. Opening the file, and labels from a file of their own, are the same for all and live in data/read.c.
 */
#ifndef FR_DATASET_PARSE_H
#define FR_DATASET_PARSE_H

#include "base/lines.h"
#include "data/dataset.h"
#include "data/limits.h"
#include "data/missing.h"

/* options is never NULL, and its workers make sense. missing holds the rows left out for want of a label in a file of
 * its own; the parser adds its own and settles it. On failure *set is NULL. */
typedef fr_status fr_dataset_parser(const fr_text *file, const fr_read_options *options, fr_missing *missing,
                                    fr_dataset **set, fr_error *error);

fr_dataset_parser fr_dataset_parse_npy, fr_dataset_parse_npz, fr_dataset_parse_csv, fr_dataset_parse_libsvm;

/* Tells LIBSVM by its lines: the tokens after the first are index:value. */
fr_status fr_looks_like_libsvm(const fr_text *file, bool *libsvm, fr_error *error);

/* Reads labels from a file of their own into a set whose rows are read: NPY, or text with one number a line. */
fr_status fr_labels_read(const fr_text *file, const fr_read_options *options, const fr_missing *missing,
                         fr_dataset *set, fr_error *error);
/* Before the rows are read: adds the rows whose labels are missing to those left out. */
fr_status fr_labels_look(const fr_text *file, const fr_read_options *options, fr_missing *missing, fr_error *error);
/* The same two for a file of weights. */
fr_status fr_weights_read(const fr_text *file, const fr_read_options *options, const fr_missing *missing,
                          fr_dataset *set, fr_error *error);
fr_status fr_weights_look(const fr_text *file, const fr_read_options *options, fr_missing *missing, fr_error *error);

/* Whether the data set gets labels, whether they come from the data file itself, and whether they may be lacking. */
static inline bool fr_wants_labels(const fr_read_options *options) { return !options->without_labels; }
static inline bool fr_wants_own_labels(const fr_read_options *options) {
    return !options->without_labels && !options->labels;
}
static inline bool fr_labels_optional(const fr_read_options *options) {
    return fr_wants_own_labels(options) && options->labels_optional && !options->label_column;
}

/* The rows that are kept of n: those of the options' workers, cut as a fit cuts them. */
static inline fr_range fr_kept_rows(const fr_read_options *options, int64_t n) {
    if (options->all_workers == 0) return (fr_range){0, n};
    return fr_split_range(n, options->all_workers, (fr_range){options->first_worker, options->worker_count});
}

/* Takes a set's labels away, which some row lacks. */
static inline void fr_drop_labels(fr_dataset *set) {
    free(set->labels);
    set->labels = NULL;
}

#endif
