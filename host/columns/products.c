/*
 * products.c - A^T B and X R^-1 by BLAS or plain loops.
 */
#include "columns/products.h"

#include <math.h>
#include <stdio.h>
#ifdef FR_HAVE_BLAS
#include <cblas.h>
#endif

/* ----------------------------------------------------------------------------------------- plain loops */

/* out (width) += sign sum_i factor_i row_i over count rows, four at a time, so that out is read and written less. */
static void add_multiples(double sign, int64_t count, const double *factors, int64_t step, const double *rows,
                          int64_t ld, double *out, int64_t width) {
    int64_t i = 0;
    for (; i + 4 <= count; i += 4) {
        const double *row = rows + i * ld, *f = factors + i * step;
        double f0 = sign * f[0], f1 = sign * f[step], f2 = sign * f[2 * step], f3 = sign * f[3 * step];
        for (int64_t l = 0; l < width; l++)
            out[l] += (f0 * row[l] + f1 * row[ld + l]) + (f2 * row[2 * ld + l] + f3 * row[3 * ld + l]);
    }
    for (; i < count; i++)
        for (int64_t l = 0; l < width; l++) out[l] += sign * factors[i * step] * rows[i * ld + l];
}

static void plain_add(double sign, int64_t rows, int64_t m, int64_t n, const double *a, int64_t lda, const double *b,
                      int64_t ldb, double *c, int64_t ldc) {
    for (int64_t i = 0; i < m; i++) add_multiples(sign, rows, a + i, lda, b, ldb, c + i * ldc, n);
}

/* By tiles of columns, which all rows use while they are in the cache: each solved by substitution, then taken off all
 * later columns. */
static void plain_solve(int64_t rows, int64_t d, const double *r, int64_t ldr, double *x, int64_t ldx) {
    enum { TILE = 32 };
    for (int64_t j0 = 0; j0 < d; j0 += TILE) {
        int64_t j1 = j0 + TILE < d ? j0 + TILE : d;
        for (double *row = x; row < x + rows * ldx; row += ldx) {
            for (int64_t j = j0; j < j1; j++) {
                row[j] /= r[j * ldr + j];
                for (int64_t l = j + 1; l < j1; l++) row[l] -= row[j] * r[j * ldr + l];
            }
            add_multiples(-1, j1 - j0, row + j0, 1, r + j0 * ldr + j1, ldr, row + j1, d - j1);
        }
    }
}

/* ------------------------------------------------------------------------------------------------ BLAS */

#ifdef FR_HAVE_BLAS
static void blas_add(double sign, int64_t rows, int64_t m, int64_t n, const double *a, int64_t lda, const double *b,
                     int64_t ldb, double *c, int64_t ldc) {
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)m, (int)n, (int)rows, sign, a, (int)lda, b, (int)ldb, 1,
                c, (int)ldc);
}

static void blas_solve(int64_t rows, int64_t d, const double *r, int64_t ldr, double *x, int64_t ldx) {
    cblas_dtrsm(CblasRowMajor, CblasRight, CblasUpper, CblasNoTrans, CblasNonUnit, (int)rows, (int)d, 1, r, (int)ldr,
                x, (int)ldx);
}
#endif

#ifdef FR_HAVE_OPENBLAS
static int blas_threads(void) { return openblas_get_num_threads(); }
static void set_blas_threads(int threads) { openblas_set_num_threads(threads); }
#else
static int blas_threads(void) { return 1; }
static void set_blas_threads(int threads) { (void)threads; }
#endif

#ifdef FR_HAVE_BLAS
/* A small product of integers, which no order of additions rounds, and a small system; of odd sizes, so that the edges
 * of the BLAS's loops are used too. True where BLAS and loops agree. */
static bool blas_is_right(void) {
    enum { ROWS = 70, M = 37, N = 53 };
    /* Not allocated: plain loops for want of memory would change the bits of a fit in silence. */
    double memory[ROWS * M + 2 * ROWS * N + 2 * M * N + N * N] = {0};
    double *a = memory, *b = a + ROWS * M, *x = b + ROWS * N, *c = x + ROWS * N, *expected = c + M * N;
    double *r = expected + M * N, most = 0, off = 0;
    for (int64_t i = 0; i < ROWS * M; i++) a[i] = (double)(i * 37 % 101) - 50;
    for (int64_t i = 0; i < ROWS * N; i++) x[i] = b[i] = (double)(i * 53 % 103) - 51;
    for (int64_t i = 0; i < N; i++)
        for (int64_t j = i; j < N; j++) r[i * N + j] = i == j ? 1 : (double)((i + 3 * j) % 5 == 0) / 8;
    plain_add(1, ROWS, M, N, a, M, b, N, expected, N);
    blas_add(1, ROWS, M, N, a, M, b, N, c, N);
    if (memcmp(c, expected, sizeof *c * M * N) != 0) return false;
    plain_solve(ROWS, N, r, N, x, N);
    blas_solve(ROWS, N, r, N, b, N);
    for (int64_t i = 0; i < ROWS * N; i++) most = fmax(most, fabs(x[i])), off = fmax(off, fabs(x[i] - b[i]));
    return off <= 1e-12 * most;
}
#else
static bool blas_is_right(void) { return false; }
#endif

fr_products fr_products_begin(bool blas) {
    fr_products products = {.threads = blas_threads()};
    if (!blas) return products;
    set_blas_threads(1);
    products.blas = blas_is_right();
    return products;
}

void fr_products_end(const fr_products *products) {
    if (blas_threads() != products->threads) set_blas_threads(products->threads);
}

void fr_products_describe(char *text, size_t size) {
#ifdef FR_HAVE_BLAS
    fr_products trial = fr_products_begin(true);
    fr_products_end(&trial);
    const char *unused = trial.blas ? "" : " (multiplies wrong on this processor, plain loops serve)";
#ifdef FR_HAVE_OPENBLAS
    char version[64];
    snprintf(version, sizeof version, "%.60s", openblas_get_config()); /* "OpenBLAS 0.3.21 NO_LAPACKE ..." */
    char *end = strchr(version, ' ');
    if (end && strchr(end + 1, ' ')) *strchr(end + 1, ' ') = '\0';
    snprintf(text, size, "%s, %s%s", version, openblas_get_corename(), unused);
#else
    snprintf(text, size, "%s%s", FR_BLAS_NAME, unused);
#endif
#else
    snprintf(text, size, "none (plain loops)");
#endif
}

/* ------------------------------------------------------------------------------------------- the two */

void fr_products_add(const fr_products *products, double sign, int64_t rows, int64_t m, int64_t n, const double *a,
                     int64_t lda, const double *b, int64_t ldb, double *c, int64_t ldc) {
    if (rows == 0 || m == 0 || n == 0) return;
#ifdef FR_HAVE_BLAS
    if (products->blas) {
        blas_add(sign, rows, m, n, a, lda, b, ldb, c, ldc);
        return;
    }
#endif
    (void)products;
    plain_add(sign, rows, m, n, a, lda, b, ldb, c, ldc);
}

void fr_products_solve(const fr_products *products, int64_t rows, int64_t d, const double *r, int64_t ldr, double *x,
                       int64_t ldx) {
    if (rows == 0 || d == 0) return;
#ifdef FR_HAVE_BLAS
    if (products->blas) {
        blas_solve(rows, d, r, ldr, x, ldx);
        return;
    }
#endif
    (void)products;
    plain_solve(rows, d, r, ldr, x, ldx);
}
