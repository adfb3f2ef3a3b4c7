/*
 * missing.h - values that are not there: which words say so, which rows are left out, which means stand in.
 *
 * By default a missing value is refused. Where rows are left out (drop), or values replaced by the mean of their
 * column (mean), every rank looks through the whole file first, so that all agree on which rows remain, on n and on
 * the means whatever rows they keep; rows are counted and cut among workers as if those left out were not there.
 * A row without its label is left out in either case.
 *
 * Rows that are kept apart from a fit (holdout) are left out in the same way, whatever the rule, and add nothing to the
 * means; another reading, of these rows alone, leaves out the others.
 */
#ifndef FR_DATA_MISSING_H
#define FR_DATA_MISSING_H

#include "data/dataset.h"

typedef struct fr_missing {
    fr_missing_rule rule;
    double holdout; /* of the rows that lack nothing, this share is kept apart: left out, or with apart the only ones left */
    uint64_t seed;
    bool apart;
    int64_t *rows; /* of the file, left out; ascending, each once, when settled */
    int64_t count, capacity;
    int64_t lacking, first_lacking; /* when settled: how many of them lack something, and the first */
    bool *selected;   /* of the columns of an array: whether its values count (data/select.h); NULL: those of all */
    int64_t columns;  /* how many */
    const double *given; /* means of the selected columns, or NULL */
    int64_t given_count;
    int64_t features; /* of the three below; 0 until fr_missing_begin */
    double *sum;      /* of a column's values; when settled, their mean */
    int64_t *present; /* how many */
    int64_t *absent;  /* how many are to be replaced */
} fr_missing;

/* True for a word that stands for a missing value or for a spreadsheet's error value: nothing, NA, <NA>, NaT, ?,
 * #N/A, #DIV/0!, ... "nan" is a number to the parser of numbers, and missing to all readers. */
bool fr_is_missing_word(const char *begin, const char *end);

/* Whether the readers have to look through the file for missing values. */
static inline bool fr_missing_looks(const fr_missing *m) { return m->rule != FR_MISSING_ERROR; }

/* Whether they have to where no value can be missing: for the means, which a model keeps. */
static inline bool fr_missing_looks_at_all(const fr_missing *m) { return m->rule == FR_MISSING_MEAN && !m->given; }

/* Whether a column's values count. */
static inline bool fr_missing_counts(const fr_missing *m, int64_t column) {
    return !m->selected || m->selected[column];
}

/* Whether the readers have anything to settle before they know n. */
static inline bool fr_missing_settles(const fr_missing *m) { return fr_missing_looks(m) || m->holdout > 0; }

/* Whether a row of the file is among those kept apart. */
bool fr_missing_holds_out(const fr_missing *m, int64_t row);

/* Room for the means of so many columns. */
fr_status fr_missing_begin(fr_missing *m, int64_t features, fr_error *error);

/* Leaves out a row of the file, counted from 0; the same row may be named several times, in any order. */
fr_status fr_missing_drop(fr_missing *m, int64_t row, fr_error *error);

/* Brings the rows into order, each once. */
void fr_missing_sort(fr_missing *m);

/* After the look through the file: sorts the rows, adds those kept apart (or all others) and forms the means. samples
 * becomes the rows that remain. FR_ERROR_DATA where none remains, or where a column of which values are missing has none
 * at all. */
fr_status fr_missing_settle(fr_missing *m, const char *path, int64_t *samples, fr_error *error);

/* Whether a row is among those left out so far; rows must be ascending (settled). */
bool fr_missing_is_dropped(const fr_missing *m, int64_t row);

/* The row of the file that is row number `kept` of those that remain. */
int64_t fr_missing_file_row(const fr_missing *m, int64_t kept);

/* How many rows of the file from `row`, which remains, follow one another before the next one that is left out. */
int64_t fr_missing_run(const fr_missing *m, int64_t row);

/* Says what was left out or replaced, if anything, through the options' remark. */
void fr_missing_remark(const fr_missing *m, const char *path, const fr_read_options *options);

void fr_missing_free(fr_missing *m);

/* Formats a line for the options' remark; without one, nothing is told. */
void fr_remark(const fr_read_options *options, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
