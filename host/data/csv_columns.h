/*
 * csv_columns.h - what each column of a table is: a feature, the label, the weight, or nothing that is read.
 *
 * Where features are expected by name (a prediction, options->names) and the table names its columns, they are matched
 * by name, in whatever order they stand. Else their number tells, and they are features in their order.
 */
#ifndef FR_DATA_CSV_COLUMNS_H
#define FR_DATA_CSV_COLUMNS_H

#include "data/csv_head.h"

enum { FR_CSV_LABEL = -1, FR_CSV_PASSED = -2, FR_CSV_WEIGHT = -3 };

typedef struct fr_csv_columns {
    int64_t *feature; /* of each column: which feature it is, or one of the three above */
    int64_t features;
    int64_t label;       /* column of the labels, counted from 0, or -1 */
    int64_t weight;      /* column of the weights, or -1 */
    bool keep_label;     /* false where that column is to be ignored */
    bool label_optional; /* labels that are no numbers are done without */
} fr_csv_columns;

/* FR_ERROR_USAGE where --label-column or --weight-column is none; FR_ERROR_DATA where columns are missing or unknown, by name, or their
 * number is wrong. */
fr_status fr_csv_columns_choose(const char *path, const fr_read_options *options, const fr_csv_head *head,
                                fr_csv_columns *columns, fr_error *error);
void fr_csv_columns_free(fr_csv_columns *columns);

/* Gives the set the names of its features and its label, where the table has them; of two columns of one name, says so
 * and keeps none. */
fr_status fr_csv_columns_name(const fr_read_options *options, const fr_csv_head *head, const fr_csv_columns *columns,
                              fr_dataset *set, fr_error *error);

#endif
