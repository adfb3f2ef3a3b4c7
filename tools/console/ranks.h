/*
 * ranks.h - the program as one of several that mpirun or srun started: it speaks with one voice and ends with one code.
 *
 * Error lines are held back on every rank until all agree; rank 0 then prints that of the first rank that failed. A
 * failure in the middle, of which the others cannot know, is printed where it happened and ends all of them.
 */
#ifndef FITRELU_RANKS_H
#define FITRELU_RANKS_H

#include "fitrelu.h"

/* Joins the world, where there is one, and watches over its start (console/stage.h). timeout: seconds, NAN: the default.
 * Returns 0, or the exit code after saying what failed. */
int ranks_join(fr_world **world, double timeout);

/* All ranks: 0 if every rank brings 0, else the first other code that a rank brings, after printing its line. */
int ranks_agree(fr_world *world, int code);

/* Agrees for the last time and leaves the world. */
int ranks_leave(fr_world *world, int code);

/* After a failure of the library: its exit code. Where other ranks do not know of it, the line is printed here and every
 * process of the world ends. */
int ranks_fail(fr_world *world, const fr_error *error);

/* All ranks: the largest number that a rank brings (of a signal). */
int ranks_most(fr_world *world, int number);

#endif
