/*
 * csv_match.h - columns matched by name to the features that a model has, for data/csv/csv_columns.c.
 */
#ifndef FR_DATA_CSV_MATCH_H
#define FR_DATA_CSV_MATCH_H

#include "data/csv/csv_choice.h"

/* Gives each column the feature of its name, whatever their order; columns->label is that of --label-column, or -1. A column
 * "color" that a model knows by "color=red" and the like is one of words. */
fr_status fr_csv_match(const fr_csv_choice *choice, fr_error *error);

/* Columns for one message, as many as there is room for: ` "a", "b" and 3 more`. Zeroed before the first. */
typedef struct fr_csv_listing {
    char text[192];
    int64_t count, listed;
} fr_csv_listing;
void fr_csv_list(fr_csv_listing *all, const char *name, int64_t column);
void fr_csv_end_list(fr_csv_listing *all);

#endif
