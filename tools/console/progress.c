/*
 * progress.c - a bar or rows. Plain ASCII, so that it reads the same in every locale; colour only on a terminal that
 * has it and where NO_COLOR is not set.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "console/progress.h"

enum { LEAST_WIDTH = 20, MOST_WIDTH = 120, MOST_BAR = 30, USUAL_WIDTH = 80 };

static const double REDRAW_SECONDS = 0.1;

static bool is_set(const char *variable) {
    const char *value = getenv(variable);
    return value && *value;
}

progress progress_start(bool quiet) {
    const char *terminal = getenv("TERM");
    bool plain = !terminal || strcmp(terminal, "dumb") == 0;
    bool bar = isatty(STDERR_FILENO) && !plain;
    return (progress){.quiet = quiet, .bar = bar, .color = bar && !is_set("NO_COLOR")};
}

/* -------------------------------------------------------------------------------------------- rows */

static void show_row(progress *shown) {
    const fr_report *r = &shown->latest;
    char error[16] = "-", loss[16] = "-";
    if (!isnan(r->relative_error)) snprintf(error, sizeof error, "%.3e", r->relative_error);
    if (!isnan(r->loss)) snprintf(loss, sizeof loss, "%.3e", r->loss);
    if (!shown->any) fprintf(stderr, "%12s %10s %11s %15s\n", "iteration", "seconds", "loss", "relative error");
    fprintf(stderr, "%12" PRId64 " %10.2f %11s %15s\n", r->iteration, r->seconds, loss, error);
    shown->any = true;
    shown->pending = false;
    shown->next = r->iteration > 0 ? 2 * r->iteration : 1;
}

/* --------------------------------------------------------------------------------------------- bar */

int progress_width(void) {
    struct winsize size;
    int width = USUAL_WIDTH;
    if (is_set("COLUMNS")) width = atoi(getenv("COLUMNS"));
    else if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) width = size.ws_col;
    return width < LEAST_WIDTH ? LEAST_WIDTH : width > MOST_WIDTH ? MOST_WIDTH : width;
}

/* "42 s left", "3 min left", "2.5 h left", or "" before anything can be said. */
static void time_left(const fr_report *r, char text[32]) {
    double left = r->iteration > 0 ? r->seconds / (double)r->iteration * (double)(r->iterations - r->iteration) : 0;
    text[0] = '\0';
    if (r->iteration == 0 || r->iteration >= r->iterations) return;
    if (left < 100) snprintf(text, 32, ", %.0f s left", ceil(left));
    else if (left < 6000) snprintf(text, 32, ", %.0f min left", left / 60);
    else snprintf(text, 32, ", %.1f h left", fmin(left / 3600, 1e6));
}

void progress_bar(double share, int width, bool color) {
    int full = (int)(fmax(0, fmin(share, 1)) * width);
    const char *const hashes = "##############################", *const dots = "..............................";
    fprintf(stderr, "[%s%.*s%s%.*s]", color ? "\033[32m" : "", full, hashes, color ? "\033[0m" : "", width - full, dots);
}

static void draw_bar(progress *shown) {
    const fr_report *r = &shown->latest;
    char words[160], error[40] = "", left[32];
    if (!isnan(r->relative_error)) snprintf(error, sizeof error, ", error %.2e", r->relative_error);
    time_left(r, left);
    int width = progress_width() - 1; /* the last column would wrap on some terminals */
    int words_length = snprintf(words, sizeof words, "%" PRId64 "/%" PRId64 ", loss %.2e%s%s", r->iteration,
                                r->iterations, r->loss, error, left);
    int room = width - words_length - 3;
    int bar = room > MOST_BAR ? MOST_BAR : room;
    double share = r->iterations > 0 ? (double)r->iteration / (double)r->iterations : 1;
    fputs("\r", stderr);
    if (bar >= 5) {
        progress_bar(share, bar, shown->color);
        fprintf(stderr, " %s", words);
    } else {
        fprintf(stderr, "%.*s", width, words);
    }
    fputs("\033[K", stderr);
    fflush(stderr);
    shown->drawn = true;
    shown->drawn_at = fr_seconds();
}

/* ------------------------------------------------------------------------------------------ events */

void progress_look(progress *shown, const fr_report *report) {
    if (shown->quiet) return;
    shown->latest = *report;
    if (shown->bar && (!shown->drawn || fr_seconds() - shown->drawn_at >= REDRAW_SECONDS)) draw_bar(shown);
}

void progress_report(progress *shown, const fr_report *report) {
    progress_look(shown, report);
    if (shown->quiet || shown->bar) return;
    shown->pending = true;
    if (report->iteration >= shown->next || report->iteration == report->iterations) show_row(shown);
}

void progress_finish(progress *shown) {
    if (shown->quiet) return;
    if (shown->drawn) {
        draw_bar(shown);
        fputc('\n', stderr);
    } else if (shown->pending) {
        show_row(shown);
    }
    shown->drawn = shown->pending = false;
}
