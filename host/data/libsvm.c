/*
 * libsvm.c - reads LIBSVM (SVMlight) text into dense rows.
 *
 *     label index:value index:value ...   # comment
 *
 * Indices ascend from 1; features that a line leaves out are zero. The first pass counts lines and finds the largest
 * index, which ends its line; it goes over the whole file even where few rows are kept, so that all who share the file
 * find the same number of features. The second parses and checks the rows that are kept.
 */
#include <inttypes.h>
#include <string.h>

#include "data/parse.h"
#include "base/parse_number.h"

enum { LINES_LOOKED_AT = 100 };

static const char *skip_blanks(const char *at, const char *end) {
    while (at < end && fr_is_blank(*at)) at++;
    return at;
}

static const char *token_end(const char *at, const char *end) {
    while (at < end && !fr_is_blank(*at)) at++;
    return at;
}

/* Leaves out a comment that ends the line. */
static void cut_comment(fr_lines *line) {
    const char *mark = memchr(line->begin, '#', (size_t)(line->end - line->begin));
    if (mark) line->end = mark;
}

/* True for "12:..." and for what was meant so: "0:...", "-3:...", an index of any length. */
static bool is_pair(const char *at, const char *end) {
    if (at < end && (*at == '-' || *at == '+')) at++;
    const char *digits = at;
    while (at < end && *at >= '0' && *at <= '9') at++;
    return at > digits && at < end && *at == ':';
}

bool fr_looks_like_libsvm(const fr_text *file) {
    fr_lines line = fr_lines_start(file);
    for (int i = 0; i < LINES_LOOKED_AT && fr_lines_next_content(&line); i++) {
        cut_comment(&line);
        const char *first = skip_blanks(line.begin, line.end);
        const char *second = skip_blanks(token_end(first, line.end), line.end);
        if (second < line.end || is_pair(first, line.end))
            return is_pair(second, line.end) || (second == line.end && is_pair(first, line.end));
    }
    return false; /* labels alone: a column of numbers */
}

/* -------------------------------------------------------------------------------------- first pass */

static fr_status bad_token(const fr_text *file, const fr_lines *line, const char *at, const char *expected,
                           fr_error *error) {
    char shown[FR_SHOWN_SIZE];
    return fr_fail(error, FR_ERROR_DATA, "%s:%" PRId64 ": found %s, expected %s", file->path, line->number,
                   fr_text_show(shown, at, token_end(at, line->end)), expected);
}

/* Lines, and the largest index at the end of one. */
static fr_status measure(const fr_text *file, int64_t *samples, int64_t *features, fr_error *error) {
    fr_lines line = fr_lines_start(file);
    for (*samples = *features = 0; fr_lines_next_content(&line); ++*samples) {
        cut_comment(&line);
        const char *colon = line.end;
        while (colon > line.begin && *--colon != ':') continue;
        if (colon == line.begin) continue;
        const char *at = colon;
        while (at > line.begin && !fr_is_blank(at[-1])) at--;
        int64_t index;
        if (!fr_parse_int64(at, colon, &index)) return bad_token(file, &line, at, "index:value", error);
        if (index < 1) return bad_token(file, &line, at, "an index that is 1 or more", error);
        if (index > *features) *features = index;
    }
    return FR_OK;
}

/* ------------------------------------------------------------------------------------- second pass */

typedef struct row_reader {
    const fr_text *file;
    bool label_wanted, label_optional;
    int64_t expected; /* features told by the caller, 0 where the largest index tells */
    fr_dataset *set;
} row_reader;

/* The label that starts the line; at is moved past it. */
static fr_status read_label(const row_reader *reader, const fr_lines *line, int64_t row, const char **at,
                            fr_error *error) {
    fr_dataset *set = reader->set;
    double value;
    const char *end = token_end(*at, line->end);
    if (reader->label_optional && is_pair(*at, end)) return FR_OK;
    if (!fr_parse_double(*at, end, &value)) return bad_token(reader->file, line, *at, "a label, a number", error);
    if (reader->label_wanted) {
        if (!fr_fits(value, set->precision))
            return bad_token(reader->file, line, *at, "a finite label in the range of the precision", error);
        fr_dataset_put_label(set, row, value);
    }
    *at = end;
    return FR_OK;
}

static fr_status read_pair(const row_reader *reader, const fr_lines *line, int64_t row, int64_t *last,
                           const char **at, fr_error *error) {
    fr_dataset *set = reader->set;
    int64_t index;
    double value;
    const char *end = line->end;
    const char *colon = fr_parse_int64_prefix(*at, end, &index);
    if (!colon || colon == end || *colon != ':') return bad_token(reader->file, line, *at, "index:value", error);
    const char *after = fr_parse_double_prefix(colon + 1, end, &value);
    if (!after || (after < end && !fr_is_blank(*after)))
        return bad_token(reader->file, line, *at, "index:value with a number as value", error);
    if (index < 1) return bad_token(reader->file, line, *at, "an index that is 1 or more", error);
    /* Where the ends of lines told the number of features, a larger index is one that is followed by a smaller. */
    if (index <= *last || (!reader->expected && index > set->features))
        return bad_token(reader->file, line, *at, "indices that ascend along the line", error);
    if (index > set->features)
        return fr_fail(error, FR_ERROR_DATA,
                       "%s:%" PRId64 ": index %" PRId64 " found, expected at most %" PRId64 " features",
                       reader->file->path, line->number, index, set->features);
    if (!fr_fits(value, set->precision))
        return bad_token(reader->file, line, *at, "a finite value in the range of the precision", error);
    fr_dataset_put(set, row, index - 1, value);
    *last = index;
    *at = after;
    return FR_OK;
}

static fr_status read_row(const row_reader *reader, const fr_lines *line, int64_t row, fr_error *error) {
    const char *at = skip_blanks(line->begin, line->end);
    int64_t last = 0;
    fr_status status = read_label(reader, line, row, &at, error);
    while (status == FR_OK && (at = skip_blanks(at, line->end)) < line->end)
        status = read_pair(reader, line, row, &last, &at, error);
    return status;
}

fr_status fr_dataset_parse_libsvm(const fr_text *file, const fr_read_options *options, fr_dataset **set,
                                  fr_error *error) {
    row_reader reader = {file, fr_wants_own_labels(options), options->without_labels, options->features, NULL};
    int64_t samples, features;
    fr_status status = measure(file, &samples, &features, error);
    if (status != FR_OK) return status;
    if (samples == 0)
        return fr_fail(error, FR_ERROR_DATA, "%s is empty, expected lines of label index:value", file->path);
    if (options->features > 0) features = options->features;
    if (features < 1)
        return fr_fail(error, FR_ERROR_DATA, "%s: no index found, expected lines of label index:value", file->path);
    fr_range kept = fr_kept_rows(options, samples);
    status = fr_dataset_allocate(samples, features, kept, fr_wants_labels(options), options->precision, file->path,
                                 &reader.set, error);
    fr_lines line = fr_lines_start(file);
    for (int64_t row = -kept.first; status == FR_OK && row < kept.count; row++) {
        fr_lines_next_content(&line);
        if (row < 0) continue;
        cut_comment(&line);
        status = read_row(&reader, &line, row, error);
    }
    if (status == FR_OK) *set = reader.set;
    else fr_dataset_free(reader.set);
    return status;
}
