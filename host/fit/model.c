/*
 * model.c - the fitted unit: weights and intercept in the user's coordinates, with the conditioning they were found
 * under (means and scales of the columns) kept beside them in the file, and the names of the columns where there are any.
 *
 * A model without names is written as format 1: head, weights, shift, scale. Format 2 adds strings, each with its zero
 * byte: the names of the features, in their order, and that of the label where the head says so.
 */
#include "fit/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "simd/kernels.h"
#include "columns/condition.h"
#include "base/sealed_file.h"
#include "data/names.h"

static const fr_seal nameless = {.magic = "FRELUMOD", .version = 1, .what = "model", .damaged = FR_ERROR_DATA};
static const fr_seal named = {.magic = "FRELUMOD", .version = 2, .what = "model", .damaged = FR_ERROR_DATA, .oldest = 1};

struct fr_model {
    int64_t features;
    bool centered, scaled, has_intercept;
    double intercept;
    double *weights; /* of the user's features */
    double *shift;   /* column means, 0 where not centered */
    double *scale;   /* column scales, 1 where not scaled */
    char **names;    /* of the features, or NULL */
    char *label_name; /* or NULL */
};

typedef struct payload_head {
    int64_t features;
    uint32_t centered, scaled, has_intercept, has_label_name;
    double intercept;
} payload_head;

int64_t fr_model_features(const fr_model *model) { return model->features; }
const double *fr_model_weights(const fr_model *model) { return model->weights; }
double fr_model_intercept(const fr_model *model) { return model->intercept; }
const char *const *fr_model_names(const fr_model *model) { return (const char *const *)model->names; }
const char *fr_model_label_name(const fr_model *model) { return model->label_name; }

void fr_model_free(fr_model *model) {
    if (!model) return;
    free(model->weights);
    free(model->shift);
    free(model->scale);
    free(model->names);
    free(model->label_name);
    free(model);
}

static fr_status allocate_vectors(fr_model *model, fr_error *error) {
    double **vectors[] = {&model->weights, &model->shift, &model->scale};
    for (int i = 0; i < 3; i++)
        FR_TRY(fr_allocate((void **)vectors[i], model->features, sizeof(double), "a model", error));
    return FR_OK;
}

static fr_status allocate(int64_t features, fr_model **model, fr_error *error) {
    fr_model *m = NULL;
    FR_TRY(fr_allocate((void **)&m, 1, sizeof *m, "a model", error));
    m->features = features;
    fr_status status = allocate_vectors(m, error);
    if (status == FR_OK) *model = m;
    else fr_model_free(m);
    return status;
}

/* No model has a weight that is no finite number: frees the model and refuses it. */
static fr_status check_weights(fr_model **model, const char *source, fr_status status, fr_error *error) {
    const fr_model *m = *model;
    int64_t j = 0;
    while (j < m->features && isfinite(m->weights[j])) j++;
    if (isfinite(m->intercept) && j == m->features) return FR_OK;
    if (!isfinite(m->intercept)) fr_fail(error, status, "%s: the intercept of the model is not finite", source);
    else fr_fail(error, status, "%s: weight %lld of the model is not finite", source, (long long)j + 1);
    fr_model_free(*model);
    *model = NULL;
    return status;
}

static fr_status copy_names(fr_model *m, const char *const *names, const char *label_name, fr_error *error) {
    FR_TRY(fr_names_copy(names, m->features, &m->names, error));
    if (!names || !label_name) return FR_OK;
    m->label_name = strdup(label_name);
    return m->label_name ? FR_OK : fr_fail(error, FR_ERROR, "out of memory for the names of a model");
}

fr_status fr_model_create(const fr_dataset *set, const double *fitted, fr_model **model, fr_error *error) {
    FR_TRY(allocate(fr_raw_features(set), model, error));
    fr_model *m = *model;
    m->centered = set->centered;
    m->scaled = set->scaled;
    m->has_intercept = set->intercept;
    fr_unfold_weights(set, fitted, m->weights, &m->intercept);
    for (int64_t j = 0; j < m->features; j++) {
        m->shift[j] = set->shift ? set->shift[j] : 0;
        m->scale[j] = set->scale ? set->scale[j] : 1;
    }
    fr_status status = copy_names(m, fr_dataset_names(set), fr_dataset_label_name(set), error);
    if (status == FR_OK) return check_weights(model, set->source, FR_ERROR, error);
    fr_model_free(m);
    *model = NULL;
    return status;
}

fr_status fr_model_predict_held(const fr_model *model, const fr_dataset *set, double *out, fr_error *error) {
    if (set->features != model->features)
        return fr_fail(error, FR_ERROR_DATA, "%s has %lld features, the model %lld", set->source,
                       (long long)set->features, (long long)model->features);
    if (!set->rows) return fr_fail(error, FR_ERROR_DATA, "%s holds no rows to predict", set->source);
    const fr_cpu_kernels *kernels = fr_cpu_kernels_for(set->precision);
    size_t row_bytes = (size_t)set->features * fr_precision_bytes(set->precision);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < set->local_rows; i++) {
        double p = kernels->dot((const char *)set->rows + (size_t)i * row_bytes, model->weights, model->features);
        p += model->intercept;
        out[i] = p > 0 ? p : 0;
    }
    return FR_OK;
}

fr_status fr_model_predict(const fr_model *model, const fr_dataset *set, double *out, fr_error *error) {
    if (set->rows && set->features == model->features)
        FR_TRY(fr_dataset_holds(set, (fr_range){0, set->samples}, error));
    return fr_model_predict_held(model, set, out, error);
}

/* ---------------------------------------------------------------------------------------------- file */

/* Bytes of the strings of format 2. */
static size_t text_bytes(const fr_model *m) {
    return fr_names_bytes(fr_model_names(m), m->features) + (m->label_name ? strlen(m->label_name) + 1 : 0);
}

static void write_text(const fr_model *m, char *to) {
    for (int64_t j = 0; m->names && j < m->features; j++) to = stpcpy(to, m->names[j]) + 1;
    if (m->label_name) strcpy(to, m->label_name);
}

fr_status fr_model_write(const fr_model *model, const char *path, fr_error *error) {
    size_t bytes = (size_t)model->features * sizeof(double), numbers = sizeof(payload_head) + 3 * bytes;
    size_t size = numbers + text_bytes(model);
    FR_OWNED char *payload = NULL;
    payload_head head = {model->features,           model->centered, model->scaled, model->has_intercept,
                         model->label_name != NULL, model->intercept};
    FR_TRY(fr_allocate((void **)&payload, (int64_t)size, 1, "a model", error));
    memcpy(payload, &head, sizeof head);
    memcpy(payload + sizeof head, model->weights, bytes);
    memcpy(payload + sizeof head + bytes, model->shift, bytes);
    memcpy(payload + sizeof head + 2 * bytes, model->scale, bytes);
    write_text(model, payload + numbers);
    return fr_sealed_write(path, model->names ? &named : &nameless, payload, size, error);
}

static fr_status damaged(const char *path, size_t size, fr_error *error) {
    return fr_fail(error, named.damaged, "%s: damaged model: %zu bytes of content", path, size);
}

/* The strings of format 2, which are as many as there should be; none in format 1. */
static fr_status read_text(fr_model *m, const char *path, const char *text, size_t size, bool label, fr_error *error) {
    FR_OWNED const char **strings = NULL;
    int64_t expected = m->features + label, found = 0;
    if (size == 0) return FR_OK;
    FR_TRY(fr_allocate((void **)&strings, expected, sizeof *strings, "the names of a model", error));
    const char *end = text + size;
    for (const char *at = text; at < end; found++) {
        const char *zero = memchr(at, '\0', (size_t)(end - at));
        if (!zero || found == expected) return damaged(path, size, error);
        strings[found] = at;
        at = zero + 1;
    }
    if (found < expected) return damaged(path, size, error);
    return copy_names(m, strings, label ? strings[m->features] : NULL, error);
}

fr_status fr_model_read(const char *path, fr_model **model, fr_error *error) {
    FR_OWNED char *payload = NULL;
    size_t size;
    payload_head head;
    FR_TRY(fr_sealed_read(path, &named, (void **)&payload, &size, error));
    if (size >= sizeof head) memcpy(&head, payload, sizeof head);
    if (size < sizeof head || head.features < 1 || (size - sizeof head) / (3 * sizeof(double)) < (size_t)head.features)
        return damaged(path, size, error);
    FR_TRY(allocate(head.features, model, error));
    fr_model *m = *model;
    size_t bytes = (size_t)head.features * sizeof(double), numbers = sizeof head + 3 * bytes;
    m->centered = head.centered != 0;
    m->scaled = head.scaled != 0;
    m->has_intercept = head.has_intercept != 0;
    m->intercept = head.intercept;
    memcpy(m->weights, payload + sizeof head, bytes);
    memcpy(m->shift, payload + sizeof head + bytes, bytes);
    memcpy(m->scale, payload + sizeof head + 2 * bytes, bytes);
    fr_status status = read_text(m, path, payload + numbers, size - numbers, head.has_label_name != 0, error);
    if (status == FR_OK) return check_weights(model, path, named.damaged, error);
    fr_model_free(m);
    *model = NULL;
    return status;
}
