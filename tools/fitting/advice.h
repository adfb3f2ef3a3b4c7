/*
 * advice.h - what somebody who fits data of their own may want to hear: too few rows, a fit worse than none, an intercept
 * that is missing.
 */
#ifndef FITRELU_ADVICE_H
#define FITRELU_ADVICE_H

#include "fitting/fit_settings.h"
#include "fitting/fit_watcher.h"

/* Before the fit, which changes the data: a copy of the rows held here, for a fit with an intercept beside it, where that
 * is cheap and may be wanted; else *copy is NULL. All ranks come to the same. */
fr_status advice_copy(const fit_settings *settings, const fr_dataset *data, fr_dataset **copy, fr_error *error);

/* Of n rows and d features. */
void advice_of_size(int64_t samples, int64_t features);

/* After the fit: of its R^2, and of what --intercept would add, by a fit of the copy (or NULL); data
 * are those of the first, and the watcher may end it. Fails only where the ranks can no longer go on together. Called by all ranks. */
fr_status advice_of_result(const fit_settings *settings, const fr_result *result, const fr_dataset *data,
                           fr_dataset *copy, const fit_watcher *watcher, fr_error *error);

#endif
