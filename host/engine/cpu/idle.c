/*
 * idle.c - rows that a gradient need not read.
 *
 * A row with p = <w, x> < 0 has no part in the gradient (1.1). After the weights went a way of length l, its product is
 * at most p + l ||x||, so as long as l < -p / ||x|| it is negative still, and there is nothing to read the row for. As a
 * fit converges the steps, and with them l, become short, and about half of all rows are left alone.
 *
 * Skipping changes no bit of a gradient: what is bounded is the product as the loops over rows compute it. With at most
 * `error` = (d / lanes + 64) u of ||w|| ||x|| lost to rounding, here and at the time when p was computed,
 *
 *     computed product <= p + l ||x|| + error (2 ||w|| + l) ||x|| + d tiny
 *
 * where tiny is what a product may lose that is too small for its type. What a row is known for is kept as one number,
 * the length of the way up to which it stays idle; the way is measured from step to step on the weights that gradients are
 * taken at, whoever changed them. Norms of rows come with the pass of FR_PASS_LABELS; until then no row is skipped.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cpu/parts.h"

enum { FEWEST_FEATURES = 64 }; /* below, asking costs as much as reading */

fr_status fr_cpu_idle_create(cpu_engine *e, fr_error *error) {
    static const char what[] = "what is known of rows";
    idle_rows *idle = &e->idle;
    int64_t d = e->base.config.plan->features, rows = shard_start(e, e->base.config.worker_count) - shard_start(e, 0);
    if (d < FEWEST_FEATURES || rows == 0) return FR_OK;
    fr_status status = fr_allocate((void **)&idle->until, rows, sizeof *idle->until, what, error);
    if (status == FR_OK) status = fr_allocate((void **)&idle->norms, rows, sizeof *idle->norms, what, error);
    if (status == FR_OK) status = fr_allocate(&idle->weights, d, e->real, what, error);
    int64_t blocks = blocks_of(e, APPLY_COLUMNS);
    if (status == FR_OK) status = fr_allocate((void **)&idle->parts, blocks, sizeof *idle->parts, what, error);
    bool single = e->real == 4;
    idle->error = (double)(d / (64 / (int64_t)e->real) + 64) * (single ? FLT_EPSILON : DBL_EPSILON) / 2;
    idle->tiny = (double)d * (single ? (double)FLT_MIN : DBL_MIN);
    idle->largest = (single ? (double)FLT_MAX : DBL_MAX) / 4;
    idle->on = status == FR_OK;
    return status;
}

void fr_cpu_idle_free(cpu_engine *e) {
    free(e->idle.until);
    free(e->idle.norms);
    free(e->idle.weights);
    free(e->idle.parts);
}

/* How far the weights of one block of columns went since the last gradient, and how long they are. */
static void measure_item(void *context, int64_t block, int thread) {
    cpu_engine *e = context;
    idle_rows *idle = &e->idle;
    int64_t d = e->base.config.plan->features, first = block * APPLY_COLUMNS;
    int64_t last = first + APPLY_COLUMNS < d ? first + APPLY_COLUMNS : d;
    idle_part part = {0, 0};
    (void)thread;
    for (int64_t j = first; j < last; j++) {
        double w = get(e, e->weights_real, j), moved = w - get(e, idle->weights, j);
        part.moved += moved * moved;
        part.weights += w * w;
    }
    memcpy(at(e, idle->weights, first), at(e, e->weights_real, first), (size_t)(last - first) * e->real);
    idle->parts[block] = part;
}

void fr_cpu_idle_follow(cpu_engine *e) {
    idle_rows *idle = &e->idle;
    const double upwards = 1 + 1e-9; /* more than all rounding in these sums */
    double moved = 0, weights = 0;
    if (!idle->on) return;
    fr_team_run(e->team, blocks_of(e, APPLY_COLUMNS), measure_item, e);
    for (int64_t b = 0; b < blocks_of(e, APPLY_COLUMNS); b++) {
        moved += idle->parts[b].moved;
        weights += idle->parts[b].weights;
    }
    idle->way += sqrt(moved) * upwards;
    idle->length = sqrt(weights) * upwards;
    idle->lost = 2 * idle->error * idle->length;
}

void fr_cpu_idle_norm(cpu_engine *e, int64_t row, double square) {
    double norm = sqrt(square) * (1 + 1e-6);
    if (e->idle.on) e->idle.norms[row] = norm < (double)FLT_MIN ? 0 : (float)norm;
}

/* Rows drawn twice may be looked at by two threads at once, hence the atomic ways; to the gradient either answer is right. */
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
