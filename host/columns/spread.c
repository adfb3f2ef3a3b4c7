/*
 * spread.c - sums of labels, a worker at a time, in the order of workers.
 */
#include "columns/spread.h"

#include <math.h>

#include "columns/shard.h"

/* sqrt(u) of a row. */
static double root_of(const fr_dataset *set, int64_t row) { return sqrt(fr_dataset_weight(set, row)); }

/* sqrt(u) y. */
static double weighed_label(const fr_dataset *set, int64_t row) {
    return fr_dataset_label(set, row) * (set->weighed ? 1 : root_of(set, row));
}

/* sum sqrt(u) l for the mean, where `mean` is NULL, else sum (l - sqrt(u) mean)^2, with l = sqrt(u) y. */
static double add_rows(const fr_dataset *set, fr_range rows, const double *mean) {
    double sum = 0;
    for (int64_t i = rows.first; i < rows.first + rows.count; i++) {
        double root = root_of(set, i), label = weighed_label(set, i), off = mean ? label - root * *mean : 0;
        sum += mean ? off * off : root * label;
    }
    return sum;
}

static fr_status add_up(const fr_shard *s, const double *mean, double *total, fr_error *error) {
    FR_OWNED double *sums = NULL;
    fr_status status = fr_allocate((void **)&sums, s->own, sizeof *sums, "sums of labels", error);
    FR_TRY(fr_world_agree(s->world, status, error));
    for (int k = 0; k < s->own; k++) sums[k] = add_rows(s->set, fr_shard_rows(s, k), mean);
    return fr_world_sum(s->world, s->owns, sums, 1, total, error);
}

fr_status fr_labels_spread(const fr_dataset *set, const fr_plan *plan, fr_world *world, double *spread, fr_error *error) {
    fr_shard s;
    double mean = 0;
    fr_status status = fr_shard_make(&s, set, plan, 1, world, error);
    if (status == FR_OK) status = add_up(&s, NULL, &mean, error);
    mean /= (double)set->samples;
    if (status == FR_OK) status = add_up(&s, &mean, spread, error);
    fr_shard_free(&s);
    return status;
}
