/*
 * csv_choice.h - a choice among the columns of a table, for those who make it (csv_columns.c, csv_match.c).
 */
#ifndef FR_DATA_CSV_CHOICE_H
#define FR_DATA_CSV_CHOICE_H

#include "data/csv/csv_category.h"

/* Not features; category i is FR_CSV_CATEGORY - i. */
enum { FR_CSV_LABEL = -1, FR_CSV_PASSED = -2, FR_CSV_WEIGHT = -3, FR_CSV_CATEGORY = -4 };

typedef struct fr_csv_columns {
    int64_t *feature; /* of each column: which feature it is, or one of the above */
    int64_t features;
    int64_t label;       /* column of the labels, counted from 0, or -1 */
    int64_t weight;      /* column of the weights of rows, or -1 */
    bool keep_label;     /* false where that column is to be ignored */
    bool label_optional; /* labels that are no numbers are done without */
    fr_csv_category *categories;
    int64_t category_count;
} fr_csv_columns;

/* The words of a column that is one of categories, or NULL. */
static inline const fr_csv_category *fr_csv_category_of(const fr_csv_columns *columns, int64_t column) {
    int64_t feature = columns->feature[column];
    return feature <= FR_CSV_CATEGORY ? &columns->categories[FR_CSV_CATEGORY - feature] : NULL;
}

/* What is chosen from, and where the choice goes. */
typedef struct fr_csv_choice {
    const fr_text *file;
    const fr_read_options *options;
    const fr_csv_head *head;
    fr_csv_columns *columns;
    bool *selected; /* which columns may be features */
} fr_csv_choice;

#endif
