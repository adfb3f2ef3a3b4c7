/*
 * correlation.h - whether columns are worth decorrelating.
 */
#ifndef FR_CORRELATION_H
#define FR_CORRELATION_H

#include "columns/moments.h"

/* answer: the columns x' are so nearly uncorrelated that combining them would gain nothing, the condition number of
 * (1/n) X'^T X' being below 4 as far as ten steps of Lanczos on a sample of rows tell. Always false where the question
 * costs about as much as the work. Called by all ranks, which get one answer. */
fr_status fr_columns_are_uncorrelated(const fr_shard *shard, const fr_view *view, bool *answer, fr_error *error);

#endif
