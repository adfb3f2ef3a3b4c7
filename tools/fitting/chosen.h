/*
 * chosen.h - why `auto` took the collective and the scale that it took: one worker more may change the first.
 */
#ifndef FITRELU_CHOSEN_H
#define FITRELU_CHOSEN_H

#include "fitrelu.h"

enum { FR_CHOSEN_SIZE = 256 };

/* "two-phase with scale max: 2 workers ...", written to text; NULL where nothing quantized is exchanged or the options left
 * neither open. */
const char *chosen_exchange(const fr_options *options, const fr_result *result, char text[FR_CHOSEN_SIZE]);

#endif
