/*
 * completion.h - shell completion, written from the tables of subcommands and options.
 */
#ifndef FITRELU_COMPLETION_H
#define FITRELU_COMPLETION_H

#include <stdio.h>

void completion_bash(FILE *out);
void completion_zsh(FILE *out);
void completion_fish(FILE *out);

#endif
