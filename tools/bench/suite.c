/*
 * suite.c - which measurements there are, the sizes that they go through, and the rows that they leave.
 */
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/status.h"
#include "bench/bench.h"
#include "console/stage.h"

const bench_measure bench_measures[] = {
    {"gradient", "rows read by one gradient of each rank", bench_gradient},
    {"encode", "values to levels, levels to bytes, on each rank", bench_encode},
    {"decode", "bytes to levels, levels to new weights, on each rank", bench_decode},
    {"exchange", "from each worker's vector to new weights on all ranks", bench_exchange},
    {"step", "whole steps of a fit", bench_step},
};
const int bench_measure_count = sizeof bench_measures / sizeof bench_measures[0];

/* --------------------------------------------------------------------------------------------- rows */

fr_status bench_add(bench_results *results, const bench_row *row, fr_error *error) {
    if (results->count == results->room) {
        int room = results->room > 0 ? 2 * results->room : 64;
        bench_row *rows = NULL;
        FR_TRY(fr_allocate((void **)&rows, room, sizeof *rows, "the results", error));
        if (results->count > 0) memcpy(rows, results->rows, (size_t)results->count * sizeof *rows);
        free(results->rows);
        results->rows = rows, results->room = room;
    }
    results->rows[results->count++] = *row;
    if (results->tell) results->tell(results, row);
    stage_begin("measuring %s", row->what); /* what comes next, most often; and the clock of silence begins anew */
    return FR_OK;
}

void bench_results_free(bench_results *results) {
    bench_conditions_free(&results->conditions);
    free(results->rows);
    results->rows = NULL;
}

const bench_row *bench_wrong(const bench_results *results) {
    for (int i = 0; i < results->count; i++)
        if (results->rows[i].wrong > 0) return &results->rows[i];
    return NULL;
}

/* The row of this collective with the largest busbw, over all sizes and wires; NULL: none has one. */
static const bench_row *best_of(const bench_results *results, const char *collective) {
    const bench_row *best = NULL;
    for (int i = 0; i < results->count; i++) {
        const bench_row *row = &results->rows[i];
        if (isnan(row->busbw) || !row->collective || strcmp(row->collective, collective) != 0) continue;
        if (!best || row->busbw > best->busbw) best = row;
    }
    return best;
}

const bench_row *bench_slowest(const bench_results *results) {
    const bench_settings *s = &results->settings;
    const bench_row *worst = NULL;
    double most = 1;
    for (int i = 0; i < results->count; i++) {
        const bench_row *row = &results->rows[i], *best = row->collective ? best_of(results, row->collective) : NULL;
        double misses = s->max_time > 0 ? row->us / s->max_time : 0;
        if (s->min_busbw > 0 && best == row) misses = fmax(misses, s->min_busbw / row->busbw);
        if (misses > most) most = misses, worst = row;
    }
    return worst;
}

/* --------------------------------------------------------------------------------------------- whole */

fr_status bench_run(bench_results *results, fr_error *error) {
    double began = fr_seconds();
    fr_status status = results->settings.soak > 0 ? bench_soak(results, error) : FR_OK;
    for (int i = 0; i < bench_measure_count && status == FR_OK && results->settings.soak == 0; i++) {
        if (!results->settings.all && results->settings.what != i) continue;
        stage_begin("measuring %s", bench_measures[i].name);
        status = bench_measures[i].run(results, error);
    }
    stage_end();
    results->seconds = fr_seconds() - began;
    return status;
}
