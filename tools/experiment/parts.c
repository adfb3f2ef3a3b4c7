/*
 * parts.c - an experiment made of several subjects: their trials stand one part after the other.
 */
#include "experiment/experiment.h"

void experiment_parts_plan(experiment_run *run, const experiment_part *const parts[], int count) {
    run->trials = run->width = 0;
    for (int i = 0; i < count; i++) {
        run->trials += parts[i]->trials(run);
        int64_t width = parts[i]->width_of ? parts[i]->width_of(run) : parts[i]->width;
        if (width > run->width) run->width = width;
    }
}

fr_status experiment_parts_trial(const experiment_run *run, const experiment_part *const parts[], int count,
                                 int64_t trial, double *values, fr_error *error) {
    int i = 0;
    for (; i < count - 1 && trial >= parts[i]->trials(run); i++) trial -= parts[i]->trials(run);
    /* What a narrower part leaves unused is zero in the partial file, whatever the memory held. */
    for (int64_t v = 0; v < run->width; v++) values[v] = 0;
    return parts[i]->trial(run, trial, values, error);
}

void experiment_parts_table(const experiment_run *run, const experiment_part *const parts[], int count,
                            fr_output *csv) {
    const double *rows = run->values;
    for (int i = 0; i < count; i++) {
        parts[i]->table(run, rows, csv);
        rows += parts[i]->trials(run) * run->width;
    }
}

void experiment_parts_judge(const experiment_run *run, const experiment_part *const parts[], int count,
                            verdict_list *list, json_writer *json) {
    const double *rows = run->values;
    for (int i = 0; i < count; i++) {
        parts[i]->judge(run, rows, list, json);
        rows += parts[i]->trials(run) * run->width;
    }
}
