/*
 * commands.h - the subcommands: one table that dispatch, help, man page and completion read.
 *
 * A new subcommand is a bit, a line in options/commands.c, and a file cmd_NAME.c with its run function; the options that it
 * takes name its bit in options/option_table.c.
 */
#ifndef FITRELU_COMMANDS_H
#define FITRELU_COMMANDS_H

typedef enum command_bit {
    COMMAND_FIT = 1 << 0,
    COMMAND_PREDICT = 1 << 1,
    COMMAND_GENERATE = 1 << 2,
    COMMAND_INFO = 1 << 3,
    COMMAND_EXPERIMENT = 1 << 4,
    COMMAND_PLAN = 1 << 5,
    COMMAND_SHOW = 1 << 6,
    COMMAND_BENCH = 1 << 7,
    COMMAND_ALL = (1 << 8) - 1
} command_bit;

/* Started by mpirun, the processes do these together. */
enum { COMMANDS_ON_RANKS = COMMAND_FIT | COMMAND_PLAN | COMMAND_BENCH };
/* Of these, the first process does the work and speaks, and the others have nothing to do. */
enum { COMMANDS_ONCE = COMMAND_PREDICT | COMMAND_SHOW | COMMAND_INFO };

/* Everything that a subcommand was given: options/option_parse.h. */
typedef struct arguments arguments;

/* Does the work; returns the exit code. */
typedef int command_run(const arguments *given);

typedef struct command {
    const char *name;
    unsigned bit;
    const char *operands; /* "MODEL DATA", or "" */
    int operand_count, operands_needed; /* at most and at least */
    const char *summary;     /* one line */
    const char *description; /* a paragraph or two */
    const char *examples;    /* lines of shell, for --help and the man page */
    command_run *run;
} command;

extern const command command_table[];
extern const int command_count;

/* The subcommand of that name, or NULL. */
const command *command_find(const char *name);

command_run cmd_fit, cmd_predict, cmd_generate, cmd_experiment, cmd_plan, cmd_bench, cmd_show, cmd_info;

#endif
