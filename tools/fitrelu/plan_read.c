/*
 * plan_read.c - what bench measured, read back for a plan.
 *
 * The rates are those of the largest gradient of the fit's precision (rows x features a second) and of the largest vector
 * encoded to int8. A link's two numbers come from two sums of float64 by allreduce, the shortest and the longest: their
 * time in the exchange is hops x latency + path / bandwidth + messages x message_seconds, as every plan has it
 * (forecast/exchange.c), with hops, path and messages of that very exchange. Of the rows no more is read than that: they are
 * flat objects, as this program writes them.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "base/text_file.h"
#include "console/json_scan.h"
#include "console/message.h"
#include "fitrelu/plan_read.h"
#include "forecast/forecast.h"

/* One row of `results`; numbers that are not there are NaN. */
typedef struct bench_line {
    char what[16], collective[16], wire[16];
    double count, units, us, us_wire;
} bench_line;

/* ------------------------------------------------------------------------------------------- a row */

static void word_of(const char *at, const char *end, const char *name, char word[16]) {
    const char *value = json_find(at, end, name);
    size_t length = value && *value == '"' ? strcspn(value + 1, "\"") : 0;
    if (length > 15) length = 15;
    if (length > 0) memcpy(word, value + 1, length);
    word[length] = '\0';
}

/* The next row behind *at, which moves on; false at the end of the array. */
static bool next_line(const char **at, bench_line *line) {
    const char *begin = *at + strcspn(*at, "{]"), *end = begin + strcspn(begin, "}");
    if (*begin != '{' || *end != '}') return false;
    word_of(begin, end, "what", line->what);
    word_of(begin, end, "collective", line->collective);
    word_of(begin, end, "wire", line->wire);
    line->count = json_find_number(begin, end, "count"), line->units = json_find_number(begin, end, "units");
    line->us = json_find_number(begin, end, "us"), line->us_wire = json_find_number(begin, end, "us_wire");
    *at = end + 1;
    return true;
}

static bool is_of(const bench_line *line, const char *what, const char *collective, const char *wire) {
    return strcmp(line->what, what) == 0 && strcmp(line->collective, collective) == 0 && strcmp(line->wire, wire) == 0;
}

/* ------------------------------------------------------------------------------------------ a link */

/* How a sum of so many float64 by allreduce goes between so many ranks. */
static fr_exchange sum_of(double count, double ranks) {
    const fr_job job = {.features = (int64_t)count, .batch = 1, .nodes = (int)ranks, .workers_a_node = 1, .precision = FR_F64};
    const fr_scheme scheme = {FR_COLLECTIVE_ALLREDUCE, FR_WIRE_FULL, 0, FR_SCALE_L2};
    return fr_exchange_between(&job, &scheme);
}

/* From the shortest and the longest sum; message_seconds is the plan's. */
static void solve_link(const bench_line *shortest, const bench_line *longest, double message_seconds, plan_measured *m) {
    fr_exchange small = sum_of(shortest->count, shortest->units), large = sum_of(longest->count, longest->units);
    double t1 = 1e-6 * shortest->us_wire - small.messages * message_seconds;
    double t2 = 1e-6 * longest->us_wire - large.messages * message_seconds;
    double more = t2 - t1 * large.hops / small.hops, bytes = large.path - small.path * large.hops / small.hops;
    m->bandwidth = more > 0 ? bytes / more : large.path / (1e-6 * longest->us_wire);
    m->latency = fmax(0, (t1 - small.path / m->bandwidth) / small.hops);
    m->ranks = (int)longest->units;
    m->link = true;
}

/* ---------------------------------------------------------------------------------------- the file */

static void take_lines(const char *at, const char *precision, double message_seconds, plan_measured *m) {
    bench_line line, gradient = {.count = 0}, encoding = {.count = 0}, shortest = {.count = INFINITY}, longest = {.count = 0};
    while (next_line(&at, &line)) {
        if (is_of(&line, "gradient", "", precision) && line.count > gradient.count) gradient = line;
        if (is_of(&line, "encode", "", "int8") && line.count > encoding.count) encoding = line;
        if (!is_of(&line, "exchange", "allreduce", "f64") || !(line.units > 1) || !(line.us_wire > 0)) continue;
        if (line.count < shortest.count) shortest = line;
        if (line.count > longest.count) longest = line;
    }
    if (gradient.count > 0) m->compute = 1e6 * gradient.count / gradient.us;
    if (encoding.count > 0) m->code = 1e6 * encoding.count / encoding.us;
    if (longest.count > shortest.count) solve_link(&shortest, &longest, message_seconds, m);
}

/* All of a file, as text; a result of bench has some hundred kilobytes. Freed by the caller. */
static fr_status read_whole(const char *path, char **bytes, fr_error *error) {
    const uint64_t most = 64 << 20;
    FR_OWNED_TEXT fr_text text = {.descriptor = -1};
    size_t got = 0;
    FR_TRY(fr_text_open(path, (fr_stop){0}, &text, error));
    if (text.size > most) return fr_fail(error, FR_ERROR_DATA, "%s: is no result of 'fitrelu bench --json': too long", path);
    FR_TRY(fr_allocate((void **)bytes, (int64_t)text.size + 1, 1, "a result of bench", error));
    return fr_text_read(&text, 0, *bytes, (size_t)text.size, &got, error);
}

static fr_status read_measured(const char *path, fr_precision precision, double message_seconds, plan_measured *measured,
                               fr_error *error) {
    FR_OWNED char *bytes = NULL;
    FR_TRY(read_whole(path, &bytes, error));
    const char *rows = strstr(bytes, "\"results\":");
    if (rows) take_lines(rows, fr_precision_name(precision), message_seconds, measured);
    if (measured->compute > 0) return FR_OK;
    return fr_fail(error, FR_ERROR_DATA, "%s: holds no gradient of %s that 'fitrelu bench --json' measured", path,
                   fr_precision_name(precision));
}

int plan_read_measured(const char *path, fr_precision precision, double message_seconds, plan_measured *measured) {
    fr_error error = {0};
    *measured = (plan_measured){.done = true, .ranks = 1};
    fr_status status = read_measured(path, precision, message_seconds, measured, &error);
    return status == FR_OK ? 0 : message_library(&error);
}
