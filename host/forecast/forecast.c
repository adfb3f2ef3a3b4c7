/*
 * forecast.c - steps to an accuracy, and the forecast of a whole fit.
 *
 * Near w* and on Gaussian rows the gradient of (1.1) over a batch is g = H e + noise, e = w - w*, where H = (2/n) sum
 * over active rows of x_i x_i^T. Half the rows are active, so the eigenvalues of H follow Marchenko and Pastur's law
 * of ratio r = 2 d / n: they lie between (1 - sqrt r)^2 and (1 + sqrt r)^2, with mean 1. What is left of ||e||^2
 * after many steps lies along the small ones: with n = 10 d a fit takes about twice the steps that all eigenvalues
 * being 1 would mean.
 *
 * Let v(lambda) be E of the squared error along directions of eigenvalue lambda, and S1 and S2 its means weighted by
 * lambda and lambda^2. One step e' = e - eta (average of K quantized partial gradients of m/K rows each):
 *
 *     v' = (1 - eta lambda)^2 v + eta^2 (drawn c S1 lambda + Q),            c = (2 d + 3) / m
 *     Q  = (q/K) (S2 + c K S1) + q2 (S2 + drawn c S1 + (q/K) (S2 + c K S1)).
 *
 * Drawing m rows with replacement adds noise of total c S1, along the data's own directions. Worker k's partial
 * gradient has the mean square S2 + c K S1, of which its rounding adds q, along all directions alike, and the average
 * of K of them 1/K; two-phase rounds the average once more, q2. With all lambda = 1 (n much larger than d) this is
 * the one factor of fr_noise_rate.
 *
 * A shared l2 scale is taken as ||g|| of one worker, though it is the largest of K norms: with few rows a worker these
 * differ, and a fit then takes up to a quarter more steps than said here (docs/planning.md).
 *
 * The recursion is linear with a matrix of no negative entry, so its powers by squaring jump any number of steps.
 */
#include "forecast/forecast.h"

#include <math.h>
#include <string.h>

#include "base/status.h"
#include "plan/collective.h"
#include "plan/plan.h"

enum { MODES = 32, DOUBLINGS = 40 };

static double sampling_noise(const fr_job *job) { return (2 * (double)job->features + 3) / (double)job->batch; }

/* Workers that round on their own. */
static int quantizing_workers(const fr_job *job) {
    return job->two_level ? job->nodes : job->nodes * job->workers_a_node;
}

double fr_noise_rate(const fr_noise *n) {
    double partial = 1 + n->variance / n->workers + (n->drawn + n->variance) * n->sampling;
    return 1 - 2 * n->step_size + n->step_size * n->step_size * (1 + n->second_variance) * partial;
}

/* The law's eigenvalues and their weights: lambda = 1 + r + 2 sqrt(r) cos(t), density 2 sin^2(t) / (pi lambda) in t. */
static void eigenvalues(double r, double lambda[MODES], double weight[MODES]) {
    for (int j = 0; j < MODES; j++) {
        double t = (j + 0.5) * M_PI / MODES;
        lambda[j] = 1 + r + 2 * sqrt(r) * cos(t);
        weight[j] = 2 * sin(t) * sin(t) / (lambda[j] * MODES);
    }
}

typedef struct step_matrix {
    double at[MODES][MODES];
} step_matrix;

static void one_step(const fr_noise *n, const double lambda[MODES], const double weight[MODES], step_matrix *matrix) {
    double eta2 = n->step_size * n->step_size, c = n->sampling, q = n->variance, q2 = n->second_variance;
    for (int k = 0; k < MODES; k++) {
        double s1 = weight[k] * lambda[k], s2 = s1 * lambda[k]; /* what v_k contributes to S1 and S2 */
        double rounded = q / n->workers * s2 + q * c * s1;
        double isotropic = rounded + q2 * (s2 + n->drawn * c * s1 + rounded);
        for (int j = 0; j < MODES; j++) matrix->at[j][k] = eta2 * (n->drawn * c * s1 * lambda[j] + isotropic);
        matrix->at[k][k] += (1 - n->step_size * lambda[k]) * (1 - n->step_size * lambda[k]);
    }
}

static void square(step_matrix *to, const step_matrix *from) {
    memset(to, 0, sizeof *to);
    for (int i = 0; i < MODES; i++)
        for (int k = 0; k < MODES; k++)
            for (int j = 0; j < MODES; j++) to->at[i][j] += from->at[i][k] * from->at[k][j];
}

/* next = matrix v; returns the squared error that it stands for. */
static double advance(const step_matrix *matrix, const double weight[MODES], const double v[MODES],
                      double next[MODES]) {
    double total = 0;
    for (int j = 0; j < MODES; j++) {
        next[j] = 0;
        for (int k = 0; k < MODES; k++) next[j] += matrix->at[j][k] * v[k];
        total += weight[j] * next[j];
    }
    return total;
}

double fr_noise_steps(const fr_noise *noise, double features_a_row, double tolerance) {
    step_matrix power[DOUBLINGS];
    double lambda[MODES], weight[MODES], v[MODES], next[MODES], ratio = 2 * features_a_row, steps = 1;
    double target = tolerance * tolerance;
    int doubled = 0;
    if (ratio <= target) return 0;
    if (ratio >= 1) return INFINITY;
    eigenvalues(ratio, lambda, weight);
    for (int j = 0; j < MODES; j++) v[j] = (1 - lambda[j]) * (1 - lambda[j]); /* w0 = H w*: ratio in all */
    one_step(noise, lambda, weight, &power[0]);
    while (!(advance(&power[doubled], weight, v, next) <= target)) { /* NaN, of what overflowed, goes on */
        if (++doubled == DOUBLINGS) return INFINITY;
        square(&power[doubled], &power[doubled - 1]);
        if (!(power[doubled].at[0][0] < 1e100)) return INFINITY;
    }
    for (int k = doubled - 1; k >= 0; k--) { /* the largest number of steps that is not enough, and one more */
        if (advance(&power[k], weight, v, next) <= target) continue;
        memcpy(v, next, sizeof v);
        steps += (double)((int64_t)1 << k);
    }
    return steps;
}

/* The step size that `auto` would take on Gaussian rows: largest eigenvalue (1 + sqrt(d/n))^2, trace d. */
static double automatic_step(const fr_job *job, const fr_scheme *scheme) {
    fr_plan plan = {.features = job->features,
                    .batch = job->batch,
                    .draws = job->full ? 0 : 1,
                    .workers = quantizing_workers(job),
                    .levels = scheme->levels,
                    .scale = scheme->scale,
                    .collective = scheme->collective};
    double edge = 1 + sqrt((double)job->features / (double)job->samples);
    return fr_auto_step_size(&plan, edge * edge, (double)job->features);
}

/* q and q2 of Gaussian gradients. A scale that workers share is the largest of all their entries. */
static void variances(const fr_job *job, const fr_scheme *scheme, fr_forecast *f) {
    double d = (double)job->features, workers = quantizing_workers(job), slice = fmax(1, d / workers);
    const fr_collective_ops *collective = fr_collectives[scheme->collective];
    if (scheme->levels == 0) return;
    double unit = fr_gaussian_unit(scheme->scale, d, collective->shares_scale ? d * workers : d);
    f->variance = fr_gaussian_levels(scheme->levels, unit).variance;
    if (!collective->rounds_sums) return;
    f->second_variance = fr_gaussian_levels(scheme->levels, fr_gaussian_unit(scheme->scale, slice, slice)).variance;
}

/* (3.2) and (3.4) speak of squared errors relative to the start's, whose own is 2 d / n. */
static void steps(const fr_job *job, const fr_scheme *scheme, fr_forecast *f) {
    double start = 2 * (double)job->features / (double)job->samples, goal = job->tolerance * job->tolerance;
    f->step_size = automatic_step(job, scheme);
    fr_noise noise = {f->step_size, quantizing_workers(job), sampling_noise(job), job->full ? 0 : 1,
                      f->variance,  f->second_variance};
    f->local_rate = fr_noise_rate(&noise);
    f->steps = fr_noise_steps(&noise, start / 2, job->tolerance);
    bool covered = fr_theorem_covers(scheme->collective, scheme->levels, scheme->scale, scheme->wire);
    f->theorem_rate = covered ? fr_theory_rate(job->features, (double)job->batch, scheme->levels) : NAN;
    f->theorem_steps = !covered ? NAN : goal >= start ? 0 : ceil(fr_theory_iterations(f->theorem_rate, goal / start, 0.5));
}

void fr_forecast_make(const fr_job *job, const fr_scheme *scheme, const fr_machine *machine,
                      const fr_network *between, const fr_network *inside, fr_forecast *f) {
    double workers = (double)job->nodes * job->workers_a_node;
    memset(f, 0, sizeof *f);
    f->scheme = *scheme;
    variances(job, scheme, f);
    steps(job, scheme, f);
    f->vector_bytes = fr_scheme_vector_bytes(job, scheme);
    f->between = fr_exchange_between(job, scheme);
    f->inside = fr_exchange_inside(job);
    f->compute_seconds = ceil((double)job->batch / workers) * (double)job->features / machine->compute;
    f->code_seconds = fr_exchange_coding(job, scheme) / machine->code;
    f->exchange_seconds = fr_exchange_seconds(&f->between, between) + fr_exchange_seconds(&f->inside, inside);
    f->step_seconds = f->compute_seconds + f->code_seconds + f->exchange_seconds;
    f->seconds = f->steps * f->step_seconds;
    f->theorem_seconds = f->theorem_steps * f->step_seconds;
}
