/*
 * realdata_sets.h - ordinary data as a user brings them, as formulas, and the lowest loss that SciPy finds on them.
 *
 * The same formulas stand in tests/reference/make_optima.py, which computed the table; sums of X and y there prove
 * that both build the same data. Variates are functions of (set, stream, row) through splitmix64.
 */
#ifndef FR_TEST_REALDATA_SETS_H
#define FR_TEST_REALDATA_SETS_H

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include "oracle.h"

namespace realdata {

struct Known {
    const char *name;
    int number;
    int64_t n, d;
    double sum_x, sum_y;
    double best, best_with_intercept;
};

const Known known[] = {
#include "../reference/realdata_optima.inc"
};

struct Source {
    uint64_t number, row;
    double uniform(uint64_t stream) const {
        uint64_t z = ((number << 40) | (stream << 24)) + row + 0x9E3779B97F4A7C15u;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        z ^= z >> 31;
        return (static_cast<double>(z >> 11) + 0.5) * 0x1p-53;
    }
    double normal(uint64_t stream) const {
        double radius = std::sqrt(-2 * std::log(uniform(2 * stream + 4096)));
        return radius * std::cos(6.283185307179586 * uniform(2 * stream + 4097));
    }
    double student3(uint64_t stream) const {
        double z[4];
        for (uint64_t k = 0; k < 4; k++) z[k] = normal(4 * stream + 1024 + k);
        return z[0] / std::sqrt((z[1] * z[1] + z[2] * z[2] + z[3] * z[3]) / 3);
    }
    double poisson(uint64_t stream, double mean) const {
        double u = uniform(stream), p = std::exp(-mean), total = p;
        int count = 0;
        while (count < 999 && u > total) {
            count++;
            p = p * mean / count;
            total += p;
        }
        return count;
    }
};

inline double relu(double z) { return std::fmax(0.0, z); }

/* Fills d features of one row and returns its label. */
inline double noisy(const Source &s, double *x) {
    double z = 0;
    for (int j = 0; j < 10; j++) x[j] = s.normal(static_cast<uint64_t>(j)), z += 2 * std::cos(1 + j) * x[j];
    return relu(z) + 0.7 * s.normal(100);
}
inline double scales(const Source &s, double *x) {
    double z = 0;
    for (int j = 0; j < 8; j++) {
        x[j] = std::pow(10.0, j - 3) * s.normal(static_cast<uint64_t>(j));
        z += (1 + j % 3) * (j % 2 ? -1 : 1) * std::pow(10.0, 3 - j) * x[j];
    }
    return relu(z) + 0.5 * s.normal(100);
}
inline double years(const Source &s, double *x) {
    x[0] = std::floor(1990 + 31 * s.uniform(0)), x[1] = std::floor(1 + 12 * s.uniform(1));
    x[2] = 15 + 8 * s.normal(2), x[3] = 0.6 + 0.15 * s.normal(3);
    return relu(1.5 * (x[0] - 2005) - 0.5 * (x[1] - 6) + 2 * (x[2] - 12) - 40 * (x[3] - 0.5)) + 6 * s.normal(100);
}
inline double correlated(const Source &s, double *x) {
    double common = s.normal(50), z = 2 * common;
    for (int j = 0; j < 12; j++) {
        x[j] = common + 0.1 * s.normal(static_cast<uint64_t>(j));
        z += 3 * std::sin(2 + 3 * j) * x[j];
    }
    return relu(z) + 0.5 * s.normal(100);
}
inline double positive(const Source &s, double *x) {
    double z = 5;
    for (int j = 0; j < 6; j++) x[j] = (1 + j) * s.uniform(static_cast<uint64_t>(j)), z += (1 - 0.3 * j) * x[j];
    return std::fmax(0.1, z + 0.8 * s.normal(100));
}
inline double heavy(const Source &s, double *x) {
    double z = 0;
    for (int j = 0; j < 10; j++) x[j] = s.student3(static_cast<uint64_t>(j)), z += std::cos(2 + 2 * j) * x[j];
    return relu(z) + s.student3(100);
}
inline double few(const Source &s, double *x) {
    double z = 0, norm = 0;
    for (int j = 0; j < 7; j++) {
        double w = std::sin(1 + j);
        x[j] = s.normal(static_cast<uint64_t>(j)), z += w * x[j], norm += w * w;
    }
    x[7] = 1;
    return relu(z - 1.28 * std::sqrt(norm)) + 0.1 * s.normal(100);
}
inline double small(const Source &s, double *x) {
    double z = 0;
    for (int j = 0; j < 10; j++) x[j] = 0.5 + s.normal(static_cast<uint64_t>(j)), z += std::cos(3 * j) * x[j];
    return relu(z) + 0.6 * s.normal(100);
}
inline double large(const Source &s, double *x) {
    double z = 0;
    for (int j = 0; j < 30; j++) {
        double fresh = s.normal(static_cast<uint64_t>(j));
        x[j] = j == 0 ? fresh : 0.7 * x[j - 1] + std::sqrt(0.51) * fresh;
    }
    for (int j = 0; j < 30; j++) x[j] += 0.5, z += std::cos(0.7 * j * j) * x[j];
    return relu(z) + 1.5 * s.normal(100);
}
inline double counts(const Source &s, double *x) {
    double hour = std::floor(24 * s.uniform(0)), work = std::floor(7 * s.uniform(1) / 5);
    double season = std::floor(4 * s.uniform(2));
    double heat = 10 + 8 * (season - 1.5) * (season - 1.5 < 1) + 5 * s.normal(3);
    double damp = 20 + 80 * s.uniform(4), wind = -8 * std::log(s.uniform(5));
    x[0] = hour, x[1] = work, x[2] = season, x[3] = heat, x[4] = damp, x[5] = wind;
    double z = 1.2 * heat + 1.5 * hour - 0.35 * damp - 0.5 * wind + 6 * season - 4 * work + 5;
    return s.poisson(100, relu(z + 6 * std::cos(6.283185307179586 * (hour - 17) / 12)) + 0.5);
}
inline double categories(const Source &s, double *x) {
    double z = -1;
    int at = 0, sizes[] = {4, 7, 3};
    for (uint64_t group = 0; group < 3; group++) {
        int size = sizes[group];
        double level = std::floor(size * s.uniform(group) * std::sqrt(s.uniform(group)));
        for (int k = 0; k < size; k++) x[at++] = level == k;
    }
    x[14] = s.normal(20), x[15] = 100 * s.uniform(21), x[16] = 1;
    for (int j = 0; j < 14; j++) z += 2 * std::cos(5 * j) * x[j];
    return relu(z + 1.5 * x[14] + 0.03 * x[15]) + 0.6 * s.normal(100);
}
inline double rare(const Source &s, double *x) { /* words of a text: mostly zero */
    double z = 0.5;
    for (int j = 0; j < 40; j++) {
        uint64_t stream = static_cast<uint64_t>(j);
        x[j] = (s.uniform(stream) < 0.01 + 0.3 / (1 + j)) * std::floor(1 + 3 * s.uniform(50 + stream));
        z += 2 * std::cos(1 + 3 * j) * x[j];
    }
    return relu(z) + 0.5 * s.normal(100);
}
inline double incomes(const Source &s, double *x) { /* log-normal features, errors in proportion */
    double z = 1000;
    for (int j = 0; j < 6; j++) {
        x[j] = 1000 * std::exp(s.normal(static_cast<uint64_t>(j)));
        z += (1 - 0.4 * j) * x[j];
    }
    return relu(z) * std::exp(0.4 * s.normal(100));
}
inline double powers(const Source &s, double *x) { /* a polynomial of degree 4, beside two other features */
    double t = 1 + 4 * s.uniform(0);
    x[0] = t, x[1] = t * t, x[2] = t * t * t, x[3] = x[1] * x[1], x[4] = s.normal(1), x[5] = s.uniform(2);
    return relu(8 * (t - 2) * (t - 3.5) * (t - 4) + 2 * t + x[4] - 2 * x[5]) + s.normal(100);
}
inline double wide(const Source &s, double *x) {
    double z = 0;
    for (int j = 0; j < 100; j++) x[j] = 0.3 + s.normal(static_cast<uint64_t>(j)), z += std::cos(j * j) * x[j];
    return relu(z) + 2 * s.normal(200);
}
inline double calendar(const Source &s, double *x) { /* three columns far from zero: year, pressure, day's number */
    double year = std::floor(1990 + 31 * s.uniform(0)), pressure = 1013 + 8 * s.normal(1);
    double day = 365 * (year - 1970) + std::floor(365 * s.uniform(2)), heat = 15 + 8 * s.normal(3);
    x[0] = year, x[1] = pressure, x[2] = day, x[3] = heat;
    return relu(2 * (year - 2005) - 1.2 * (pressure - 1013) + 1.5 * (heat - 15) + 10) + 5 * s.normal(100);
}

inline oracle::Problem build(const Known &set) {
    using Row = double (*)(const Source &, double *);
    const Row rows[] = {noisy, scales, years,  correlated, positive, heavy,   few,    small,
                        large, counts, categories, rare,   incomes,  powers,  wide,   calendar, wide};
    oracle::Problem p;
    p.n = set.n, p.d = set.d;
    p.x.resize(static_cast<size_t>(p.n * p.d));
    p.y.resize(static_cast<size_t>(p.n));
    for (int64_t i = 0; i < p.n; i++) {
        Source source = {static_cast<uint64_t>(set.number), static_cast<uint64_t>(i)};
        p.y[static_cast<size_t>(i)] = rows[set.number - 1](source, p.x.data() + i * p.d);
    }
    return p;
}

}  // namespace realdata
#endif
