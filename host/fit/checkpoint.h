/*
 * checkpoint.h - the state of a run on disk. A run that goes on from one gives the bits of a run never stopped.
 */
#ifndef FR_CHECKPOINT_H
#define FR_CHECKPOINT_H

#include "fit/fit.h"

/* Writes fit->state and a description of the method, whole or not at all. */
fr_status fr_checkpoint_write(const fr_fit *fit, const char *path, fr_error *error);
/* Fills fit->state; refuses a checkpoint of another method or problem and names what differs. */
fr_status fr_checkpoint_read(fr_fit *fit, const char *path, fr_error *error);

#endif
