/*
 * json_writer.h - writes one JSON object, member by member.
 *
 * Strings are escaped, numbers are the shortest that read back the same under any locale, and what JSON cannot say
 * (NaN, infinities) is null. A name of NULL leaves the name out: for the outermost object and in arrays.
 */
#ifndef FITRELU_JSON_WRITER_H
#define FITRELU_JSON_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct json_writer {
    FILE *out;
    int depth;
    bool empty; /* nothing stands in the innermost object yet */
} json_writer;

json_writer json_start(FILE *out);
void json_begin(json_writer *json, const char *name);
void json_end(json_writer *json);
/* Members of an array have no names. */
void json_begin_array(json_writer *json, const char *name);
void json_end_array(json_writer *json);
/* text may be NULL: null. */
void json_string(json_writer *json, const char *name, const char *text);
void json_number(json_writer *json, const char *name, double value);
void json_integer(json_writer *json, const char *name, int64_t value);
void json_bool(json_writer *json, const char *name, bool value);
void json_null(json_writer *json, const char *name);

#endif
