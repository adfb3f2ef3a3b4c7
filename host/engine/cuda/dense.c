/*
 * dense.c - cuBLAS over blocks of rows.
 *
 * A matrix of the host is row-major, which to cuBLAS is its transpose: rows x d with d numbers a row is d x rows, and
 * the upper triangle of a d x d is the lower one.
 */
#include "engine/cuda/dense.h"

#include <stdlib.h>

#include "engine/cuda/cublas.h"
#include "engine/cuda/cuda.h"
#include "engine/cuda/status.h"

/* Device memory that grows. */
typedef struct dense_memory {
    double *at;
    int64_t count;
} dense_memory;

struct fr_dense {
    fr_device_products products;
    int device;
    cudaStream_t stream;
    cublasHandle_t blas;
    dense_memory block, factor, sums, vector, results;
    bool has_factor, lost; /* lost: the device does not answer, and nothing of it is touched any more */
    double timeout;
};

#define DENSE_CUDA(call, what)                                                                   \
    do {                                                                                         \
        cudaError_t cuda_code = (call);                                                          \
        if (cuda_code != cudaSuccess) return fr_cuda_fail(error, cuda_code, g->device, -1, what); \
    } while (0)

#define DENSE_BLAS(call, what)                                                             \
    do {                                                                                   \
        cublasStatus_t blas_code = (call);                                                 \
        if (blas_code != CUBLAS_STATUS_SUCCESS) return fail_blas(g, blas_code, what, error); \
    } while (0)

static fr_status fail_blas(const fr_dense *g, cublasStatus_t code, const char *what, fr_error *error) {
    fr_fail(error, FR_ERROR_DEVICE, "GPU %d: %s failed: cuBLAS: %s", g->device, what, fr_cublas.GetStatusString(code));
    if (error) error->device = g->device;
    return FR_ERROR_DEVICE;
}

/* ------------------------------------------------------------------------------------------- memory, copies */

/* Chooses the device; opens cuBLAS at the first call. */
static fr_status ready(fr_dense *g, fr_error *error) {
    FR_TRY(fr_cublas_open(error));
    DENSE_CUDA(cudaSetDevice(g->device), "choosing the device");
    if (g->blas) return FR_OK;
    if (!g->stream) DENSE_CUDA(cudaStreamCreateWithFlags(&g->stream, cudaStreamNonBlocking), "making a stream");
    DENSE_BLAS(fr_cublas.Create_v2(&g->blas), "starting cuBLAS");
    DENSE_BLAS(fr_cublas.SetStream_v2(g->blas, g->stream), "starting cuBLAS");
    return FR_OK;
}

static fr_status reserve(fr_dense *g, dense_memory *memory, int64_t count, const char *what, fr_error *error) {
    if (memory->count >= count) return FR_OK;
    void *at = NULL;
    cudaFree(memory->at);
    *memory = (dense_memory){NULL, 0};
    FR_TRY(fr_cuda_allocate(&at, count, sizeof(double), g->device, what, error));
    *memory = (dense_memory){at, count};
    return FR_OK;
}

static fr_status send(fr_dense *g, dense_memory *to, const double *from, int64_t count, const char *what,
                      fr_error *error) {
    FR_TRY(reserve(g, to, count, what, error));
    DENSE_CUDA(cudaMemcpyAsync(to->at, from, (size_t)count * sizeof *from, cudaMemcpyHostToDevice, g->stream), what);
    return FR_OK;
}

static fr_status wait_for(fr_dense *g, const char *what, fr_error *error) {
    cudaError_t code = fr_cuda_wait(g->stream, g->timeout);
    g->lost = code == cudaErrorNotReady;
    if (g->lost) return fr_cuda_fail_silent(error, g->device, -1, what, g->timeout);
    DENSE_CUDA(code, what);
    return FR_OK;
}

/* Waits first: a copy to ordinary host memory could not notice that the stream is stuck. */
static fr_status fetch(fr_dense *g, double *to, const dense_memory *from, int64_t count, const char *what,
                       fr_error *error) {
    FR_TRY(wait_for(g, what, error));
    DENSE_CUDA(cudaMemcpyAsync(to, from->at, (size_t)count * sizeof *to, cudaMemcpyDeviceToHost, g->stream), what);
    DENSE_CUDA(cudaStreamSynchronize(g->stream), what);
    return FR_OK;
}

/* ------------------------------------------------------------------------------------------------- columns */

static fr_status set_factor(void *user, int64_t d, const double *r, fr_error *error) {
    fr_dense *g = user;
    FR_TRY(ready(g, error));
    g->has_factor = r != NULL;
    return r ? send(g, &g->factor, r, d * d, "the factor of the columns", error) : FR_OK;
}

/* The rows into the block on the device, and that <- block R^-1 where there is a factor. */
static fr_status send_block(fr_dense *g, int64_t rows, int64_t d, const double *x, fr_error *error) {
    const double one = 1;
    FR_TRY(send(g, &g->block, x, rows * d, "rows", error));
    if (!g->has_factor) return FR_OK;
    DENSE_BLAS(fr_cublas.Dtrsm_v2(g->blas, CUBLAS_SIDE_LEFT, CUBLAS_FILL_MODE_LOWER, CUBLAS_OP_N, CUBLAS_DIAG_NON_UNIT,
                                  (int)d, (int)rows, &one, g->factor.at, (int)d, g->block.at, (int)d),
               "changing columns (cublasDtrsm)");
    return FR_OK;
}

static fr_status begin_sums(void *user, int64_t count, fr_error *error) {
    fr_dense *g = user;
    FR_TRY(ready(g, error));
    FR_TRY(reserve(g, &g->sums, count, "products of columns", error));
    DENSE_CUDA(cudaMemsetAsync(g->sums.at, 0, (size_t)count * sizeof(double), g->stream), "products of columns");
    return FR_OK;
}

/* The square on the diagonal by syrk, what lies to its right by gemm. */
static fr_status add_tile(fr_dense *g, int64_t rows, int64_t d, int64_t first, int64_t height, double *sums,
                          fr_error *error) {
    const double one = 1, *tile = g->block.at + first, *right = tile + height;
    const int64_t width = d - first - height;
    DENSE_BLAS(fr_cublas.Dsyrk_v2(g->blas, CUBLAS_FILL_MODE_LOWER, CUBLAS_OP_N, (int)height, (int)rows, &one, tile,
                                  (int)d, &one, sums + first, (int)d),
               "products of columns (cublasDsyrk)");
    if (width == 0) return FR_OK;
    DENSE_BLAS(fr_cublas.Dgemm_v2(g->blas, CUBLAS_OP_N, CUBLAS_OP_T, (int)width, (int)height, (int)rows, &one, right,
                                  (int)d, tile, (int)d, &one, sums + first + height, (int)d),
               "products of columns (cublasDgemm)");
    return FR_OK;
}

static fr_status add_rows(void *user, int64_t rows, int64_t d, const double *x, int64_t first, int64_t last,
                          fr_error *error) {
    fr_dense *g = user;
    FR_TRY(ready(g, error));
    FR_TRY(send_block(g, rows, d, x, error));
    for (int64_t i = first; i < last; i += FR_DEVICE_TILE) {
        const int64_t height = last - i < FR_DEVICE_TILE ? last - i : FR_DEVICE_TILE;
        FR_TRY(add_tile(g, rows, d, i, height, g->sums.at + (i - first) * d, error));
    }
    return wait_for(g, "products of columns", error); /* the caller fills its block again */
}

static fr_status end_sums(void *user, int64_t count, double *sums, fr_error *error) {
    fr_dense *g = user;
    FR_TRY(ready(g, error));
    return fetch(g, sums, &g->sums, count, "products of columns", error);
}

static fr_status solve(void *user, int64_t rows, int64_t d, double *x, fr_error *error) {
    fr_dense *g = user;
    FR_TRY(ready(g, error));
    FR_TRY(send_block(g, rows, d, x, error));
    return fetch(g, x, &g->block, rows * d, "changing columns", error);
}

/* --------------------------------------------------------------------------------------------- predictions */

fr_status fr_dense_predict(fr_dense *g, int64_t rows, int64_t d, const double *x, const double *w, double *out,
                           fr_error *error) {
    const double one = 1, zero = 0;
    FR_TRY(ready(g, error));
    if (w) FR_TRY(send(g, &g->vector, w, d, "the weights", error));
    FR_TRY(send(g, &g->block, x, rows * d, "rows", error));
    FR_TRY(reserve(g, &g->results, rows, "predictions", error));
    DENSE_BLAS(fr_cublas.Dgemv_v2(g->blas, CUBLAS_OP_T, (int)d, (int)rows, &one, g->block.at, (int)d, g->vector.at, 1,
                                  &zero, g->results.at, 1),
               "predictions (cublasDgemv)");
    return fetch(g, out, &g->results, rows, "predictions", error);
}

/* ------------------------------------------------------------------------------------------ create, destroy */

fr_status fr_dense_create(int device, double timeout, fr_dense **dense, fr_error *error) {
    fr_dense *g = NULL;
    FR_TRY(fr_allocate((void **)&g, 1, sizeof *g, "products on a GPU", error));
    g->device = device;
    g->timeout = timeout;
    g->products = (fr_device_products){g, set_factor, begin_sums, add_rows, end_sums, solve};
    *dense = g;
    return FR_OK;
}

void fr_dense_free(fr_dense *g) {
    if (!g) return;
    if (g->stream && !g->lost) {
        cudaSetDevice(g->device);
        dense_memory *all[] = {&g->block, &g->factor, &g->sums, &g->vector, &g->results};
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) cudaFree(all[i]->at);
        if (g->blas) fr_cublas.Destroy_v2(g->blas);
        cudaStreamDestroy(g->stream);
        cudaGetLastError(); /* a device that has failed fails here too */
    }
    free(g);
}

const fr_device_products *fr_dense_products(const fr_dense *g) { return &g->products; }
