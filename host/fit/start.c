/*
 * start.c - where a fit begins.
 *
 * A start costs one pass over all rows for its loss. Least squares are solved by conjugate gradients on the normal
 * equations, one pass an iteration: with decorrelated columns a few do, and a start need not be exact.
 */
#include "fit/start.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "simd/kernels.h"

static fr_status loss_of(fr_engine *engine, fr_comm *comm, const double *weights, double *loss, fr_error *error) {
    fr_row_sums total;
    FR_TRY(fr_survey_total(engine, comm, FR_PASS_LOSS, weights, NULL, &total, error));
    *loss = total.residual / (double)engine->config.plan->samples;
    return FR_OK;
}

/* ------------------------------------------------------------------------------------------ one rule */

static fr_status gradient_start(fr_engine *engine, fr_comm *comm, const fr_start_data *data, double *weights,
                                double *loss, fr_error *error) {
    const fr_plan *plan = engine->config.plan;
    for (double size = 2;; size /= 2) {
        for (int64_t j = 0; j < plan->features; j++) weights[j] = size / (double)plan->samples * data->label_sum[j];
        FR_TRY(loss_of(engine, comm, weights, loss, error));
        if (*loss < data->zero_loss || size < 1e-30) return FR_OK;
    }
}

static void random_weights(const fr_plan *plan, uint32_t run, uint32_t number, double *weights) {
    fr_cpu_kernels_for(FR_F64)->normals(weights, plan->features, plan->seed,
                                        fr_sequence(FR_STREAM_START, run, number), 0);
}

fr_status fr_start_make(fr_engine *engine, fr_comm *comm, fr_init init, const fr_start_data *data, double *weights,
                        double *loss, fr_error *error) {
    const fr_plan *plan = engine->config.plan;
    size_t bytes = (size_t)plan->features * sizeof *weights;
    switch (init) {
    case FR_INIT_AUTO:
    case FR_INIT_GRADIENT: return gradient_start(engine, comm, data, weights, loss, error);
    case FR_INIT_ZERO: memset(weights, 0, bytes); break;
    case FR_INIT_GIVEN: memcpy(weights, data->given, bytes); break;
    case FR_INIT_RANDOM: random_weights(plan, 0, 0, weights);
    }
    return loss_of(engine, comm, weights, loss, error);
}

/* -------------------------------------------------------------------------------------- least squares */

/* Conjugate gradients on (sum x x^T) w = sum y x over the rows of a kind of pass. */
typedef struct conjugate {
    fr_engine *engine;
    fr_comm *comm;
    fr_pass pass;         /* FR_PASS_LINEAR: all rows; FR_PASS_POSITIVE: those with y > 0 */
    double *right;        /* d each: the right side, */
    double *residual, *direction, *image;
} conjugate;

/* image <- (sum x x^T) direction. A pass of FR_PASS_POSITIVE sums (p - y) x. */
static fr_status multiply(const conjugate *c, fr_error *error) {
    fr_row_sums total;
    FR_TRY(fr_survey_total(c->engine, c->comm, c->pass, c->direction, c->image, &total, error));
    for (int64_t j = 0; c->pass == FR_PASS_POSITIVE && j < c->engine->config.plan->features; j++)
        c->image[j] += c->right[j];
    return FR_OK;
}

static double dot(const double *a, const double *b, int64_t d) {
    double sum = 0;
    for (int64_t j = 0; j < d; j++) sum += a[j] * b[j];
    return sum;
}

/* weights, zero at first, until the residual is a hundredth of what it was, in at most six passes. */
static fr_status iterate(const conjugate *c, double *weights, fr_error *error) {
    int64_t d = c->engine->config.plan->features;
    memcpy(c->residual, c->right, (size_t)d * sizeof *weights);
    memcpy(c->direction, c->right, (size_t)d * sizeof *weights);
    double square = dot(c->residual, c->residual, d), enough = 1e-4 * square;
    for (int i = 0; i < 6 && square > enough; i++) {
        FR_TRY(multiply(c, error));
        double curvature = dot(c->direction, c->image, d), before = square;
        if (!(curvature > 0)) break;
        for (int64_t j = 0; j < d; j++) {
            weights[j] += square / curvature * c->direction[j];
            c->residual[j] -= square / curvature * c->image[j];
        }
        square = dot(c->residual, c->residual, d);
        for (int64_t j = 0; j < d; j++) c->direction[j] = c->residual[j] + square / before * c->direction[j];
    }
    return FR_OK;
}

static fr_status least_squares(fr_engine *engine, fr_comm *comm, fr_pass pass, const fr_start_data *data,
                               double *weights, fr_error *error) {
    int64_t d = engine->config.plan->features;
    FR_OWNED double *memory = NULL;
    FR_TRY(fr_allocate((void **)&memory, 4 * d, sizeof *memory, "least squares", error));
    conjugate c = {engine, comm, pass, memory, memory + d, memory + 2 * d, memory + 3 * d};
    memset(weights, 0, (size_t)d * sizeof *weights);
    if (pass == FR_PASS_POSITIVE) { /* at zero the pass gives - sum y x, of which direction is zero */
        FR_TRY(multiply(&c, error));
        for (int64_t j = 0; j < d; j++) c.right[j] = -c.image[j];
    } else {
        memcpy(c.right, data->label_sum, (size_t)d * sizeof *weights);
    }
    return iterate(&c, weights, error);
}

/* ------------------------------------------------------------------------------------------- handful */

/* A direction at random, so long that the mean of max(0, p)^2 is that of y^2. */
static void random_direction(const fr_plan *plan, const fr_start_data *data, double *weights) {
    random_weights(plan, 2, 0, weights);
    double length = sqrt(dot(weights, weights, plan->features));
    double wanted = sqrt(2 * data->zero_loss / (data->mean_square > 0 ? data->mean_square : 1));
    for (int64_t j = 0; j < plan->features; j++) weights[j] *= wanted / length;
}

static void sort_starts(fr_starts *starts, int64_t d) {
    for (int i = 1; i < FR_STARTS; i++)
        for (int k = i; k > 0 && !(starts->loss[k - 1] <= starts->loss[k]); k--) {
            double *a = starts->weights + (k - 1) * d, *b = a + d, loss = starts->loss[k];
            starts->loss[k] = starts->loss[k - 1];
            starts->loss[k - 1] = loss;
            for (int64_t j = 0; j < d; j++) {
                double kept = a[j];
                a[j] = b[j];
                b[j] = kept;
            }
        }
}

fr_status fr_starts_make(fr_engine *engine, fr_comm *comm, const fr_start_data *data, fr_starts *starts, fr_error *error) {
    const fr_plan *plan = engine->config.plan;
    int64_t d = plan->features;
    FR_TRY(fr_allocate((void **)&starts->weights, FR_STARTS * d, sizeof *starts->weights, "starts", error));
    double *at = starts->weights;
    FR_TRY(gradient_start(engine, comm, data, at, &starts->loss[0], error));
    FR_TRY(least_squares(engine, comm, FR_PASS_LINEAR, data, at + d, error));
    FR_TRY(least_squares(engine, comm, FR_PASS_POSITIVE, data, at + 2 * d, error));
    random_direction(plan, data, at + 3 * d);
    for (int64_t j = 0; j < d; j++) at[4 * d + j] = -at[3 * d + j];
    for (int i = 1; i < FR_STARTS; i++) FR_TRY(loss_of(engine, comm, at + i * d, &starts->loss[i], error));
    sort_starts(starts, d);
    return FR_OK;
}

void fr_start_neighbour(const fr_plan *plan, const double *from, double distance, int number, double *neighbour) {
    random_weights(plan, 3, (uint32_t)number, neighbour);
    double length = sqrt(dot(neighbour, neighbour, plan->features));
    for (int64_t j = 0; j < plan->features; j++) neighbour[j] = from[j] + distance / length * neighbour[j];
}
