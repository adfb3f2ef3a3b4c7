/*
 * cmd_info.c - fitrelu info: what the library says of itself, as it is or as JSON; or of a model, what fitrelu show says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fitrelu/commands.h"
#include "fitrelu/json_writer.h"
#include "fitrelu/message.h"
#include "fitrelu/option_parse.h"

/* The members are the lines "name: value" of fr_build_info. */
static void print_json(char *text) {
    json_writer json = json_start(stdout);
    json_begin(&json, NULL);
    json_string(&json, "program", "fitrelu");
    json_string(&json, "version", fr_version());
    json_begin(&json, "build");
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        char *colon = strstr(line, ": ");
        if (!colon) continue;
        *colon = '\0';
        json_string(&json, line, colon + 2);
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
