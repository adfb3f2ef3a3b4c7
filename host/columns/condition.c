/*
 * condition.c - columns of mean 0 and variance 1, uncorrelated, and the column of ones.
 *
 * One step size suits features of one scale. So data from a file are scaled (and, where an intercept absorbs the
 * shift, centered) before a fit with the automatic step size; the unit max(0, <w, x> + b) that can be reached stays
 * the same, and the model is given in the user's own units. A constant column among the features is an intercept too:
 * beside one, the other columns are centered (positions and times vary little about a value far from 0).
 *
 * Scaling alone leaves correlations, and ordinary data are full of them: powers of one feature, or two columns far
 * from zero without an intercept, give (1/n) X^T X a condition number of 10^5 and more, and as many steps of SGD.
 * Hence x'' = R^-T x', with (1/n) X'^T X' = R^T R: rows whose second moment is the identity, as in the paper's own
 * model, at 2 n d^2 multiplications (decorrelate.c). The quantizer gains as well: its noise is even in all
 * directions.
 *
 * Rows of different weight (columns/weights.h) count by it in all this.
 *
 * This file measures the columns, decides, and replaces the rows; unfold.c is the way back for weights.
 */
#include "columns/condition.h"

#include <math.h>

#include "columns/correlation.h"
#include "columns/decorrelate.h"
#include "columns/triangle.h"

/* Rounding of one value that moments can see, relative: of data stored as float that is their own, and half of it is
 * left where columns are combined; of doubles, what a few thousand sums make of it. */
static double precision_of(const fr_dataset *set) { return set->precision == FR_F32 ? 4 * 0x1p-24 : 1e-12; }
/* A spread below this part of the mean is rounding of a constant. */
static double constant_below(const fr_dataset *set) { return set->precision == FR_F32 ? 0x1p-24 : 0x1p-48; }

/* ------------------------------------------------------------------------------------------- measurements */

/* Of every column. */
typedef struct columns {
    double *first; /* its value in the first row that counts, row 0 where all do */
    double *sums;  /* 2 d: of u (x - first), and of how many rows that count differ from it at all */
    double *mean, *variance;
    double *factor; /* 1 / scale, 0 where the column is left out */
    double *size;   /* root mean square in units of its scale */
    char *state;    /* fr_pivot */
} columns;

static fr_status make_columns(columns *c, fr_dataset *set, fr_error *error) {
    int64_t d = set->features;
    double **const needs[] = {&c->first, &c->mean, &c->variance, &c->factor, &c->size, &set->shift, &set->scale};
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
        FR_TRY(fr_allocate((void **)needs[i], d, sizeof(double), "column means and scales", error));
    FR_TRY(fr_allocate((void **)&c->sums, 2 * d, sizeof *c->sums, "column means and scales", error));
    FR_TRY(fr_allocate((void **)&set->left_out, d, sizeof *set->left_out, "column means and scales", error));
    return fr_allocate((void **)&c->state, d, sizeof *c->state, "column means and scales", error);
}

static void free_columns(columns *c) {
    double *all[] = {c->first, c->sums, c->mean, c->variance, c->factor, c->size};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
    free(c->state);
}

static void add_difference(const void *context, int64_t d, double u, double *x, double *sums) {
    const double *first = context;
    for (int64_t j = 0; j < d; j++) sums[j] += u * (x[j] - first[j]);
    for (int64_t j = 0; j < d; j++) sums[d + j] += u > 0 && x[j] != first[j];
}

static void add_square(const void *context, int64_t d, double u, double *x, double *sums) {
    const double *mean = context;
    for (int64_t j = 0; j < d; j++) sums[j] += u * ((x[j] - mean[j]) * (x[j] - mean[j]));
}

/* The first of the rows held that counts, or -1. */
static int64_t first_row(const fr_shard *s) {
    for (int k = 0; k < s->own; k++) {
        fr_range rows = fr_shard_rows(s, k);
        for (int64_t i = rows.first; i < rows.first + rows.count; i++)
            if (fr_shard_weight(s, i) > 0) return i;
    }
    return -1;
}

/* Means counted from a row, so that the mean of a constant is that constant, and which columns are constant is
 * exact. */
static fr_status measure_columns(const fr_shard *s, columns *c, fr_error *error) {
    int64_t d = s->set->features;
    double n = (double)s->set->samples;
    FR_TRY(fr_shard_tell_row(s, first_row(s), c->first, error));
    FR_TRY(fr_shard_sum(s, add_difference, c->first, 1, 2 * d, c->sums, error));
    for (int64_t j = 0; j < d; j++) c->mean[j] = c->first[j] + c->sums[j] / n;
    FR_TRY(fr_shard_sum(s, add_square, c->mean, 1, d, c->variance, error));
    for (int64_t j = 0; j < d; j++) {
        c->variance[j] /= n;
        if (isfinite(c->variance[j] + c->mean[j] * c->mean[j])) continue;
        fr_status status =
            fr_fail(error, FR_ERROR_DATA,
                    "%s: column %lld of the features holds values so large that their squares overflow; "
                    "give it in another unit",
                    s->set->source, (long long)j + 1);
        return fr_world_agree(s->world, status, error); /* all ranks find the same */
    }
    return FR_OK;
}

/* --------------------------------------------------------------------------------------------- decisions */

static bool is_constant(const columns *c, int64_t d, int64_t j) { return c->sums[d + j] == 0; }

/* The first column that can stand for an intercept; one so small that its square is 0 cannot. */
static void find_constant(fr_dataset *set, fr_conditioning how, const columns *c) {
    int64_t d = set->features;
    if (!how.scale || how.intercept) return;
    for (int64_t j = 0; set->constant_value == 0 && j < d; j++)
        if (is_constant(c, d, j) && c->mean[j] * c->mean[j] > 0) {
            set->constant = j;
            set->constant_value = c->mean[j];
        }
}

/* Shift, scale and state of column j. A column without spread, once it is centered, carries nothing. */
static void choose_column(fr_dataset *set, fr_conditioning how, columns *c, int64_t j) {
    bool absorbs = set->constant_value != 0, centers = absorbs ? j != set->constant : how.center;
    double mean = c->mean[j], square = sqrt(c->variance[j] + mean * mean);
    double spread = centers ? sqrt(c->variance[j]) : square;
    bool constant = is_constant(c, set->features, j) || !(spread > constant_below(set) * fabs(mean));
    bool empty = centers ? constant : constant && !(square > 0);
    bool scales = how.scale && !empty && spread > 0 && isfinite(1 / spread);
    set->shift[j] = centers ? mean : 0;
    set->scale[j] = scales ? spread : 1;
    c->size[j] = square / set->scale[j];
    bool out = how.scale && empty;
    set->left_out[j] = !out ? FR_COLUMN_USED : square > 0 ? FR_COLUMN_CONSTANT : FR_COLUMN_ZERO;
    c->state[j] = out ? FR_PIVOT_OUT : FR_PIVOT_GOOD;
    c->factor[j] = out ? 0 : 1 / set->scale[j];
}

/* Rows that tell the directions apart, and work of minutes at most; else scaling has to do. */
static bool can_decorrelate(const fr_dataset *set) {
    double n = (double)fr_dataset_counted(set), d = (double)set->features;
    return d > 1 && n >= d + 1 && n * d * d <= 1e13;
}

static fr_status decorrelate(const fr_shard *s, const fr_products *products, fr_view view, columns *c,
                             fr_dataset *set, fr_error *error) {
    int64_t d = set->features;
    fr_status status = fr_allocate((void **)&set->mix, d * d, sizeof *set->mix, "products of columns", error);
    FR_TRY(fr_world_agree(s->world, status, error));
    fr_noise noise = {precision_of(set), c->size};
    FR_TRY(fr_decorrelate(s, products, view, noise, set->mix, c->state, error));
    for (int64_t j = 0; j < d; j++)
        if (c->state[j] == FR_PIVOT_OUT && set->left_out[j] == FR_COLUMN_USED)
            set->left_out[j] = FR_COLUMN_COMBINATION;
    return FR_OK;
}

/* ------------------------------------------------------------------------------------------------- rows */

/* Into the room behind each row. */
static void append_ones(fr_dataset *set) {
    for (int64_t i = 0; i < set->local_rows; i++) fr_dataset_put(set, i, set->features, 1);
    set->features++;
    set->intercept = true;
}

static fr_status change_columns(fr_dataset *set, fr_conditioning how, const fr_shard *s, const fr_products *products,
                                columns *c, fr_error *error) {
    FR_TRY(measure_columns(s, c, error));
    find_constant(set, how, c);
    for (int64_t j = 0; j < set->features; j++) choose_column(set, how, c, j);
    fr_view view = {set->shift, c->factor, NULL, c->state};
    if (how.decorrelate) FR_TRY(fr_columns_are_uncorrelated(s, &view, &set->uncorrelated, error));
    if (how.decorrelate && !set->uncorrelated && can_decorrelate(set)) {
        FR_TRY(decorrelate(s, products, view, c, set, error));
        set->uncorrelated = true;
        view.mix = set->mix;
    }
    FR_TRY(fr_view_apply(s, products, &view, set, error));
    for (int64_t j = 0; set->mix && j < set->features; j++)
        if (c->state[j] == FR_PIVOT_OUT) set->mix[j * set->features + j] = 0;
    set->centered = how.center;
    set->scaled = how.scale;
    if (how.intercept) append_ones(set);
    return FR_OK;
}

static bool is_conditioned(const fr_dataset *set, fr_conditioning how) {
    return set->shift && how.center == set->centered && how.scale == set->scaled && how.intercept == set->intercept &&
           (how.decorrelate || !set->mix);
}

static fr_status refuse_again(const fr_dataset *set, fr_error *error) {
    return fr_fail(error, FR_ERROR_USAGE, "%s: this data set was prepared for another kind of fit already", set->source);
}

fr_status fr_dataset_condition(fr_dataset *set, fr_conditioning how, const fr_plan *plan, int threads,
                               fr_world *world, fr_error *error) {
    if (is_conditioned(set, how)) return FR_OK;
    if (set->shift) return refuse_again(set, error);
    if (!how.center && !how.scale && !how.intercept) return FR_OK;
    if (set->weighed) return refuse_again(set, error);
    fr_shard s;
    columns c = {0};
    fr_status status = fr_shard_make(&s, set, plan, threads, world, error);
    if (status == FR_OK) {
        status = fr_dataset_own_rows(set, how.intercept, error);
        if (status == FR_OK) status = make_columns(&c, set, error);
        status = fr_world_agree(world, status, error);
    }
    if (status == FR_OK) {
        fr_products products = fr_products_begin(true);
        products.device = how.device;
        status = change_columns(set, how, &s, &products, &c, error);
        fr_products_end(&products);
    }
    free_columns(&c);
    fr_shard_free(&s);
    return status;
}
