/*
 * dense.h - products of rows of the host on one GPU, by cuBLAS: second moments, the change of columns, predictions. No
 * CUDA type here.
 *
 * Rows go over in blocks, as doubles. Everything waits until it is done. cuBLAS and the device's memory are asked for
 * when the first call needs them.
 */
#ifndef FR_CUDA_DENSE_H
#define FR_CUDA_DENSE_H

#include "columns/products.h"

typedef struct fr_dense fr_dense;

/* device: the GPU. timeout: seconds of silence that are too long, FR_ERROR_TIMEOUT; 0: no limit. From one thread at a
 * time. */
fr_status fr_dense_create(int device, double timeout, fr_dense **dense, fr_error *error);
void fr_dense_free(fr_dense *dense); /* NULL is fine */

/* What columns/ asks of a GPU; lives as long as dense. */
const fr_device_products *fr_dense_products(const fr_dense *dense);

/* out (rows) <- X w; x: rows x d, w: d. w is sent when it is given, and kept for calls with NULL. */
fr_status fr_dense_predict(fr_dense *dense, int64_t rows, int64_t d, const double *x, const double *w, double *out,
                           fr_error *error);

#endif
