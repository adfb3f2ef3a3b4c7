/*
 * quality.c - sums of squares about the mean, in two passes, so that large labels lose no digits.
 */
#include "fit/quality.h"

#include <math.h>

#include "data/dataset.h"
#include "fit/model.h"

/* sums (count) <- those of all ranks, in their order. */
static fr_status add_up(fr_world *world, double *sums, int count, fr_error *error) {
    FR_OWNED double *all = NULL;
    int ranks = fr_world_size(world);
    if (ranks == 1) return FR_OK;
    fr_status status = fr_allocate((void **)&all, ranks * count, sizeof *all, "sums over rows", error);
    FR_TRY(fr_world_agree(world, status, error));
    FR_TRY(fr_world_gather(world, sums, (size_t)count * sizeof *sums, all, error));
    for (int i = 0; i < count; i++) {
        sums[i] = 0;
        for (int r = 0; r < ranks; r++) sums[i] += all[r * count + i];
    }
    return FR_OK;
}

fr_status fr_quality_of(const fr_dataset *set, const double *predicted, fr_world *world, fr_quality *found, fr_error *error) {
    double first[2] = {0}, squares[2] = {0}; /* sums of u and u y; of residuals, and of labels about the mean */
    for (int64_t i = 0; i < set->local_rows; i++) {
        first[0] += fr_dataset_weight(set, i);
        first[1] += fr_dataset_weight(set, i) * fr_dataset_label(set, i);
    }
    FR_TRY(add_up(world, first, 2, error));
    double all = first[0], mean = first[1] / all;
    if (!(all > 0)) return fr_fail(error, FR_ERROR_DATA, "%s: the weights of all its rows are 0", set->source);
    for (int64_t i = 0; i < set->local_rows; i++) {
        double u = fr_dataset_weight(set, i), label = fr_dataset_label(set, i), off = predicted[i] - label;
        squares[0] += u * (off * off);
        squares[1] += u * ((label - mean) * (label - mean));
    }
    FR_TRY(add_up(world, squares, 2, error));
    *found = (fr_quality){set->samples, squares[0] / all, squares[1] > 0 ? 1 - squares[0] / squares[1] : NAN};
    return FR_OK;
}

fr_status fr_quality_measure(const fr_model *model, const fr_dataset *set, fr_world *world, fr_quality *found,
                             fr_error *error) {
    FR_OWNED double *predicted = NULL;
    fr_status status = fr_allocate((void **)&predicted, set->local_rows, sizeof *predicted, "the predictions", error);
    if (status == FR_OK) status = fr_model_predict_held(model, set, predicted, error);
    FR_TRY(fr_world_agree(world, status, error));
    return fr_quality_of(set, predicted, world, found, error);
}
