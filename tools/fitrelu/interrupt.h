/*
 * interrupt.h - SIGINT and SIGTERM as a wish that the fit hears at its next look.
 */
#ifndef FITRELU_INTERRUPT_H
#define FITRELU_INTERRUPT_H

/* From now on the first SIGINT or SIGTERM is kept; a second one ends the program at once. */
void interrupt_catch(void);

/* The signal that came, or 0. */
int interrupt_signal(void);

#endif
