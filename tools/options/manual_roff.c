/*
 * manual_roff.c - the man page. The build runs `fitrelu --generate man` and installs what it prints, so the page is
 * always the one of this program.
 */
#include <stdio.h>
#include <string.h>

#include "fitrelu.h"
#include "options/manual.h"

/* Prints text so that roff takes none of it as a request: a backslash, a leading dot or quote, and hyphens, which
 * would become typographic ones that cannot be copied into a shell. */
static void print_plain(FILE *out, const char *text) {
    if (*text == '.' || *text == '\'') fputs("\\&", out);
    for (; *text; text++) {
        if (*text == '\\') fputs("\\e", out);
        else if (*text == '-') fputs("\\-", out);
        else fputc(*text, out);
    }
}

static void print_paragraph(FILE *out, const char *text) {
    print_plain(out, text);
    fputc('\n', out);
}

/* Verbatim lines, indented. */
static void print_lines(FILE *out, const char *lines) {
    char line[256];
    fputs(".RS 4\n.nf\n", out);
    while (*lines) {
        size_t length = strcspn(lines, "\n");
        snprintf(line, sizeof line, "%.*s", (int)length, lines);
        print_paragraph(out, line);
        lines += length + (lines[length] == '\n');
    }
    fputs(".fi\n.RE\n", out);
}

/* "Commands: fit, generate." */
static void print_owners(FILE *out, unsigned commands) {
    const char *joint = "";
    if (commands == COMMAND_ALL) return;
    fprintf(out, "Command%s: ", commands & (commands - 1) ? "s" : "");
    for (int i = 0; i < command_count; i++) {
        if (!(commands & command_table[i].bit)) continue;
        fprintf(out, "%s%s", joint, command_table[i].name);
        joint = ", ";
    }
    fputs(".\n", out);
}

static void print_text(FILE *out, const option_text *text) {
    bool small = text->help[0] >= 'a' && text->help[0] <= 'z';
    fputc(small ? text->help[0] - 'a' + 'A' : text->help[0], out);
    print_plain(out, text->help + 1);
    fputs(".\n", out);
    print_owners(out, text->commands);
}

static void print_option(FILE *out, option_id id) {
    const option_entry *entry = &option_table[id];
    char text[OPTION_TEXT_SIZE];
    fputs(".TP\n", out);
    if (entry->letter) fprintf(out, "\\fB\\-%c\\fR, ", entry->letter);
    fputs("\\fB\\-\\-", out);
    print_plain(out, entry->name);
    fputs("\\fR", out);
    if (*option_argument_text(entry, text)) {
        fputs(" \\fI", out);
        print_plain(out, text);
        fputs("\\fR", out);
    }
    fputc('\n', out);
    option_text texts[OPTION_TEXTS_MOST];
    int count = option_texts(id, texts);
    for (int i = 0; i < count; i++) print_text(out, &texts[i]);
    if (entry->kind == KIND_FLAG || entry->kind == KIND_FILE || entry->kind == KIND_TEXT) return;
    fputs("Takes ", out);
    print_plain(out, option_expected_text(entry, text));
    fputs(".\n", out);
}

static void print_options(FILE *out) {
    fputs(".SH OPTIONS\n"
          "Long options are written in full; the last of several wins. Numbers may end in K, M or G: 20K is "
          "20000.\n",
          out);
    for (int group = 0; group < GROUP_COUNT; group++) {
        fprintf(out, ".SS %s\n", option_group_name((option_group)group));
        for (int i = 0; i < OPT_COUNT; i++) {
            if ((int)option_table[i].group == group) print_option(out, (option_id)i);
        }
    }
}

static void print_synopsis(FILE *out) {
    fputs(".SH SYNOPSIS\n", out);
    for (int i = 0; i < command_count; i++)
        fprintf(out, "%s\\fBfitrelu %s\\fR [\\fIOPTION\\fR]... \\fI%s\\fR\n", i ? ".br\n" : "", command_table[i].name,
                command_table[i].operands);
}

static void print_commands(FILE *out) {
    fputs(".SH COMMANDS\n", out);
    for (int i = 0; i < command_count; i++) {
        fprintf(out, ".TP\n\\fB%s\\fR\n", command_table[i].name);
        print_paragraph(out, command_table[i].description);
    }
    fputs(".TP\n\\fBhelp\\fR [\\fICOMMAND\\fR]\nPrints the help of the program or of a command.\n", out);
}

static void print_exit_codes(FILE *out) {
    static const char *const codes[][2] = {
        {"0", "done"},
        {"1", "input or output failed, or an internal fault"},
        {"2", "an option or argument is wrong"},
        {"3", "\\-\\-tolerance was given and not reached"},
        {"4", "the fit diverged"},
        {"5", "the data cannot be read or fitted"},
        {"6", "a checkpoint is damaged or belongs to another run"},
        {"7", "a GPU, NCCL or MPI failed"},
        {"8", "a rank stopped answering"},
        {"75", "stopped by SIGUSR1 after a checkpoint: the same command goes on with \\-\\-resume auto"},
        {"130, 143", "stopped by SIGINT or SIGTERM, with the results so far"},
    };
    fputs(".SH EXIT STATUS\n", out);
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        fprintf(out, ".TP\n\\fB%s\\fR\n%s\n", codes[i][0], codes[i][1]);
}

void manual_roff(FILE *out) {
    fprintf(out, ".TH FITRELU 1 \"\" \"fitrelu %s\" \"User Commands\"\n", fr_version());
    fputs(".SH NAME\nfitrelu \\- fit one rectified linear unit by SGD and quantized SGD\n", out);
    print_synopsis(out);
    fputs(".SH DESCRIPTION\n", out);
    print_paragraph(out, "Fits y = max(0, <w, x>) to rows x and labels y by mini-batch SGD, or by quantized SGD in "
                         "which several workers send each other a few bits for each weight. Results go to stdout, "
                         "progress and remarks to stderr.");
    print_commands(out);
    print_options(out);
    print_exit_codes(out);
    fputs(".SH ENVIRONMENT\n.TP\n\\fBNO_COLOR\\fR\nWhere set and not empty, the bar of progress has no colour.\n"
          ".TP\n\\fBOMP_NUM_THREADS\\fR\nThreads used where \\-\\-threads is not given.\n"
          ".TP\n\\fBFITRELU_PYTHON\\fR\nThe Python that draws the pictures and the page of an experiment; without it, "
          "python3.\n",
          out);
    fputs(".SH EXAMPLES\n", out);
    for (int i = 0; i < command_count; i++) print_lines(out, command_table[i].examples);
}
