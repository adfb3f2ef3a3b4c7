/*
 * known.c - see known.h.
 */
#include "bench/known.h"

#include <math.h>

#include "base/status.h"

/* K v / (K s) s: division first, as kernels/rules/qsgd.h has it. Where that is not the integer itself, a draw now and
 * then would round it to another. */
static bool is_exact(int levels) {
    for (int v = 1; v <= levels; v++) {
        double wide = (double)v / levels * levels;
        float narrow = (float)v / (float)levels;
        narrow *= (float)levels;
        if (wide != v || narrow != (float)v) return false;
    }
    return true;
}

int bench_known_levels(int most) {
    while (most > 1 && !is_exact(most)) most--;
    return most;
}

/* The largest power of two below which every integer has a place in what an unquantized sum travels as. */
static double exact_to(const fr_plan *plan) {
    return plan->wire == FR_WIRE_BF16 ? 0x1p8 : plan->precision == FR_F32 ? 0x1p24 : 0x1p53;
}

bench_known bench_known_of(const fr_plan *plan) {
    bench_known known = {.features = plan->features, .workers = plan->workers, .most = plan->levels};
    double workers = plan->workers;
    known.tame = plan->levels > 0 && fr_collective_of(plan)->rounds_sums;
    if (plan->levels == 0) known.most = (int)fmin(127, exact_to(plan) / (workers * workers));
    known.sparse = known.most == 0;
    if (known.sparse) known.most = 1;
    return known;
}

/* The mixing function of SplitMix64. */
static uint64_t mix(uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* An integer from low to high that belongs to (k, j). */
static int drawn(int64_t k, int64_t j, int low, int high) {
    uint64_t bits = mix((uint64_t)j * 1000003u + (uint64_t)k) >> 32;
    return low + (int)(bits * (uint64_t)(high - low + 1) >> 32);
}

/* The sum at j: an a in every slice, however the columns are split among the workers. */
static int tame_sum(const bench_known *n, int64_t j) {
    int64_t apart = n->features / n->workers;
    return j % (apart > 0 ? apart : 1) == 0 ? n->most : drawn(-1, j, -n->most, n->most);
}

/* Workers 0 and 1 share the sum; the others cancel each other two by two. */
static int tame_value(const bench_known *n, int worker, int64_t j) {
    int a = n->most, sum = tame_sum(n, j), odd = worker % 2;
    if (n->workers == 1) return sum;
    if (worker >= 2) return worker == n->workers - 1 && !odd ? 0 : (odd ? -1 : 1) * drawn(worker / 2, j, -a, a);
    int first = j == 0 ? a : drawn(0, j, sum > 0 ? sum - a : -a, sum > 0 ? a : sum + a);
    return odd ? sum - first : first;
}

int bench_known_value(const bench_known *n, int worker, int64_t j) {
    if (n->tame) return tame_value(n, worker, j);
    if (n->sparse) return drawn(-2, j, 0, n->workers - 1) == worker ? 2 * drawn(-3, j, 0, 1) - 1 : 0;
    return j == worker % n->features ? n->most : drawn(worker, j, -n->most, n->most); /* an a for each worker */
}

int64_t bench_known_sum(const bench_known *n, int64_t j) {
    int64_t sum = 0;
    if (n->tame) return tame_sum(n, j);
    for (int k = 0; k < n->workers; k++) sum += bench_known_value(n, k, j);
    return sum;
}

fr_status bench_known_fill(const bench_known *n, bench_rank *rank, fr_error *error) {
    const fr_engine_config *config = &rank->engine->config;
    size_t size = fr_precision_bytes(rank->plan->precision);
    FR_OWNED void *vector = NULL;
    FR_TRY(fr_allocate(&vector, n->features, size, "a vector", error));
    for (int k = 0; k < config->worker_count; k++) {
        for (int64_t j = 0; j < n->features; j++) {
            int value = n->workers * bench_known_value(n, config->first_worker + k, j);
            if (size == 4) ((float *)vector)[j] = (float)value;
            else ((double *)vector)[j] = value;
        }
        char *to = (char *)rank->engine->buffers.values + (size_t)k * (size_t)n->features * size;
        FR_TRY(rank->engine->ops->write(rank->engine, to, vector, (size_t)n->features * size, error));
    }
    return FR_OK;
}

int64_t bench_known_check(const bench_known *n, const double *weights, int64_t steps, bench_place *place) {
    int64_t wrong = 0;
    for (int64_t j = 0; j < n->features; j++) {
        double expected = (double)bench_known_sum(n, j), found = -weights[j] - (double)(steps - 1) * expected;
        if (found == expected) continue; /* what is no number is wrong */
        if (wrong++ == 0) *place = (bench_place){.step = steps, .coordinate = j, .expected = expected, .found = found};
    }
    return wrong;
}
