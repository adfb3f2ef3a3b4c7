/*
 * products.h - the two products that work of n d^2 multiplications is made of.
 *
 * They are calls of a BLAS (FITRELU_BLAS), single-threaded, so that the caller's blocks and their order decide how sums
 * are added; threads take blocks. Builds without one have plain loops, and so has a processor on which the BLAS
 * multiplies wrong, as old ones do on processors newer than they are.
 */
#ifndef FR_PRODUCTS_H
#define FR_PRODUCTS_H

#include "base/status.h"

/* What a GPU does of it (engine/cuda/dense.h), with rows of the host that go over block by block: of doubles, row-major,
 * d a row. Each call has ended when it returns. */
typedef struct fr_device_products {
    void *user;
    /* R of the calls that follow, d x d upper triangular with no 0 on its diagonal; NULL: the identity. */
    fr_status (*set_factor)(void *user, int64_t d, const double *r, fr_error *error);
    /* Sums of count doubles <- 0. */
    fr_status (*begin_sums)(void *user, int64_t count, fr_error *error);
    /* Sums ((last - first) x d) += rows first .. last - 1 of the upper triangle of Z^T Z, Z = X R^-1; the rest of them is
     * not to be used. first is a multiple of FR_DEVICE_TILE, and so is last but at d: what is added at once, and so the
     * bits, does not depend on first and last. */
    fr_status (*add_rows)(void *user, int64_t rows, int64_t d, const double *x, int64_t first, int64_t last,
                          fr_error *error);
    fr_status (*end_sums)(void *user, int64_t count, double *sums, fr_error *error);
    /* X <- X R^-1 */
    fr_status (*solve)(void *user, int64_t rows, int64_t d, double *x, fr_error *error);
} fr_device_products;
enum { FR_DEVICE_TILE = 512 };

typedef struct fr_products {
    bool blas;
    int threads; /* what the BLAS was set to before */
    const fr_device_products *device; /* for work over all rows, or NULL */
} fr_products;

/* From here to fr_products_end the process's BLAS runs single-threaded. blas false: plain loops in any case. Without a
 * device. */
fr_products fr_products_begin(bool blas);
/* Gives the BLAS back the number of threads that it had. */
void fr_products_end(const fr_products *products);

/* All matrices are row-major; ld is the distance between rows, in doubles. Both calls may be made by several threads
 * at once. */

/* C (m x n) += sign A^T B, A: rows x m, B: rows x n; sign 1 or -1. */
void fr_products_add(const fr_products *products, double sign, int64_t rows, int64_t m, int64_t n, const double *a,
                     int64_t lda, const double *b, int64_t ldb, double *c, int64_t ldc);

/* X (rows x d) <- X R^-1, R upper triangular with no 0 on its diagonal. */
void fr_products_solve(const fr_products *products, int64_t rows, int64_t d, const double *r, int64_t ldr, double *x,
                       int64_t ldx);

/* The BLAS of this build by name and version, and whether it is used, for fitrelu info. */
void fr_products_describe(char *text, size_t size);

#endif
