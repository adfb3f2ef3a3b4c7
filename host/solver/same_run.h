/*
 * same_run.h - before a fit over several processes begins: that all of them mean the same one.
 */
#ifndef FR_SAME_RUN_H
#define FR_SAME_RUN_H

#include "plan/description.h"

/* Called by all ranks, with a plan that has begun and rows as they were given. Refuses ranks of another version
 * (FR_ERROR_DEVICE), with other options (FR_ERROR_USAGE) or other data (FR_ERROR_DATA), with a line that names the
 * rank and the first thing in which it differs from rank 0. Fills set->content, which is the same on all ranks. */
fr_status fr_check_same_run(fr_world *world, const fr_options *options, fr_dataset *set, const fr_plan *plan,
                            fr_error *error);

#endif
