/*
 * csv_line.h - one line of a table cut into fields.
 *
 * Blanks around a field do not count. A field may be quoted; it ends on its line, and two quotes inside stand for one.
 */
#ifndef FR_DATA_CSV_LINE_H
#define FR_DATA_CSV_LINE_H

#include "base/lines.h"

typedef struct fr_csv_field {
    const char *begin, *end; /* without quotes and blanks around it */
} fr_csv_field;

/* A delimiter of ' ' stands for any run of blanks and tabs. */
static inline bool fr_csv_is_padding(char delimiter, char c) { return c == ' ' || (c == '\t' && delimiter != '\t'); }
static inline bool fr_csv_is_delimiter(char delimiter, char c) {
    return c == delimiter || (delimiter == ' ' && c == '\t');
}
static inline const char *fr_csv_skip_padding(char delimiter, const char *at, const char *end) {
    while (at < end && fr_csv_is_padding(delimiter, *at)) at++;
    return at;
}

/* The closing quote of a field that opens at `at`; end where there is none. */
const char *fr_csv_closing_quote(const char *at, const char *end);

/* Cuts the field that starts at `at`; returns the start of the next one, or NULL where it was the last. */
const char *fr_csv_cut(char delimiter, const char *at, const char *end, fr_csv_field *cut);

int64_t fr_csv_count(char delimiter, const char *begin, const char *end);

/* Field number column, from 0, of a line; an empty one where it has fewer. */
fr_csv_field fr_csv_field_at(char delimiter, const char *begin, const char *end, int64_t column);

/* Whether a line has the delimiter outside of quotes. */
bool fr_csv_has(char delimiter, const char *begin, const char *end);

#endif
