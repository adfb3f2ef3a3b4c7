/*
 * planted.h - rows that follow a planted unit: x ~ N(0, 1), w* ~ N(200, 3), y = max(0, <w*, x>) + noise.
 */
#ifndef FR_PLANTED_H
#define FR_PLANTED_H

#include "data/dataset.h"

/* Refuses rows of which the share of one of so many ranks does not fit into memory, without drawing any. */
fr_status fr_planted_check(const fr_planted *planted, fr_precision precision, int ranks, fr_error *error);

/* Makes rows first .. first + count - 1 of a planted set in its own memory, with labels; on all cores. Who
 * watches the set (fr_dataset_watch) is told how many rows are made, and may stop it: FR_ERROR, and no rows are held. */
fr_status fr_dataset_materialize(fr_dataset *set, int64_t first, int64_t count, fr_error *error);

/* rows and labels <- rows `these` of a planted set, in its precision. */
fr_status fr_planted_rows(const fr_dataset *set, fr_range these, void *rows, void *labels, fr_error *error);

#endif
