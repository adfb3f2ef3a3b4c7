/*
 * measures.c - mean, spread, intervals and a straight line: the statistics that the verdicts rest on.
 */
#include <math.h>

#include "experiment/experiment.h"

double measure_mean(const double *values, int64_t count) {
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += values[i];
    return sum / (double)count;
}

double measure_deviation(const double *values, int64_t count) {
    double mean = measure_mean(values, count), sum = 0;
    for (int64_t i = 0; i < count; i++) sum += (values[i] - mean) * (values[i] - mean);
    return count > 1 ? sqrt(sum / (double)(count - 1)) : 0;
}

/* The 97.5 % quantile of Student's t: a table for few degrees of freedom, then the expansion in 1 / degrees. */
static double student(int64_t degrees) {
    const double few[] = {12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060};
    const double z = 1.959964, z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z;
    double v = (double)degrees;
    if (degrees <= 8) return few[degrees - 1];
    return z + (z3 + z) / (4 * v) + (5 * z5 + 16 * z3 + 3 * z) / (96 * v * v) +
           (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * v * v * v);
}

double measure_interval(const double *values, int64_t count) {
    if (count < 2) return NAN;
    return student(count - 1) * measure_deviation(values, count) / sqrt((double)count);
}

measure_range measure_share(int64_t successes, int64_t count) {
    const double z2 = 1.959964 * 1.959964;
    double n = (double)count, p = (double)successes / n;
    double middle = (p + z2 / (2 * n)) / (1 + z2 / n);
    double half = sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n);
    return (measure_range){middle - half, middle + half};
}

measure_line measure_fit_line(const double *x, const double *y, int64_t count) {
    if (count < 2) return (measure_line){NAN, NAN, NAN};
    double mx = measure_mean(x, count), my = measure_mean(y, count), xx = 0, xy = 0, yy = 0;
    for (int64_t i = 0; i < count; i++) {
        xx += (x[i] - mx) * (x[i] - mx);
        xy += (x[i] - mx) * (y[i] - my);
        yy += (y[i] - my) * (y[i] - my);
    }
    return (measure_line){xy / xx, my - xy / xx * mx, yy > 0 ? xy * xy / (xx * yy) : 1};
}
