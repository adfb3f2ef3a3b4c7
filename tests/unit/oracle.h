/*
 * oracle.h - the paper once more in the plainest float64 C++, written from the formulas and sharing no code with the
 * library: what the tests hold the library against.
 */
#ifndef FR_TEST_ORACLE_H
#define FR_TEST_ORACLE_H

#include <cmath>
#include <cstdint>
#include <vector>

namespace oracle {

using Vector = std::vector<double>;

struct Problem {
    int64_t n = 0, d = 0;
    Vector x, y; /* n x d row-major, n */
    const double *row(int64_t i) const { return x.data() + i * d; }
};

inline double dot(const double *a, const double *b, int64_t d) {
    long double sum = 0;
    for (int64_t j = 0; j < d; j++) sum += static_cast<long double>(a[j]) * b[j];
    return static_cast<double>(sum);
}

/* (1.1) */
inline double loss(const Problem &p, const Vector &w) {
    long double sum = 0;
    for (int64_t i = 0; i < p.n; i++) {
        double residual = std::fmax(0.0, dot(w.data(), p.row(i), p.d)) - p.y[static_cast<size_t>(i)];
        sum += static_cast<long double>(residual) * residual;
    }
    return static_cast<double>(sum / p.n);
}

/* Mean over the given rows of (max(0, p) - y)(1 + sgn p) x, the gradient of (1.1). */
inline Vector gradient(const Problem &p, const Vector &w, const std::vector<int64_t> &rows) {
    std::vector<long double> sum(static_cast<size_t>(p.d), 0);
    for (int64_t i : rows) {
        double z = dot(w.data(), p.row(i), p.d);
        double sign = z > 0 ? 1 : z < 0 ? -1 : 0;
        double c = (std::fmax(0.0, z) - p.y[static_cast<size_t>(i)]) * (1 + sign);
        for (int64_t j = 0; j < p.d; j++) sum[static_cast<size_t>(j)] += static_cast<long double>(c) * p.row(i)[j];
    }
    Vector mean(static_cast<size_t>(p.d));
    for (size_t j = 0; j < mean.size(); j++) mean[j] = static_cast<double>(sum[j] / rows.size());
    return mean;
}

inline double norm(const Vector &v) { return std::sqrt(dot(v.data(), v.data(), static_cast<int64_t>(v.size()))); }

/* ||a - b|| / ||b|| */
inline double relative(const Vector &a, const Vector &b) {
    Vector off(a.size());
    for (size_t j = 0; j < a.size(); j++) off[j] = a[j] - b[j];
    return norm(off) / norm(b);
}

/* A small deterministic source of numbers for test inputs, unrelated to the library's own. */
struct Random {
    uint64_t state;
    explicit Random(uint64_t seed) : state(seed * 0x9E3779B97F4A7C15u + 1) {}
    double uniform() {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        return static_cast<double>(state >> 11) * 0x1p-53;
    }
    double normal() { return std::sqrt(-2 * std::log(1 - uniform())) * std::cos(6.283185307179586 * uniform()); }
};

inline Problem random_problem(int64_t n, int64_t d, uint64_t seed) {
    Problem p;
    Random random(seed);
    p.n = n, p.d = d;
    for (int64_t i = 0; i < n * d; i++) p.x.push_back(static_cast<float>(random.normal()));
    for (int64_t i = 0; i < n; i++) p.y.push_back(static_cast<float>(std::fmax(-0.5, 2 * random.normal())));
    return p;
}

}  // namespace oracle
#endif
