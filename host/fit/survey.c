/*
 * survey.c - passes over all rows, and the largest eigenvalue of their second moments.
 */
#include "fit/survey.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "simd/kernels.h"

/* The scalars of a worker as the sums see them: a row of doubles. */
enum { SCALARS = sizeof(fr_row_sums) / sizeof(double) };

fr_status fr_survey_total(fr_engine *engine, fr_comm *comm, fr_pass pass, const double *weights, double *sum,
                          fr_row_sums *total, fr_error *error) {
    int64_t d = engine->config.plan->features;
    int own = engine->config.worker_count;
    FR_OWNED double *mine = NULL;
    FR_OWNED fr_row_sums *scalars = NULL;
    FR_TRY(fr_allocate((void **)&scalars, own, sizeof *scalars, "sums over rows", error));
    if (sum) FR_TRY(fr_allocate((void **)&mine, own * d, sizeof *mine, "sums over rows", error));
    FR_TRY(engine->ops->survey(engine, pass, weights, mine, scalars, error));
    FR_TRY(comm->ops->sum_host(comm, &scalars->residual, own, SCALARS, &total->residual, error));
    return sum ? comm->ops->sum_host(comm, mine, own, d, sum, error) : FR_OK;
}

fr_status fr_survey_eigenvalue(fr_engine *engine, fr_comm *comm, double *lambda, fr_error *error) {
    const fr_plan *plan = engine->config.plan;
    int64_t d = plan->features;
    FR_OWNED double *v = NULL;
    FR_OWNED double *image = NULL;
    double last = 0;
    FR_TRY(fr_allocate((void **)&v, d, sizeof *v, "a power iteration", error));
    FR_TRY(fr_allocate((void **)&image, d, sizeof *image, "a power iteration", error));
    fr_cpu_kernels_for(FR_F64)->normals(v, d, plan->seed, fr_sequence(FR_STREAM_START, 1, 0), 0);
    *lambda = 0;
    for (int i = 0; i < 10; i++) {
        double norm = 0;
        fr_row_sums total;
        for (int64_t j = 0; j < d; j++) norm += v[j] * v[j];
        norm = sqrt(norm);
        if (!(norm > 0)) break; /* all rows are zero */
        for (int64_t j = 0; j < d; j++) v[j] /= norm;
        FR_TRY(fr_survey_total(engine, comm, FR_PASS_LINEAR, v, image, &total, error));
        double image2 = 0;
        for (int64_t j = 0; j < d; j++) {
            v[j] = image[j] / (double)plan->samples;
            image2 += v[j] * v[j];
        }
        *lambda = sqrt(image2); /* >= the Rayleigh quotient, <= the largest eigenvalue */
        if (fabs(*lambda - last) < 0.01 * *lambda) break;
        last = *lambda;
    }
    return FR_OK;
}
