/*
 * rows.c - passes over the rows of a CPU engine: the gradient of the drawn ones, sums over all.
 *
 * A lane is a run of at least 32 rows of one worker; lanes are the unit of work of the threads, and since they are cut
 * by counts alone and added in order, the number of threads changes no bit.
 *
 * Order of summation: rows of a lane in order in real, 256 at a time; these sums in order in double; lanes in order
 * in double. Memory traffic: each row is read once, d reals; the sums that it is added to, 3 d reals a thread, stay
 * in cache.
 */
#include <string.h>

#include "engine/cpu/parts.h"

enum {
    LANE_ROWS = 32,  /* fewest rows of a lane */
    MOST_LANES = 64, /* over all workers, unless there are more workers */
    PASS_ROWS = 256  /* rows whose sum is kept in real before it goes to double */
};

fr_status fr_cpu_cut_lanes(cpu_engine *e, bool drawn, lane_table *table, fr_error *error) {
    static const char what[] = "the table of lanes";
    const fr_plan *plan = e->base.config.plan;
    fr_memory *memory = &e->base.memory;
    int workers = e->base.config.worker_count, most = MOST_LANES / plan->workers < 4 ? 4 : MOST_LANES / plan->workers;
    FR_TRY(fr_memory_take(memory, &table->lanes, (int64_t)workers * most, sizeof(lane), what, error));
    FR_TRY(fr_memory_take(memory, &table->start, workers + 1, sizeof(int), what, error));
    for (int k = 0; k < workers; k++) {
        int64_t count = drawn && plan->draws ? plan->draws : shard_of(e, k).count;
        int64_t lanes = (count + LANE_ROWS - 1) / LANE_ROWS;
        lanes = lanes > most ? most : lanes;
        table->start[k] = table->count;
        for (int64_t l = 0; l < lanes; l++) table->lanes[table->count++] = (lane){k, fr_split(count, lanes, l)};
    }
    table->start[workers] = table->count;
    return FR_OK;
}

/* sum (in double) <- the sum of the rows of one pass, or + it. */
static void add_to_lane(const cpu_engine *e, const void *scratch, bool first, double *sum) {
    int64_t d = e->base.config.plan->features;
    const float *f = scratch;
    const double *g = scratch;
    if (first && e->real == 4)
        for (int64_t j = 0; j < d; j++) sum[j] = (double)f[j];
    else if (first)
        memcpy(sum, g, (size_t)d * sizeof *sum);
    else if (e->real == 4)
        for (int64_t j = 0; j < d; j++) sum[j] += (double)f[j];
    else
        for (int64_t j = 0; j < d; j++) sum[j] += g[j];
}

/* One pass over rows, as the team sees it. */
typedef struct row_pass {
    cpu_engine *engine;
    const lane_table *table;
    bool drawn;
    fr_pass pass;
    const void *weights;
    double factor;
    double *sums;
} row_pass;

/* Rows of a worker that a pass takes, at most PASS_ROWS: all from `first` on, or the drawn ones. */
static void list_rows(const row_pass *p, int worker, int64_t first, int64_t count, int64_t index[PASS_ROWS]) {
    const cpu_engine *e = p->engine;
    uint64_t q = fr_sequence(FR_STREAM_SAMPLE, (uint32_t)e->run, (uint32_t)(e->base.config.first_worker + worker));
    uint64_t n = (uint64_t)shard_of(e, worker).count, seed = e->base.config.plan->seed;
    for (int64_t j = 0; j < count; j++)
        index[j] = p->drawn ? fr_sample_row(seed, q, (uint64_t)e->step, (uint64_t)(first + j), n) : first + j;
}

/* Takes the idle ones out of `count` rows, the first of which is `start` among this engine's; returns how many are left. */
static int64_t leave_idle(const cpu_engine *e, int64_t start, const int64_t *index, int64_t count, int64_t *left) {
    int64_t kept = 0;
    for (int64_t j = 0; j < count; j++)
        if (!fr_cpu_idle_skips(e, start + index[j])) left[kept++] = index[j];
    return kept;
}

/* sum (max(0, p) - y)^2 in the order of rows, those that were not read (their product is negative) in their places, so
 * that what is known of rows changes no bit. read: `kept` of the `count` rows of index, with their products. */
static double sum_residuals(const cpu_engine *e, const void *labels, const int64_t *index, int64_t count,
                            const int64_t *read, int64_t kept, const double *products) {
    double sum = 0;
    for (int64_t j = 0, at = 0; j < count; j++) {
        bool was_read = at < kept && read[at] == index[j];
        double residual = (was_read ? fr_relu(products[at]) : 0) - get(e, labels, index[j]);
        at += was_read;
        sum += residual * residual;
    }
    return sum;
}

/* Sums one lane into its vector of lane_sums. */
static void run_lane(const row_pass *p, int l, void *scratch) {
    cpu_engine *e = p->engine;
    const fr_dataset *set = e->base.config.data;
    const lane *run = &p->table->lanes[l];
    fr_row_sums *scalars = &e->lane_scalars[l];
    int64_t d = e->base.config.plan->features, first_row = shard_of(e, run->worker).first;
    int64_t start = first_row - shard_of(e, 0).first, index[PASS_ROWS], read[PASS_ROWS];
    const void *rows = fr_dataset_at(set, first_row - set->first_row);
    const char *labels = (const char *)set->labels + (size_t)(first_row - set->first_row) * e->real;
    double *sum = e->lane_sums + (size_t)l * (size_t)d, products[PASS_ROWS], residual = 0;
    bool asks = e->idle.on && p->pass == FR_PASS_GRADIENT && !p->sums; /* a survey is at weights of its own */
    *scalars = (fr_row_sums){0};
    e->lane_reads[l] = 0;
    for (int64_t i = 0; i < run->rows.count; i += PASS_ROWS) {
        int64_t here = run->rows.count - i < PASS_ROWS ? run->rows.count - i : PASS_ROWS, kept = here;
        if (p->pass != FR_PASS_LOSS) memset(scratch, 0, (size_t)d * e->real);
        list_rows(p, run->worker, run->rows.first + i, here, index);
        if (asks) kept = leave_idle(e, start, index, here, read);
        e->kernels->pass(p->pass, rows, labels, asks ? read : index, kept, d, set->stride, p->weights, scratch, scalars,
                         products);
        for (int64_t j = 0; asks && j < kept; j++) fr_cpu_idle_learn(e, start + read[j], products[j]);
        for (int64_t j = 0; p->pass == FR_PASS_LABELS && j < here; j++)
            fr_cpu_idle_norm(e, start + index[j], products[j]);
        if (asks) residual += sum_residuals(e, labels, index, here, read, kept, products);
        e->lane_reads[l] += kept;
        if (p->pass != FR_PASS_LOSS) add_to_lane(e, scratch, i == 0, sum);
    }
    if (asks) scalars->residual = residual;
}

static fr_row_sums worker_scalars(const cpu_engine *e, const lane_table *table, int worker) {
    fr_row_sums total = {0};
    for (int l = table->start[worker]; l < table->start[worker + 1]; l++) fr_row_sums_add(&total, &e->lane_scalars[l]);
    return total;
}

/* factor times the sum over lanes, in order, of these columns of a worker: into real values or double sums. */
static void add_lanes(const cpu_engine *e, const lane_table *table, int worker, fr_range columns, double factor,
                      double *sums) {
    int64_t d = e->base.config.plan->features, first = columns.first, count = columns.count;
    double total[APPLY_COLUMNS];
    memset(total, 0, (size_t)count * sizeof *total);
    for (int l = table->start[worker]; l < table->start[worker + 1]; l++) {
        const double *lane_sum = e->lane_sums + (size_t)l * (size_t)d + (size_t)first;
        for (int64_t j = 0; j < count; j++) total[j] += lane_sum[j];
    }
    if (sums) {
        memcpy(sums + (int64_t)worker * d + first, total, (size_t)count * sizeof *total);
    } else if (e->real == 4) {
        float *values = (float *)e->base.buffers.values + (int64_t)worker * d + first;
        for (int64_t j = 0; j < count; j++) values[j] = (float)(factor * total[j]);
    } else {
        double *values = (double *)e->base.buffers.values + (int64_t)worker * d + first;
        for (int64_t j = 0; j < count; j++) values[j] = factor * total[j];
    }
}

static void lane_item(void *context, int64_t item, int thread) {
    row_pass *p = context;
    cpu_engine *e = p->engine;
    void *scratch = at(e, e->scratch, thread * e->base.config.plan->features);
    run_lane(p, (int)item, scratch);
}

static void sum_item(void *context, int64_t item, int thread) {
    row_pass *p = context;
    int64_t each = tiles(p->engine, APPLY_COLUMNS);
    fr_range columns = tile_of(p->engine, APPLY_COLUMNS, item % each);
    (void)thread;
    add_lanes(p->engine, p->table, (int)(item / each), columns, p->factor, p->sums);
}

static void pass_over(row_pass p) {
    cpu_engine *e = p.engine;
    fr_team_run(e->team, p.table->count, lane_item, &p);
    if (p.pass != FR_PASS_LOSS)
        fr_team_run(e->team, e->base.config.worker_count * tiles(e, APPLY_COLUMNS), sum_item, &p);
}

fr_status fr_cpu_survey(fr_engine *engine, fr_pass pass, const double *weights, double *sums, fr_row_sums *scalars,
                        fr_error *error) {
    cpu_engine *e = of(engine);
    int64_t d = engine->config.plan->features;
    const void *at_weights = weights;
    FR_OWNED void *copy = NULL;
    if (e->real == 4 && weights) {
        FR_TRY(fr_allocate(&copy, d, e->real, "weights", error));
        for (int64_t j = 0; j < d; j++) put(e, copy, j, weights[j]);
        at_weights = copy;
    }
    if (!sums && pass != FR_PASS_LABELS) pass = FR_PASS_LOSS; /* the scalars alone are asked for */
    pass_over((row_pass){e, &e->full, false, pass, at_weights, 1, sums});
    for (int k = 0; k < engine->config.worker_count; k++) scalars[k] = worker_scalars(e, &e->full, k);
    return FR_OK;
}

/* v_k: the mean over the drawn rows, or with full batches (K / n) times the sum over all rows of the worker, so that
 * the mean over workers is the gradient of (1.1) even where shards differ by a row. */
fr_status fr_cpu_gradient(fr_engine *engine, fr_error *error) {
    cpu_engine *e = of(engine);
    const fr_plan *plan = engine->config.plan;
    const lane_table *table = e->draws ? &e->drawn : &e->full;
    double factor = e->draws ? 1 / (double)plan->draws : (double)plan->workers / (double)plan->samples;
    (void)error;
    fr_cpu_idle_follow(e);
    pass_over((row_pass){e, table, e->draws, FR_PASS_GRADIENT, e->weights_real, factor, NULL});
    return FR_OK;
}

fr_status fr_cpu_probe(fr_engine *engine, double *residuals, fr_error *error) {
    const cpu_engine *e = of(engine);
    (void)error;
    for (int k = 0; k < engine->config.worker_count; k++)
        residuals[k] = worker_scalars(e, e->draws ? &e->drawn : &e->full, k).residual;
    return FR_OK;
}
