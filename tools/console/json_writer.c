/*
 * json_writer.c - JSON out: two blanks a level, one member a line.
 *
 * File names may hold any bytes. Those that are not UTF-8 would make the whole object unreadable, so each byte of an
 * ill-formed sequence is written as U+FFFD, the replacement character.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "console/json_writer.h"
#include "base/parse_number.h"

json_writer json_start(FILE *out) { return (json_writer){.out = out, .empty = true}; }

/* Bytes of the well-formed UTF-8 sequence at text, or 0. Overlong forms and surrogates are not well-formed. */
static int sequence_length(const unsigned char *text) {
    static const struct {
        unsigned char low, high, second_low, second_high;
        int length;
    } forms[] = {{0x00, 0x7f, 0x00, 0xff, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
                 {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
                 {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (text[0] < forms[i].low || text[0] > forms[i].high) continue;
        if (forms[i].length == 1) return 1;
        if (text[1] < forms[i].second_low || text[1] > forms[i].second_high) return 0;
        for (int k = 2; k < forms[i].length; k++) {
            if ((text[k] & 0xc0) != 0x80) return 0;
        }
        return forms[i].length;
    }
    return 0;
}

static void write_string(FILE *out, const char *text) {
    fputc('"', out);
    for (const unsigned char *c = (const unsigned char *)text; *c;) {
        int length = sequence_length(c);
        if (length == 0) fputs("\\ufffd", out);
        else if (*c == '"' || *c == '\\') fprintf(out, "\\%c", *c);
        else if (*c == '\n') fputs("\\n", out);
        else if (*c == '\t') fputs("\\t", out);
        else if (*c < 0x20 || *c == 0x7f) fprintf(out, "\\u%04x", *c);
        else fwrite(c, 1, (size_t)length, out);
        c += length ? length : 1;
    }
    fputc('"', out);
}

/* Comma, new line, indentation and the name of the next member. */
static void write_name(json_writer *json, const char *name) {
    if (!json->empty) fputc(',', json->out);
    if (json->depth > 0) fprintf(json->out, "\n%*s", 2 * json->depth, "");
    json->empty = false;
    if (!name) return;
    write_string(json->out, name);
    fputs(": ", json->out);
}

static void open_bracket(json_writer *json, const char *name, char bracket) {
    write_name(json, name);
    fputc(bracket, json->out);
    json->depth++;
    json->empty = true;
}

static void close_bracket(json_writer *json, char bracket) {
    json->depth--;
    if (!json->empty) fprintf(json->out, "\n%*s", 2 * json->depth, "");
    fputc(bracket, json->out);
    json->empty = false;
    if (json->depth == 0) fputc('\n', json->out);
}

void json_begin(json_writer *json, const char *name) { open_bracket(json, name, '{'); }
void json_end(json_writer *json) { close_bracket(json, '}'); }
void json_begin_array(json_writer *json, const char *name) { open_bracket(json, name, '['); }
void json_end_array(json_writer *json) { close_bracket(json, ']'); }

void json_string(json_writer *json, const char *name, const char *text) {
    if (!text) {
        json_null(json, name);
        return;
    }
    write_name(json, name);
    write_string(json->out, text);
}

void json_number(json_writer *json, const char *name, double value) {
    char text[FR_NUMBER_SIZE] = "null";
    if (isfinite(value)) fr_format_double(text, sizeof text, value);
    write_name(json, name);
    fputs(text, json->out);
}

void json_integer(json_writer *json, const char *name, int64_t value) {
    write_name(json, name);
    fprintf(json->out, "%" PRId64, value);
}

void json_bool(json_writer *json, const char *name, bool value) {
    write_name(json, name);
    fputs(value ? "true" : "false", json->out);
}

void json_null(json_writer *json, const char *name) {
    write_name(json, name);
    fputs("null", json->out);
}
