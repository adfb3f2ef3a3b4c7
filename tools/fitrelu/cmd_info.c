/*
 * cmd_info.c - fitrelu info: what the library says of itself, as it is or as JSON, in which numbers are numbers; or of a
 * model, what fitrelu show says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse_number.h"
#include "options/commands.h"
#include "console/json_result.h"
#include "console/message.h"
#include "options/option_parse.h"

/* The member of a line "name: value" of fr_build_info: blanks in the name become underscores; a value that is a number
 * is one, and a unit after it goes into the name: "memory available: 23.0 GB" becomes "memory_available_GB": 23. */
static void print_member(json_writer *json, const char *line, size_t length) {
    const char *colon = memchr(line, ':', length), *end = line + length;
    if (!colon || end - colon < 2) return;
    char name[64], value[512];
    double number;
    const char *rest = fr_parse_double_prefix(colon + 2, end, &number);
    bool has_unit = rest && rest < end && *rest == ' ' && !memchr(rest + 1, ' ', (size_t)(end - rest - 1));
    snprintf(name, sizeof name, "%.*s", (int)(colon - line), line);
    if (has_unit)
        snprintf(name, sizeof name, "%.*s_%.*s", (int)(colon - line), line, (int)(end - rest - 1), rest + 1);
    for (char *c = name; *c; c++) *c = *c == ' ' ? '_' : *c;
    snprintf(value, sizeof value, "%.*s", (int)(end - colon - 2), colon + 2);
    if (rest && (rest == end || has_unit)) json_number(json, name, number);
    else json_string(json, name, value);
}

static void print_json(const char *text) {
    json_writer json = json_result_begin();
    json_begin(&json, "build");
    while (*text) {
        size_t length = strcspn(text, "\n");
        print_member(&json, text, length);
        text += length + (text[length] == '\n');
    }
    json_end(&json);
    json_end(&json);
}

int cmd_info(const arguments *given) {
    if (given->operands_given > 0) return cmd_show(given);
    if (given->values[OPT_CSV].given) return message_usage("--csv needs a MODEL: 'fitrelu info MODEL --csv'");
    size_t size = fr_build_info(NULL, 0) + 1;
    char *text = malloc(size);
    if (!text) {
        message_error("not enough memory for %zu bytes", size);
        return EXIT_OUTPUT;
    }
    fr_build_info(text, size);
    if (given->values[OPT_JSON].given) print_json(text);
    else printf("program: fitrelu\n%s", text);
    free(text);
    return EXIT_DONE;
}
