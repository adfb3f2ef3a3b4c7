/*
 * manual.h - --help and the man page, both written from the tables of subcommands and options.
 */
#ifndef FITRELU_MANUAL_H
#define FITRELU_MANUAL_H

#include <stdio.h>

#include "options/commands.h"
#include "options/option_table.h"

/* fitrelu --help */
void manual_program_help(FILE *out);
/* fitrelu CMD --help */
void manual_command_help(FILE *out, const command *which);
/* The man page fitrelu.1, in roff. */
void manual_roff(FILE *out);

#endif
