/*
 * predict.c - max(0, <w, x> + b) for the rows of a data set, on the CPU or, by cuBLAS, on a GPU.
 */
#include "base/threads.h"
#include "columns/condition.h"
#include "fit/model.h"
#include "simd/kernels.h"
#ifdef FR_HAVE_CUDA
#include "engine/cuda/cuda.h"
#include "engine/cuda/dense.h"
#endif

static fr_status check_rows(const fr_model *model, const fr_dataset *set, fr_error *error) {
    if (set->features != fr_model_features(model))
        return fr_fail(error, FR_ERROR_DATA, "%s has %lld features, the model %lld", set->source,
                       (long long)set->features, (long long)fr_model_features(model));
    return set->rows ? FR_OK : fr_fail(error, FR_ERROR_DATA, "%s holds no rows to predict", set->source);
}

static double relu(double p) { return p > 0 ? p : 0; }

fr_status fr_model_predict_held(const fr_model *model, const fr_dataset *set, double *out, fr_error *error) {
    FR_TRY(check_rows(model, set, error));
    const fr_cpu_kernels *kernels = fr_cpu_kernels_for(set->precision);
    const double *weights = fr_model_weights(model), intercept = fr_model_intercept(model);
#pragma omp parallel for schedule(static) num_threads(fr_loop_threads())
    for (int64_t i = 0; i < set->local_rows; i++)
        out[i] = relu(kernels->dot(fr_dataset_at(set, i), weights, set->features) + intercept);
    return FR_OK;
}

fr_status fr_model_predict(const fr_model *model, const fr_dataset *set, double *out, fr_error *error) {
    FR_TRY(check_rows(model, set, error));
    FR_TRY(fr_dataset_holds(set, (fr_range){0, set->samples}, error));
    return fr_model_predict_held(model, set, out, error);
}

/* ----------------------------------------------------------------------------------------------- on a GPU */

#ifdef FR_HAVE_CUDA

/* 32 MB of rows at once. */
static fr_status predict_by(fr_dense *gpu, const fr_model *model, const fr_dataset *set, double *out, fr_error *error) {
    const double *w = fr_model_weights(model), intercept = fr_model_intercept(model);
    int64_t n = set->samples, d = set->features, most = (INT64_C(1) << 22) / d;
    FR_OWNED double *block = NULL;
    if (most < 1) most = 1;
    if (most > n) most = n;
    FR_TRY(fr_allocate((void **)&block, most * d, sizeof *block, "blocks of rows", error));
    for (int64_t first = 0; first < n; first += most) {
        int64_t count = n - first < most ? n - first : most;
#pragma omp parallel for schedule(static) num_threads(fr_loop_threads())
        for (int64_t i = 0; i < count; i++) fr_dataset_row(set, first + i, block + i * d);
        FR_TRY(fr_dense_predict(gpu, count, d, block, first == 0 ? w : NULL, out + first, error));
    }
    for (int64_t i = 0; i < n; i++) out[i] = relu(out[i] + intercept);
    return FR_OK;
}

static fr_status predict_on_gpu(const fr_model *model, const fr_dataset *set, double *out, fr_error *error) {
    int devices;
    fr_dense *gpu = NULL;
    FR_TRY(fr_cuda_count(&devices, error));
    FR_TRY(fr_dense_create(0, FR_DEFAULT_TIMEOUT, &gpu, error));
    fr_status status = predict_by(gpu, model, set, out, error);
    fr_dense_free(gpu);
    return status;
}

#else

static fr_status predict_on_gpu(const fr_model *model, const fr_dataset *set, double *out, fr_error *error) {
    (void)model, (void)set, (void)out;
    return fr_fail(error, FR_ERROR_DEVICE,
                   "--device cuda needs CUDA, and this fitrelu was built without it; use --device cpu");
}

#endif

fr_status fr_model_predict_on(const fr_model *model, fr_device device, const fr_dataset *set, double *out,
                              fr_error *error) {
    if (device != FR_DEVICE_CUDA) return fr_model_predict(model, set, out, error);
    FR_TRY(check_rows(model, set, error));
    FR_TRY(fr_dataset_holds(set, (fr_range){0, set->samples}, error));
    return predict_on_gpu(model, set, out, error);
}
