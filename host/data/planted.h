/*
 * planted.h - rows that follow a planted unit: x ~ N(0, 1), w* ~ N(200, 3), y = max(0, <w*, x>) + noise.
 */
#ifndef FR_PLANTED_H
#define FR_PLANTED_H

#include "data/dataset.h"

/* Makes rows first .. first + count - 1 of a planted set in its own memory, with labels; on all cores. */
fr_status fr_dataset_materialize(fr_dataset *set, int64_t first, int64_t count, fr_error *error);

#endif
