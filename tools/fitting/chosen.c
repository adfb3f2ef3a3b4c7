/*
 * chosen.c - the rule of plan/plan.c in words.
 */
#include "fitting/chosen.h"

#include <stdio.h>

#include "plan/plan.h"

/* Of a collective that the rule chose. */
static void tell_rule(const fr_result *r, char *why, size_t size) {
    const int sum = r->workers * r->levels, most = FR_SUMMED_LEVELS_MOST;
    if (r->workers > FR_SUMMED_WORKERS_MOST)
        snprintf(why, size, "%d workers are more than the %d that allreduce is chosen for", r->workers,
                 FR_SUMMED_WORKERS_MOST);
    else if (sum > most)
        snprintf(why, size, "%d workers of %d levels may add up to %d, more than the %d that a byte of allreduce holds",
                 r->workers, r->levels, sum, most);
    else
        snprintf(why, size, "%d workers of %d levels add up to at most %d, and a byte of allreduce holds %d", r->workers, r->levels,
                 sum, most);
}

const char *chosen_exchange(const fr_options *options, const fr_result *r, char text[FR_CHOSEN_SIZE]) {
    char why[160];
    const bool collective = options->collective == FR_COLLECTIVE_AUTO, scale = options->scale == FR_SCALE_AUTO;
    if (r->levels == 0 || r->workers < 2 || !(collective || scale)) return NULL;
    if (collective) tell_rule(r, why, sizeof why);
    else snprintf(why, sizeof why, "%s goes with --collective %s", fr_scale_name(r->scale),
                  fr_collective_name(r->collective));
    if (collective && scale)
        snprintf(text, FR_CHOSEN_SIZE, "%s with scale %s: %s", fr_collective_name(r->collective), fr_scale_name(r->scale), why);
    else snprintf(text, FR_CHOSEN_SIZE, "%s: %s", collective ? fr_collective_name(r->collective) : "scale", why);
    return text;
}
