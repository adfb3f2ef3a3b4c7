/*
 * quantize.h - the norm of the quantizer, shared by the engine and the public fr_quantize.
 */
#ifndef FR_QUANTIZE_H
#define FR_QUANTIZE_H

#include "simd/kernels.h"

/* N of v (d values): ||v||_2 or max |v_i|. Scaled by a power of two inside, so that it neither overflows nor
 * underflows where the result is representable, and N(2^k v) = 2^k N(v) to the bit. NaN if any v_i is not finite. */
double fr_norm(const fr_cpu_kernels *kernels, const void *v, int64_t features, fr_scale scale);

#endif
