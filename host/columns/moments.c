/*
 * moments.c - X''^T X'' by tiles, and rows replaced by X''.
 *
 * Both take blocks of rows that are counted from each worker's first row, so that every call of fr_products has the
 * same shape and the same numbers wherever the worker is: same bits for any number of threads and ranks. Threads
 * share the rows of a block, then the tiles of the product that the block adds to.
 */
#include "columns/moments.h"

#include "columns/triangle.h"
#include "columns/weights.h"

/* Rows that add to the product at once, and that are solved at once; bytes of sums over the workers held that are
 * exchanged at once (the exchange takes three times as much again). */
enum { BLOCK_ROWS = 512, SOLVE_ROWS = 128 };
static const double PANEL_BYTES = 64e6;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* x (count x d) <- x'' of rows first .. first + count - 1. */
static void view_rows(const fr_shard *s, const fr_products *products, const fr_view *view, int64_t first,
                      int64_t count, double *x) {
    int64_t d = s->set->features;
    for (int64_t i = 0; i < count; i++) {
        fr_shard_row(s, first + i, x + i * d);
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
    double *block;             /* BLOCK_ROWS x d */
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

/* Rows of the product at once: as many tiles as PANEL_BYTES hold on the rank that has most workers, at least one. */
static int64_t panel_rows(const fr_shard *s, int64_t tile) {
    int most = 1;
    int64_t d = s->set->features;
    for (int r = 0; r < fr_world_size(s->world); r++)
        if (s->owns[r] > most) most = s->owns[r];
    int64_t tiles = (int64_t)(PANEL_BYTES / (8.0 * most * (double)d * (double)tile));
    return tile * (tiles > 1 ? tiles : 1);
}

fr_status fr_moments(const fr_shard *s, const fr_products *products, const fr_view *view, double *moments,
                     fr_error *error) {
    int64_t d = s->set->features, tile = d <= 512 ? 64 : 128, across = (d + tile - 1) / tile;
    int64_t height = least(panel_rows(s, tile), d);
    FR_OWNED double *block = NULL;
    FR_OWNED double *parts = NULL;
    FR_OWNED int64_t *tiles = NULL;
    fr_status status = fr_allocate((void **)&block, BLOCK_ROWS * d, sizeof *block, "blocks of rows", error);
    if (status == FR_OK)
        status = fr_allocate((void **)&parts, s->own * height * d, sizeof *parts, "products of columns", error);
    if (status == FR_OK)
        status = fr_allocate((void **)&tiles, 2 * across * across, sizeof *tiles, "products of columns", error);
    FR_TRY(fr_world_agree(s->world, status, error)); /* before any rank waits for another's sums */
    moments_job job = {.shard = s, .products = products, .view = view, .tile = tile, .block = block, .tiles = tiles};
    for (job.first = 0; job.first < d; job.first = job.last) {
        job.last = least(job.first + height, d);
        int64_t size = (job.last - job.first) * d;
        add_panel(&job, parts);
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

fr_status fr_view_apply(const fr_shard *s, const fr_products *products, const fr_view *view, fr_dataset *set,
                        fr_error *error) {
    FR_OWNED double *blocks = NULL;
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
