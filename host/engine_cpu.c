/*
 * engine_cpu.c - the compute seam on a CPU: a team of threads over the vector loops of cpu_kernels.c.
 *
 * It owns the weights in double (a float copy feeds the float loops), the sums of the lanes and the exchange
 * buffers. A lane is a run of at least 32 rows of one worker; lanes are the unit of work of the threads, and since
 * they are cut by counts alone and added in order, the number of threads changes no bit.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "collective.h"
#include "engine.h"
#include "quantize.h"
#include "team.h"

enum {
    LANE_ROWS = 32,   /* fewest rows of a lane */
    MOST_LANES = 64,  /* over all workers, unless there are more workers */
    PASS_ROWS = 256,  /* rows whose sum is kept in real before it goes to double */
    ENCODE_COLUMNS = 4096,
    APPLY_COLUMNS = 1024
};

typedef struct lane {
    int worker;           /* of this engine, from 0 */
    int64_t first, count; /* among the worker's draws or rows */
} lane;

typedef struct lane_table {
    lane *lanes;
    int count;
    int *start; /* worker_count + 1: the first lane of each worker */
} lane_table;

typedef struct cpu_engine {
    fr_engine base;
    const fr_cpu_kernels *kernels;
    size_t real; /* bytes */
    int threads;
    fr_team *team;
    int64_t step;
    int run;
    double *weights;
    void *weights_real; /* the same as real; weights itself in double */
    double *average;
    int64_t averaged;
    lane_table drawn, full;
    double *lane_sums;      /* one d-vector a lane */
    fr_row_sums *lane_scalars;
    void *scratch;          /* one d-vector of real a thread */
    double batch_residual;
} cpu_engine;

static cpu_engine *of(fr_engine *engine) { return (cpu_engine *)engine; }

static void *at(const cpu_engine *e, void *buffer, int64_t index) { return (char *)buffer + (size_t)index * e->real; }
static double get(const cpu_engine *e, const void *buffer, int64_t i) {
    return e->real == 4 ? (double)((const float *)buffer)[i] : ((const double *)buffer)[i];
}
static void put(const cpu_engine *e, void *buffer, int64_t i, double value) {
    if (e->real == 4) ((float *)buffer)[i] = (float)value;
    else ((double *)buffer)[i] = value;
}

/* ------------------------------------------------------------------------------------------- rows */

static int64_t shard_start(const cpu_engine *e, int worker) {
    const fr_plan *plan = e->base.config.plan;
    return fr_part_start(plan->samples, plan->workers, e->base.config.first_worker + worker);
}
static int64_t shard_rows(const cpu_engine *e, int worker) { return shard_start(e, worker + 1) - shard_start(e, worker); }

static fr_status cut_lanes(const cpu_engine *e, bool drawn, lane_table *table, fr_error *error) {
    const fr_plan *plan = e->base.config.plan;
    int workers = e->base.config.worker_count, most = MOST_LANES / plan->workers < 4 ? 4 : MOST_LANES / plan->workers;
    fr_status status =
        fr_allocate((void **)&table->lanes, (int64_t)workers * most, sizeof(lane), "the table of lanes", error);
    if (status == FR_OK)
        status = fr_allocate((void **)&table->start, workers + 1, sizeof(int), "the table of lanes", error);
    if (status != FR_OK) return status;
    for (int k = 0; k < workers; k++) {
        int64_t count = drawn && plan->draws ? plan->draws : shard_rows(e, k);
        int64_t lanes = (count + LANE_ROWS - 1) / LANE_ROWS;
        lanes = lanes > most ? most : lanes;
        table->start[k] = table->count;
        for (int64_t l = 0; l < lanes; l++) {
            int64_t first = fr_part_start(count, lanes, l);
            table->lanes[table->count++] = (lane){k, first, fr_part_start(count, lanes, l + 1) - first};
        }
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

/* Sums one lane into its vector of lane_sums. */
static void run_lane(cpu_engine *e, const lane_table *table, int l, bool drawn, fr_pass pass, const void *weights,
                     void *scratch) {
    const fr_plan *plan = e->base.config.plan;
    const fr_dataset *set = e->base.config.data;
    const lane *at_lane = &table->lanes[l];
    int64_t d = plan->features, start = shard_start(e, at_lane->worker) - set->first_row;
    uint64_t worker = (uint64_t)(e->base.config.first_worker + at_lane->worker);
    uint64_t q = fr_sequence(FR_STREAM_SAMPLE, (uint32_t)e->run, (uint32_t)worker);
    const char *rows = (const char *)set->rows + (size_t)(start * d) * e->real;
    const char *labels = (const char *)set->labels + (size_t)start * e->real;
    double *sum = e->lane_sums + (size_t)l * (size_t)d;
    int64_t index[PASS_ROWS];
    e->lane_scalars[l] = (fr_row_sums){0};
    for (int64_t i = 0; i < at_lane->count; i += PASS_ROWS) {
        int64_t here = at_lane->count - i < PASS_ROWS ? at_lane->count - i : PASS_ROWS, first = at_lane->first + i;
        if (pass != FR_PASS_LOSS) memset(scratch, 0, (size_t)d * e->real);
        if (drawn) {
            uint64_t n = (uint64_t)shard_rows(e, at_lane->worker);
            for (int64_t j = 0; j < here; j++)
                index[j] = fr_sample_row(plan->seed, q, (uint64_t)e->step, (uint64_t)(first + j), n);
            e->kernels->pass(pass, rows, labels, index, here, d, weights, scratch, &e->lane_scalars[l]);
        } else {
            e->kernels->pass(pass, rows + (size_t)(first * d) * e->real, labels + (size_t)first * e->real, NULL, here,
                             d, weights, scratch, &e->lane_scalars[l]);
        }
        if (pass != FR_PASS_LOSS) add_to_lane(e, scratch, i == 0, sum);
    }
}

static fr_row_sums worker_scalars(const cpu_engine *e, const lane_table *table, int worker) {
    fr_row_sums total = {0};
    for (int l = table->start[worker]; l < table->start[worker + 1]; l++) fr_row_sums_add(&total, &e->lane_scalars[l]);
    return total;
}

/* factor times the sum over lanes, columns first .. last - 1 of a worker: into real values or double sums. */
static void add_lanes(const cpu_engine *e, const lane_table *table, int worker, int64_t first, int64_t last,
                      double factor, double *sums) {
    int64_t d = e->base.config.plan->features, count = last - first;
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

static void lane_item(void *context, int64_t item, int thread) {
    row_pass *p = context;
    cpu_engine *e = p->engine;
    void *scratch = at(e, e->scratch, thread * e->base.config.plan->features);
    run_lane(e, p->table, (int)item, p->drawn, p->pass, p->weights, scratch);
}

static int64_t blocks_of(const cpu_engine *e, int64_t columns) {
    return (e->base.config.plan->features + columns - 1) / columns;
}

static void sum_item(void *context, int64_t item, int thread) {
    row_pass *p = context;
    int64_t d = p->engine->base.config.plan->features, blocks = blocks_of(p->engine, APPLY_COLUMNS);
    int64_t first = item % blocks * APPLY_COLUMNS, last = first + APPLY_COLUMNS < d ? first + APPLY_COLUMNS : d;
    (void)thread;
    add_lanes(p->engine, p->table, (int)(item / blocks), first, last, p->factor, p->sums);
}

static void pass_over(row_pass p) {
    cpu_engine *e = p.engine;
    fr_team_run(e->team, p.table->count, lane_item, &p);
    if (p.pass != FR_PASS_LOSS)
        fr_team_run(e->team, e->base.config.worker_count * blocks_of(e, APPLY_COLUMNS), sum_item, &p);
}

static fr_status cpu_survey(fr_engine *engine, fr_pass pass, const double *weights, double *sums,
                            fr_row_sums *scalars, fr_error *error) {
    cpu_engine *e = of(engine);
    int64_t d = engine->config.plan->features;
    const void *at_weights = weights;
    void *copy = NULL;
    if (e->real == 4 && weights) {
        fr_status status = fr_allocate(&copy, d, e->real, "weights", error);
        if (status != FR_OK) return status;
        for (int64_t j = 0; j < d; j++) put(e, copy, j, weights[j]);
        at_weights = copy;
    }
    pass_over((row_pass){e, &e->full, false, !sums && pass != FR_PASS_LABELS ? FR_PASS_LOSS : pass, at_weights, 1, sums});
    for (int k = 0; k < engine->config.worker_count; k++) scalars[k] = worker_scalars(e, &e->full, k);
    free(copy);
    return FR_OK;
}

/* v_k: the mean over the drawn rows, or with full batches (K / n) times the sum over all rows of the worker, so that
 * the mean over workers is the gradient of (1.1) even where parts differ by a row. */
static fr_status cpu_gradient(fr_engine *engine, fr_error *error) {
    cpu_engine *e = of(engine);
    const fr_plan *plan = engine->config.plan;
    bool drawn = plan->draws > 0;
    const lane_table *table = drawn ? &e->drawn : &e->full;
    double factor = drawn ? 1 / (double)plan->draws : (double)plan->workers / (double)plan->samples, rows = 0;
    (void)error;
    pass_over((row_pass){e, table, drawn, FR_PASS_GRADIENT, e->weights_real, factor, NULL});
    e->batch_residual = 0;
    for (int k = 0; k < engine->config.worker_count; k++) {
        e->batch_residual += worker_scalars(e, table, k).residual;
        rows += drawn ? (double)plan->draws : (double)shard_rows(e, k);
    }
    e->batch_residual /= rows;
    return FR_OK;
}

/* ---------------------------------------------------------------------------------------- levels */

static void norm_item(void *context, int64_t k, int thread) {
    cpu_engine *e = context;
    fr_buffers *b = &e->base.buffers;
    const fr_plan *plan = e->base.config.plan;
    (void)thread;
    put(e, b->scales, k, fr_norm(e->kernels, at(e, b->values, k * plan->features), plan->features, plan->scale));
}

static fr_status cpu_magnitude(fr_engine *engine, fr_error *error) {
    cpu_engine *e = of(engine);
    fr_buffers *b = &engine->buffers;
    double most = 0;
    (void)error;
    fr_team_run(e->team, engine->config.worker_count, norm_item, e);
    for (int k = 0; k < engine->config.worker_count; k++) {
        double norm = get(e, b->scales, k);
        if (!(norm <= most)) most = norm; /* a NaN is taken */
        if (isnan(norm)) break;
    }
    put(e, b->shared_scale, 0, most);
    return FR_OK;
}

typedef struct encoding {
    cpu_engine *engine;
    bool shared; /* under the shared scale, else each worker's own */
} encoding;

static void encode_item(void *context, int64_t item, int thread) {
    const encoding *how = context;
    cpu_engine *e = how->engine;
    const fr_plan *plan = e->base.config.plan;
    fr_buffers *b = &e->base.buffers;
    int64_t d = plan->features, blocks = blocks_of(e, ENCODE_COLUMNS);
    int64_t k = item / blocks, first = item % blocks * ENCODE_COLUMNS;
    int64_t count = d - first < ENCODE_COLUMNS ? d - first : ENCODE_COLUMNS;
    double norm = how->shared ? get(e, b->shared_scale, 0) : get(e, b->scales, k);
    uint64_t q = fr_sequence(FR_STREAM_ROUND, (uint32_t)e->run, (uint32_t)(e->base.config.first_worker + k));
    (void)thread;
    if (norm > 0)
        e->kernels->encode(at(e, b->values, k * d), first, count, norm, plan->levels, plan->seed, q,
                           fr_word_of_step((uint64_t)e->step), b->levels + k * d);
    else
        memset(b->levels + k * d + first, 0, (size_t)count); /* Q(0) = 0; a NaN scale makes the weights NaN in apply */
}

static fr_status cpu_encode(fr_engine *engine, bool shared, fr_error *error) {
    encoding how = {of(engine), shared};
    (void)error;
    fr_team_run(how.engine->team, engine->config.worker_count * blocks_of(how.engine, ENCODE_COLUMNS), encode_item,
                &how);
    return FR_OK;
}

static fr_status cpu_total(fr_engine *engine, fr_error *error) {
    cpu_engine *e = of(engine);
    fr_buffers *b = &engine->buffers;
    int64_t d = engine->config.plan->features;
    int workers = engine->config.worker_count;
    (void)error;
    for (int64_t j = 0; j < d; j++) {
        if (engine->config.plan->levels) {
            int sum = 0;
            for (int k = 0; k < workers; k++) sum += b->levels[k * d + j];
            b->total_levels[j] = (int8_t)sum; /* at most K s <= 127, by fr_plan_make */
        } else {
            double sum = 0;
            for (int k = 0; k < workers; k++) sum += get(e, b->values, k * d + j);
            put(e, b->total_values, j, sum);
        }
    }
    return FR_OK;
}

/* -------------------------------------------------------------------------------------- two-phase */

static fr_status cpu_pack(fr_engine *engine, fr_error *error) {
    cpu_engine *e = of(engine);
    const fr_plan *plan = engine->config.plan;
    fr_buffers *b = &engine->buffers;
    int each = engine->config.worker_count, ranks = plan->workers / each;
    size_t size = plan->levels ? 1 : e->real;
    const char *from = plan->levels ? (const char *)b->levels : (const char *)b->values;
    char *to = b->outgoing;
    (void)error;
    if (from == to) return FR_OK; /* one rank: already in place */
    for (int r = 0; r < ranks; r++) {
        int64_t first = fr_slice_start(plan, r * each), last = fr_slice_start(plan, (r + 1) * each);
        for (int k = 0; k < each; k++) {
            memcpy(to, from + (size_t)(k * plan->features + first) * size, (size_t)(last - first) * size);
            to += (size_t)(last - first) * size;
        }
    }
    return FR_OK;
}

/* The exact sum of one own slice's levels, rounded to s levels of its own scale. */
static void requantize_item(void *context, int64_t k, int thread) {
    cpu_engine *e = context;
    const fr_plan *plan = e->base.config.plan;
    fr_buffers *b = &e->base.buffers;
    int own = e->base.config.first_worker, slice = own + (int)k;
    int64_t begin = fr_slice_start(plan, own);
    int64_t width = fr_slice_start(plan, own + e->base.config.worker_count) - begin;
    int64_t first = fr_slice_start(plan, slice) - begin;
    int64_t count = fr_slice_start(plan, slice + 1) - fr_slice_start(plan, slice);
    (void)thread;
    const int8_t *in = b->incoming;
    double *sums = e->lane_sums + first; /* free between two gradients, and at least d long */
    const fr_cpu_kernels *kernels = fr_cpu_kernels_for(FR_F64);
    for (int64_t j = 0; j < count; j++) {
        int32_t sum = 0;
        for (int w = 0; w < plan->workers; w++) sum += in[w * width + first + j];
        sums[j] = sum;
    }
    double norm = count ? fr_norm(kernels, sums, count, plan->scale) : 0;
    put(e, b->own_slice_scales, k, norm);
    norm = get(e, b->own_slice_scales, k); /* as it travels */
    if (norm > 0)
        kernels->encode(sums, 0, count, norm, plan->levels, plan->seed,
                        fr_sequence(FR_STREAM_REROUND, (uint32_t)e->run, (uint32_t)slice), fr_word_of_step((uint64_t)e->step),
                        b->own_slice + first);
    else
        memset(b->own_slice + first, 0, (size_t)count);
}

static fr_status cpu_requantize(fr_engine *engine, fr_error *error) {
    cpu_engine *e = of(engine);
    const fr_plan *plan = engine->config.plan;
    fr_buffers *b = &engine->buffers;
    int first_worker = engine->config.first_worker, workers = engine->config.worker_count;
    int64_t width = fr_slice_start(plan, first_worker + workers) - fr_slice_start(plan, first_worker);
    (void)error;
    if (plan->levels == 0) {
        for (int64_t j = 0; j < width; j++) {
            double sum = 0;
            for (int w = 0; w < plan->workers; w++) sum += get(e, b->incoming, w * width + j);
            put(e, b->own_values, j, sum);
        }
        return FR_OK;
    }
    fr_team_run(e->team, workers, requantize_item, e);
    return FR_OK;
}

/* ------------------------------------------------------------------------------------------ apply */

/* The decoded mean over workers for columns first .. last - 1. */
static void decode(const cpu_engine *e, fr_update update, int64_t first, int64_t last, double *mean) {
    const fr_plan *plan = e->base.config.plan;
    const fr_buffers *b = &e->base.buffers;
    int64_t d = plan->features, count = last - first;
    double workers = plan->workers, s = plan->levels;
    double shared = plan->levels ? get(e, b->shared_scale, 0) / (s * workers) : 0;
    memset(mean, 0, (size_t)count * sizeof *mean);
    switch (update) {
    case FR_UPDATE_TOTAL_VALUES:
        for (int64_t j = 0; j < count; j++) mean[j] = get(e, b->total_values, first + j) / workers;
        break;
    case FR_UPDATE_TOTAL_LEVELS:
        for (int64_t j = 0; j < count; j++) mean[j] = shared * b->total_levels[first + j];
        break;
    case FR_UPDATE_ALL_VALUES:
        for (int k = 0; k < plan->workers; k++)
            for (int64_t j = 0; j < count; j++) mean[j] += get(e, b->all_values, k * d + first + j) / workers;
        break;
    case FR_UPDATE_ALL_LEVELS:
        for (int k = 0; k < plan->workers; k++) {
            double unit = get(e, b->all_scales, k) / (s * workers);
            for (int64_t j = 0; j < count; j++) mean[j] += unit * b->all_levels[k * d + first + j];
        }
        break;
    case FR_UPDATE_SLICE_LEVELS:
        for (int k = 0; k < plan->workers; k++) {
            int64_t from = fr_slice_start(plan, k), to = fr_slice_start(plan, k + 1);
            double unit = shared * (get(e, b->slice_scales, k) / s);
            from = from < first ? first : from;
            for (int64_t j = from; j < to && j < last; j++) mean[j - first] = unit * b->slice_levels[j];
        }
        break;
    case FR_UPDATE_TOTAL_BF16: break; /* on GPUs alone, see place.c */
    }
}

typedef struct application {
    cpu_engine *engine;
    fr_update update;
    double eta;
    bool averages;
} application;

static void apply_item(void *context, int64_t block, int thread) {
    const application *how = context;
    cpu_engine *e = how->engine;
    int64_t d = e->base.config.plan->features, first = block * APPLY_COLUMNS;
    int64_t last = first + APPLY_COLUMNS < d ? first + APPLY_COLUMNS : d;
    double mean[APPLY_COLUMNS];
    (void)thread;
    decode(e, how->update, first, last, mean);
    for (int64_t j = first; j < last; j++) {
        e->weights[j] -= how->eta * mean[j - first];
        if (how->averages) e->average[j] += (e->weights[j] - e->average[j]) / (double)e->averaged;
        if (e->real == 4) ((float *)e->weights_real)[j] = (float)e->weights[j];
    }
}

static fr_status cpu_apply(fr_engine *engine, fr_update update, fr_error *error) {
    cpu_engine *e = of(engine);
    const fr_plan *plan = engine->config.plan;
    application how = {e, update, fr_step_at(plan->steps, e->step), e->step >= plan->average_start};
    (void)error;
    if (how.averages) e->averaged++;
    fr_team_run(e->team, blocks_of(e, APPLY_COLUMNS), apply_item, &how);
    e->step++;
    return FR_OK;
}

/* ------------------------------------------------------------------------------------------ state */

static fr_status cpu_load(fr_engine *engine, const fr_state *state, fr_error *error) {
    cpu_engine *e = of(engine);
    size_t bytes = (size_t)engine->config.plan->features * sizeof(double);
    (void)error;
    e->step = state->step;
    e->run = state->run;
    e->averaged = state->averaged;
    memcpy(e->weights, state->weights, bytes);
    memcpy(e->average, state->average, bytes);
    if (e->real == 4)
        for (int64_t j = 0; j < engine->config.plan->features; j++) put(e, e->weights_real, j, e->weights[j]);
    return FR_OK;
}

static fr_status cpu_store(fr_engine *engine, fr_state *state, fr_error *error) {
    cpu_engine *e = of(engine);
    size_t bytes = (size_t)engine->config.plan->features * sizeof(double);
    (void)error;
    state->step = e->step;
    state->run = e->run;
    state->averaged = e->averaged;
    memcpy(state->weights, e->weights, bytes);
    memcpy(state->average, e->average, bytes);
    return FR_OK;
}

static fr_status cpu_probe(fr_engine *engine, fr_probe *probe, fr_error *error) {
    (void)error;
    probe->batch_loss = of(engine)->batch_residual;
    return FR_OK;
}

/* --------------------------------------------------------------------------------- create, destroy */

static void free_table(lane_table *table) {
    free(table->lanes);
    free(table->start);
}

static void cpu_destroy(fr_engine *engine) {
    cpu_engine *e = of(engine);
    fr_buffers *b = &engine->buffers;
    if (b->outgoing != b->levels && b->outgoing != b->values) free(b->outgoing);
    if (b->incoming != b->levels && b->incoming != b->values) free(b->incoming);
    if (b->own_slice != b->slice_levels) free(b->own_slice);
    if (b->own_slice_scales != b->slice_scales) free(b->own_slice_scales);
    if (b->own_values != b->total_values) free(b->own_values);
    if (b->all_values != b->values) free(b->all_values);
    if (b->all_levels != b->levels) free(b->all_levels);
    if (b->all_scales != b->scales) free(b->all_scales);
    free(b->slice_levels);
    free(b->slice_scales);
    free(b->total_levels);
    free(b->total_values);
    free(b->shared_scale);
    free(b->scales);
    free(b->levels);
    free(b->values);
    if (e->weights_real != e->weights) free(e->weights_real);
    free(e->weights);
    free(e->average);
    free(e->lane_sums);
    free(e->lane_scalars);
    free(e->scratch);
    free_table(&e->drawn);
    free_table(&e->full);
    fr_team_free(e->team);
    free(e);
}

#define FR_NEED(pointer, count, size)                                                                       \
    do {                                                                                                    \
        fr_status need_status = fr_allocate((void **)&(pointer), (count), (size), "the engine", error);     \
        if (need_status != FR_OK) return need_status;                                                       \
    } while (0)

/* Where one engine holds all workers, what is gathered is what is here: those names share buffers. */
static fr_status make_buffers(cpu_engine *e, fr_error *error) {
    const fr_engine_config *config = &e->base.config;
    const fr_plan *plan = config->plan;
    fr_buffers *b = &e->base.buffers;
    int64_t d = plan->features, own = config->worker_count, all = plan->workers;
    int64_t width = fr_slice_start(plan, config->first_worker + config->worker_count) -
                    fr_slice_start(plan, config->first_worker);
    bool whole = own == all, quantized = plan->levels > 0;
    FR_NEED(b->values, own * d, e->real);
    FR_NEED(b->scales, own, e->real);
    FR_NEED(b->shared_scale, 1, e->real);
    FR_NEED(b->total_values, d, e->real);
    if (quantized) FR_NEED(b->levels, own * d, 1);
    switch (plan->collective) {
    case FR_COLLECTIVE_ALLREDUCE:
        if (quantized) FR_NEED(b->total_levels, d, 1);
        break;
    case FR_COLLECTIVE_TWO_PHASE:
        if (quantized) {
            FR_NEED(b->slice_levels, d, 1);
            FR_NEED(b->slice_scales, all, e->real);
        }
        b->outgoing = b->incoming = quantized ? (void *)b->levels : b->values;
        b->own_slice = b->slice_levels, b->own_slice_scales = b->slice_scales, b->own_values = b->total_values;
        if (whole) break;
        b->outgoing = b->incoming = b->own_slice_scales = b->own_values = NULL, b->own_slice = NULL;
        FR_NEED(b->outgoing, own * d, quantized ? 1 : e->real);
        FR_NEED(b->incoming, all * width, quantized ? 1 : e->real);
        FR_NEED(b->own_values, width, e->real);
        FR_NEED(b->own_slice, width, 1);
        FR_NEED(b->own_slice_scales, own, e->real);
        break;
    default:
        if (whole) b->all_values = b->values, b->all_levels = b->levels, b->all_scales = b->scales;
        else if (quantized) {
            FR_NEED(b->all_levels, all * d, 1);
            FR_NEED(b->all_scales, all, e->real);
        } else {
            FR_NEED(b->all_values, all * d, e->real);
        }
    }
    return FR_OK;
}

static fr_status make_engine(cpu_engine *e, fr_error *error) {
    const fr_plan *plan = e->base.config.plan;
    int64_t d = plan->features;
    FR_NEED(e->weights, d, sizeof(double));
    FR_NEED(e->average, d, sizeof(double));
    e->weights_real = e->weights;
    if (e->real == 4) {
        e->weights_real = NULL;
        FR_NEED(e->weights_real, d, e->real);
    }
    fr_status status = fr_team_create(e->threads, &e->team, error);
    if (status == FR_OK) status = cut_lanes(e, true, &e->drawn, error);
    if (status == FR_OK) status = cut_lanes(e, false, &e->full, error);
    if (status != FR_OK) return status;
    int lanes = e->drawn.count > e->full.count ? e->drawn.count : e->full.count;
    FR_NEED(e->lane_sums, (int64_t)lanes * d, sizeof(double));
    FR_NEED(e->lane_scalars, lanes, sizeof(fr_row_sums));
    FR_NEED(e->scratch, (int64_t)e->threads * d, e->real);
    return make_buffers(e, error);
}

fr_status fr_engine_cpu_create(const fr_engine_config *config, fr_engine **engine, fr_error *error) {
    static const fr_engine_ops ops = {
        .name = "cpu",
        .probe_every = 1,
        .destroy = cpu_destroy,
        .survey = cpu_survey,
        .load = cpu_load,
        .store = cpu_store,
        .probe = cpu_probe,
        .gradient = cpu_gradient,
        .magnitude = cpu_magnitude,
        .encode = cpu_encode,
        .total = cpu_total,
        .pack = cpu_pack,
        .requantize = cpu_requantize,
        .apply = cpu_apply,
    };
    cpu_engine *e = NULL;
    fr_status status = fr_allocate((void **)&e, 1, sizeof *e, "the engine", error);
    if (status != FR_OK) return status;
    e->base.ops = &ops;
    e->base.config = *config;
    e->kernels = fr_cpu_kernels_for(config->plan->precision);
    e->real = fr_precision_bytes(config->plan->precision);
    e->threads = config->threads < 1 ? 1 : config->threads;
    status = make_engine(e, error);
    if (status != FR_OK) {
        cpu_destroy(&e->base);
        return status;
    }
    *engine = &e->base;
    return FR_OK;
}
