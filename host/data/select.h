/*
 * select.h - columns named on the command line: "price,rooms,7", by name or by number from 1.
 */
#ifndef FR_DATA_SELECT_H
#define FR_DATA_SELECT_H

#include "data/missing.h"

/* Whether the options choose among the columns. */
static inline bool fr_selects(const fr_read_options *options) { return options->columns || options->ignore; }

/* selected[i] <- whether column i of `count` may be a feature: one of options->columns, or none of options->ignore, or any.
 * names: of the columns, or NULL. A name goes before a number; -1 is the last; a name with a comma is quoted. FR_ERROR_USAGE
 * where there is no such column, or two of the name. */
fr_status fr_select(const char *path, const fr_read_options *options, const char *const *names, int64_t count,
                    bool *selected, fr_error *error);

/* For arrays and LIBSVM, once it is known how many columns there are: missing->selected, where the options choose. */
fr_status fr_select_begin(const char *path, const fr_read_options *options, int64_t columns, fr_missing *missing,
                          fr_error *error);

/* Keeps the selected columns of a set without names that was read whole, in place, and of w*. */
fr_status fr_select_features(fr_dataset *set, const bool *selected, fr_error *error);

#endif
