/*
 * checkpoint.h - the state of a run on disk. A run that goes on from one gives the bits of a run never stopped.
 */
#ifndef FR_CHECKPOINT_H
#define FR_CHECKPOINT_H

#include "engine/engine.h"
#include "plan/description.h"

/* Writes the state and the run's description (plan/description.h), whole or not at all. */
fr_status fr_checkpoint_write(const char *path, const fr_run *run, const fr_state *state, fr_error *error);
/* Fills state, whose memory is the caller's, of this run's d; refuses a checkpoint of another run and names the
 * first thing in which it differs (FR_ERROR_CHECKPOINT). */
fr_status fr_checkpoint_read(const char *path, const fr_run *run, fr_state *state, fr_error *error);

#endif
