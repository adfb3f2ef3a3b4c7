/*
 * stage_line.c - counts of rows and bytes, and their words.
 */
#include "console/stage_line.h"

#include <stdio.h>

void stage_counts_rows(stage_counts *c, int64_t done, int64_t total, double now) {
    if (c->total == 0) c->first = done, c->since = now;
    c->done = done;
    c->total = total;
}

/* A look at the first lines comes back to the start as well, but is no pass. */
void stage_counts_bytes(stage_counts *c, int64_t done, int64_t total, double now) {
    bool other = total != c->total && !(total == 0 || c->total == 0), back = done < c->done;
    if (!c->bytes) c->since = now, c->pass = 1;
    if (other) c->pass = 1;
    else if (back && c->done > total / 2) c->pass++;
    c->read += (double)(back || other ? done : done - c->done);
    c->bytes = true;
    c->done = done;
    c->total = total;
}

bool stage_counts_any(const stage_counts *c) { return c->bytes ? c->read > 0 : c->done > c->first; }

double stage_counts_share(const stage_counts *c) {
    return stage_counts_any(c) && c->total > 0 ? (double)c->done / (double)c->total : -1;
}

static void tell_bytes(const stage_counts *c, double seconds, char text[STAGE_WORDS]) {
    char pass[32] = "", share[32];
    if (c->pass > 1) snprintf(pass, sizeof pass, ", pass %d", c->pass);
    if (c->total > 0) snprintf(share, sizeof share, "%.0f %%", 100 * stage_counts_share(c));
    else snprintf(share, sizeof share, "%.3g MB", (double)c->done / 1e6);
    snprintf(text, STAGE_WORDS, "%s, %s, %.3g MB a second", pass, share, c->read / seconds / 1e6);
}

void stage_counts_words(const stage_counts *c, double now, char text[STAGE_WORDS]) {
    double seconds = now - c->since;
    text[0] = '\0';
    if (!stage_counts_any(c) || !(seconds > 0)) return;
    if (c->bytes) tell_bytes(c, seconds, text);
    else if (c->done < c->total)
        snprintf(text, STAGE_WORDS, ", %.0f %%, %.3g rows a second", 100 * stage_counts_share(c),
                 (double)(c->done - c->first) / seconds);
}
