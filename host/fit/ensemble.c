/*
 * ensemble.c - the vote of Algorithm 1. A diverged run (NaN) is inside no ball, not even its own.
 */
#include "fit/ensemble.h"

#include <math.h>

static double distance(const double *a, const double *b, int64_t d) {
    double sum = 0;
    for (int64_t j = 0; j < d; j++) sum += (a[j] - b[j]) * (a[j] - b[j]);
    return sqrt(sum);
}

int fr_ensemble_winner(const double *weights, int runs, int64_t features, double radius, int *agreeing) {
    for (int l = 0; l < runs; l++) {
        int inside = 0;
        for (int other = 0; other < runs; other++)
            inside += distance(weights + l * features, weights + other * features, features) <= radius;
        if (2 * inside >= runs) {
            *agreeing = inside;
            return l;
        }
    }
    *agreeing = 0;
    return -1;
}
