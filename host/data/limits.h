/*
 * limits.h - which values of rows and labels are of use, from files and from arrays alike.
 */
#ifndef FR_DATA_LIMITS_H
#define FR_DATA_LIMITS_H

#include <float.h>
#include <math.h>

#include "fitrelu.h"

/* The largest values that are of use. A fit squares them and adds the squares up over all rows, in float64: 10^8
 * squares of 10^150 still fit. Float32 is for keeping rows; its own range is the limit. */
#define FR_LARGEST_F64 1e150

/* True for a finite value that the precision can hold and a fit can use. */
static inline bool fr_fits(double value, fr_precision precision) {
    return fabs(value) <= (precision == FR_F32 ? (double)FLT_MAX : FR_LARGEST_F64);
}

/* True for a weight of a row. */
static inline bool fr_is_weight(double value) { return value >= 0 && value <= FR_LARGEST_F64; }
#define FR_WEIGHT_EXPECTED "expected a weight from 0 to 1e150"

/* What is wrong with a value that does not fit, and what was expected: the end of a message. */
static inline const char *fr_misfit(double value, fr_precision precision) {
    if (isnan(value)) return "expected a finite number (or --missing drop)";
    if (isinf(value)) return "expected a finite number";
    if (precision == FR_F32 && fabs(value) <= FR_LARGEST_F64)
        return "expected a number within the range of float32 (or --precision f64)";
    return "expected a number from -1e150 to 1e150, whose square can still be summed";
}

#endif
