/*
 * same_run.h - before a fit over several processes begins: that all of them mean the same one.
 */
#ifndef FR_CONSENT_H
#define FR_CONSENT_H

#include "plan/plan.h"
#include "ranks/world.h"

/* Called by all ranks. Refuses ranks of another version (FR_ERROR_DEVICE), with other options (FR_ERROR_USAGE) or other
 * data (FR_ERROR_DATA), with a line that names the rank and the first thing in which it differs from rank 0. */
fr_status fr_consent(fr_world *world, const fr_options *options, const fr_dataset *set, const fr_plan *plan,
                     fr_error *error);

#endif
