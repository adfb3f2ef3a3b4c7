/*
 * start_file.c - tells a start file by its content: NPY has its magic, text starts with a number, and whatever else
 * is asked for as a model, whose reader knows how to refuse it.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/names.h"
#include "data/npy.h"
#include "base/parse_number.h"
#include "fitting/start_file.h"
#include "base/lines.h"

static fr_status wrong_count(const char *path, int64_t found, int64_t features, fr_error *error) {
    return fr_fail(error, FR_ERROR_DATA,
                   "%s: found %" PRId64 " weights, expected %" PRId64 ", one for each feature of the data", path,
                   found, features);
}

static fr_status from_npy(const fr_text *file, int64_t features, double *weights, fr_error *error) {
    FR_OWNED_STREAM fr_stream *stream = NULL;
    fr_npy array;
    FR_TRY(fr_npy_open(file, "w", &array, &stream, error));
    FR_TRY(fr_npy_check_vector(&array, features, "features of the data", error));
    FR_TRY(fr_npy_check_file(file, &array, error));
    return fr_npy_read(&array, fr_npy_file_source(stream), NULL, (fr_range){0, array.shape[0]}, FR_F64, weights, error);
}

static fr_status from_text(const fr_text *file, int64_t features, double *weights, fr_error *error) {
    char shown[FR_SHOWN_SIZE];
    FR_OWNED_LINES fr_lines lines = {0};
    int64_t found = 0;
    FR_TRY(fr_lines_open(file, &lines, error));
    for (; fr_lines_next_content(&lines); found++) {
        double value;
        if (!fr_parse_double(lines.begin, lines.end, &value) || !isfinite(value))
            return fr_fail(error, FR_ERROR_DATA, "%s:%" PRId64 ": found %s, expected one weight, a finite number",
                           file->path, lines.number, fr_text_show(shown, lines.begin, lines.end));
        if (found < features) weights[found] = value;
    }
    FR_TRY(lines.status);
    return found == features ? FR_OK : wrong_count(file->path, found, features, error);
}

/* The model's feature that each of the data's is: the one of its name, or where either has none, the one at its place. */
static fr_status match(const char *path, const fr_model *model, const fr_dataset *data, int64_t *from, fr_error *error) {
    const char *const *names = fr_dataset_names(data), *const *known = fr_model_names(model);
    const int64_t features = fr_model_features(model);
    FR_OWNED int64_t *sorted = NULL;
    if (features != fr_dataset_features(data)) return wrong_count(path, features, fr_dataset_features(data), error);
    for (int64_t j = 0; j < features; j++) from[j] = j;
    if (!names || !known) return FR_OK;
    FR_TRY(fr_allocate((void **)&sorted, features, sizeof *sorted, "the weights to start from", error));
    fr_names_sort(known, features, sorted);
    for (int64_t j = 0; j < features; j++) {
        int64_t place = fr_names_find(known, features, sorted, names[j]);
        if (place == features)
            return fr_fail(error, FR_ERROR_DATA, "%s: the model has no feature \"%s\", which the data have", path,
                           names[j]);
        from[j] = sorted[place];
    }
    return FR_OK;
}

static fr_status take_weights(const char *path, const fr_model *model, const fr_dataset *data, double *weights,
                              fr_error *error) {
    FR_OWNED int64_t *from = NULL;
    FR_TRY(fr_allocate((void **)&from, fr_model_features(model), sizeof *from, "the weights to start from", error));
    FR_TRY(match(path, model, data, from, error));
    for (int64_t j = 0; j < fr_model_features(model); j++) weights[j] = fr_model_weights(model)[from[j]];
    return FR_OK;
}

static fr_status from_model(const char *path, const fr_dataset *data, double *weights, double *intercept,
                            fr_error *error) {
    fr_model *model = NULL;
    FR_TRY(fr_model_read(path, &model, error));
    *intercept = fr_model_intercept(model);
    fr_status status = take_weights(path, model, data, weights, error);
    fr_model_free(model);
    return status;
}

typedef enum kind { NPY, TEXT, MODEL } kind;

static fr_status find_kind(const fr_text *file, kind *found, fr_error *error) {
    FR_OWNED_LINES fr_lines lines = {0};
    char magic[6];
    size_t got;
    double value;
    FR_TRY(fr_text_read(file, 0, magic, sizeof magic, &got, error));
    *found = NPY;
    if (got == sizeof magic && memcmp(magic, FR_NPY_MAGIC, sizeof magic) == 0) return FR_OK;
    FR_TRY(fr_lines_open(file, &lines, error));
    bool number = fr_lines_next_content(&lines) && fr_parse_double_prefix(lines.begin, lines.end, &value);
    *found = number ? TEXT : MODEL;
    return lines.status;
}

static fr_status read_weights(const fr_text *file, const fr_dataset *data, double *weights, double *intercept,
                              fr_error *error) {
    kind found;
    FR_TRY(find_kind(file, &found, error));
    if (found == NPY) return from_npy(file, fr_dataset_features(data), weights, error);
    if (found == TEXT) return from_text(file, fr_dataset_features(data), weights, error);
    return from_model(file->path, data, weights, intercept, error);
}

fr_status start_file_read(const char *path, const fr_dataset *data, double **weights, double *intercept,
                          fr_error *error) {
    FR_OWNED_TEXT fr_text file = {0};
    FR_OWNED double *values = NULL;
    *intercept = 0;
    FR_TRY(fr_text_open(path, (fr_stop){0}, &file, error));
    FR_TRY(fr_allocate((void **)&values, fr_dataset_features(data), sizeof *values, "the weights to start from", error));
    FR_TRY(read_weights(&file, data, values, intercept, error));
    *weights = values;
    values = NULL;
    return FR_OK;
}
