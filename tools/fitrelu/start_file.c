/*
 * start_file.c - tells a start file by its content: NPY has its magic, text starts with a number, and whatever else
 * is asked for as a model, whose reader knows how to refuse it.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/npy.h"
#include "base/parse_number.h"
#include "fitrelu/start_file.h"
#include "base/text_file.h"

static fr_status wrong_count(const char *path, int64_t found, int64_t features, fr_error *error) {
    return fr_fail(error, FR_ERROR_DATA,
                   "%s: found %" PRId64 " weights, expected %" PRId64 ", one for each feature of the data", path,
                   found, features);
}

static fr_status from_npy(const fr_text *file, int64_t features, double *weights, fr_error *error) {
    fr_npy array;
    fr_status status = fr_npy_parse_header(file->path, "w", file->data, file->size, &array, error);
    if (status == FR_OK) status = fr_npy_check_vector(&array, features, "features of the data", error);
    if (status == FR_OK) status = fr_npy_check_size(&array, (int64_t)file->size - array.header_bytes, error);
    if (status != FR_OK) return status;
    fr_range all = {0, array.shape[0]};
    return fr_npy_convert(&array, file->data + array.header_bytes, 0, array.count, all, FR_F64, weights, error);
}

static fr_status from_text(const fr_text *file, int64_t features, double *weights, fr_error *error) {
    char shown[FR_SHOWN_SIZE];
    int64_t found = 0;
    for (fr_lines lines = fr_lines_start(file); fr_lines_next_content(&lines); found++) {
        double value;
        if (!fr_parse_double(lines.begin, lines.end, &value) || !isfinite(value))
            return fr_fail(error, FR_ERROR_DATA, "%s:%" PRId64 ": found %s, expected one weight, a finite number",
                           file->path, lines.number, fr_text_show(shown, lines.begin, lines.end));
        if (found < features) weights[found] = value;
    }
    return found == features ? FR_OK : wrong_count(file->path, found, features, error);
}

static fr_status from_model(const char *path, int64_t features, double *weights, double *intercept, fr_error *error) {
    fr_model *model = NULL;
    fr_status status = fr_model_read(path, &model, error);
    if (status == FR_OK && fr_model_features(model) != features)
        status = wrong_count(path, fr_model_features(model), features, error);
    if (status == FR_OK) {
        memcpy(weights, fr_model_weights(model), (size_t)features * sizeof *weights);
        *intercept = fr_model_intercept(model);
    }
    fr_model_free(model);
    return status;
}

static bool starts_with_number(const fr_text *file) {
    double value;
    fr_lines lines = fr_lines_start(file);
    return fr_lines_next_content(&lines) && fr_parse_double_prefix(lines.begin, lines.end, &value);
}

fr_status start_file_read(const char *path, int64_t features, double **weights, double *intercept, fr_error *error) {
    fr_text file;
    double *values = NULL;
    *intercept = 0;
    fr_status status = fr_text_open(path, &file, error);
    if (status != FR_OK) return status;
    status = fr_allocate((void **)&values, features, sizeof *values, "the weights to start from", error);
    if (status == FR_OK) {
        if (file.size >= 6 && memcmp(file.data, FR_NPY_MAGIC, 6) == 0)
            status = from_npy(&file, features, values, error);
        else if (starts_with_number(&file)) status = from_text(&file, features, values, error);
        else status = from_model(path, features, values, intercept, error);
    }
    fr_text_close(&file);
    if (status == FR_OK) *weights = values;
    else free(values);
    return status;
}
