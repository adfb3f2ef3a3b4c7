/*
 * model.c - the fitted unit: weights and intercept in the user's coordinates, with the conditioning they were found
 * under (means and scales of the columns) kept beside them in the file, and the names of the columns where there are any.
 *
 * A model without names is written as format 1: head, weights, shift, scale. Format 2 adds strings, each with its zero
 * byte: the names of the features, in their order, and that of the label where the head says so. Format 3 has, before them,
 * the means that stood in for missing values, where the head says so, and after them the names of columns that the fit
 * left unread. The oldest format that holds all that there is is written.
 */
#include "fit/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "columns/condition.h"
#include "base/sealed_file.h"
#include "data/names.h"

enum { NAMELESS = 1, NAMED = 2, NEWEST = 3 };
static const fr_seal seal = {
    .magic = "FRELUMOD", .version = NEWEST, .what = "model", .damaged = FR_ERROR_DATA, .oldest = NAMELESS};

struct fr_model {
    int64_t features;
    bool centered, scaled, has_intercept;
    double intercept;
    double *weights; /* of the user's features */
    double *shift;   /* column means, 0 where not centered */
    double *scale;   /* column scales, 1 where not scaled */
    double *means;   /* for missing values of the features, or NULL */
    char **names;    /* of the features, or NULL */
    char *label_name; /* or NULL */
    char **passed;    /* names of columns left unread, or NULL */
    int64_t passed_count;
};

enum { HAS_LABEL_NAME = 1, HAS_MEANS = 2, HAS_PASSED = 4 }; /* parts */

typedef struct payload_head {
    int64_t features;
    uint32_t centered, scaled, has_intercept, parts;
    double intercept;
} payload_head;

int64_t fr_model_features(const fr_model *model) { return model->features; }
const double *fr_model_weights(const fr_model *model) { return model->weights; }
double fr_model_intercept(const fr_model *model) { return model->intercept; }
const char *const *fr_model_names(const fr_model *model) { return (const char *const *)model->names; }
const char *const *fr_model_passed(const fr_model *model, int64_t *count) {
    *count = model->passed_count;
    return (const char *const *)model->passed;
}
const double *fr_model_means(const fr_model *model) { return model->means; }
const char *fr_model_label_name(const fr_model *model) { return model->label_name; }

void fr_model_free(fr_model *model) {
    if (!model) return;
    free(model->weights);
    free(model->shift);
    free(model->scale);
    free(model->means);
    free(model->names);
    free(model->label_name);
    free(model->passed);
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

static fr_status copy_names(fr_model *m, const char *const *names, const char *label_name, const char *const *passed,
                            int64_t passed_count, fr_error *error) {
    FR_TRY(fr_names_copy(names, m->features, &m->names, error));
    if (names && passed_count > 0) {
        FR_TRY(fr_names_copy(passed, passed_count, &m->passed, error));
        m->passed_count = passed_count;
    }
    if (!names || !label_name) return FR_OK;
    m->label_name = strdup(label_name);
    return m->label_name ? FR_OK : fr_fail(error, FR_ERROR, "out of memory for the names of a model");
}

static fr_status copy_means(fr_model *m, const double *means, fr_error *error) {
    if (!means) return FR_OK;
    FR_TRY(fr_allocate((void **)&m->means, m->features, sizeof *means, "a model", error));
    memcpy(m->means, means, (size_t)m->features * sizeof *means);
    return FR_OK;
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
    fr_status status = copy_names(m, fr_dataset_names(set), fr_dataset_label_name(set),
                                  (const char *const *)set->passed, set->passed_count, error);
    if (status == FR_OK) status = copy_means(m, set->means, error);
    if (status == FR_OK) return check_weights(model, set->source, FR_ERROR, error);
    fr_model_free(m);
    *model = NULL;
    return status;
}

fr_status fr_model_from_weights(int64_t features, const double *weights, double intercept, const char *const *names,
                                const char *label_name, fr_model **model, fr_error *error) {
    *model = NULL;
    if (features < 1 || !weights)
        return fr_fail(error, FR_ERROR_USAGE, "a model of %lld weights, expected at least 1", (long long)features);
    FR_TRY(allocate(features, model, error));
    fr_model *m = *model;
    m->intercept = intercept;
    m->has_intercept = intercept != 0;
    memcpy(m->weights, weights, (size_t)features * sizeof *weights);
    for (int64_t j = 0; j < features; j++) m->scale[j] = 1;
    fr_status status = copy_names(m, names, label_name, NULL, 0, error);
    if (status == FR_OK) return check_weights(model, "weights", FR_ERROR_USAGE, error);
    fr_model_free(m);
    *model = NULL;
    return status;
}

/* ---------------------------------------------------------------------------------------------- file */

static uint32_t parts_of(const fr_model *m) {
    return (m->label_name ? HAS_LABEL_NAME : 0) | (m->means ? HAS_MEANS : 0) | (m->passed ? HAS_PASSED : 0);
}

/* The oldest that has room for all of it. */
static fr_seal seal_for(const fr_model *m) {
    fr_seal oldest = seal;
    oldest.version = m->means || m->passed ? NEWEST : m->names ? NAMED : NAMELESS;
    return oldest;
}

/* Bytes of the strings. */
static size_t text_bytes(const fr_model *m) {
    return fr_names_bytes(fr_model_names(m), m->features) + (m->label_name ? strlen(m->label_name) + 1 : 0) +
           fr_names_bytes((const char *const *)m->passed, m->passed_count);
}

static void write_text(const fr_model *m, char *to) {
    for (int64_t j = 0; m->names && j < m->features; j++) to = stpcpy(to, m->names[j]) + 1;
    if (m->label_name) to = stpcpy(to, m->label_name) + 1;
    for (int64_t i = 0; i < m->passed_count; i++) to = stpcpy(to, m->passed[i]) + 1;
}

fr_status fr_model_write(const fr_model *model, const char *path, fr_error *error) {
    const double *const vectors[] = {model->weights, model->shift, model->scale, model->means};
    const size_t bytes = (size_t)model->features * sizeof(double), count = model->means ? 4 : 3;
    const size_t numbers = sizeof(payload_head) + count * bytes, size = numbers + text_bytes(model);
    const fr_seal oldest = seal_for(model);
    FR_OWNED char *payload = NULL;
    payload_head head = {model->features,      model->centered,
                         model->scaled,        model->has_intercept,
                         parts_of(model),      model->intercept};
    FR_TRY(fr_allocate((void **)&payload, (int64_t)size, 1, "a model", error));
    memcpy(payload, &head, sizeof head);
    for (size_t i = 0; i < count; i++) memcpy(payload + sizeof head + i * bytes, vectors[i], bytes);
    write_text(model, payload + numbers);
    return fr_sealed_write(path, &oldest, payload, size, error);
}

static fr_status damaged(const char *path, size_t size, fr_error *error) {
    return fr_fail(error, seal.damaged, "%s: damaged model: %zu bytes of content", path, size);
}

/* How many strings there are; -1 where the last has no end. */
static int64_t count_strings(const char *text, size_t size) {
    int64_t count = 0;
    for (size_t i = 0; i < size; i++) count += text[i] == '\0';
    return size > 0 && text[size - 1] == '\0' ? count : -1;
}

/* The strings, where there are any. */
static fr_status read_text(fr_model *m, uint32_t parts, const char *path, const char *text, size_t size,
                           fr_error *error) {
    FR_OWNED const char **strings = NULL;
    const bool label = parts & HAS_LABEL_NAME, passed = parts & HAS_PASSED;
    const int64_t first = m->features + label, found = count_strings(text, size);
    if (size == 0) return FR_OK;
    if (found < first || (found > first) != passed) return damaged(path, size, error);
    FR_TRY(fr_allocate((void **)&strings, found, sizeof *strings, "the names of a model", error));
    for (int64_t i = 0; i < found; i++) {
        strings[i] = text;
        text += strlen(text) + 1;
    }
    return copy_names(m, strings, label ? strings[m->features] : NULL, strings + first, found - first, error);
}

static fr_status read_payload(fr_model *m, const payload_head *head, const char *path, const char *payload, size_t size,
                              fr_error *error) {
    const size_t bytes = (size_t)m->features * sizeof(double), count = head->parts & HAS_MEANS ? 4 : 3;
    const size_t numbers = sizeof *head + count * bytes;
    if (size < numbers) return damaged(path, size, error);
    m->centered = head->centered != 0;
    m->scaled = head->scaled != 0;
    m->has_intercept = head->has_intercept != 0;
    m->intercept = head->intercept;
    if (count == 4) FR_TRY(fr_allocate((void **)&m->means, m->features, sizeof(double), "a model", error));
    double *const vectors[] = {m->weights, m->shift, m->scale, m->means};
    for (size_t i = 0; i < count; i++) memcpy(vectors[i], payload + sizeof *head + i * bytes, bytes);
    return read_text(m, head->parts, path, payload + numbers, size - numbers, error);
}

fr_status fr_model_read(const char *path, fr_model **model, fr_error *error) {
    FR_OWNED char *payload = NULL;
    size_t size;
    payload_head head;
    FR_TRY(fr_sealed_read(path, &seal, (void **)&payload, &size, error));
    if (size >= sizeof head) memcpy(&head, payload, sizeof head);
    if (size < sizeof head || head.features < 1 || (size - sizeof head) / (3 * sizeof(double)) < (size_t)head.features)
        return damaged(path, size, error);
    FR_TRY(allocate(head.features, model, error));
    fr_status status = read_payload(*model, &head, path, payload, size, error);
    if (status == FR_OK) return check_weights(model, path, seal.damaged, error);
    fr_model_free(*model);
    *model = NULL;
    return status;
}
