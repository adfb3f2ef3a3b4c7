/*
 * option_parse.h - the command line of one subcommand, checked.
 *
 * What the table says about an option is checked here: kind, range, words, and whether the subcommand takes it. What
 * depends on two options or on the data is not.
 */
#ifndef FITRELU_OPTION_PARSE_H
#define FITRELU_OPTION_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "fitrelu.h"
#include "options/commands.h"
#include "options/option_table.h"

typedef struct option_value {
    bool given;
    int word;         /* position of the word given, -1: none of the words */
    int64_t integer;  /* KIND_INTEGER */
    uint64_t seed;    /* KIND_SEED */
    double real;      /* KIND_REAL, KIND_TIME */
    const char *text; /* as it was written; borrowed from argv */
} option_value;

/* Everything that a subcommand was given. */
struct arguments {
    const command *command;
    option_value values[OPT_COUNT];
    char **operands; /* as many as the command takes, unless help or version is asked for */
    int operands_given;
    int options_given;
    fr_world *world; /* of a command that runs on several ranks */
};

/* The seconds of --timeout, which must be known before anything can be refused together; NAN where none is given that can
 * be read. */
double option_timeout(int argc, char **argv);

/* As option_parse begins: nothing is given. */
void option_begin(const command *which, arguments *given);
/* The option of this name, which the subcommand takes, as if it had been written with this text, which is borrowed; "" for
 * a flag. Returns 0, or the exit code after saying what is wrong. */
int option_set(const char *name, const char *text, arguments *given);

/* Parses argv[1] .. of a subcommand whose name is argv[0]. Returns 0, or the exit code after saying what is wrong. */
int option_parse(const command *which, int argc, char **argv, arguments *given);

#endif
