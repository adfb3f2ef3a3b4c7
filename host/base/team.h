/*
 * team.h - a few threads that share out the items of one loop, for loops of a hundred microseconds.
 *
 * OpenMP's parallel regions end in a barrier of all threads: on a machine that also does other work, each one waits
 * until the slowest thread has been given a processor, which can take a hundred times as long as the loop. Here the
 * caller works too and waits only for items that somebody has begun: a thread that gets no processor costs nothing
 * but its help.
 */
#ifndef FR_TEAM_H
#define FR_TEAM_H

#include "base/status.h"

typedef struct fr_team fr_team;

/* Called for items 0 .. items - 1 in no order; thread is 0 .. threads - 1 and unique among concurrent calls. */
typedef void (*fr_team_work)(void *context, int64_t item, int thread);

/* A team of `threads` including the caller's: threads - 1 are started. */
fr_status fr_team_create(int threads, fr_team **team, fr_error *error);
void fr_team_free(fr_team *team); /* NULL is fine */

/* Runs all items and returns when all are done. One caller at a time. */
void fr_team_run(fr_team *team, int64_t items, fr_team_work work, void *context);

#endif
