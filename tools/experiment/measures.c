/*
 * measures.c - mean, spread and a straight line: the statistics that the verdicts rest on.
 */
#include <math.h>

#include "experiment.h"

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
