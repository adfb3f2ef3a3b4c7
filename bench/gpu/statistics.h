/*
 * statistics.h - what the GPU benchmarks say of many timings, and what they mean by bandwidth.
 */
#ifndef FR_BENCH_STATISTICS_H
#define FR_BENCH_STATISTICS_H

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace bench {

/* The smallest of the values that at least `percent` of them do not exceed (nearest rank); NaN of none. */
inline double percentile(std::vector<double> values, double percent) {
    if (values.empty()) return NAN;
    std::sort(values.begin(), values.end());
    const double rank = std::ceil(percent / 100 * static_cast<double>(values.size()));
    return values[rank < 1 ? 0 : static_cast<size_t>(rank) - 1];
}

/* As nccl-tests define them for an all-reduce of `bytes` a rank: algorithm bandwidth bytes / seconds, and bus bandwidth
 * that times 2 (n - 1) / n, what each link of a ring carries, which can be held against the hardware for any n. */
inline double algorithm_bandwidth(double bytes, double seconds) { return bytes / seconds; }
inline double bus_bandwidth(double bytes, double seconds, int ranks) {
    return bytes / seconds * 2 * (ranks - 1) / ranks;
}

/* One size, and how long either way takes. */
struct Contest {
    int64_t size;
    double ours, theirs;
};

/* The smallest size from which on ours is the faster at every larger one too; -1 if there is none. */
inline int64_t wins_from(std::vector<Contest> contests) {
    std::sort(contests.begin(), contests.end(), [](const Contest &a, const Contest &b) { return a.size > b.size; });
    int64_t from = -1;
    for (const Contest &each : contests) {
        if (!(each.ours < each.theirs)) break;
        from = each.size;
    }
    return from;
}

} // namespace bench
#endif
