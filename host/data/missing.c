/*
 * missing.c - the list of rows left out, and the means of columns.
 */
#include "data/missing.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/lines.h"
#include "kernels/rules/philox.h"

enum { FIRST_ROWS = 64 };

bool fr_is_missing_word(const char *begin, const char *end) {
    static const char *const words[] = {
        "",    "NA",   "N/A",  "<NA>",    "na",      "n/a",    "<na>",     "NaN",     "nan",     "NAN",
        "NaT", "NULL", "null", "None",    "none",    "NONE",   "nil",      "?",       "-",       "--",
        ".",   "-nan", "-NaN", "-1.#IND", "1.#QNAN", "1.#IND", "-1.#QNAN", "missing", "Missing", "MISSING"};
    size_t length = (size_t)(end - begin);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strlen(words[i]) == length && memcmp(words[i], begin, length) == 0) return true;
    }
    return length > 0 && fr_error_value_length(begin, end) == length;
}

bool fr_missing_holds_out(const fr_missing *m, int64_t row) {
    if (!(m->holdout > 0)) return false;
    fr_words draw = fr_philox(m->seed, fr_sequence(FR_STREAM_HOLDOUT, 0, 0), (uint64_t)row);
    return ((double)draw.word[0] + 0.5) * 0x1p-32 < m->holdout;
}

fr_status fr_missing_begin(fr_missing *m, int64_t features, fr_error *error) {
    if (m->rule != FR_MISSING_MEAN) return FR_OK;
    m->features = features;
    FR_TRY(fr_allocate((void **)&m->sum, features, sizeof *m->sum, "the means", error));
    FR_TRY(fr_allocate((void **)&m->present, features, sizeof *m->present, "the means", error));
    return fr_allocate((void **)&m->absent, features, sizeof *m->absent, "the means", error);
}

static int compare_rows(const void *one, const void *other) {
    int64_t a = *(const int64_t *)one, b = *(const int64_t *)other;
    return (a > b) - (a < b);
}

void fr_missing_sort(fr_missing *m) {
    int64_t kept = 0;
    if (m->count > 0) qsort(m->rows, (size_t)m->count, sizeof *m->rows, compare_rows);
    for (int64_t i = 0; i < m->count; i++) {
        if (kept == 0 || m->rows[kept - 1] != m->rows[i]) m->rows[kept++] = m->rows[i];
    }
    m->count = kept;
}

fr_status fr_missing_drop(fr_missing *m, int64_t row, fr_error *error) {
    if (m->count > 0 && m->rows[m->count - 1] == row) return FR_OK;
    if (m->count == m->capacity) {
        int64_t wanted = m->capacity ? 2 * m->capacity : FIRST_ROWS;
        int64_t *larger = realloc(m->rows, (size_t)wanted * sizeof *larger);
        if (!larger) return fr_fail(error, FR_ERROR, "out of memory for the list of rows to leave out");
        m->rows = larger;
        m->capacity = wanted;
    }
    m->rows[m->count++] = row;
    return FR_OK;
}

/* Leaves out the rows kept apart, or all others. */
static fr_status part(fr_missing *m, const char *path, int64_t samples, fr_error *error) {
    for (int64_t row = 0, lacking = 0; m->holdout > 0 && row < samples; row++) {
        bool lacks = lacking < m->lacking && m->rows[lacking] == row;
        lacking += lacks;
        if (!lacks && fr_missing_holds_out(m, row) != m->apart) FR_TRY(fr_missing_drop(m, row, error));
    }
    fr_missing_sort(m);
    if (m->count < samples) return FR_OK;
    return fr_fail(error, FR_ERROR_DATA, "%s: of %" PRId64 " rows a share of %g held out leaves %s", path,
                   samples - m->lacking, m->holdout, m->apart ? "none to judge by" : "none to fit");
}

/* sum <- means, of this file or those given. */
static fr_status form_means(fr_missing *m, const char *path, fr_error *error) {
    int64_t next = 0; /* of those given */
    for (int64_t j = 0; j < m->features; j++) {
        if (m->given && fr_missing_counts(m, j)) m->sum[j] = next < m->given_count ? m->given[next++] : 0;
        else if (m->present[j] > 0) m->sum[j] /= (double)m->present[j];
        else if (m->absent[j] > 0)
            return fr_fail(error, FR_ERROR_DATA, "%s: feature %" PRId64 " has no value to take the mean of", path,
                           j + 1);
    }
    return FR_OK;
}

fr_status fr_missing_settle(fr_missing *m, const char *path, int64_t *samples, fr_error *error) {
    fr_missing_sort(m);
    m->lacking = m->count;
    m->first_lacking = m->count > 0 ? m->rows[0] : -1;
    if (m->count >= *samples)
        return fr_fail(error, FR_ERROR_DATA, "%s: each of its %" PRId64 " rows lacks a value; none is left", path,
                       *samples);
    FR_TRY(part(m, path, *samples, error));
    FR_TRY(form_means(m, path, error));
    *samples -= m->count;
    return FR_OK;
}

/* How many of the rows left out come before the one that is number kept of the others: row i of the list has
 * rows[i] - i of them before it. */
static int64_t dropped_before(const fr_missing *m, int64_t kept) {
    int64_t low = 0, high = m->count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (m->rows[middle] - middle <= kept) low = middle + 1;
        else high = middle;
    }
    return low;
}

int64_t fr_missing_file_row(const fr_missing *m, int64_t kept) { return kept + dropped_before(m, kept); }

int64_t fr_missing_run(const fr_missing *m, int64_t row) {
    int64_t low = 0, high = m->count; /* the first of the list after row */
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (m->rows[middle] <= row) low = middle + 1;
        else high = middle;
    }
    return low < m->count ? m->rows[low] - row : INT64_MAX;
}

bool fr_missing_is_dropped(const fr_missing *m, int64_t row) {
    return m->count > 0 && bsearch(&row, m->rows, (size_t)m->count, sizeof row, compare_rows) != NULL;
}

void fr_missing_remark(const fr_missing *m, const char *path, const fr_read_options *options) {
    int64_t replaced = 0;
    for (int64_t j = 0; j < m->features; j++) replaced += m->absent[j];
    if (m->lacking > 0)
        fr_remark(options, "%s: %" PRId64 " row%s left out, each without %s (the first is row %" PRId64 ")", path,
                  m->lacking, m->lacking > 1 ? "s" : "", m->rule == FR_MISSING_MEAN ? "its label" : "some value",
                  m->first_lacking + 1);
    if (replaced > 0)
        fr_remark(options, "%s: %" PRId64 " missing value%s replaced by the mean of the column%s", path, replaced,
                  replaced > 1 ? "s" : "", m->given ? " in the fit" : "");
}

void fr_missing_free(fr_missing *m) {
    free(m->rows);
    free(m->sum);
    free(m->present);
    free(m->absent);
    free(m->selected);
    *m = (fr_missing){.rule = m->rule, .holdout = m->holdout, .seed = m->seed};
}

void fr_remark(const fr_read_options *options, const char *format, ...) {
    char line[480];
    va_list arguments;
    if (!options->remark) return;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    options->remark(line, options->user);
}
