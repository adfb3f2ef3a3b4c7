/*
 * fit_settings.h - from the command line to what the library is asked for: options, data, defaults.
 */
#ifndef FITRELU_FIT_SETTINGS_H
#define FITRELU_FIT_SETTINGS_H

#include "fitrelu.h"
#include "options/option_parse.h"

typedef struct fit_settings {
    fr_options options; /* init_weights, report and progress are still to be set */
    fr_precision precision;
    const char *data; /* a file, or NULL: planted */
    fr_planted planted;
    fr_read_options reading;
    const char *init_file; /* with FR_INIT_GIVEN */
    const char *model, *history;
    bool json, quiet;
    bool explain; /* no option was given: say what happened in sentences */
} fit_settings;

/* Returns 0, or EXIT_USAGE after saying which options contradict each other. */
int fit_settings_read(const arguments *given, fit_settings *settings);

/* The planted problem that --samples, --features, --noise and --seed ask for, defaults filled in. */
fr_planted planted_settings(const option_value *values);

/* Labels, weights, the choice of columns, --header and --missing, and remarks as the program's own. Borrows values. */
void reading_settings(const option_value *values, fr_read_options *reading);

/* Returns 0, or EXIT_USAGE where labels or weights are asked for from two places. */
int check_reading(const option_value *values);

/* The word of --precision. */
fr_precision precision_setting(const option_value *values);

#endif
