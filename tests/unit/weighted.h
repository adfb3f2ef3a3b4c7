/*
 * weighted.h - rows with weights, and the rows that they stand for: each as often as its weight, a whole number, says.
 */
#ifndef FR_TEST_WEIGHTED_H
#define FR_TEST_WEIGHTED_H

#include "oracle.h"

namespace oracle {

struct Weighted {
    Problem rows;
    Vector weights;
};

/* Labels with noise, columns of unlike scales and far from zero, the first row without weight and far from all others. */
inline Weighted weighted_problem(int64_t n, int64_t d, uint64_t seed) {
    Weighted w;
    Random random(seed);
    w.rows.n = n, w.rows.d = d;
    for (int64_t i = 0; i < n; i++) {
        double sum = 1;
        for (int64_t j = 0; j < d; j++) {
            double x = (random.normal() + static_cast<double>(j % 3)) * std::pow(10.0, static_cast<double>(j % 4 - 1));
            sum += x * std::pow(10.0, static_cast<double>(1 - j % 4)) * (j % 2 ? -0.7 : 1);
            w.rows.x.push_back(i == 0 ? 1e6 : x);
        }
        w.rows.y.push_back(i == 0 ? 1e7 : std::fmax(0.0, sum) + 0.3 * random.normal());
        w.weights.push_back(i == 0 ? 0 : std::floor(4 * random.uniform()));
    }
    return w;
}

inline Problem expanded(const Weighted &w) {
    Problem p;
    p.d = w.rows.d;
    for (int64_t i = 0; i < w.rows.n; i++)
        for (int times = 0; times < w.weights[static_cast<size_t>(i)]; times++, p.n++) {
            p.x.insert(p.x.end(), w.rows.row(i), w.rows.row(i) + p.d);
            p.y.push_back(w.rows.y[static_cast<size_t>(i)]);
        }
    return p;
}

} // namespace oracle

#endif
