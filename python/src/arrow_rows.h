/*
 * arrow_rows.h - rows of a table that comes as Arrow's C stream: of pandas, polars, pyarrow and others.
 *
 * A table keeps its columns apart, so that its rows are copied: once, straight from its buffers.
 */
#ifndef FITRELU_ARROW_ROWS_H
#define FITRELU_ARROW_ROWS_H

#include "fitrelu.h"

typedef struct arrow_table arrow_table;

/* Takes the stream (an ArrowArrayStream) over and holds its buffers. FR_ERROR_DATA names a column that holds no numbers. */
fr_status arrow_table_open(void *stream, arrow_table **table, fr_error *error);
int64_t arrow_table_rows(const arrow_table *table);
int64_t arrow_table_columns(const arrow_table *table);
const char *arrow_table_name(const arrow_table *table, int64_t column);
/* Every column holds float32. */
bool arrow_table_is_single(const arrow_table *table);
/* rows: rows x columns values of this precision. FR_ERROR_DATA names a value that is missing. */
fr_status arrow_table_fill(const arrow_table *table, fr_precision precision, void *rows, fr_error *error);
void arrow_table_close(arrow_table *table); /* NULL is fine */

#endif
