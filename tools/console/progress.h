/*
 * progress.h - how far a fit is, on stderr.
 *
 * On a terminal: one line that is redrawn at most ten times a second, with a bar, the step, the loss, the relative
 * error and the time left. Elsewhere (a log file): aligned rows at doubling intervals and at the end.
 */
#ifndef FITRELU_PROGRESS_H
#define FITRELU_PROGRESS_H

#include <stdbool.h>

#include "fitrelu.h"

typedef struct progress {
    bool quiet;
    bool bar; /* a line redrawn; otherwise rows */
    bool color;
    bool drawn;   /* the line of the bar is on the screen */
    bool any;     /* the header of the rows stands */
    bool pending; /* latest has not been printed as a row */
    int64_t next; /* the iteration from which the next row is due */
    double drawn_at;
    fr_report latest;
} progress;

progress progress_start(bool quiet);
/* "[####......]" of `width` characters between the brackets on stderr. */
void progress_bar(double share, int width, bool color);
/* Columns of the terminal that stderr is. */
int progress_width(void);
/* A report: shows it where it is time to. */
void progress_report(progress *shown, const fr_report *report);
/* A look between reports: redraws the bar, prints no row. */
void progress_look(progress *shown, const fr_report *report);
/* Shows the last report and ends the line. */
void progress_finish(progress *shown);

#endif
