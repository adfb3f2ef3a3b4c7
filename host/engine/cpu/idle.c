/*
 * idle.c - rows that a gradient need not read.
 *
 * A row with p = <w, x> < 0 adds nothing to the gradient (1.1). After the weights moved by a length l, its product is
 * at most p + l ||x||, so as long as l < -p / ||x|| it is negative still, and there is no need to read the row. As a
 * fit converges the steps, and with them l, become short, and about half of all rows are left alone.
 *
 * Skipping changes no bit of a gradient: what is bounded is the product as the loops over rows compute it. With at most
 * `error` = (d / lanes + 64) u of ||w|| ||x|| lost to rounding, here and at the time when p was computed,
 *
 *     computed product <= p + l ||x|| + error (2 ||w|| + l) ||x|| + d tiny
 *
 * where tiny is what a product may lose that is too small for its type. One number is kept of a row, the length of
 * the way up to which it stays idle; the way is measured from step to step on the weights that gradients are taken
 * at, whoever changed them. Norms of rows come with the pass of FR_PASS_LABELS; until then no row is skipped.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "engine/cpu/parts.h"

enum { FEWEST_FEATURES = 64 }; /* below, asking costs as much as reading */

fr_status fr_cpu_idle_create(cpu_engine *e, fr_error *error) {
    static const char what[] = "what is known of rows";
    idle_rows *idle = &e->idle;
    fr_memory *memory = &e->base.memory;
    int64_t d = e->base.config.plan->features, rows = fr_engine_rows(&e->base).count;
    if (d < FEWEST_FEATURES || rows == 0) return FR_OK;
    FR_TRY(fr_memory_take(memory, &idle->until, rows, sizeof *idle->until, what, error));
    FR_TRY(fr_memory_take(memory, &idle->norms, rows, sizeof *idle->norms, what, error));
    FR_TRY(fr_memory_take(memory, &idle->weights, d, e->real, what, error));
    FR_TRY(fr_memory_take(memory, &idle->sums, tiles(e, APPLY_COLUMNS), sizeof *idle->sums, what, error));
    bool single = e->real == 4;
    idle->error = (double)(d / (64 / (int64_t)e->real) + 64) * (single ? FLT_EPSILON : DBL_EPSILON) / 2;
    idle->tiny = (double)d * (single ? (double)FLT_MIN : DBL_MIN);
    idle->largest = (single ? (double)FLT_MAX : DBL_MAX) / 4;
    idle->on = true;
    return FR_OK;
}

/* How far the weights of one tile of columns moved since the last gradient, and how long they are. */
static void measure_item(void *context, int64_t tile, int thread) {
    cpu_engine *e = context;
    idle_rows *idle = &e->idle;
    fr_range columns = tile_of(e, APPLY_COLUMNS, tile);
    idle_sums sums = {0, 0};
    (void)thread;
    for (int64_t j = columns.first; j < columns.first + columns.count; j++) {
        double w = get(e, e->weights_real, j), moved = w - get(e, idle->weights, j);
        sums.moved += moved * moved;
        sums.weights += w * w;
    }
    memcpy(at(e, idle->weights, columns.first), at(e, e->weights_real, columns.first), (size_t)columns.count * e->real);
    idle->sums[tile] = sums;
}

void fr_cpu_idle_follow(cpu_engine *e) {
    idle_rows *idle = &e->idle;
    const double upwards = 1 + 1e-9; /* more than all rounding in these sums */
    double moved = 0, weights = 0;
    if (!idle->on) return;
    fr_team_run(e->team, tiles(e, APPLY_COLUMNS), measure_item, e);
    for (int64_t t = 0; t < tiles(e, APPLY_COLUMNS); t++) {
        moved += idle->sums[t].moved;
        weights += idle->sums[t].weights;
    }
    idle->way += sqrt(moved) * upwards;
    idle->length = sqrt(weights) * upwards;
    idle->lost = 2 * idle->error * idle->length;
}

void fr_cpu_idle_norm(cpu_engine *e, int64_t row, double square) {
    double norm = sqrt(square) * (1 + 1e-6);
    if (e->idle.on) e->idle.norms[row] = norm < (double)FLT_MIN ? 0 : (float)norm;
}

/* Rows drawn twice may be looked at by two threads at once, hence the atomic ways; to the gradient either answer is
 * right. */
bool fr_cpu_idle_skips(const cpu_engine *e, int64_t row) {
    float until;
    __atomic_load(&e->idle.until[row], &until, __ATOMIC_RELAXED);
    return e->idle.way < (double)until;
}

void fr_cpu_idle_learn(cpu_engine *e, int64_t row, double product) {
    const idle_rows *idle = &e->idle;
    double norm = (double)idle->norms[row], left = 0;
    if (product < 0 && norm > 0 && norm * idle->length < idle->largest)
        left = ((-product - idle->tiny) / norm - idle->lost) / (1 + idle->error);
    double reach = (idle->way + left) * (1 - 0x1p-22); /* rounded down, in the range where a float is that exact */
    float until = left > 0 && reach > (double)FLT_MIN && reach < (double)FLT_MAX ? (float)reach : 0;
    __atomic_store(&e->idle.until[row], &until, __ATOMIC_RELAXED);
}
