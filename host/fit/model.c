/*
 * model.c - the fitted unit: weights and intercept in the user's coordinates, with the conditioning they were found
 * under (means and scales of the columns) kept beside them in the file.
 */
#include "fit/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "simd/kernels.h"
#include "fit/condition.h"
#include "base/sealed_file.h"

static const fr_seal seal = {"FRELUMOD", 1, "model", FR_ERROR_DATA};

struct fr_model {
    int64_t features;
    bool centered, scaled, has_intercept;
    double intercept;
    double *weights; /* of the user's features */
    double *shift;   /* column means, 0 where not centered */
    double *scale;   /* column scales, 1 where not scaled */
};

typedef struct payload_head {
    int64_t features;
    uint32_t centered, scaled, has_intercept, reserved;
    double intercept;
} payload_head;

int64_t fr_model_features(const fr_model *model) { return model->features; }
const double *fr_model_weights(const fr_model *model) { return model->weights; }
double fr_model_intercept(const fr_model *model) { return model->intercept; }

void fr_model_free(fr_model *model) {
    if (!model) return;
    free(model->weights);
    free(model->shift);
    free(model->scale);
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
    return check_weights(model, set->source, FR_ERROR, error);
}

fr_status fr_model_predict(const fr_model *model, const fr_dataset *set, double *out, fr_error *error) {
    if (set->features != model->features)
        return fr_fail(error, FR_ERROR_DATA, "%s has %lld features, the model %lld", set->source,
                       (long long)set->features, (long long)model->features);
    if (!set->rows) return fr_fail(error, FR_ERROR_DATA, "%s holds no rows to predict", set->source);
    FR_TRY(fr_dataset_holds(set, (fr_range){0, set->samples}, error));
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

fr_status fr_model_write(const fr_model *model, const char *path, fr_error *error) {
    size_t bytes = (size_t)model->features * sizeof(double), size = sizeof(payload_head) + 3 * bytes;
    FR_OWNED char *payload = NULL;
    payload_head head = {model->features, model->centered, model->scaled, model->has_intercept, 0, model->intercept};
    FR_TRY(fr_allocate((void **)&payload, (int64_t)size, 1, "a model", error));
    memcpy(payload, &head, sizeof head);
    memcpy(payload + sizeof head, model->weights, bytes);
    memcpy(payload + sizeof head + bytes, model->shift, bytes);
    memcpy(payload + sizeof head + 2 * bytes, model->scale, bytes);
    return fr_sealed_write(path, &seal, payload, size, error);
}

fr_status fr_model_read(const char *path, fr_model **model, fr_error *error) {
    FR_OWNED char *payload = NULL;
    size_t size;
    payload_head head;
    FR_TRY(fr_sealed_read(path, &seal, (void **)&payload, &size, error));
    if (size >= sizeof head) memcpy(&head, payload, sizeof head);
    if (size < sizeof head || head.features < 1 || (size - sizeof head) / (3 * sizeof(double)) != (size_t)head.features)
        return fr_fail(error, seal.damaged, "%s: damaged model: %zu bytes of content", path, size);
    FR_TRY(allocate(head.features, model, error));
    fr_model *m = *model;
    size_t bytes = (size_t)head.features * sizeof(double);
    m->centered = head.centered != 0;
    m->scaled = head.scaled != 0;
    m->has_intercept = head.has_intercept != 0;
    m->intercept = head.intercept;
    memcpy(m->weights, payload + sizeof head, bytes);
    memcpy(m->shift, payload + sizeof head + bytes, bytes);
    memcpy(m->scale, payload + sizeof head + 2 * bytes, bytes);
    return check_weights(model, path, seal.damaged, error);
}
