/*
 * stage.h - what the program is at, while nothing else would tell: joining MPI, reading, making rows, preparing.
 *
 * A thread looks on. It shows what lasts longer than a second, by a line redrawn on a terminal and else by lines now and
 * then where something is counted, and it ends the program, with a line and exit
 * code 8, where a stage has been silent for longer than the timeout: MPI that does not come together, a file or pipe from
 * which nothing comes. Calls to MPI, to open and to read cannot be polled, so nobody else could. A stage that makes
 * progress, however slow, is not silent; then the thread tells the other ranks that this one is at work.
 */
#ifndef FITRELU_STAGE_H
#define FITRELU_STAGE_H

#include <stdbool.h>

#include "fitrelu.h"

/* The most seconds of silence, 0: any; rank is for the line that says so, -1: there is one process. */
void stage_limit(double timeout, int rank);
/* Stages are shown from now on, and a signal that ends the program at once says in which it came. */
void stage_show(void);
/* The ranks have joined: who waits in an exchange is watched by that. */
void stage_join(fr_world *world);

/* Begins a stage, "reading houses.csv"; the one before ends. */
void stage_begin(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for a stage in which MPI itself waits for other ranks: that it computes is no progress. */
void stage_begin_meeting(const char *what);
/* How much of it is done, for fr_dataset_watch. Returns 0. */
int stage_count(int64_t done, int64_t total, void *unused);
/* The same for bytes that are read, for fr_read_options.watch. */
int stage_count_bytes(int64_t done, int64_t total, void *unused);
/* Ends it. */
void stage_end(void);

#endif
