/* cublas.cpp - the few cuBLAS functions this project may call: matrix products, syrk, trsm, dot, nrm2, axpy, scal.
 *
 * Column-major, as BLAS is. Sums run in index order in the type itself; a GPU sums in another order.
 */
#include <cublas_v2.h>

#include <cmath>
#include <cstdio>
#include <set>

#include "clique.h"
#include "device.h"
#include "faults.h"
#include "libraries.h"
#include "memory.h"
#include "settings.h"
#include "stream.h"

struct cublasContext {
    cudaStream_t stream = nullptr;
    int device = 0;
    cublasPointerMode_t pointer_mode = CUBLAS_POINTER_MODE_HOST;
    cublasMath_t math_mode = CUBLAS_DEFAULT_MATH;
};

namespace cuda_on_cpu {
namespace {

struct Registry {
    std::mutex mutex;
    std::set<cublasHandle_t> handles;
};

Registry &registry() {
    static Registry &only = *new Registry();
    return only;
}

/* A scalar argument: read when the call is made, or by the stream, as the pointer mode says. */
template <typename T> struct Scalar {
    const T *pointer;
    T value;
    Scalar(cublasHandle_t handle, const T *p)
        : pointer(handle->pointer_mode == CUBLAS_POINTER_MODE_DEVICE ? p : nullptr), value(pointer ? T(0) : *p) {}
    T get() const { return pointer ? *pointer : value; }
};

/* A matrix read as op(A): element (row, column). */
template <typename T> struct Operand {
    const T *data;
    int leading;
    bool transposed;
    T at(int row, int column) const {
        return data[transposed ? column + ptrdiff_t(row) * leading : row + ptrdiff_t(column) * leading];
    }
};

template <typename Body> cublasStatus_t call(const char *name, cublasHandle_t handle, Body body) {
    int chosen = CUBLAS_STATUS_EXECUTION_FAILED;
    if (call_fails(name, &chosen)) return cublasStatus_t(chosen);
    {
        std::lock_guard<std::mutex> lock(registry().mutex);
        if (!registry().handles.count(handle)) return CUBLAS_STATUS_NOT_INITIALIZED;
    }
    const std::shared_ptr<Stream> stream = find_stream(handle->stream);
    return stream ? body(*stream) : CUBLAS_STATUS_EXECUTION_FAILED;
}

/* Elements of a vector with a stride, or of a matrix with a leading dimension: are they all there? */
bool within(const char *name, const Stream &stream, const void *pointer, size_t elements, size_t size) {
    if (elements == 0) return true;
    const std::string trouble = device_range_trouble(pointer, elements * size, stream.device.id);
    if (!trouble.empty()) note(format("%s: %s", name, trouble.c_str()));
    return trouble.empty();
}

size_t extent(int count, int stride) { return count > 0 ? size_t(count - 1) * size_t(stride) + 1 : 0; }
size_t extent(int height, int width, int leading) {
    return height > 0 && width > 0 ? size_t(width - 1) * size_t(leading) + size_t(height) : 0;
}

/* C = scale left right + keep C, rows x columns, where kept(i, j) says so; inner the summed dimension. */
template <typename T, typename Kept>
void multiply(Stream &stream, Operand<T> left, Operand<T> right, int rows, int columns, int inner, Scalar<T> scale,
              Scalar<T> keep, T *c, int ldc, Kept kept) {
    stream.submit({"cublas", [=] {
                       const T factor = scale.get(), old = keep.get();
                       for (int j = 0; j < columns; ++j)
                           for (int i = 0; i < rows; ++i) {
                               if (!kept(i, j)) continue;
                               T sum = 0;
                               for (int k = 0; k < inner; ++k) sum += left.at(i, k) * right.at(k, j);
                               T &out = c[i + ptrdiff_t(j) * ldc];
                               out = factor * sum + (old == T(0) ? T(0) : old * out);
                           }
                   }});
}

/* C = alpha op(A) op(B) + beta C, rows x columns, inner the summed dimension. */
template <typename T>
cublasStatus_t product(const char *name, cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b,
                       int rows, int columns, int inner, const T *alpha, const T *a, int lda, const T *b, int ldb,
                       const T *beta, T *c, int ldc) {
    return call(name, handle, [&](Stream &stream) {
        const bool ta = op_a != CUBLAS_OP_N, tb = op_b != CUBLAS_OP_N;
        if (rows < 0 || columns < 0 || inner < 0 || lda < std::max(1, ta ? inner : rows) ||
            ldb < std::max(1, tb ? columns : inner) || ldc < std::max(1, rows))
            return CUBLAS_STATUS_INVALID_VALUE;
        if (!within(name, stream, a, ta ? extent(inner, rows, lda) : extent(rows, inner, lda), sizeof(T)) ||
            !within(name, stream, b, tb ? extent(columns, inner, ldb) : extent(inner, columns, ldb), sizeof(T)) ||
            !within(name, stream, c, extent(rows, columns, ldc), sizeof(T)))
            return CUBLAS_STATUS_INVALID_VALUE;
        const Operand<T> left{a, lda, ta}, right{b, ldb, tb};
        multiply(stream, left, right, rows, columns, inner, Scalar<T>(handle, alpha), Scalar<T>(handle, beta), c, ldc,
                 [](int, int) { return true; });
        return CUBLAS_STATUS_SUCCESS;
    });
}

/* The triangle `fill` of C = alpha op(A) op(A)^T + beta C, n x n, inner the summed dimension. The other one is kept. */
template <typename T>
cublasStatus_t square(const char *name, cublasHandle_t handle, cublasFillMode_t fill, cublasOperation_t op, int n,
                      int inner, const T *alpha, const T *a, int lda, const T *beta, T *c, int ldc) {
    return call(name, handle, [&](Stream &stream) {
        const bool transposed = op != CUBLAS_OP_N;
        const int height = transposed ? inner : n, width = transposed ? n : inner;
        if (n < 0 || inner < 0 || lda < std::max(1, height) || ldc < std::max(1, n) ||
            (fill != CUBLAS_FILL_MODE_LOWER && fill != CUBLAS_FILL_MODE_UPPER))
            return CUBLAS_STATUS_INVALID_VALUE;
        if (!within(name, stream, a, extent(height, width, lda), sizeof(T)) ||
            !within(name, stream, c, extent(n, n, ldc), sizeof(T)))
            return CUBLAS_STATUS_INVALID_VALUE;
        const Operand<T> left{a, lda, transposed}, right{a, lda, !transposed};
        const bool lower = fill == CUBLAS_FILL_MODE_LOWER;
        multiply(stream, left, right, n, n, inner, Scalar<T>(handle, alpha), Scalar<T>(handle, beta), c, ldc,
                 [lower](int i, int j) { return lower ? i >= j : i <= j; });
        return CUBLAS_STATUS_SUCCESS;
    });
}

/* X of op(A) X = alpha B in B's place, A m x m a triangle, B m x n. From the left alone, which is all that is asked for. */
template <typename T>
cublasStatus_t triangle(const char *name, cublasHandle_t handle, cublasSideMode_t side, cublasFillMode_t fill,
                        cublasOperation_t op, cublasDiagType_t diagonal, int m, int n, const T *alpha, const T *a,
                        int lda, T *b, int ldb) {
    return call(name, handle, [&](Stream &stream) {
        if (side != CUBLAS_SIDE_LEFT || diagonal != CUBLAS_DIAG_NON_UNIT) return CUBLAS_STATUS_NOT_SUPPORTED;
        if (m < 0 || n < 0 || lda < std::max(1, m) || ldb < std::max(1, m)) return CUBLAS_STATUS_INVALID_VALUE;
        if (!within(name, stream, a, extent(m, m, lda), sizeof(T)) ||
            !within(name, stream, b, extent(m, n, ldb), sizeof(T)))
            return CUBLAS_STATUS_INVALID_VALUE;
        const Operand<T> left{a, lda, op != CUBLAS_OP_N};
        const bool forward = (fill == CUBLAS_FILL_MODE_LOWER) == (op == CUBLAS_OP_N);
        const Scalar<T> scale(handle, alpha);
        stream.submit({"cublas", [=] {
                           for (int j = 0; j < n; ++j)
                               for (int step = 0; step < m; ++step) {
                                   const int i = forward ? step : m - 1 - step;
                                   T *x = b + ptrdiff_t(j) * ldb, sum = scale.get() * x[i];
                                   for (int k = forward ? 0 : i + 1; k < (forward ? i : m); ++k)
                                       sum -= left.at(i, k) * x[k];
                                   x[i] = sum / left.at(i, i);
                               }
                       }});
        return CUBLAS_STATUS_SUCCESS;
    });
}

/* y = alpha op(A) x + beta y, A rows x columns as stored. */
template <typename T>
cublasStatus_t matrix_vector(const char *name, cublasHandle_t handle, cublasOperation_t op, int rows, int columns,
                             const T *alpha, const T *a, int lda, const T *x, int incx, const T *beta, T *y,
                             int incy) {
    return call(name, handle, [&](Stream &stream) {
        const bool transposed = op != CUBLAS_OP_N;
        if (rows < 0 || columns < 0 || lda < std::max(1, rows) || incx < 1 || incy < 1)
            return CUBLAS_STATUS_INVALID_VALUE;
        const int outputs = transposed ? columns : rows, inner = transposed ? rows : columns;
        if (!within(name, stream, a, extent(rows, columns, lda), sizeof(T)) ||
            !within(name, stream, x, extent(inner, incx), sizeof(T)) ||
            !within(name, stream, y, extent(outputs, incy), sizeof(T)))
            return CUBLAS_STATUS_INVALID_VALUE;
        const Operand<T> left{a, lda, transposed};
        const Scalar<T> scale(handle, alpha), keep(handle, beta);
        stream.submit({"cublas", [=] {
                           const T factor = scale.get(), old = keep.get();
                           for (int i = 0; i < outputs; ++i) {
                               T sum = 0;
                               for (int k = 0; k < inner; ++k) sum += left.at(i, k) * x[ptrdiff_t(k) * incx];
                               T &out = y[ptrdiff_t(i) * incy];
                               out = factor * sum + (old == T(0) ? T(0) : old * out);
                           }
                       }});
        return CUBLAS_STATUS_SUCCESS;
    });
}

/* result = sum x_i y_i, or its square root. To the host it waits, to the device it does not. */
template <typename T>
cublasStatus_t inner_product(const char *name, cublasHandle_t handle, int n, const T *x, int incx, const T *y,
                             int incy, T *result, bool root) {
    return call(name, handle, [&](Stream &stream) {
        if (!within(name, stream, x, extent(n, incx), sizeof(T)) ||
            !within(name, stream, y, extent(n, incy), sizeof(T)))
            return CUBLAS_STATUS_INVALID_VALUE;
        stream.submit({"cublas", [=] {
                           double sum = 0;
                           for (int i = 0; i < n; ++i)
                               sum += double(x[ptrdiff_t(i) * incx]) * double(y[ptrdiff_t(i) * incy]);
                           *result = T(root ? std::sqrt(sum) : sum);
                       }});
        if (handle->pointer_mode == CUBLAS_POINTER_MODE_HOST) stream.wait(stream.submitted());
        return CUBLAS_STATUS_SUCCESS;
    });
}

/* y = alpha x + y, or with no x: y = alpha y. */
template <typename T>
cublasStatus_t scale_and_add(const char *name, cublasHandle_t handle, int n, const T *alpha, const T *x, int incx,
                             T *y, int incy) {
    return call(name, handle, [&](Stream &stream) {
        if ((x && !within(name, stream, x, extent(n, incx), sizeof(T))) ||
            !within(name, stream, y, extent(n, incy), sizeof(T)))
            return CUBLAS_STATUS_INVALID_VALUE;
        const Scalar<T> factor(handle, alpha);
        stream.submit({"cublas", [=] {
                           for (int i = 0; i < n; ++i) {
                               T &out = y[ptrdiff_t(i) * incy];
                               out = x ? factor.get() * x[ptrdiff_t(i) * incx] + out : factor.get() * out;
                           }
                       }});
        return CUBLAS_STATUS_SUCCESS;
    });
}

} // namespace

static void forget_cublas() {
    std::lock_guard<std::mutex> lock(registry().mutex);
    for (cublasHandle_t handle : registry().handles) delete handle;
    registry().handles.clear();
}

static int describe_cublas(bool describe) {
    std::lock_guard<std::mutex> lock(registry().mutex);
    if (describe && !registry().handles.empty())
        std::fprintf(stderr, "cuda_on_cpu: leak: %zu cuBLAS handles\n", registry().handles.size());
    return int(registry().handles.size());
}

static const bool registered = register_library({forget_cublas, describe_cublas});

} // namespace cuda_on_cpu

using namespace cuda_on_cpu;

cublasStatus_t cublasCreate(cublasHandle_t *handle) {
    int chosen = CUBLAS_STATUS_NOT_INITIALIZED;
    if (call_fails("cublasCreate", &chosen)) return cublasStatus_t(chosen);
    if (driver_state() != cudaSuccess) return CUBLAS_STATUS_NOT_INITIALIZED;
    *handle = new cublasContext;
    (*handle)->device = current_device().id;
    std::lock_guard<std::mutex> lock(registry().mutex);
    registry().handles.insert(*handle);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDestroy(cublasHandle_t handle) {
    std::lock_guard<std::mutex> lock(registry().mutex);
    if (!registry().handles.erase(handle)) return CUBLAS_STATUS_NOT_INITIALIZED;
    delete handle;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream) {
    return handle->stream = stream, CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasGetStream(cublasHandle_t handle, cudaStream_t *stream) {
    return *stream = handle->stream, CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetPointerMode(cublasHandle_t handle, cublasPointerMode_t mode) {
    return handle->pointer_mode = mode, CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
    return handle->math_mode = mode, CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetWorkspace(cublasHandle_t, void *, size_t) { return CUBLAS_STATUS_SUCCESS; }
cublasStatus_t cublasGetVersion(cublasHandle_t, int *version) {
    return *version = CUBLAS_VERSION, CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetProperty(libraryPropertyType type, int *value) {
    *value = type == MAJOR_VERSION ? CUBLAS_VER_MAJOR : type == MINOR_VERSION ? CUBLAS_VER_MINOR : CUBLAS_VER_PATCH;
    return CUBLAS_STATUS_SUCCESS;
}

const char *cublasGetStatusString(cublasStatus_t status) {
    switch (status) {
    case CUBLAS_STATUS_SUCCESS: return "the operation completed successfully";
    case CUBLAS_STATUS_NOT_INITIALIZED: return "the library was not initialized";
    case CUBLAS_STATUS_INVALID_VALUE: return "an unsupported value or parameter was passed to the function";
    default: return "the function failed to launch on the GPU";
    }
}

#define CUDA_ON_CPU_BLAS(letter, T)                                                                                 \
    cublasStatus_t cublas##letter##gemm(cublasHandle_t h, cublasOperation_t ta, cublasOperation_t tb, int m, int n, \
                                        int k, const T *alpha, const T *a, int lda, const T *b, int ldb,            \
                                        const T *beta, T *c, int ldc) {                                             \
        return product("cublas" #letter "gemm", h, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);           \
    }                                                                                                               \
    cublasStatus_t cublas##letter##gemv(cublasHandle_t h, cublasOperation_t op, int m, int n, const T *alpha,       \
                                        const T *a, int lda, const T *x, int incx, const T *beta, T *y, int incy) { \
        return matrix_vector("cublas" #letter "gemv", h, op, m, n, alpha, a, lda, x, incx, beta, y, incy);          \
    }                                                                                                               \
    cublasStatus_t cublas##letter##syrk(cublasHandle_t h, cublasFillMode_t fill, cublasOperation_t op, int n, int k,  \
                                        const T *alpha, const T *a, int lda, const T *beta, T *c, int ldc) {        \
        return square("cublas" #letter "syrk", h, fill, op, n, k, alpha, a, lda, beta, c, ldc);                     \
    }                                                                                                               \
    cublasStatus_t cublas##letter##trsm(cublasHandle_t h, cublasSideMode_t side, cublasFillMode_t fill,              \
                                        cublasOperation_t op, cublasDiagType_t diagonal, int m, int n,              \
                                        const T *alpha, const T *a, int lda, T *b, int ldb) {                       \
        return triangle("cublas" #letter "trsm", h, side, fill, op, diagonal, m, n, alpha, a, lda, b, ldb);         \
    }                                                                                                               \
    cublasStatus_t cublas##letter##dot(cublasHandle_t h, int n, const T *x, int incx, const T *y, int incy,         \
                                       T *result) {                                                                 \
        return inner_product("cublas" #letter "dot", h, n, x, incx, y, incy, result, false);                        \
    }                                                                                                               \
    cublasStatus_t cublas##letter##nrm2(cublasHandle_t h, int n, const T *x, int incx, T *result) {                 \
        return inner_product("cublas" #letter "nrm2", h, n, x, incx, x, incx, result, true);                        \
    }                                                                                                               \
    cublasStatus_t cublas##letter##axpy(cublasHandle_t h, int n, const T *alpha, const T *x, int incx, T *y,        \
                                        int incy) {                                                                 \
        return scale_and_add("cublas" #letter "axpy", h, n, alpha, x, incx, y, incy);                               \
    }                                                                                                               \
    cublasStatus_t cublas##letter##scal(cublasHandle_t h, int n, const T *alpha, T *x, int incx) {                  \
        return scale_and_add<T>("cublas" #letter "scal", h, n, alpha, nullptr, 1, x, incx);                         \
    }
/* The names are macros for their _v2 forms; one more level expands them before they are pasted. */
CUDA_ON_CPU_BLAS(S, float)
CUDA_ON_CPU_BLAS(D, double)
