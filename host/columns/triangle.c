/*
 * triangle.c - Cholesky's factor by blocks of 64 rows: the block itself, its row of the factor, what it takes off the
 * rest.
 *
 * LAPACK's dpotrf gives up at the first pivot that is not positive. Here such columns are passed over, so the blocks
 * are written out; nearly all of the work is still fr_products_add.
 */
#include "columns/triangle.h"

#include <math.h>

enum { BLOCK = 64, TILE = 256 }; /* rows of a block; columns of what one thread takes */

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* ----------------------------------------------------------------------------------------------- factor */

typedef struct factor_job {
    const fr_products *products;
    int64_t d, first, last; /* the block's rows */
    double small, least_pivot, *c;
    char *state;
} factor_job;

/* The block on the diagonal, row by row. */
static void factor_block(factor_job *job) {
    int64_t d = job->d;
    for (int64_t j = job->first; j < job->last; j++) {
        double *row = job->c + j * d, pivot = row[j];
        if (job->state[j] != FR_PIVOT_OUT) job->state[j] = pivot >= job->small ? FR_PIVOT_GOOD : FR_PIVOT_SMALL;
        bool good = job->state[j] == FR_PIVOT_GOOD;
        row[j] = good ? sqrt(pivot) : 1;
        if (good && pivot < job->least_pivot) job->least_pivot = pivot;
        for (int64_t l = j + 1; l < job->last; l++) row[l] = good ? row[l] / row[j] : 0;
        for (int64_t i = j + 1; good && i < job->last; i++)
            for (int64_t l = i; l < job->last; l++) job->c[i * d + l] -= row[i] * row[l];
    }
}

/* Some columns of the block's row: forward substitution. */
static void solve_panel(void *context, int64_t item, int thread) {
    const factor_job *job = context;
    int64_t d = job->d, from = job->last + item * TILE, to = least(from + TILE, d);
    (void)thread;
    for (int64_t j = job->first; j < job->last; j++) {
        double *row = job->c + j * d;
        bool good = job->state[j] == FR_PIVOT_GOOD;
        for (int64_t l = from; l < to; l++) row[l] = good ? row[l] / row[j] : 0;
        for (int64_t i = j + 1; good && i < job->last; i++)
            for (int64_t l = from; l < to; l++) job->c[i * d + l] -= row[i] * row[l];
    }
}

/* Some rows of the rest, less what the block's row accounts for. */
static void take_off(void *context, int64_t item, int thread) {
    const factor_job *job = context;
    int64_t d = job->d, from = job->last + item * BLOCK, to = least(from + BLOCK, d);
    const double *panel = job->c + job->first * d + from;
    (void)thread;
    fr_products_add(job->products, -1, job->last - job->first, to - from, d - from, panel, d, panel, d,
                    job->c + from * d + from, d);
}

static void scale_sides(int64_t d, double *c, const char *state, double *scale) {
    for (int64_t j = 0; j < d; j++) scale[j] = state[j] != FR_PIVOT_OUT && c[j * d + j] > 0 ? sqrt(c[j * d + j]) : 0;
    for (int64_t j = 0; j < d; j++)
        for (int64_t l = j; l < d; l++) {
            double both = scale[j] * scale[l];
            c[j * d + l] = both > 0 ? c[j * d + l] / scale[j] / scale[l] : 0;
        }
}

double fr_triangle_factor(const fr_products *products, fr_team *team, int64_t d, double small, double *c, char *state,
                          double *scale) {
    factor_job job = {.products = products, .d = d, .small = small, .least_pivot = 1, .c = c, .state = state};
    scale_sides(d, c, state, scale);
    for (job.first = 0; job.first < d; job.first = job.last) {
        job.last = least(job.first + BLOCK, d);
        factor_block(&job);
        fr_team_run(team, (d - job.last + TILE - 1) / TILE, solve_panel, &job);
        fr_team_run(team, (d - job.last + BLOCK - 1) / BLOCK, take_off, &job);
    }
    for (int64_t j = 0; j < d; j++) {
        for (int64_t l = 0; l < j; l++) c[j * d + l] = 0;
        for (int64_t l = j; l < d; l++) c[j * d + l] *= scale[l] > 0 ? scale[l] : 1;
    }
    return job.least_pivot;
}

/* --------------------------------------------------------------------------------------------- multiply */

typedef struct multiply_job {
    const fr_products *products;
    int64_t d, first, last;
    const double *f, *r;
    double *turned; /* (d - first) x (last - first): rows first .. last - 1 of F, transposed */
    double *out;    /* (last - first) x d */
} multiply_job;

static void multiply_tile(void *context, int64_t item, int thread) {
    const multiply_job *job = context;
    int64_t d = job->d, i0 = job->first, rows = job->last - i0, from = i0 + item * TILE, to = least(from + TILE, d);
    (void)thread;
    fr_products_add(job->products, 1, to - i0, rows, to - from, job->turned, rows, job->r + i0 * d + from, d,
                    job->out + from, d);
}

fr_status fr_triangle_multiply(const fr_products *products, fr_team *team, int64_t d, const double *f, double *r,
                               fr_error *error) {
    FR_OWNED double *turned = NULL;
    FR_OWNED double *out = NULL;
    FR_TRY(fr_allocate((void **)&turned, BLOCK * d, sizeof *turned, "products of triangles", error));
    FR_TRY(fr_allocate((void **)&out, BLOCK * d, sizeof *out, "products of triangles", error));
    multiply_job job = {.products = products, .d = d, .f = f, .r = r, .turned = turned, .out = out};
    for (job.first = 0; job.first < d; job.first = job.last) { /* rows below need no row above */
        job.last = least(job.first + BLOCK, d);
        int64_t rows = job.last - job.first;
        for (int64_t l = job.first; l < d; l++)
            for (int64_t i = 0; i < rows; i++) turned[(l - job.first) * rows + i] = f[(job.first + i) * d + l];
        memset(out, 0, (size_t)(rows * d) * sizeof *out);
        fr_team_run(team, (d - job.first + TILE - 1) / TILE, multiply_tile, &job);
        memcpy(r + job.first * d, out, (size_t)(rows * d) * sizeof *out);
    }
    return FR_OK;
}
