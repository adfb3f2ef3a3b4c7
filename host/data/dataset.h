/*
 * dataset.h - what a data set is inside the library.
 *
 * A data set holds its rows in the precision of the fit, row-major, and the labels in the same precision. Rows are its
 * own, or borrowed (fr_dataset_borrow): then they are read where the caller has them, perhaps with gaps between, until
 * something must change them, which copies them first (fr_dataset_own_rows). A planted set starts without rows: they are a function of the seed, so that each engine makes only
 * the rows of its own workers, in its own memory. A read set may hold a part of the file's rows
 * (first_row .. first_row + local_rows - 1 of samples), which is how ranks share a file.
 */
#ifndef FR_DATASET_H
#define FR_DATASET_H

#include "base/status.h"
#include "kernels/rules/split.h"

/* A fingerprint of some rows with their labels (data/fingerprint.h). */
typedef struct fr_row_print {
    fr_range rows;
    uint64_t sum;
} fr_row_print;

struct fr_dataset {
    int64_t samples;     /* n, over all ranks */
    int64_t features;    /* d, columns of rows (with the column of ones once an intercept was added) */
    int64_t first_row;   /* the first of the rows held here */
    int64_t local_rows;  /* how many are held here; 0 in a planted set whose rows are not made yet */
    fr_precision precision;
    void *rows;          /* local_rows x features float or double, or NULL */
    int64_t stride;      /* values from the start of a row to that of the next: features, or more */
    bool borrowed;       /* rows are the caller's, and are not written */
    void *labels;        /* local_rows float or double, or NULL */
    int64_t lacking;     /* rows of the file left out, of those held apart too, since they lacked something */
    struct fr_dataset *held_out; /* rows kept apart, owned, or NULL */
    double *weights;     /* u of the local_rows rows, 0 or more, or NULL: 1 each; of mean 1 over all rows once counted > 0 */
    int64_t counted;     /* rows with a weight above 0, over all ranks: since fr_weights_settle (columns/weights.h), 0 before */
    bool weighed;        /* rows and labels are times sqrt(u) */
    double *planted;     /* w*, features values, or NULL */
    bool is_planted;
    fr_planted recipe;   /* of a planted set */
    char **names;        /* of the features as they came, one piece of memory (data/names.h), or NULL */
    char *label_name;    /* or NULL */
    char **passed;       /* names of columns of the table that are nothing here, one piece of memory, or NULL */
    int64_t passed_count;
    double *means;       /* that stood in for missing values of the features, or NULL */
    char *source;        /* "planted" or the path of the file */
    char *label_column, *weight_column; /* as they were asked for, or NULL */
    /* What tells data apart (data/fingerprint.h). */
    uint64_t fingerprint;    /* of the whole source, whatever part is held: the files, or the recipe; 0 for arrays */
    fr_row_print held, next; /* of the rows held, as they were given; and, of files too large to be hashed whole, of
                                those that the next rank holds (0 of them: not looked at) */
    uint64_t content;        /* of all rows on all ranks; once the ranks of a fit have met (solver/same_run.c) */
    /* What fr_dataset_condition did to the columns, NULL before: x' = (x - shift) / scale. */
    double *shift, *scale;
    double *mix;           /* and then x'' = R^-T x': R, upper triangular, row-major over the user's features; or NULL */
    bool uncorrelated;     /* (1/n) X^T X is about 1, by mix or because the columns came so */
    unsigned char *left_out; /* fr_left_out of each of the user's features */
    double constant_value;   /* not 0: column `constant` has this value in all rows and stands for an intercept */
    int64_t constant;
    bool centered, scaled; /* how */
    bool intercept;        /* the last column is 1 */
    fr_rows_function watch; /* told while planted rows are made, or NULL */
    void *watch_user;
};

/* The bytes of one value. */
static inline size_t fr_precision_bytes(fr_precision precision) { return precision == FR_F32 ? 4 : 8; }

/* The rows that a set holds. */
static inline fr_range fr_dataset_range(const fr_dataset *set) { return (fr_range){set->first_row, set->local_rows}; }

/* Where the features of a row among those held begin. */
static inline const void *fr_dataset_at(const fr_dataset *set, int64_t row) {
    return (const char *)set->rows + row * set->stride * (int64_t)fr_precision_bytes(set->precision);
}

/* Before rows are changed: they become the set's own where they are borrowed, with room for `more` columns behind the
 * features of each. Nothing where both hold already. */
fr_status fr_dataset_own_rows(fr_dataset *set, int64_t more, fr_error *error);

/* Allocates an empty read set of samples x features that holds the rows `kept` (and their labels), all zero. With no
 * row kept, rows and labels are no NULL all the same. For the readers. */
fr_status fr_dataset_allocate(int64_t samples, int64_t features, fr_range kept, bool labels, fr_precision precision,
                              const char *source, fr_dataset **dataset, fr_error *error);

/* A set with rows of its own: the same rows, labels and weights of rows, as they are now, with a source of the same
 * fingerprint; no names, nothing held out. Of read sets whose columns no fit has changed. */
fr_status fr_dataset_copy(const fr_dataset *set, fr_dataset **copy, fr_error *error);

/* Weights of 1 for the rows held, for a reader or a caller to fill. */
fr_status fr_dataset_take_weights(fr_dataset *set, fr_error *error);

/* Rows that count: all but those of weight 0. */
static inline int64_t fr_dataset_counted(const fr_dataset *set) { return set->counted > 0 ? set->counted : set->samples; }

/* Refuses a set that does not hold all of the rows `needed`, naming both. */
fr_status fr_dataset_holds(const fr_dataset *set, fr_range needed, fr_error *error);

/* Column and row among the rows held (both from 0), as double; for code that is not hot. */
static inline double fr_dataset_value(const fr_dataset *set, int64_t row, int64_t column) {
    int64_t at = row * set->stride + column;
    return set->precision == FR_F32 ? (double)((const float *)set->rows)[at] : ((const double *)set->rows)[at];
}
/* x (d) <- a row among those held, as doubles. */
void fr_dataset_row(const fr_dataset *set, int64_t row, double *x);
/* The weight of a row among those held. */
static inline double fr_dataset_weight(const fr_dataset *set, int64_t row) { return set->weights ? set->weights[row] : 1; }
static inline void fr_dataset_put(fr_dataset *set, int64_t row, int64_t column, double value) {
    int64_t at = row * set->stride + column;
    if (set->precision == FR_F32) ((float *)set->rows)[at] = (float)value;
    else ((double *)set->rows)[at] = value;
}
static inline double fr_dataset_label(const fr_dataset *set, int64_t row) {
    return set->precision == FR_F32 ? (double)((const float *)set->labels)[row] : ((const double *)set->labels)[row];
}
static inline void fr_dataset_put_label(fr_dataset *set, int64_t row, double value) {
    if (set->precision == FR_F32) ((float *)set->labels)[row] = (float)value;
    else ((double *)set->labels)[row] = value;
}

#endif
