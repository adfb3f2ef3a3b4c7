/*
 * libsvm.c - reads LIBSVM (SVMlight) text into dense rows.
 *
 *     label index:value index:value ...   # comment
 *
 * Indices ascend from 1; features that a line leaves out are zero. The first pass counts lines and finds the largest
 * index, which ends its line; it goes over the whole file even where few rows are kept, so that all who share the file
 * find the same number of features. Where missing values are allowed for, another pass finds them. The last one parses
 * and checks the rows that are kept.
 *
 * A single large index makes wide rows of all lines. What takes far more memory than the file warrants is refused
 * before it is allocated: real sparse sets have some thousand bytes of dense rows a byte of text at most.
 */
#include <inttypes.h>
#include <string.h>

#include "base/parse_number.h"
#include "data/parse.h"
#include "data/select.h"

enum { LINES_LOOKED_AT = 100, DENSE_BYTES_A_BYTE = 1 << 14, ALWAYS_ALLOWED = 1 << 26 };

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

fr_status fr_looks_like_libsvm(const fr_text *file, bool *libsvm, fr_error *error) {
    FR_OWNED_LINES fr_lines line = {0};
    *libsvm = false; /* labels alone: a column of numbers */
    FR_TRY(fr_lines_open(file, &line, error));
    for (int i = 0; i < LINES_LOOKED_AT && fr_lines_next_content(&line); i++) {
        cut_comment(&line);
        const char *first = skip_blanks(line.begin, line.end);
        const char *second = skip_blanks(token_end(first, line.end), line.end);
        if (second == line.end && !is_pair(first, line.end)) continue;
        *libsvm = is_pair(second, line.end) || (second == line.end && is_pair(first, line.end));
        break;
    }
    return line.status;
}

typedef struct reader {
    const fr_text *file;
    const fr_read_options *options;
    fr_missing *missing;
    int64_t lines; /* rows of the file, those left out included */
    int64_t features;
    bool labels;         /* are read from here */
    bool label_optional; /* a line may begin with a pair */
    fr_dataset *set;     /* filled by the last pass, NULL before */
} reader;

static fr_status bad_token(const reader *r, const fr_lines *line, const char *at, const char *expected,
                           fr_error *error) {
    char shown[FR_SHOWN_SIZE];
    return fr_fail(error, FR_ERROR_DATA, "%s:%" PRId64 ": found %s, expected %s", r->file->path, line->number,
                   fr_text_show(shown, at, token_end(at, line->end)), expected);
}

/* -------------------------------------------------------------------------------------- first pass */

/* Lines, the largest index at the end of one, and whether every line begins with a label. */
static fr_status measure(reader *r, bool *labelled, fr_error *error) {
    FR_OWNED_LINES fr_lines line = {0};
    FR_TRY(fr_lines_open(r->file, &line, error));
    *labelled = true;
    for (; fr_lines_next_content(&line); r->lines++) {
        cut_comment(&line);
        const char *first = skip_blanks(line.begin, line.end), *colon = line.end;
        if (is_pair(first, token_end(first, line.end))) *labelled = false;
        while (colon > line.begin && *--colon != ':') continue;
        if (colon == line.begin) continue;
        const char *at = colon;
        while (at > line.begin && !fr_is_blank(at[-1])) at--;
        int64_t index;
        if (!fr_parse_int64(at, colon, &index)) return bad_token(r, &line, at, "index:value", error);
        if (index < 1) return bad_token(r, &line, at, "an index that is 1 or more", error);
        if (index > r->features) r->features = index;
    }
    return line.status;
}

/* ------------------------------------------------------------------------------------------ one line */

/* A number, or NaN for a missing one where these are allowed for. */
static bool parse_value(const reader *r, const char *at, const char *end, double *value) {
    if (fr_parse_double(at, end, value)) return true;
    *value = NAN;
    return fr_missing_looks(r->missing) && fr_is_missing_word(at, end);
}

/* The label that starts the line, NaN where there is none; at is moved past it. */
static fr_status read_label(const reader *r, const fr_lines *line, const char **at, double *label, fr_error *error) {
    const char *end = token_end(*at, line->end);
    *label = NAN;
    if (r->label_optional && is_pair(*at, end)) return FR_OK;
    if (!parse_value(r, *at, end, label)) return bad_token(r, line, *at, "a label, a number", error);
    bool wrong = r->labels && !fr_fits(*label, r->options->precision);
    if (!r->labels || (wrong && fr_labels_optional(r->options))) *label = NAN;
    else if (isnan(*label) && !fr_missing_looks(r->missing))
        return bad_token(r, line, *at, "a finite label (or --missing drop)", error);
    else if (wrong && !isnan(*label))
        return bad_token(r, line, *at, "a finite label in the range of the precision, at most 1e150", error);
    *at = end;
    return FR_OK;
}

/* Whether the feature of an index is one that the options leave unread. */
static bool is_unread(const reader *r, int64_t index) {
    return index >= 1 && index <= r->features && !fr_missing_counts(r->missing, index - 1);
}

/* Index and value of the pair at *at, which is moved past it; the value is NaN where it is missing, 0 where it is unread. */
static fr_status read_pair(const reader *r, const fr_lines *line, int64_t last, const char **at, int64_t *index,
                           double *value, fr_error *error) {
    const char *end = token_end(*at, line->end);
    const char *colon = fr_parse_int64_prefix(*at, end, index);
    if (!colon || colon == end || *colon != ':') return bad_token(r, line, *at, "index:value", error);
    *value = 0;
    if (!is_unread(r, *index) && (colon + 1 == end || !parse_value(r, colon + 1, end, value)))
        return bad_token(r, line, *at, "index:value with a number as value", error);
    if (*index < 1) return bad_token(r, line, *at, "an index that is 1 or more", error);
    /* Where the ends of lines told the number of features, a larger index is one that is followed by a smaller. */
    if (*index <= last || (!r->options->features && *index > r->features))
        return bad_token(r, line, *at, "indices that ascend along the line", error);
    if (*index > r->features)
        return fr_fail(error, FR_ERROR_DATA,
                       "%s:%" PRId64 ": index %" PRId64 " found, expected at most %" PRId64 " features",
                       r->file->path, line->number, *index, r->features);
    if (isnan(*value) && fr_missing_looks(r->missing)) *at = end;
    else if (!fr_fits(*value, r->options->precision))
        return bad_token(r, line, *at, "a finite value in the range of the precision, at most 1e150", error);
    *at = end;
    return FR_OK;
}

/* --------------------------------------------------------------------------------- missing values */

/* What a line lacks. A fault other than that is left to the last pass, which says what it is. */
static bool look_along(const reader *r, const fr_lines *line, bool *label_missing, bool *value_missing) {
    const char *at = skip_blanks(line->begin, line->end);
    int64_t index, last = 0;
    double value;
    if (read_label(r, line, &at, &value, NULL) != FR_OK) return false;
    *label_missing = r->labels && isnan(value) && !fr_labels_optional(r->options);
    *value_missing = false;
    while ((at = skip_blanks(at, line->end)) < line->end) {
        if (read_pair(r, line, last, &at, &index, &value, NULL) != FR_OK) return false;
        last = index;
        *value_missing |= isnan(value);
    }
    return true;
}

/* Takes the values of a sound line into the means. Those not named are zero, and are counted at the end. */
static void add_values(const reader *r, const fr_lines *line) {
    const char *at = skip_blanks(line->begin, line->end);
    fr_missing *m = r->missing;
    int64_t index, last = 0;
    double value;
    (void)read_label(r, line, &at, &value, NULL);
    while ((at = skip_blanks(at, line->end)) < line->end &&
           read_pair(r, line, last, &at, &index, &value, NULL) == FR_OK) {
        last = index;
        if (isnan(value)) m->absent[index - 1]++;
        else m->sum[index - 1] += value;
    }
}

static fr_status find_missing(const reader *r, fr_error *error) {
    FR_OWNED_LINES fr_lines line = {0};
    fr_missing *m = r->missing;
    const int64_t without_label = m->count; /* known from a file of labels */
    int64_t next = 0, taken = 0; /* rows in the means */
    FR_TRY(fr_missing_begin(m, r->features, error));
    FR_TRY(fr_lines_open(r->file, &line, error));
    for (int64_t row = 0; fr_lines_next_content(&line); row++) {
        bool no_label, no_value;
        if (next < without_label && m->rows[next] == row) {
            next++;
            continue;
        }
        cut_comment(&line);
        if (!look_along(r, &line, &no_label, &no_value)) continue;
        if (no_label || (no_value && m->rule == FR_MISSING_DROP)) FR_TRY(fr_missing_drop(m, row, error));
        else if (m->rule == FR_MISSING_MEAN && !fr_missing_holds_out(m, row)) add_values(r, &line), taken++;
    }
    for (int64_t j = 0; j < m->features; j++) m->present[j] = taken - m->absent[j];
    return line.status;
}

/* ---------------------------------------------------------------------------------------- last pass */

static fr_status read_row(const reader *r, const fr_lines *line, int64_t row, fr_error *error) {
    const char *at = skip_blanks(line->begin, line->end);
    int64_t index, last = 0;
    double value;
    FR_TRY(read_label(r, line, &at, &value, error));
    if (r->labels && isnan(value) && r->set->labels) {
        fr_drop_labels(r->set);
        fr_remark(r->options, "%s: labels are left aside, since line %" PRId64 " has none that is a finite number",
                  r->file->path, line->number);
    }
    if (r->labels && r->set->labels) fr_dataset_put_label(r->set, row, value);
    while ((at = skip_blanks(at, line->end)) < line->end) {
        FR_TRY(read_pair(r, line, last, &at, &index, &value, error));
        /* Without means a row that lacks a value was left out, unless it has a fault, which comes later in the line. */
        if (isnan(value)) value = r->missing->sum ? r->missing->sum[index - 1] : 0;
        fr_dataset_put(r->set, row, index - 1, value);
        last = index;
    }
    return FR_OK;
}

static fr_status read_rows(const reader *r, fr_error *error) {
    FR_OWNED_LINES fr_lines line = {0};
    const fr_missing *m = r->missing;
    int64_t row = -r->set->first_row, dropped = 0;
    if (r->set->local_rows == 0) return FR_OK;
    FR_TRY(fr_lines_open(r->file, &line, error));
    for (int64_t i = 0; row < r->set->local_rows && fr_lines_next_content(&line); i++) {
        if (dropped < m->count && m->rows[dropped] == i) dropped++;
        else if (row++ >= 0) {
            cut_comment(&line);
            FR_TRY(read_row(r, &line, row - 1, error));
        }
    }
    FR_TRY(line.status);
    if (row >= r->set->local_rows) return FR_OK;
    return fr_fail(error, FR_ERROR_DATA, "%s changed while it was read: rows are gone", r->file->path);
}

/* Rows that memory could hold, but that a file so short does not warrant. Features that the caller expects are. */
static fr_status check_density(const reader *r, fr_range kept, fr_error *error) {
    double bytes = (double)kept.count * (double)r->features * (double)fr_precision_bytes(r->options->precision);
    double warranted = (double)r->file->size * DENSE_BYTES_A_BYTE + ALWAYS_ALLOWED;
    if (r->options->features > 0 || bytes <= warranted || bytes > (double)fr_memory_available()) return FR_OK;
    return fr_fail(error, FR_ERROR_DATA,
                   "%s: the index %" PRId64 " makes rows of %.1f GB out of %" PRIu64
                   " bytes of text; expected indices "
                   "without such gaps",
                   r->file->path, r->features, bytes / 1e9, r->file->size);
}

static fr_status parse_file(reader *r, fr_dataset **set, fr_error *error) {
    bool labelled;
    FR_TRY(measure(r, &labelled, error));
    if (r->lines == 0)
        return fr_fail(error, FR_ERROR_DATA, "%s is empty, expected lines of label index:value", r->file->path);
    if (r->options->features > 0) r->features = r->options->features;
    if (r->features < 1)
        return fr_fail(error, FR_ERROR_DATA, "%s: no index found, expected lines of label index:value",
                       r->file->path);
    FR_TRY(fr_select_begin(r->file->path, r->options, r->features, r->missing, error));
    if (fr_labels_optional(r->options) && !labelled) r->labels = false, r->label_optional = true;
    if (fr_missing_looks(r->missing)) FR_TRY(find_missing(r, error));
    int64_t samples = r->lines;
    FR_TRY(fr_missing_settle(r->missing, r->file->path, &samples, error));
    fr_range kept = fr_kept_rows(r->options, samples);
    FR_TRY(check_density(r, kept, error));
    bool labels = r->labels || (fr_wants_labels(r->options) && r->options->labels);
    FR_TRY(fr_dataset_allocate(samples, r->features, kept, labels, r->options->precision, r->file->path, set, error));
    r->set = *set;
    return read_rows(r, error);
}

fr_status fr_dataset_parse_libsvm(const fr_text *file, const fr_read_options *options, fr_missing *missing,
                                  fr_dataset **set, fr_error *error) {
    reader r = {.file = file,
                .options = options,
                .missing = missing,
                .labels = fr_wants_own_labels(options),
                .label_optional = options->without_labels};
    *set = NULL;
    fr_status status = parse_file(&r, set, error);
    if (status == FR_OK) return FR_OK;
    fr_dataset_free(*set);
    *set = NULL;
    return status;
}
