/*
 * csv_columns.h - what each column of a table is: a feature, the label, the weight, a column of words, or nothing that
 * is read.
 *
 * Columns that are ignored are nothing. Where features are expected by name (a prediction, options->names) and the table
 * names its columns, they are matched by name, in whatever order they stand. Else their number tells, and they are
 * features in their order.
 */
#ifndef FR_DATA_CSV_COLUMNS_H
#define FR_DATA_CSV_COLUMNS_H

#include "data/csv/csv_choice.h"

/* FR_ERROR_USAGE where an option names no column; FR_ERROR_DATA where columns are missing, unknown or of words, by name, or
 * their number is wrong. */
fr_status fr_csv_columns_choose(const fr_text *file, const fr_read_options *options, const fr_csv_head *head,
                                fr_csv_columns *columns, fr_error *error);
void fr_csv_columns_free(fr_csv_columns *columns);

/* Gives the set the names of its features, of its label and of the columns that are nothing, where the table has them; of
 * two features of one name, says so and keeps none. */
fr_status fr_csv_columns_name(const fr_read_options *options, const fr_csv_head *head, const fr_csv_columns *columns,
                              fr_dataset *set, fr_error *error);

#endif
