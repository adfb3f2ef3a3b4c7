/*
 * lemmas.c - the experiment `lemmas`: Lemmas 6.1, 6.2 and 6.3 by statistics, on d = 200 features by default.
 *
 * lemma_gradient.c has the two about the gradient, lemma_quantizer.c the one about Q_s.
 */
#include <inttypes.h>

#include "experiment/lemmas.h"

enum { PARTS = 3 };
static const experiment_part *const parts[PARTS] = {&lemma_6_1, &lemma_6_2, &lemma_6_3};

static void plan(experiment_run *run) {
    experiment_settings *s = &run->settings;
    if (s->features == 0) s->features = 200;
    if (s->samples == 0) s->samples = 10 * s->features;
    if (s->seeds == 0) s->seeds = s->full ? 20 : 6;
    s->iterations = 0; /* each step starts anew */
    if (s->batch_count == 0) {
        const int64_t d = s->features, own[] = {d / 10 > 0 ? d / 10 : 1, d / 4 > 0 ? d / 4 : 1, d, 4 * d};
        for (int i = 0; i < 4; i++) s->batches[s->batch_count++] = own[i];
    }
    experiment_parts_plan(run, parts, PARTS);
}

static fr_status trial(const experiment_run *run, int64_t t, double *values, fr_error *error) {
    return experiment_parts_trial(run, parts, PARTS, t, values, error);
}

static void table(const experiment_run *run, fr_output *csv) {
    fr_output_printf(csv, LEMMA_HEADER);
    experiment_parts_table(run, parts, PARTS, csv);
}

static void judge(const experiment_run *run, verdict_list *list, json_writer *json) {
    experiment_parts_judge(run, parts, PARTS, list, json);
}

void lemma_row(fr_output *csv, const lemma_place *place, const char *quantity, double value) {
    fr_output_printf(csv, "%s,%s,%" PRId64 ",%" PRId64 ",%" PRId64 ",%d", place->lemma, place->name, place->samples,
                     place->features, place->batch, place->levels);
    experiment_field(csv, false, place->radius);
    fr_output_printf(csv, ",%" PRIu64 ",%s", place->seed, quantity);
    experiment_field(csv, false, value);
    fr_output_printf(csv, "\n");
}

void lemma_column(const experiment_run *run, const double *rows, int64_t first, int64_t count, int value,
                  double *values) {
    for (int64_t i = 0; i < count && i < LEMMA_MOST_SEEDS; i++) values[i] = rows[(first + i) * run->width + value];
}

const experiment experiment_lemmas = {
    "lemmas",
    "Lemmas 6.1, 6.2 and 6.3, measured",
    "d = {d}, n = {n} where it is not on the axis, {s} seeds; points of the ball E(7/200)",
    plan,
    NULL,
    trial,
    table,
    judge};
