/*
 * manual_help.c - --help: what a terminal of 80 columns shows.
 */
#include <stdio.h>
#include <string.h>

#include "options/manual.h"

enum { WIDTH = 79, HELP_COLUMN = 26 };

/* Prints words of text so that no line passes WIDTH; the cursor stands at column, later lines start at indent. */
static void print_wrapped(FILE *out, const char *text, int column, int indent) {
    for (bool first = true; *text; first = false) {
        int length = (int)strcspn(text, " ");
        if (!first && column + 1 + length > WIDTH) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        } else if (!first) {
            fputc(' ', out);
            column++;
        }
        fprintf(out, "%.*s", length, text);
        column += length;
        text += length + (text[length] == ' ');
    }
    fputc('\n', out);
}

static void print_option(FILE *out, option_id id, const command *which) {
    const option_entry *entry = &option_table[id];
    char argument[OPTION_TEXT_SIZE], letter[8] = "    ";
    if (entry->letter) snprintf(letter, sizeof letter, "-%c, ", entry->letter);
    option_argument_text(entry, argument);
    int column = fprintf(out, "  %s--%s%s%s", letter, entry->name, *argument ? " " : "", argument);
    if (column + 2 > HELP_COLUMN) fprintf(out, "\n%*s", HELP_COLUMN, "");
    else fprintf(out, "%*s", HELP_COLUMN - column, "");
    print_wrapped(out, option_help(id, which->bit), HELP_COLUMN, HELP_COLUMN);
}

static void print_group(FILE *out, option_group group, const command *which) {
    bool heading = false;
    for (int i = 0; i < OPT_COUNT; i++) {
        if (option_table[i].group != group || !(option_table[i].commands & which->bit)) continue;
        if (!heading) fprintf(out, "\n%s:\n", option_group_name(group));
        heading = true;
        print_option(out, (option_id)i, which);
    }
}

static void print_indented(FILE *out, const char *lines) {
    for (const char *line = lines; *line;) {
        int length = (int)strcspn(line, "\n");
        fprintf(out, "  %.*s\n", length, line);
        line += length + (line[length] == '\n');
    }
}

static bool takes_sizes(const command *which) {
    for (int i = 0; i < OPT_COUNT; i++) {
        if (option_table[i].kind == KIND_INTEGER && (option_table[i].commands & which->bit)) return true;
    }
    return false;
}

void manual_command_help(FILE *out, const command *which) {
    fprintf(out, "Usage: fitrelu %s [OPTION]...%s%s\n\n", which->name, *which->operands ? " " : "", which->operands);
    print_wrapped(out, which->description, 0, 0);
    for (int group = 0; group < GROUP_COUNT; group++) print_group(out, (option_group)group, which);
    if (takes_sizes(which)) fprintf(out, "\nNumbers may end in K, M or G: 20K is 20000.\n");
    fprintf(out, "\nExamples:\n");
    print_indented(out, which->examples);
}

void manual_program_help(FILE *out) {
    fprintf(out, "Usage: fitrelu COMMAND [OPTION]...\n\n"
                 "Fits one rectified linear unit, y = max(0, <w, x>), by mini-batch SGD and by\n"
                 "quantized SGD.\n\nCommands:\n");
    for (int i = 0; i < command_count; i++)
        fprintf(out, "  %-10s %s\n", command_table[i].name, command_table[i].summary);
    fprintf(out, "  %-10s %s\n", "help", "explain a command: fitrelu help fit");
    fprintf(out,
            "\nOptions:\n  -h, --help      print this help and exit\n  -V, --version   print the version and exit\n"
            "\n'fitrelu fit' without options fits a small planted problem and explains what it\n"
            "did. 'fitrelu COMMAND --help' lists the options of a command.\n");
}
