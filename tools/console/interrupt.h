/*
 * interrupt.h - SIGINT, SIGTERM, SIGHUP and SIGUSR1 as a wish that the fit hears at its next look.
 *
 * Until interrupt_catch the first three end the program at once, wherever it is, be it blocked on a pipe: nothing is
 * lost yet, and files under way have no name (base/output_file.h).
 */
#ifndef FITRELU_INTERRUPT_H
#define FITRELU_INTERRUPT_H

#include <stdbool.h>

/* A reader that is gone and a file that grows too large are errors of write, EPIPE and EFBIG, and no signals. */
void interrupt_shield(void);

/* Until interrupt_catch the same signals print a text first, the last that was given (NULL: none), and then end the program
 * as they would. The text is borrowed until the next one. */
void interrupt_leave(void);
void interrupt_farewell(const char *text);

/* From now on SIGUSR1 is kept, as often as it comes: it asks for a checkpoint and an end, and batch systems send it (Slurm's
 * --signal) without knowing how far the program is. */
void interrupt_hear_usr1(void);

/* From now on the first SIGINT, SIGTERM or SIGHUP is kept; a second one ends the program at once. May be called again. */
void interrupt_catch(void);

/* The signal that came, or 0. */
int interrupt_signal(void);

#endif
