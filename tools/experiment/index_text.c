/*
 * index_text.c - the texts of the page: HTML, pictures in base64, and tables made from a summary.
 *
 * A summary is what fitrelu/json_writer.c wrote, one member a line with two blanks a level, so its tables are read line by line:
 * an array of the outermost object is a table, an object in it a row, a member of that a cell.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiment/experiment.h"
#include "base/parse_number.h"

void index_text(fr_output *page, const char *text) {
    for (; *text; text++) {
        if (*text == '&') fr_output_printf(page, "&amp;");
        else if (*text == '<') fr_output_printf(page, "&lt;");
        else if (*text == '>') fr_output_printf(page, "&gt;");
        else if (*text == '"') fr_output_printf(page, "&quot;");
        else fr_output_write(page, text, 1);
    }
}

bool index_base64(fr_output *page, const char *path) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned char in[3];
    FILE *file = fopen(path, "rb");
    if (!file) return false;
    for (size_t got; (got = fread(in, 1, sizeof in, file)) > 0;) {
        unsigned long bits =
            (unsigned long)in[0] << 16 | (got > 1 ? (unsigned long)in[1] << 8 : 0) | (got > 2 ? in[2] : 0);
        const char out[4] = {digits[bits >> 18 & 63], digits[bits >> 12 & 63], got > 1 ? digits[bits >> 6 & 63] : '=',
                             got > 2 ? digits[bits & 63] : '='};
        fr_output_write(page, out, sizeof out);
    }
    bool whole = ferror(file) == 0;
    fclose(file);
    return whole;
}

/* ------------------------------------------------------------------------------------------- tables */

enum { ARRAY_INDENT = 2, MEMBER_INDENT = 6 };

/* Name and value of a line `"name": value,` with the given indentation; false for any other line. */
static bool read_member(const char *line, size_t length, size_t indent, char name[64], char value[256]) {
    if (length < indent + 2 || strspn(line, " ") != indent || line[indent] != '"') return false;
    const char *begin = line + indent + 1, *end = memchr(begin, '"', length - indent - 1);
    if (!end || end + 3 > line + length || end[1] != ':') return false;
    const char *text = end + 3;
    size_t size = (size_t)(line + length - text), used = 0;
    if (size > 0 && text[size - 1] == ',') size--;
    bool quoted = size > 1 && text[0] == '"';
    snprintf(name, 64, "%.*s", (int)(end - begin), begin);
    for (size_t i = quoted; i < size - quoted && used < 255; i++)
        if (!quoted || text[i] != '\\' || text[i - 1] == '\\') value[used++] = text[i];
    value[used] = '\0';
    return true;
}

static void write_cell(fr_output *page, const char *value) {
    double number;
    if (strcmp(value, "null") == 0) fr_output_printf(page, "<td class=\"n\">&ndash;</td>");
    else if (!fr_parse_double(value, value + strlen(value), &number)) {
        fr_output_printf(page, "<td>");
        index_text(page, value);
        fr_output_printf(page, "</td>");
    } else if (number == floor(number) && fabs(number) < 1e9)
        fr_output_printf(page, "<td class=\"n\">%.0f</td>", number);
    else fr_output_printf(page, "<td class=\"n\">%.4g</td>", number);
}

/* The header from the first row's names; returns how many rows there are. */
static int write_header(fr_output *page, const char *at) {
    char name[64], value[256];
    int rows = 0;
    fr_output_printf(page, "<thead><tr>");
    for (const char *end; (end = strchr(at, '\n')) && strncmp(at, "  ]", 3) != 0; at = end + 1) {
        if (strncmp(at, "    {", 5) == 0) rows++;
        if (rows != 1 || !read_member(at, (size_t)(end - at), MEMBER_INDENT, name, value)) continue;
        for (char *c = name; *c; c++) *c = *c == '_' ? ' ' : *c;
        fr_output_printf(page, "<th>");
        index_text(page, name);
        fr_output_printf(page, "</th>");
    }
    fr_output_printf(page, "</tr></thead>");
    return rows;
}

static void write_rows(fr_output *page, const char *at) {
    char name[64], value[256];
    fr_output_printf(page, "<tbody>\n");
    for (const char *end; (end = strchr(at, '\n')) && strncmp(at, "  ]", 3) != 0; at = end + 1) {
        if (strncmp(at, "    {", 5) == 0) fr_output_printf(page, "<tr>");
        else if (strncmp(at, "    }", 5) == 0) fr_output_printf(page, "</tr>\n");
        else if (read_member(at, (size_t)(end - at), MEMBER_INDENT, name, value)) write_cell(page, value);
    }
    fr_output_printf(page, "</tbody>");
}

void index_tables(fr_output *page, const char *summary) {
    char name[64], value[256];
    for (const char *at = summary, *end; (end = strchr(at, '\n')); at = end + 1) {
        if (!read_member(at, (size_t)(end - at), ARRAY_INDENT, name, value)) continue;
        if (strcmp(value, "[") != 0 || strcmp(name, "verdicts") == 0) continue;
        for (char *c = name; *c; c++) *c = *c == '_' ? ' ' : *c;
        fr_output_printf(page, "<details><summary>Measured values: ");
        index_text(page, name);
        fr_output_printf(page, "</summary><div class=\"wide\"><table>");
        write_header(page, end + 1);
        write_rows(page, end + 1);
        fr_output_printf(page, "</table></div></details>\n");
    }
}
