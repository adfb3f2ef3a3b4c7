/*
 * moments.c - X''^T X'' by tiles, and rows replaced by X''.
 *
 * Both take blocks of rows that are counted from each worker's first row, so that every call of fr_products has the
 * same shape and the same numbers wherever the worker is: same bits for any number of threads and ranks. Threads
 * share the rows of a block, then the tiles of the product that the block adds to. A GPU takes larger blocks and tiles,
 * of sizes that are functions of d alone.
 */
#include "columns/moments.h"

#include "columns/triangle.h"
#include "columns/weights.h"

/* Rows that add to the product at once, and that are solved at once; bytes of sums over the workers held that are
 * exchanged at once (the exchange takes three times as much again). */
enum { BLOCK_ROWS = 512, SOLVE_ROWS = 128 };
static const double PANEL_BYTES = 64e6;
/* With a GPU, to which all rows go once more for every panel: rows that go over at once, bytes of them, bytes of sums. */
enum { MOST_DEVICE_ROWS = 1 << 16 };
static const double DEVICE_BYTES = 32e6, DEVICE_PANEL_BYTES = 1e9;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* Rows that add to the product at once. */
static int64_t block_rows(const fr_products *products, int64_t d) {
    if (!products->device) return BLOCK_ROWS;
    double rows = DEVICE_BYTES / (8.0 * (double)d);
    return rows > MOST_DEVICE_ROWS ? MOST_DEVICE_ROWS : rows < BLOCK_ROWS ? BLOCK_ROWS : (int64_t)rows;
}

/* Bytes for the longest block of any worker. */
static fr_status make_block(const fr_shard *s, const fr_products *products, double **block, fr_error *error) {
    int64_t d = s->set->features, longest = (s->set->samples + s->plan->workers - 1) / s->plan->workers;
    return fr_allocate((void **)block, least(block_rows(products, d), longest) * d, sizeof **block, "blocks of rows",
                       error);
}

/* What a row becomes before a GPU applies R to it, and columns that are left out after it. */
static fr_view before_factor(const fr_view *view) { return (fr_view){view->shift, view->factor, NULL, NULL}; }

/* x (count x d) <- x'' of rows first .. first + count - 1. */
static void view_rows(const fr_shard *s, const fr_products *products, const fr_view *view, int64_t first,
                      int64_t count, double *x) {
    int64_t d = s->set->features;
    for (int64_t i = 0; i < count; i++) {
        fr_dataset_row(s->set, first + i, x + i * d);
        fr_view_scale(view, d, x + i * d);
    }
    if (view->mix) fr_products_solve(products, count, d, view->mix, d, x, d);
    for (int64_t j = 0; view->state && j < d; j++)
        for (int64_t i = 0; view->state[j] == FR_PIVOT_OUT && i < count; i++) x[i * d + j] = 0;
}

/* ---------------------------------------------------------------------------------------------- moments */

typedef struct moments_job {
    const fr_shard *shard;
    const fr_products *products;
    const fr_view *view;
    int64_t tile, first, last; /* columns of a tile; rows of the product at hand */
    fr_range rows;             /* the block at hand */
    double *block;             /* block_rows x d */
    double *part;              /* the worker's sums, (last - first) x d */
    int64_t *tiles;            /* first row and first column of each */
} moments_job;

static void fill_block(void *context, int64_t item, int thread) {
    const moments_job *job = context;
    const fr_shard *s = job->shard;
    int64_t d = s->set->features, from = item * SOLVE_ROWS, count = least(SOLVE_ROWS, job->rows.count - from);
    double *x = job->block + from * d;
    (void)thread;
    view_rows(s, job->products, job->view, job->rows.first + from, count, x);
    for (int64_t i = 0; s->weights && i < count; i++)
        fr_weigh_row(s->weights[job->rows.first + from + i], d, x + i * d);
}

static void add_tile(void *context, int64_t item, int thread) {
    const moments_job *job = context;
    int64_t d = job->shard->set->features, i = job->tiles[2 * item], j = job->tiles[2 * item + 1];
    (void)thread;
    fr_products_add(job->products, 1, job->rows.count, least(job->tile, job->last - i), least(job->tile, d - j),
                    job->block + i, d, job->block + j, d, job->part + (i - job->first) * d + j, d);
}

/* The tiles of rows first .. last - 1 on and above the diagonal; returns how many. */
static int64_t list_tiles(moments_job *job) {
    int64_t count = 0;
    for (int64_t i = job->first; i < job->last; i += job->tile)
        for (int64_t j = i; j < job->shard->set->features; j += job->tile) {
            job->tiles[2 * count] = i;
            job->tiles[2 * count++ + 1] = j;
        }
    return count;
}

/* Rows first .. last - 1 of the product, of each own worker, into parts. */
static void add_panel(moments_job *job, double *parts) {
    const fr_shard *s = job->shard;
    int64_t size = (job->last - job->first) * s->set->features, tiles = list_tiles(job);
    memset(parts, 0, (size_t)(s->own * size) * sizeof *parts);
    for (int k = 0; k < s->own; k++) {
        fr_range rows = fr_shard_rows(s, k);
        job->part = parts + k * size;
        for (int64_t at = 0; at < rows.count; at += BLOCK_ROWS) {
            job->rows = (fr_range){rows.first + at, least(BLOCK_ROWS, rows.count - at)};
            fr_team_run(s->team, (job->rows.count + SOLVE_ROWS - 1) / SOLVE_ROWS, fill_block, job);
            fr_team_run(s->team, tiles, add_tile, job);
        }
    }
}

/* The same by a GPU. Columns that are left out are 0 in X'', and so is their part of the product. */
static fr_status add_panel_on_device(moments_job *job, double *parts, fr_error *error) {
    const fr_shard *s = job->shard;
    const fr_device_products *device = job->products->device;
    const char *state = job->view->state;
    const fr_view view = before_factor(job->view);
    moments_job fill = *job;
    int64_t d = s->set->features, size = (job->last - job->first) * d, most = block_rows(job->products, d);
    fill.view = &view;
    for (int k = 0; k < s->own; k++) {
        fr_range rows = fr_shard_rows(s, k);
        double *part = parts + k * size;
        FR_TRY(device->begin_sums(device->user, size, error));
        for (int64_t at = 0; at < rows.count; at += most) {
            fill.rows = (fr_range){rows.first + at, least(most, rows.count - at)};
            fr_team_run(s->team, (fill.rows.count + SOLVE_ROWS - 1) / SOLVE_ROWS, fill_block, &fill);
            FR_TRY(device->add_rows(device->user, fill.rows.count, d, job->block, job->first, job->last, error));
        }
        FR_TRY(device->end_sums(device->user, size, part, error));
        for (int64_t i = job->first; state && i < job->last; i++)
            for (int64_t j = 0; j < d; j++)
                if (state[i] == FR_PIVOT_OUT || state[j] == FR_PIVOT_OUT) part[(i - job->first) * d + j] = 0;
    }
    return FR_OK;
}

/* On all ranks or, where one fails, on none. */
static fr_status add_panel_somewhere(moments_job *job, double *parts, fr_error *error) {
    const fr_device_products *device = job->products->device;
    if (!device) {
        add_panel(job, parts);
        return FR_OK;
    }
    fr_status status = device->set_factor(device->user, job->shard->set->features, job->view->mix, error);
    if (status == FR_OK) status = add_panel_on_device(job, parts, error);
    return fr_world_agree(job->shard->world, status, error);
}

/* Rows of the product at once: as many tiles as fit the bytes on the rank that has most workers, at least one. */
static int64_t panel_rows(const fr_shard *s, double bytes, int64_t tile) {
    int most = 1;
    int64_t d = s->set->features;
    for (int r = 0; r < fr_world_size(s->world); r++)
        if (s->owns[r] > most) most = s->owns[r];
    int64_t tiles = (int64_t)(bytes / (8.0 * most * (double)d * (double)tile));
    return tile * (tiles > 1 ? tiles : 1);
}

fr_status fr_moments(const fr_shard *s, const fr_products *products, const fr_view *view, double *moments,
                     fr_error *error) {
    int64_t d = s->set->features, tile = products->device ? FR_DEVICE_TILE : d <= 512 ? 64 : 128;
    int64_t across = (d + tile - 1) / tile;
    int64_t height = least(panel_rows(s, products->device ? DEVICE_PANEL_BYTES : PANEL_BYTES, tile), d);
    FR_OWNED double *block = NULL;
    FR_OWNED double *parts = NULL;
    FR_OWNED int64_t *tiles = NULL;
    fr_status status = make_block(s, products, &block, error);
    if (status == FR_OK)
        status = fr_allocate((void **)&parts, s->own * height * d, sizeof *parts, "products of columns", error);
    if (status == FR_OK)
        status = fr_allocate((void **)&tiles, 2 * across * across, sizeof *tiles, "products of columns", error);
    FR_TRY(fr_world_agree(s->world, status, error)); /* before any rank waits for another's sums */
    moments_job job = {.shard = s, .products = products, .view = view, .tile = tile, .block = block, .tiles = tiles};
    for (job.first = 0; job.first < d; job.first = job.last) {
        job.last = least(job.first + height, d);
        int64_t size = (job.last - job.first) * d;
        FR_TRY(add_panel_somewhere(&job, parts, error));
        FR_TRY(fr_world_sum(s->world, s->owns, parts, size, moments + job.first * d, error));
    }
    for (int64_t i = 0; i < d * d; i++) moments[i] /= (double)s->set->samples;
    return FR_OK;
}

/* ------------------------------------------------------------------------------------------------ apply */

typedef struct apply_job {
    const fr_shard *shard;
    const fr_products *products;
    const fr_view *view;
    fr_dataset *set;
    fr_range rows;  /* of the worker at hand */
    double *blocks; /* SOLVE_ROWS x d a thread */
} apply_job;

static void apply_block(void *context, int64_t item, int thread) {
    const apply_job *job = context;
    int64_t d = job->set->features, from = item * SOLVE_ROWS, count = least(SOLVE_ROWS, job->rows.count - from);
    double *x = job->blocks + thread * SOLVE_ROWS * d;
    view_rows(job->shard, job->products, job->view, job->rows.first + from, count, x);
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < d; j++) fr_dataset_put(job->set, job->rows.first + from + i, j, x[i * d + j]);
}

typedef struct device_job {
    const fr_shard *shard;
    const fr_view *view; /* fill: before the factor; put: as it is */
    fr_dataset *set;
    fr_range rows;
    double *block;
} device_job;

static void fill_device_block(void *context, int64_t item, int thread) {
    const device_job *job = context;
    int64_t from = item * SOLVE_ROWS, count = least(SOLVE_ROWS, job->rows.count - from);
    const fr_view view = before_factor(job->view);
    (void)thread;
    view_rows(job->shard, NULL, &view, job->rows.first + from, count, job->block + from * job->set->features);
}

static void put_device_block(void *context, int64_t item, int thread) {
    const device_job *job = context;
    int64_t d = job->set->features, from = item * SOLVE_ROWS, end = least(from + SOLVE_ROWS, job->rows.count);
    const char *state = job->view->state;
    (void)thread;
    for (int64_t i = from; i < end; i++)
        for (int64_t j = 0; j < d; j++)
            fr_dataset_put(job->set, job->rows.first + i, j,
                           state && state[j] == FR_PIVOT_OUT ? 0 : job->block[i * d + j]);
}

/* Rows by way of a GPU. What one rank has changed when another fails does not matter: the set is of no more use. */
static fr_status apply_on_device(const fr_shard *s, const fr_products *products, const fr_view *view, fr_dataset *set,
                                 double *block, fr_error *error) {
    const fr_device_products *device = products->device;
    int64_t d = set->features, most = block_rows(products, d);
    device_job job = {.shard = s, .view = view, .set = set, .block = block};
    FR_TRY(device->set_factor(device->user, d, view->mix, error));
    for (int k = 0; k < s->own; k++) {
        fr_range rows = fr_shard_rows(s, k);
        for (int64_t at = 0; at < rows.count; at += most) {
            job.rows = (fr_range){rows.first + at, least(most, rows.count - at)};
            int64_t items = (job.rows.count + SOLVE_ROWS - 1) / SOLVE_ROWS;
            fr_team_run(s->team, items, fill_device_block, &job);
            FR_TRY(device->solve(device->user, job.rows.count, d, block, error));
            fr_team_run(s->team, items, put_device_block, &job);
        }
    }
    return FR_OK;
}

static fr_status apply_by_device(const fr_shard *s, const fr_products *products, const fr_view *view, fr_dataset *set,
                                 fr_error *error) {
    FR_OWNED double *block = NULL;
    FR_TRY(fr_world_agree(s->world, make_block(s, products, &block, error), error));
    return fr_world_agree(s->world, apply_on_device(s, products, view, set, block, error), error);
}

fr_status fr_view_apply(const fr_shard *s, const fr_products *products, const fr_view *view, fr_dataset *set,
                        fr_error *error) {
    FR_OWNED double *blocks = NULL;
    if (products->device && view->mix) return apply_by_device(s, products, view, set, error);
    fr_status status = fr_allocate((void **)&blocks, s->threads * SOLVE_ROWS * set->features, sizeof *blocks,
                                   "blocks of rows", error);
    FR_TRY(fr_world_agree(s->world, status, error)); /* before any rank has changed a row */
    apply_job job = {.shard = s, .products = products, .view = view, .set = set, .blocks = blocks};
    for (int k = 0; k < s->own; k++) {
        job.rows = fr_shard_rows(s, k);
        fr_team_run(s->team, (job.rows.count + SOLVE_ROWS - 1) / SOLVE_ROWS, apply_block, &job);
    }
    return FR_OK;
}
