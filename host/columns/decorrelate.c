/*
 * decorrelate.c - Gram-Schmidt by Cholesky factors of second moments, repeated where one round is not enough.
 *
 * Moments in double tell what is new in a column, its residual, only down to about 1e-7 of its length: the square of
 * anything smaller drowns in rounding. Yet Unix times beside a column of ones, or a high power of a feature, have
 * less than that, and it is what matters. So a round does not judge a column whose pivot is small: it keeps its
 * residual as it is. The next round makes the rows of that residual from the data themselves (x R^-1 in double),
 * takes their moments, in which it has its own scale again, and factors those (CholeskyQR2, and on). A column is left
 * out only where its residual is below the precision of the data that it is made of.
 */
#include "columns/decorrelate.h"

#include <math.h>

#include "columns/triangle.h"

/* A pivot below the first is for the next round to judge, one below the second asks for a next round. The square of
 * a residual is known to about 1e-13, so the first is a direction known to 1e-5, the second one good enough to
 * stay. Each round that keeps a column finds it 1e4 times smaller than the one before: after four, nothing is left. */
static const double SMALL_PIVOT = 1e-8, CLEAN_PIVOT = 1e-6;
enum { MOST_ROUNDS = 4 };
/* Larger residuals are never taken for rounding, whatever the column is combined of. */
static const double MOST_NOISE = 1e-4;
/* What is broadcast at once. */
static const int64_t BROADCAST_BYTES = 1 << 28;

/* ------------------------------------------------------------------------------------------ what is left out */

/* The size of rounding errors of the data in column j's residual: those of its own values, and those of the columns
 * that it is combined of, which enter by their factors, R_1..j-1^-1 (r_1j .. r_j-1,j). scratch: d. */
static double combined_noise(const double *mix, int64_t d, int64_t j, fr_noise noise, double *scratch) {
    double square = noise.size[j] * noise.size[j];
    for (int64_t i = j - 1; i >= 0; i--) {
        double sum = mix[i * d + j];
        for (int64_t l = i + 1; l < j; l++) sum -= mix[i * d + l] * scratch[l];
        scratch[i] = sum / mix[i * d + i];
        square += scratch[i] * scratch[i] * noise.size[i] * noise.size[i];
    }
    return noise.precision * sqrt(square);
}

/* Of the columns that the last round kept as residuals: what was measured of them this time is below the noise. */
static void leave_out(const double *moments, const double *mix, int64_t d, fr_noise noise, char *state,
                      double *scratch) {
    for (int64_t j = 0; j < d; j++) {
        if (state[j] != FR_PIVOT_SMALL) continue;
        double residual = mix[j * d + j] * sqrt(moments[j * d + j]);
        if (!(residual < MOST_NOISE)) continue;
        if (residual <= noise.precision * noise.size[j] || residual <= combined_noise(mix, d, j, noise, scratch))
            state[j] = FR_PIVOT_OUT;
    }
}

/* ------------------------------------------------------------------------------------------------- a round */

typedef struct decorrelation {
    const fr_shard *shard;
    const fr_products *products;
    fr_noise noise;
    double *mix, *moments, *scratch;
    char *state;
    bool more;
} decorrelation;

/* On rank 0. In the first round moments are mix itself. */
static fr_status factor_round(decorrelation *c, int round, fr_error *error) {
    int64_t d = c->shard->set->features;
    double *moments = round == 1 ? c->mix : c->moments;
    if (round > 1) leave_out(moments, c->mix, d, c->noise, c->state, c->scratch);
    double pivot = fr_triangle_factor(c->products, c->shard->team, d, SMALL_PIVOT, moments, c->state, c->scratch);
    c->more = pivot < CLEAN_PIVOT || memchr(c->state, FR_PIVOT_SMALL, (size_t)d) != NULL;
    if (round == 1) return FR_OK;
    return fr_triangle_multiply(c->products, c->shard->team, d, moments, c->mix, error);
}

/* Rank 0's factor, states and wish for another round to all. */
static fr_status share_round(decorrelation *c, fr_error *error) {
    fr_world *world = c->shard->world;
    int64_t d = c->shard->set->features, bytes = d * d * (int64_t)sizeof *c->mix;
    for (int64_t at = 0; at < bytes; at += BROADCAST_BYTES) {
        int64_t some = bytes - at < BROADCAST_BYTES ? bytes - at : BROADCAST_BYTES;
        FR_TRY(fr_world_broadcast(world, (char *)c->mix + at, (size_t)some, true, error));
    }
    FR_TRY(fr_world_broadcast(world, c->state, (size_t)d, true, error));
    return fr_world_broadcast(world, &c->more, sizeof c->more, true, error);
}

static fr_status make_round(decorrelation *c, fr_view *view, int round, fr_error *error) {
    fr_world *world = c->shard->world;
    FR_TRY(fr_moments(c->shard, c->products, view, round == 1 ? c->mix : c->moments, error));
    fr_status status = fr_world_rank(world) == 0 ? factor_round(c, round, error) : FR_OK;
    FR_TRY(fr_world_agree(world, status, error));
    view->mix = c->mix;
    return share_round(c, error);
}

fr_status fr_decorrelate(const fr_shard *s, const fr_products *products, fr_view view, fr_noise noise, double *mix,
                         char *state, fr_error *error) {
    int64_t d = s->set->features;
    FR_OWNED double *moments = NULL;
    FR_OWNED double *scratch = NULL;
    fr_status status = fr_allocate((void **)&scratch, d, sizeof *scratch, "products of columns", error);
    FR_TRY(fr_world_agree(s->world, status, error));
    decorrelation c = {s, products, noise, mix, NULL, scratch, state, true};
    view.state = state;
    for (int round = 1; c.more && round <= MOST_ROUNDS; round++) {
        if (round == 2) {
            status = fr_allocate((void **)&moments, d * d, sizeof *moments, "products of columns", error);
            FR_TRY(fr_world_agree(s->world, status, error));
            c.moments = moments;
        }
        FR_TRY(make_round(&c, &view, round, error));
    }
    for (int64_t j = 0; j < d; j++)
        if (state[j] == FR_PIVOT_SMALL) state[j] = FR_PIVOT_OUT;
    return FR_OK;
}
