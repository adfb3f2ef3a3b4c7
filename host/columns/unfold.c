/*
 * unfold.c - weights of the user's features from those of the conditioned columns, and back.
 *
 *     x'_j = (x_j - shift_j) / scale_j,   x'' = R^-T x',   <w'', x''> + b' = <w, x> + b
 *
 * Where a column of the constant value c stands for an intercept, b is 0 and what the shifts leave goes to its weight,
 * over c. A column that is left out is 0 in all conditioned rows: its weight is 0, both ways.
 */
#include "columns/condition.h"

static bool is_left_out(const fr_dataset *set, int64_t j) {
    return set->left_out && set->left_out[j] != FR_COLUMN_USED;
}

void fr_unfold_weights(const fr_dataset *set, const double *fitted, double *raw, double *intercept) {
    int64_t d = fr_raw_features(set);
    double shifts = 0;
    for (int64_t j = d - 1; j >= 0; j--) { /* back substitution: raw holds w' from j on */
        double sum = fitted[j];
        for (int64_t l = j + 1; set->mix && l < d; l++) sum -= set->mix[j * d + l] * raw[l];
        raw[j] = is_left_out(set, j) ? 0 : set->mix ? sum / set->mix[j * d + j] : sum;
    }
    for (int64_t j = 0; j < d; j++) {
        if (set->scale) raw[j] /= set->scale[j];
        if (set->shift) shifts += raw[j] * set->shift[j];
    }
    *intercept = set->intercept ? fitted[d] : 0;
    if (set->constant_value != 0) raw[set->constant] -= shifts / set->constant_value;
    else *intercept -= shifts;
}

void fr_fold_weights(const fr_dataset *set, const double *raw, double intercept, double *fitted) {
    int64_t d = fr_raw_features(set);
    double shifts = 0;
    for (int64_t j = 0; j < d; j++) {
        fitted[j] = set->scale ? raw[j] * set->scale[j] : raw[j];
        if (set->shift) shifts += raw[j] * set->shift[j];
    }
    if (set->constant_value != 0) fitted[set->constant] += shifts / set->constant_value * set->scale[set->constant];
    else intercept += shifts;
    for (int64_t j = 0; j < d; j++) { /* w'' = R w', from the top down in place */
        double sum = 0;
        for (int64_t l = j; set->mix && l < d; l++) sum += set->mix[j * d + l] * fitted[l];
        if (set->mix) fitted[j] = sum;
        if (is_left_out(set, j)) fitted[j] = 0;
    }
    if (set->intercept) fitted[d] = intercept;
}
