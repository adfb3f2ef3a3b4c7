/*
 * weights.c - weights of mean 1, and rows and labels times their roots.
 */
#include "columns/weights.h"

#include "columns/shard.h"

/* Of the rows of one worker. */
typedef struct weight_sums {
    double weight, counted; /* sums of u, and of u > 0 */
} weight_sums;

enum { SUMS = sizeof(weight_sums) / sizeof(double) };

static weight_sums add_weights(const fr_dataset *set, fr_range rows) {
    weight_sums sums = {0, 0};
    for (int64_t i = rows.first; i < rows.first + rows.count; i++) {
        sums.weight += set->weights[i];
        sums.counted += set->weights[i] > 0;
    }
    return sums;
}

static fr_status sum_weights(const fr_shard *s, weight_sums *total, fr_error *error) {
    FR_OWNED weight_sums *sums = NULL;
    fr_status status = fr_allocate((void **)&sums, s->own, sizeof *sums, "sums of weights", error);
    FR_TRY(fr_world_agree(s->world, status, error));
    for (int k = 0; k < s->own; k++) sums[k] = add_weights(s->set, fr_shard_rows(s, k));
    return fr_world_sum(s->world, s->owns, &sums->weight, SUMS, &total->weight, error);
}

fr_status fr_weights_settle(fr_dataset *set, const fr_plan *plan, fr_world *world, fr_error *error) {
    fr_shard s;
    weight_sums total = {0, 0};
    double n = (double)set->samples;
    if (!set->weights || set->counted > 0) return FR_OK;
    fr_status status = fr_shard_make(&s, set, plan, 1, world, error);
    if (status == FR_OK) status = sum_weights(&s, &total, error);
    fr_shard_free(&s);
    FR_TRY(status);
    if (!(total.weight > 0)) { /* all ranks find the same */
        status = fr_fail(error, FR_ERROR_DATA, "%s: the weights of all %lld rows are 0, expected some above 0",
                         set->source, (long long)set->samples);
        return fr_world_agree(world, status, error);
    }
    for (int64_t i = 0; i < set->local_rows; i++) set->weights[i] = set->weights[i] / total.weight * n;
    set->counted = (int64_t)total.counted;
    return FR_OK;
}

fr_status fr_weights_apply(fr_dataset *set, int threads, fr_error *error) {
    if (!set->weights || set->weighed) return FR_OK;
    FR_TRY(fr_dataset_own_rows(set, 0, error));
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t i = 0; i < set->local_rows; i++) {
        double u = set->weights[i], root = sqrt(u);
        for (int64_t j = 0; j < set->features; j++)
            fr_dataset_put(set, i, j, u > 0 ? root * fr_dataset_value(set, i, j) : 0);
        fr_dataset_put_label(set, i, u > 0 ? root * fr_dataset_label(set, i) : 0);
    }
    set->weighed = true;
    return FR_OK;
}
