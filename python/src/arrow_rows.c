/*
 * arrow_rows.c - the batches of a stream, and their columns of numbers one value at a time.
 *
 * The formats of Arrow that are numbers are single letters. A null is refused here, where the column has a name.
 */
#include "arrow_rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "arrow_abi.h"
#include "base/status.h"

struct arrow_table {
    struct ArrowSchema schema;
    struct ArrowArray *batches;
    int64_t count, rows;
};

/* Booleans, integers of 8 to 64 bits without and with sign, and floats of 16, 32 and 64 bits. */
static const char NUMBERS[] = "bCcSsIiLlefg";

/* ------------------------------------------------------------------------------------------ reading it */

static fr_status check_columns(const struct ArrowSchema *schema, fr_error *error) {
    if (strcmp(schema->format, "+s") != 0 || schema->n_children < 1)
        return fr_fail(error, FR_ERROR_DATA, "X is a stream of the Arrow format %s, expected a table with columns",
                       schema->format);
    for (int64_t j = 0; j < schema->n_children; j++) {
        const struct ArrowSchema *column = schema->children[j];
        bool number = strlen(column->format) == 1 && strchr(NUMBERS, column->format[0]) && !column->dictionary;
        if (!number)
            return fr_fail(error, FR_ERROR_DATA, "column \"%s\" holds no numbers (Arrow format %s)", column->name,
                           column->dictionary ? column->dictionary->format : column->format);
    }
    return FR_OK;
}

static fr_status told_by(struct ArrowArrayStream *stream, fr_error *error) {
    const char *line = stream->get_last_error ? stream->get_last_error(stream) : NULL;
    return fr_fail(error, FR_ERROR_DATA, "X could not be read: %s", line ? line : "its Arrow stream failed");
}

/* Room for one batch more. */
static fr_status grow(arrow_table *table, fr_error *error) {
    struct ArrowArray *larger = realloc(table->batches, (size_t)(table->count + 1) * sizeof *larger);
    if (!larger) return fr_fail(error, FR_ERROR, "out of memory for the batches of a table");
    table->batches = larger;
    return FR_OK;
}

static fr_status read_stream(struct ArrowArrayStream *stream, arrow_table *table, fr_error *error) {
    if (stream->get_schema(stream, &table->schema) != 0) return told_by(stream, error);
    FR_TRY(check_columns(&table->schema, error));
    for (;;) {
        struct ArrowArray batch = {0};
        FR_TRY(grow(table, error));
        if (stream->get_next(stream, &batch) != 0) return told_by(stream, error);
        if (!batch.release) return FR_OK;
        table->batches[table->count++] = batch;
        table->rows += batch.length;
    }
}

fr_status arrow_table_open(void *stream, arrow_table **table, fr_error *error) {
    struct ArrowArrayStream own = *(struct ArrowArrayStream *)stream;
    ((struct ArrowArrayStream *)stream)->release = NULL; /* moved, as the interface has it */
    fr_status status = fr_allocate((void **)table, 1, sizeof **table, "a table", error);
    if (status == FR_OK) status = read_stream(&own, *table, error);
    own.release(&own);
    if (status == FR_OK) return FR_OK;
    arrow_table_close(*table);
    *table = NULL;
    return status;
}

void arrow_table_close(arrow_table *table) {
    if (!table) return;
    for (int64_t b = 0; b < table->count; b++) table->batches[b].release(&table->batches[b]);
    if (table->schema.release) table->schema.release(&table->schema);
    free(table->batches);
    free(table);
}

/* --------------------------------------------------------------------------------------------- asked */

int64_t arrow_table_rows(const arrow_table *table) { return table->rows; }
int64_t arrow_table_columns(const arrow_table *table) { return table->schema.n_children; }
const char *arrow_table_name(const arrow_table *table, int64_t column) {
    const char *name = table->schema.children[column]->name;
    return name ? name : "";
}

bool arrow_table_is_single(const arrow_table *table) {
    for (int64_t j = 0; j < table->schema.n_children; j++)
        if (table->schema.children[j]->format[0] != 'f') return false;
    return true;
}

/* --------------------------------------------------------------------------------------------- values */

static bool bit(const void *bits, int64_t at) { return ((const uint8_t *)bits)[at / 8] >> (at % 8) & 1; }

/* IEEE 754's binary16: its exponent and fraction where binary64 has them, and scaled by the difference of the biases. */
static double half(uint16_t bits) {
    uint64_t sign = (uint64_t)(bits >> 15) << 63, rest = (uint64_t)(bits & 0x7fff) << 42;
    double value;
    if ((bits & 0x7c00) == 0x7c00) rest |= UINT64_C(0x7ff) << 52;
    rest |= sign;
    memcpy(&value, &rest, sizeof value);
    return value * 0x1p1008;
}

static double number_at(char format, const void *values, int64_t at) {
    switch (format) {
    case 'b': return bit(values, at);
    case 'C': return ((const uint8_t *)values)[at];
    case 'c': return ((const int8_t *)values)[at];
    case 'S': return ((const uint16_t *)values)[at];
    case 's': return ((const int16_t *)values)[at];
    case 'I': return ((const uint32_t *)values)[at];
    case 'i': return ((const int32_t *)values)[at];
    case 'L': return (double)((const uint64_t *)values)[at];
    case 'l': return (double)((const int64_t *)values)[at];
    case 'e': return half(((const uint16_t *)values)[at]);
    case 'f': return (double)((const float *)values)[at];
    default: return ((const double *)values)[at];
    }
}

/* A column of a batch into its place of the rows, `stride` values apart. `before` rows come before the batch. */
static fr_status fill_column(const struct ArrowArray *batch, const struct ArrowSchema *schema, int64_t j, int64_t before,
                             fr_precision precision, void *rows, fr_error *error) {
    const struct ArrowArray *column = batch->children[j];
    const void *valid = column->null_count != 0 ? column->buffers[0] : NULL, *values = column->buffers[1];
    int64_t from = batch->offset + column->offset, stride = schema->n_children;
    char format = schema->children[j]->format[0];
    for (int64_t i = 0; i < batch->length; i++) {
        if (valid && !bit(valid, from + i))
            return fr_fail(error, FR_ERROR_DATA, "column \"%s\" has no value in row %" PRId64 ", expected a number",
                           schema->children[j]->name, before + i);
        double value = number_at(format, values, from + i);
        int64_t at = (before + i) * stride + j;
        if (precision == FR_F32) ((float *)rows)[at] = (float)value;
        else ((double *)rows)[at] = value;
    }
    return FR_OK;
}

/* Some rows of all columns at a time, so that what is written stays in cache. */
static fr_status fill_batch(const struct ArrowArray *batch, const struct ArrowSchema *schema, int64_t before,
                            fr_precision precision, void *rows, fr_error *error) {
    enum { VALUES_AT_ONCE = 1 << 15 };
    int64_t most = 1 + VALUES_AT_ONCE / schema->n_children;
    for (int64_t at = 0; at < batch->length; at += most) {
        struct ArrowArray some = *batch;
        some.offset += at;
        some.length = batch->length - at < most ? batch->length - at : most;
        for (int64_t j = 0; j < schema->n_children; j++)
            FR_TRY(fill_column(&some, schema, j, before + at, precision, rows, error));
    }
    return FR_OK;
}

fr_status arrow_table_fill(const arrow_table *table, fr_precision precision, void *rows, fr_error *error) {
    int64_t before = 0;
    for (int64_t b = 0; b < table->count; b++) {
        FR_TRY(fill_batch(&table->batches[b], &table->schema, before, precision, rows, error));
        before += table->batches[b].length;
    }
    return FR_OK;
}
