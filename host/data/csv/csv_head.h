/*
 * csv_head.h - what the first lines of a table tell: the delimiter, how many columns, and whether they have names.
 */
#ifndef FR_DATA_CSV_HEAD_H
#define FR_DATA_CSV_HEAD_H

#include "data/csv_line.h"
#include "data/parse.h"

typedef struct fr_csv_head {
    char delimiter;
    bool header;    /* the first line names the columns */
    int64_t number; /* of the first line with content, from 1 */
    int64_t columns;
    char *line; /* that line, owned, to end */
    const char *end;
    char **names; /* of a header: one a column, owned (data/names.h); NULL without */
    char doubt[160]; /* why the choice of header was not plain, for a remark; "" where it was */
} fr_csv_head;

/* Looks at the first hundred rows; FR_ERROR_DATA where there is no line with content. */
fr_status fr_csv_look(const fr_text *file, const fr_read_options *options, fr_csv_head *head, fr_error *error);
void fr_csv_head_free(fr_csv_head *head);

/* A walk that stands before the first row. */
fr_status fr_csv_rows(const fr_text *file, const fr_csv_head *head, fr_lines *lines, fr_error *error);
/* The next row. Comments end where the rows begin: what starts with # afterwards is a row, and probably refused. */
static inline bool fr_csv_next_row(fr_lines *lines) {
    bool found = fr_lines_next_content(lines);
    lines->data_only = true;
    return found;
}

#endif
