/*
 * read.c - opens a data file, finds out what it is, and adds labels and weights that lie in files of their own.
 *
 * Each file is opened once, so that pipes may be read.
 *
 * A file is told by its content first: NPY and ZIP have magic bytes, and LIBSVM has colons. Its ending decides what
 * the content leaves open, so that a damaged .npy is reported as such rather than as a strange CSV.
 */
#include <inttypes.h>

#include "base/checksum.h"
#include "data/fingerprint.h"
#include "data/npy.h"
#include "data/parse.h"
#include "data/select.h"

enum { BYTES_LOOKED_AT = 4096 };

/* ------------------------------------------------------------------------------------------- options */

/* Refuses workers that there are not; a count of workers that overflows is among them. */
static fr_status check_workers(const char *path, const fr_read_options *options, fr_error *error) {
    int all = options->all_workers, first = options->first_worker, count = options->worker_count;
    if (all >= 0 && first >= 0 && count >= 0 && first <= all && count <= all - first) return FR_OK;
    return fr_fail(error, FR_ERROR_USAGE,
                   "%s: the rows of %d workers from worker %d on were asked for, found %d workers in all", path,
                   count, first, all);
}

/* Labels or weights are in a file of their own or in a column of a CSV. */
static fr_status check_column(fr_dataset_parser *parser, const char *path, const char *what, const char *file,
                              const char *column, fr_error *error) {
    if (!column) return FR_OK;
    if (file)
        return fr_fail(error, FR_ERROR_USAGE, "--%ss %s and --%s-column %s contradict each other", what, file, what,
                       column);
    if (parser != fr_dataset_parse_csv)
        return fr_fail(error, FR_ERROR_USAGE, "%s is no CSV file: --%s-column %s does not apply to it", path, what,
                       column);
    return FR_OK;
}

/* Refuses options that cannot apply to this kind of file. */
static fr_status check_options(fr_dataset_parser *parser, const char *path, const fr_read_options *options,
                               fr_error *error) {
    FR_TRY(check_workers(path, options, error));
    if (!(options->holdout >= 0 && options->holdout < 1))
        return fr_fail(error, FR_ERROR_USAGE, "%s: a share of %g of the rows cannot be held out; expected 0 to below 1",
                       path, options->holdout);
    bool rows = fr_path_is_stdin(path), labels = options->labels && fr_path_is_stdin(options->labels);
    bool weights = options->weights && fr_path_is_stdin(options->weights);
    if (rows + labels + weights > 1)
        return fr_fail(error, FR_ERROR_USAGE, "%s: %s and %s cannot both come from standard input", path,
                       rows ? "rows" : "labels", labels && rows ? "labels" : "weights");
    if (options->columns && options->ignore)
        return fr_fail(error, FR_ERROR_USAGE, "--columns %s and --ignore %s contradict each other", options->columns,
                       options->ignore);
    if (options->categories && parser != fr_dataset_parse_csv)
        return fr_fail(error, FR_ERROR_USAGE, "%s is no CSV file: --categories does not apply to it", path);
    FR_TRY(check_column(parser, path, "label", options->labels, options->label_column, error));
    return check_column(parser, path, "weight", options->weights, options->weight_column, error);
}

/* ---------------------------------------------------------------------------------------- kind of file */

/* The start of the content of a file. */
typedef struct start {
    char bytes[BYTES_LOOKED_AT];
    size_t size;
    const char *packing; /* "gzip", "zstd" or NULL */
    char name[24];       /* the end of the path without .gz and the like, for endings */
} start;

static bool starts_with(const start *s, const char *magic, size_t length) {
    return s->size >= length && memcmp(s->bytes, magic, length) == 0;
}

static fr_status look_at_start(const fr_text *file, start *s, fr_error *error) {
    FR_OWNED_STREAM fr_stream *stream = NULL;
    FR_TRY(fr_stream_open(file, &stream, error));
    FR_TRY(fr_stream_read(stream, s->bytes, sizeof s->bytes, &s->size, error));
    FR_TRY(fr_stream_packing(file, &s->packing, error));
    size_t length = strlen(file->path), most = sizeof s->name - 1;
    const char *const packed[] = {".gz", ".zst", ".gzip", ".zstd"};
    for (size_t i = 0; s->packing && i < sizeof packed / sizeof *packed; i++)
        if (fr_path_ends(file->path, packed[i])) length -= strlen(packed[i]);
    size_t kept = length < most ? length : most;
    memcpy(s->name, file->path + length - kept, kept);
    s->name[kept] = '\0';
    return FR_OK;
}

static fr_status find_text_parser(const fr_text *file, const start *s, fr_dataset_parser **parser, fr_error *error) {
    const char *endings[] = {".libsvm", ".svm", ".svmlight"};
    bool libsvm;
    FR_TRY(fr_looks_like_libsvm(file, &libsvm, error));
    for (int i = 0; i < 3; i++) libsvm |= fr_path_ends(s->name, endings[i]);
    *parser = libsvm ? fr_dataset_parse_libsvm : fr_dataset_parse_csv;
    return FR_OK;
}

static fr_status find_parser(const fr_text *file, fr_dataset_parser **parser, fr_error *error) {
    start s = {.size = 0};
    FR_TRY(look_at_start(file, &s, error));
    *parser = NULL;
    if (s.size == 0) return fr_fail(error, FR_ERROR_DATA, "%s is empty, expected rows of numbers", file->path);
    bool zip = starts_with(&s, "PK\3\4", 4) || starts_with(&s, "PK\5\6", 4);
    if (starts_with(&s, FR_NPY_MAGIC, 6) || (!zip && fr_path_ends(s.name, ".npy"))) *parser = fr_dataset_parse_npy;
    else if (zip || fr_path_ends(s.name, ".npz")) *parser = fr_dataset_parse_npz;
    if (*parser == fr_dataset_parse_npz && s.packing)
        return fr_fail(error, FR_ERROR_DATA, "%s is an NPZ archive inside %s; decompress it first", file->path,
                       s.packing);
    if (*parser) return FR_OK;
    if (memchr(s.bytes, '\0', s.size))
        return fr_fail(error, FR_ERROR_DATA,
                       "%s holds binary data of an unknown kind%s; expected NPY, NPZ, CSV or LIBSVM", file->path,
                       starts_with(&s, "\xff\xfe", 2) ? " (UTF-16 text?)" : "");
    return find_text_parser(file, &s, parser, error);
}

/* -------------------------------------------------------------------------------------------- reading */

/* Everything that is open while a data set is read. */
typedef struct reading {
    const fr_read_options *options;
    fr_text file, labels, weights;
    bool apart, weighs; /* labels, and weights, have files of their own, which are open */
    fr_dataset_parser *parser;
} reading;

/* The means of the selected columns, which a model of these rows keeps. */
static fr_status keep_means(const fr_missing *missing, fr_dataset *set, fr_error *error) {
    int64_t kept = 0;
    if (!fr_missing_looks_at_all(missing)) return FR_OK;
    FR_TRY(fr_allocate((void **)&set->means, missing->features, sizeof *set->means, "the means", error));
    for (int64_t j = 0; j < missing->features; j++)
        if (fr_missing_counts(missing, j)) set->means[kept++] = missing->sum[j];
    return FR_OK;
}

/* Of a file that is no CSV, once it is read: the columns asked for, by number. */
static fr_status select_columns(const fr_read_options *options, const fr_missing *missing, fr_dataset *set,
                                fr_error *error) {
    if (!missing->selected) return FR_OK;
    FR_TRY(fr_select_features(set, missing->selected, error));
    if (options->features == 0 || set->features == options->features) return FR_OK;
    return fr_fail(error, FR_ERROR_DATA, "%s: found %" PRId64 " features, expected %" PRId64, set->source, set->features,
                   options->features);
}

/* Rows whose label or weight is missing in a file of its own, in order. */
static fr_status look_apart(const reading *r, const fr_read_options *options, fr_missing *missing, fr_error *error) {
    if (!fr_missing_looks(missing)) return FR_OK;
    if (r->apart) FR_TRY(fr_labels_look(&r->labels, options, missing, error));
    if (r->weighs) FR_TRY(fr_weights_look(&r->weights, options, missing, error));
    fr_missing_sort(missing);
    return FR_OK;
}

/* The rows that the options keep, their labels and weights. On failure *set is NULL. */
static fr_status read_rows(const reading *r, const fr_read_options *options, fr_missing *missing, fr_dataset **set,
                           fr_error *error) {
    const bool selects = fr_selects(options) && r->parser != fr_dataset_parse_csv;
    fr_read_options all = *options;
    missing->rule = options->missing;
    missing->holdout = options->holdout;
    missing->seed = options->holdout_seed;
    missing->given = options->means;
    missing->given_count = options->features;
    FR_TRY(look_apart(r, options, missing, error));
    if (selects) all.features = 0; /* of the whole file */
    FR_TRY(r->parser(&r->file, &all, missing, set, error));
    (*set)->lacking = missing->lacking;
    fr_status status = r->apart ? fr_labels_read(&r->labels, options, missing, *set, error) : FR_OK;
    if (status == FR_OK && r->weighs) status = fr_weights_read(&r->weights, options, missing, *set, error);
    if (status == FR_OK) status = select_columns(options, missing, *set, error);
    if (status == FR_OK) status = keep_means(missing, *set, error);
    if (status == FR_OK) return FR_OK;
    fr_dataset_free(*set);
    *set = NULL;
    return status;
}

/* Reads, only to hash them, the rows that the next rank keeps; after the last rank comes the first that keeps any. */
static fr_status print_next(const reading *r, fr_row_print *next, fr_error *error) {
    fr_read_options other = *r->options;
    fr_missing missing = {0};
    fr_dataset *set = NULL;
    other.remark = NULL;
    other.first_worker = (other.first_worker + other.worker_count) % other.all_workers;
    if (other.worker_count > other.all_workers - other.first_worker)
        other.worker_count = other.all_workers - other.first_worker;
    fr_status status = read_rows(r, &other, &missing, &set, error);
    if (status == FR_OK) *next = fr_dataset_row_print(set);
    fr_dataset_free(set);
    fr_missing_free(&missing);
    return status;
}

/* What ranks and checkpoints know the rows by. Before the rows that are kept come those of the next rank, so that memory
 * holds one rank's rows at a time. */
typedef struct prints {
    fr_file_print file, labels, weights;
    fr_row_print next;
} prints;

static fr_status look_ahead(const reading *r, prints *found, fr_error *error) {
    const fr_read_options *options = r->options;
    bool shares = options->worker_count > 0 && options->worker_count < options->all_workers;
    found->labels.whole = found->weights.whole = true;
    FR_TRY(fr_file_fingerprint(&r->file, &found->file, error));
    if (r->apart) FR_TRY(fr_file_fingerprint(&r->labels, &found->labels, error));
    if (r->weighs) FR_TRY(fr_file_fingerprint(&r->weights, &found->weights, error));
    bool whole = found->file.whole && found->labels.whole && found->weights.whole;
    return shares && !whole ? print_next(r, &found->next, error) : FR_OK;
}

/* The checksum of a column's name, as it was asked for, which *kept becomes a copy of; 0 for NULL. */
static fr_status keep_column(const reading *r, const char *column, char **kept, uint64_t *sum, fr_error *error) {
    if (!column) return FR_OK;
    *sum = fr_checksum(column, strlen(column));
    *kept = strdup(column);
    return *kept ? FR_OK : fr_fail(error, FR_ERROR, "%s: out of memory", r->file.path);
}

/* Which columns were asked for. */
static uint64_t selection_print(const fr_read_options *options) {
    const char *list = options->columns ? options->columns : options->ignore;
    const uint64_t parts[2] = {list ? fr_checksum(list, strlen(list)) : 0,
                               (uint64_t)(options->columns != NULL) + 2 * (uint64_t)options->categories};
    return fr_selects(options) || options->categories ? fr_checksum(parts, sizeof parts) : 0;
}

static fr_status keep_prints(const reading *r, const prints *found, fr_dataset *set, fr_error *error) {
    uint64_t parts[7] = {found->file.sum, found->labels.sum, found->weights.sum, 0, 0, fr_dataset_content(set, 0),
                         selection_print(r->options)};
    FR_TRY(keep_column(r, r->options->label_column, &set->label_column, &parts[3], error));
    FR_TRY(keep_column(r, r->options->weight_column, &set->weight_column, &parts[4], error));
    set->fingerprint = fr_checksum(parts, sizeof parts);
    set->held = fr_dataset_row_print(set);
    set->next = found->next;
    return FR_OK;
}

/* The rows kept apart: of the same file, once more, those that the first reading left out for that. */
static fr_status read_held_out(const reading *r, fr_dataset *set, fr_error *error) {
    fr_read_options silent = *r->options;
    fr_missing missing = {.apart = true};
    if (!(silent.holdout > 0)) return FR_OK;
    silent.remark = NULL;
    fr_status status = read_rows(r, &silent, &missing, &set->held_out, error);
    fr_missing_free(&missing);
    return status;
}

static fr_status read_set(reading *r, const char *path, fr_missing *missing, fr_dataset **set, fr_error *error) {
    const fr_read_options *options = r->options;
    fr_stop stop = {options->stop, options->user, options->watch};
    prints found = {0};
    bool compared = fr_wants_labels(options) && !fr_labels_optional(options); /* else it is for predictions */
    FR_TRY(fr_text_open(path, stop, &r->file, error));
    FR_TRY(find_parser(&r->file, &r->parser, error));
    FR_TRY(check_options(r->parser, path, options, error));
    r->apart = fr_wants_labels(options) && options->labels;
    if (r->apart) FR_TRY(fr_text_open(options->labels, stop, &r->labels, error));
    r->weighs = options->weights != NULL;
    if (r->weighs) FR_TRY(fr_text_open(options->weights, stop, &r->weights, error));
    if (compared) FR_TRY(look_ahead(r, &found, error));
    FR_TRY(read_rows(r, options, missing, set, error));
    if (compared) FR_TRY(keep_prints(r, &found, *set, error));
    fr_missing_remark(missing, path, options);
    return read_held_out(r, *set, error);
}

fr_status fr_dataset_read(const char *path, const fr_read_options *options, fr_dataset **dataset, fr_error *error) {
    const fr_read_options defaults = {0};
    reading r = {.options = options ? options : &defaults, .file.descriptor = -1, .labels.descriptor = -1,
                 .weights.descriptor = -1};
    fr_missing missing = {0};
    *dataset = NULL;
    fr_status status = read_set(&r, path, &missing, dataset, error);
    fr_text_close(&r.file);
    fr_text_close(&r.labels);
    fr_text_close(&r.weights);
    fr_missing_free(&missing);
    if (status == FR_OK) return FR_OK;
    fr_dataset_free(*dataset);
    *dataset = NULL;
    return status;
}
