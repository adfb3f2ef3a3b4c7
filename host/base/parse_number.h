/*
 * parse_number.h - numbers from text and to text, whatever the locale.
 *
 * strtod and printf follow the decimal comma of the user's locale, and strtod is slow; a data file and a result must
 * read the same everywhere. So these lie over std::from_chars and std::to_chars (base/parse_number.cpp).
 */
#ifndef FR_PARSE_NUMBER_H
#define FR_PARSE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Room that any number written by fr_format_double takes, its terminator included. */
enum { FR_NUMBER_SIZE = 32 };

/* Reads the decimal number that [begin, end) starts with, without leading blanks: "+1.5", "-2e3", "nan", "inf".
 * Returns where it ends, or NULL where none starts there; hexadecimal is not read. What is too large for a double
 * gives an infinity, and what is too small gives zero. */
const char *fr_parse_double_prefix(const char *begin, const char *end, double *value);

/* Reads [begin, end) as one number with blanks around it allowed; false where it is anything else. */
bool fr_parse_double(const char *begin, const char *end, double *value);

/* The same for decimal integers; false also where it does not fit. */
const char *fr_parse_int64_prefix(const char *begin, const char *end, int64_t *value);
bool fr_parse_int64(const char *begin, const char *end, int64_t *value);

/* Writes the shortest text that reads back as the same double ("0.1", "1e+300", "nan", "inf"), always terminated;
 * FR_NUMBER_SIZE bytes are enough, and in fewer the text is cut to nothing. Returns its length. */
size_t fr_format_double(char *text, size_t size, double value);

#ifdef __cplusplus
}
#endif
#endif
