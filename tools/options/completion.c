/*
 * completion.c - one script a shell: subcommands first, then the options of the subcommand, then the words or files
 * that an option takes.
 */
#include <stdio.h>
#include <string.h>

#include "options/commands.h"
#include "options/completion.h"
#include "options/option_table.h"

static bool takes(const command *which, const option_entry *entry) { return (entry->commands & which->bit) != 0; }

/* "auto|theorem" as "auto theorem". */
static void print_words(FILE *out, const char *words) {
    for (const char *c = words ? words : ""; *c; c++) fputc(*c == '|' ? ' ' : *c, out);
}

static void print_command_names(FILE *out) {
    for (int i = 0; i < command_count; i++) fprintf(out, "%s ", command_table[i].name);
    fputs("help", out);
}

/* -------------------------------------------------------------------------------------------- bash */

/* One arm of a case over the previous word, for options with something to offer. */
static void bash_arguments(FILE *out) {
    for (int i = 0; i < OPT_COUNT; i++) {
        const option_entry *entry = &option_table[i];
        if (entry->kind == KIND_FLAG) continue;
        fprintf(out, "    --%s", entry->name);
        if (entry->letter) fprintf(out, "|-%c", entry->letter);
        fputs(") COMPREPLY=($(compgen ", out);
        if (entry->kind == KIND_FILE) fputs("-f ", out);
        fputs("-W \"", out);
        print_words(out, entry->words);
        fputs("\" -- \"$word\")); return ;;\n", out);
    }
}

void completion_bash(FILE *out) {
    fputs("# Completion of fitrelu for bash, written by 'fitrelu --generate bash'.\n"
          "_fitrelu() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} options=\n"
          "    COMPREPLY=()\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
          "        COMPREPLY=($(compgen -W \"",
          out);
    print_command_names(out);
    fputs(" --help --version\" -- \"$word\"))\n        return\n    fi\n    case $before in\n", out);
    bash_arguments(out);
    fputs("    esac\n    case ${COMP_WORDS[1]} in\n", out);
    for (int i = 0; i < command_count; i++) {
        fprintf(out, "    %s) options=\"", command_table[i].name);
        for (int k = 0; k < OPT_COUNT; k++) {
            if (takes(&command_table[i], &option_table[k])) fprintf(out, "--%s ", option_table[k].name);
        }
        fputs("\" ;;\n", out);
    }
    fputs("    help) COMPREPLY=($(compgen -W \"", out);
    print_command_names(out);
    fputs("\" -- \"$word\")); return ;;\n    esac\n"
          "    case $word in\n"
          "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;\n"
          "    *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n"
          "    esac\n}\n"
          "complete -o filenames -F _fitrelu fitrelu\n",
          out);
}

/* --------------------------------------------------------------------------------------------- zsh */

/* Text inside [...] of a specification inside single quotes. */
static void zsh_text(FILE *out, const char *text) {
    for (; *text; text++) {
        if (*text == '\'') fputs("'\\''", out);
        else if (strchr("[]:\\", *text)) fprintf(out, "\\%c", *text);
        else fputc(*text, out);
    }
}

static void zsh_specification(FILE *out, option_id id, const command *which) {
    const option_entry *entry = &option_table[id];
    char argument[OPTION_TEXT_SIZE];
    const char *equals = entry->kind == KIND_FLAG ? "" : "=";
    fputs(" \\\n            ", out);
    if (entry->letter) fprintf(out, "'*'{-%c%s,--%s%s}'[", entry->letter, *equals ? "+" : "", entry->name, equals);
    else fprintf(out, "'*--%s%s[", entry->name, equals);
    zsh_text(out, option_help(id, which->bit));
    fputc(']', out);
    if (entry->kind != KIND_FLAG) {
        fputc(':', out);
        zsh_text(out, option_argument_text(entry, argument));
        fputc(':', out);
        if (entry->kind == KIND_FILE) fputs("_files", out);
        else if (entry->words) {
            fputc('(', out);
            print_words(out, entry->words);
            fputc(')', out);
        }
    }
    fputc('\'', out);
}

void completion_zsh(FILE *out) {
    fputs("#compdef fitrelu\n# Completion of fitrelu for zsh, written by 'fitrelu --generate zsh'.\n"
          "_fitrelu() {\n    local -a commands\n    commands=(\n",
          out);
    for (int i = 0; i < command_count; i++)
        fprintf(out, "        '%s:%s'\n", command_table[i].name, command_table[i].summary);
    fputs("        'help:explain a command'\n    )\n"
          "    if (( CURRENT == 2 )); then\n"
          "        _describe command commands\n"
          "        return\n    fi\n"
          "    local chosen=$words[2]\n"
          "    shift words\n    (( CURRENT-- ))\n    case $chosen in\n",
          out);
    for (int i = 0; i < command_count; i++) {
        fprintf(out, "    %s)\n        _arguments -s -S", command_table[i].name);
        for (int k = 0; k < OPT_COUNT; k++) {
            if (takes(&command_table[i], &option_table[k])) zsh_specification(out, (option_id)k, &command_table[i]);
        }
        fprintf(out, "%s ;;\n", command_table[i].operand_count ? " \\\n            '*:file:_files'" : "");
    }
    fputs("    help) _describe command commands ;;\n    esac\n}\n_fitrelu \"$@\"\n", out);
}

/* -------------------------------------------------------------------------------------------- fish */

static void fish_text(FILE *out, const char *text) {
    fputc('\'', out);
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\') fputc('\\', out);
        fputc(*text, out);
    }
    fputc('\'', out);
}

static void fish_option(FILE *out, const option_entry *entry, const option_text *text) {
    fputs("complete -c fitrelu -n '__fish_seen_subcommand_from", out);
    for (int i = 0; i < command_count; i++) {
        if (text->commands & command_table[i].bit) fprintf(out, " %s", command_table[i].name);
    }
    fprintf(out, "' -l %s", entry->name);
    if (entry->letter) fprintf(out, " -s %c", entry->letter);
    if (entry->kind != KIND_FLAG) fputs(entry->kind == KIND_FILE ? " -r -F" : " -x", out);
    if (entry->words) {
        fputs(" -a '", out);
        print_words(out, entry->words);
        fputc('\'', out);
    }
    fputs(" -d ", out);
    fish_text(out, text->help);
    fputc('\n', out);
}

void completion_fish(FILE *out) {
    fputs("# Completion of fitrelu for fish, written by 'fitrelu --generate fish'.\n", out);
    for (int i = 0; i < command_count; i++) {
        fprintf(out, "complete -c fitrelu -n __fish_use_subcommand -f -a %s -d ", command_table[i].name);
        fish_text(out, command_table[i].summary);
        fputc('\n', out);
    }
    fputs("complete -c fitrelu -n __fish_use_subcommand -f -a help -d 'explain a command'\n"
          "complete -c fitrelu -n __fish_use_subcommand -s h -l help -d 'print this help and exit'\n"
          "complete -c fitrelu -n __fish_use_subcommand -s V -l version -d 'print the version and exit'\n",
          out);
    for (int k = 0; k < OPT_COUNT; k++) {
        option_text texts[OPTION_TEXTS_MOST];
        int count = option_texts((option_id)k, texts);
        for (int i = 0; i < count; i++) fish_option(out, &option_table[k], &texts[i]);
    }
}
