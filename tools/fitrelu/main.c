/*
 * main.c - the program: picks the subcommand, and sees that what it printed has arrived.
 *
 *     command line -> options/commands.c (which) -> options/option_parse.c (with what) -> cmd_NAME.c (does it) -> exit code
 */
#include <stdio.h>
#include <string.h>

#include "options/commands.h"
#include "options/completion.h"
#include "console/interrupt.h"
#include "console/json_result.h"
#include "options/manual.h"
#include "console/message.h"
#include "options/option_parse.h"
#include "console/ranks.h"
#include "console/streams.h"
#include "ranks/launch.h"

static int print_version(void) {
    printf("fitrelu %s\n", fr_version());
    return EXIT_DONE;
}

static int unknown_command(const char *name) {
    char names[128] = "";
    size_t used = 0;
    for (int i = 0; i < command_count && used < sizeof names; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s, ", command_table[i].name);
    return message_usage("unknown command \"%s\"; expected one of: %shelp", name, names);
}

static int help(int argc, char **argv) {
    if (argc > 2) return message_usage("unexpected argument \"%s\"; 'fitrelu help' takes one command", argv[2]);
    if (argc == 1) {
        manual_program_help(stdout);
        return EXIT_DONE;
    }
    const command *which = command_find(argv[1]);
    if (!which) return unknown_command(argv[1]);
    manual_command_help(stdout, which);
    return EXIT_DONE;
}

/* What the build asks for: the man page and the completions. Not in --help, since nobody else needs it. */
static int generate(int argc, char **argv) {
    const struct {
        const char *name;
        void (*write)(FILE *out);
    } kinds[] = {{"man", manual_roff}, {"bash", completion_bash}, {"zsh", completion_zsh}, {"fish", completion_fish}};
    for (size_t i = 0; argc == 2 && i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(argv[1], kinds[i].name) != 0) continue;
        kinds[i].write(stdout);
        return EXIT_DONE;
    }
    return message_usage("--generate takes one of: man, bash, zsh, fish");
}

static int obey(const command *which, const arguments *given) {
    if (given->values[OPT_QUIET].given) message_quiet();
    bool asks = given->values[OPT_VERSION].given || given->values[OPT_HELP].given;
    if (!asks) return which->run(given);
    if (fr_world_rank(given->world) > 0) return EXIT_DONE;
    if (given->values[OPT_VERSION].given) return print_version();
    manual_command_help(stdout, which);
    return EXIT_DONE;
}

/* A failure that no rank but this process knows of. */
static int fail(int code) {
    json_result_failure(code);
    return code;
}

static int run_command(const command *which, int argc, char **argv) {
    arguments given;
    fr_world *world = NULL;
    if (which->bit & COMMANDS_ONCE && fr_launched_rank() > 0) return EXIT_DONE;
    if (which->bit & COMMAND_FIT) interrupt_hear_usr1(); /* before MPI is joined, which takes its time */
    int code = which->bit & COMMANDS_ON_RANKS ? ranks_join(&world, option_timeout(which, argc, argv)) : EXIT_DONE;
    if (code != 0) return fail(code);
    code = ranks_agree(world, option_parse(which, argc, argv, &given));
    given.world = world;
    /* Flushed while all ranks are there: as soon as one has left with a code, mpirun ends the others. */
    code = ranks_agree(world, streams_flush(code == 0 ? obey(which, &given) : code));
    if (fr_world_rank(world) == 0) json_result_failure(code);
    return ranks_leave(world, streams_flush(code));
}

static int run(int argc, char **argv) {
    if (argc < 2) {
        manual_program_help(stderr);
        return EXIT_USAGE;
    }
    const char *first = argv[1];
    if (strcmp(first, "help") == 0) return help(argc - 1, argv + 1);
    if (strcmp(first, "--generate") == 0) return generate(argc - 1, argv + 1);
    if (first[0] == '-') {
        bool asks_help = strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0;
        bool asks_version = strcmp(first, "--version") == 0 || strcmp(first, "-V") == 0;
        if (!asks_help && !asks_version)
            return fail(
                message_usage("unknown option %s; a command comes first: 'fitrelu --help' lists them", first));
        if (argc > 2) return message_usage("unexpected argument \"%s\" after %s", argv[2], first);
        if (asks_version) return print_version();
        manual_program_help(stdout);
        return EXIT_DONE;
    }
    const command *which = command_find(first);
    return which ? run_command(which, argc - 1, argv + 1) : fail(unknown_command(first));
}

/* Known before the options are parsed, which may fail. */
static bool asks_json(int argc, char **argv) {
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--json") == 0) return true;
    }
    return false;
}

int main(int argc, char **argv) {
    streams_take();
    interrupt_shield();
    if (asks_json(argc, argv)) json_result_want();
    return streams_close(run(argc, argv));
}
