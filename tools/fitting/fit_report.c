/*
 * fit_report.c - one result, told three ways. The keys of the JSON object are a promise to scripts; new ones may be
 * added, none renamed.
 */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "data/dataset.h"
#include "fitting/chosen.h"
#include "fitting/fit_report.h"
#include "console/json_result.h"
#include "fitting/model_report.h"

/* Features whose coefficients a JSON result holds; a larger model is in its file alone. */
enum { MOST_TOLD = 10000 };

/* NULL where nothing is quantized. */
static const char *scale_of(const fr_result *result) {
    return result->levels > 0 && result->scale != FR_SCALE_AUTO ? fr_scale_name(result->scale) : NULL;
}

/* NULL where one worker sends nothing. */
static const char *collective_of(const fr_result *result) {
    bool sent = result->workers > 1 && result->collective != FR_COLLECTIVE_AUTO;
    return sent ? fr_collective_name(result->collective) : NULL;
}

/* Features that no rule left out. */
static int64_t count_used(const fit_report *report) {
    int64_t used = 0;
    for (int64_t j = 0; j < report->features; j++) used += fr_dataset_left_out(report->data, j) == FR_COLUMN_USED;
    return used;
}

/* The file or column of the weights of rows; NULL without. */
static const char *weights_of(const fit_settings *settings) {
    return settings->reading.weights ? settings->reading.weights : settings->reading.weight_column;
}

/* -------------------------------------------------------------------------------------------- JSON */

static void write_data(json_writer *json, const fit_report *report) {
    char seed[24];
    snprintf(seed, sizeof seed, "%" PRIu64, report->settings->options.seed); /* 2^64 - 1 is no JSON number */
    json_begin(json, "data");
    json_string(json, "source", report->settings->data ? report->settings->data : "planted");
    json_integer(json, "samples", report->samples);
    json_integer(json, "features", report->features);
    json_string(json, "seed", seed);
    if (report->data) {
        json_string(json, "label", fr_dataset_label_name(report->data));
        json_integer(json, "rows_left_out", report->data->lacking);
        json_integer(json, "features_used", count_used(report));
        json_string(json, "weights", weights_of(report->settings));
    }
    json_end(json);
}

static void write_held_out(json_writer *json, const fr_quality *held_out) {
    if (!held_out) return;
    json_begin(json, "holdout");
    json_integer(json, "rows", held_out->rows);
    json_number(json, "loss", held_out->loss);
    json_number(json, "rmse", sqrt(held_out->loss));
    json_number(json, "r_squared", held_out->r_squared);
    json_end(json);
}

static void write_method(json_writer *json, const fit_report *report) {
    const fr_result *r = report->result;
    char chosen[FR_CHOSEN_SIZE];
    json_begin(json, "method");
    json_integer(json, "batch", r->batch);
    json_integer(json, "workers", r->workers);
    if (r->levels > 0) json_integer(json, "levels", r->levels);
    else json_null(json, "levels");
    json_string(json, "scale", scale_of(r));
    json_string(json, "collective", collective_of(r));
    json_string(json, "chosen", chosen_exchange(&report->settings->options, r, chosen));
    json_string(json, "wire", fr_wire_name(r->wire));
    json_string(json, "step_rule", fr_step_rule_name(r->step_rule));
    json_string(json, "precision", fr_precision_name(r->precision));
    json_string(json, "storage", fr_storage_name(r->storage));
    json_string(json, "init", fr_init_name(r->init));
    json_string(json, "schedule", fr_schedule_name(r->schedule));
    json_number(json, "average", r->average);
    json_end(json);
}

static void write_place(json_writer *json, const fr_result *r) {
    json_begin(json, "place");
    json_string(json, "device", r->device);
    json_integer(json, "gpus", r->gpus);
    json_integer(json, "threads", r->threads);
    json_integer(json, "ranks", r->ranks);
    json_end(json);
}

/* Bytes a step, a number a rank. */
static void write_traffic(json_writer *json, const fr_result *r) {
    json_begin(json, "traffic");
    json_string(json, "bytes", r->bytes_modelled ? "modelled" : "counted");
    json_begin_array(json, "sent");
    for (int i = 0; i < r->ranks; i++) json_number(json, NULL, r->rank_sent[i]);
    json_end_array(json);
    json_begin_array(json, "received");
    for (int i = 0; i < r->ranks; i++) json_number(json, NULL, r->rank_received[i]);
    json_end_array(json);
    json_end(json);
}

static void write_costs(json_writer *json, const fit_report *report) {
    const fr_result *r = report->result;
    json_begin(json, "seconds");
    json_number(json, "total", report->prepared + r->seconds_total);
    json_number(json, "prepare", report->prepared);
    json_number(json, "compute", r->seconds_compute);
    json_number(json, "communicate", r->seconds_communicate);
    json_number(json, "processor", r->seconds_processor);
    if (!isnan(r->seconds_up)) {
        json_number(json, "up", r->seconds_up);
        json_number(json, "down", r->seconds_down);
    }
    json_end(json);
    json_number(json, "bytes_sent_per_iteration", r->bytes_sent_per_iteration);
    json_number(json, "bits_per_coordinate", r->bits_per_coordinate);
    if (r->rank_sent) write_traffic(json, r);
    json_begin(json, "theory");
    json_number(json, "rate", r->rate);
    if (r->condition_ii < 0) json_null(json, "condition_ii");
    else json_bool(json, "condition_ii", r->condition_ii != 0);
    json_end(json);
}

void fit_report_json(json_writer json, const fit_report *report) {
    const fr_result *r = report->result;
    json_string(&json, "status", fr_outcome_name(r->outcome));
    json_integer(&json, "iterations", r->iterations);
    json_integer(&json, "runs", r->runs);
    json_bool(&json, "converged", r->converged);
    if (r->converged) json_integer(&json, "converged_at", r->converged_at);
    else json_null(&json, "converged_at");
    json_number(&json, "loss", r->loss);
    json_number(&json, "rmse", sqrt(r->loss));
    json_number(&json, "relative_error", r->relative_error);
    json_number(&json, "r_squared", r->r_squared);
    json_number(&json, "active", r->active);
    json_number(&json, "step_size", r->step_size);
    write_held_out(&json, report->held_out);
    write_data(&json, report);
    write_method(&json, report);
    write_place(&json, r);
    write_costs(&json, report);
    if (report->settings->options.ensemble > 1) {
        json_begin(&json, "ensemble");
        json_integer(&json, "runs", report->settings->options.ensemble);
        json_integer(&json, "agreeing", r->agreeing);
        json_end(&json);
    }
    if (report->path || report->model) model_report_member(&json, report->path, report->model, MOST_TOLD);
    else json_null(&json, "model");
    json_result_notes(&json);
    json_end(&json);
}

/* ------------------------------------------------------------------------------------------- table */

static void row(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void row(const char *name, const char *format, ...) {
    va_list values;
    va_start(values, format);
    printf("%-16s", name);
    vprintf(format, values);
    putchar('\n');
    va_end(values);
}

static const char *outcome_words(const fr_result *r) {
    switch (r->outcome) {
    case FR_TOLERANCE: return "tolerance reached";
    case FR_ITERATIONS: return r->converged ? "converged" : "all steps made";
    case FR_DIVERGED: return "diverged";
    case FR_INTERRUPTED: return "interrupted";
    case FR_DEAD: return "dead: no row is active";
    }
    return "";
}

static void method_row(const fit_report *report) {
    const fr_result *r = report->result;
    const char *scale = scale_of(r), *collective = collective_of(r);
    char levels[48] = "", exchange[32] = "", text[FR_CHOSEN_SIZE];
    if (r->levels > 0) snprintf(levels, sizeof levels, ", %d levels, scale %s", r->levels, scale ? scale : "-");
    if (collective) snprintf(exchange, sizeof exchange, ", %s", collective);
    row("method", "%s, batch %" PRId64 ", %d worker%s%s%s, %s%s", r->levels > 0 ? "QSGD" : "SGD", r->batch, r->workers,
        r->workers == 1 ? "" : "s", levels, exchange, fr_precision_name(r->precision),
        r->storage == FR_STORAGE_BF16 ? ", rows in bf16" : "");
    const char *chosen = chosen_exchange(&report->settings->options, r, text);
    if (chosen) row("chosen", "%s", chosen);
}

/* A diverged fit has no loss that could be printed. */
static void number_row(const char *name, double value) {
    if (isfinite(value)) row(name, "%.6g", value);
    else row(name, "not finite");
}

static void place_row(const fr_result *r) {
    if (r->gpus > 0)
        row("place", "%s, %d GPU%s, %d rank%s", r->device, r->gpus, r->gpus == 1 ? "" : "s", r->ranks,
            r->ranks == 1 ? "" : "s");
    else
        row("place", "%s, %d thread%s, %d rank%s", r->device, r->threads, r->threads == 1 ? "" : "s", r->ranks,
            r->ranks == 1 ? "" : "s");
}

/* What was made of a file: label, rows, columns, intercept. */
static void own_data_rows(const fit_report *report) {
    const fr_dataset *data = report->data;
    const fit_settings *settings = report->settings;
    int64_t used = count_used(report), lacking = data->lacking;
    const char *label = fr_dataset_label_name(data);
    bool given = settings->options.intercept || (report->model && fr_model_intercept(report->model) != 0);
    if (label) row("label", "%s", label);
    else if (settings->reading.labels) row("label", "%s", settings->reading.labels);
    else if (settings->reading.label_column) row("label", "column %s", settings->reading.label_column);
    printf("%-16s%" PRId64 " used", "rows", report->samples);
    if (lacking > 0) printf(", %" PRId64 " left out for missing values", lacking);
    if (fr_dataset_held_out(data)) printf(", %" PRId64 " held out", fr_dataset_samples(fr_dataset_held_out(data)));
    printf("\n%-16s%" PRId64 " used", "columns", used);
    if (used < report->features) printf(", %" PRId64 " left out", report->features - used);
    putchar('\n');
    if (report->model && given) row("intercept", "%.6g", fr_model_intercept(report->model));
    else row("intercept", given ? "-" : "none");
}

static void iterations_row(const fit_report *report) {
    const fr_result *r = report->result;
    char starts[48] = "", at[64] = "";
    bool several = r->runs > 1 && report->settings->options.ensemble == 1;
    if (several) snprintf(starts, sizeof starts, " from %d starts", r->runs);
    if (r->converged)
        snprintf(at, sizeof at, "; converged at step %" PRId64 "%s", r->converged_at, several ? " of the best" : "");
    row("iterations", "%" PRId64 "%s%s", r->iterations, starts, at);
}

static void held_out_row(const fr_quality *held_out) {
    char r_squared[32] = "";
    if (!held_out) return;
    if (!isnan(held_out->r_squared)) snprintf(r_squared, sizeof r_squared, "R^2 %.6f, ", held_out->r_squared);
    row("held out", "%sRMSE %.6g, loss %.6g", r_squared, sqrt(held_out->loss), held_out->loss);
}

/* What the theorems say of the run, where they speak of it. */
static void theory_row(const fr_result *r) {
    const char *near = r->condition_ii ? "within" : "beyond";
    if (r->condition_ii < 0 || isnan(r->rate)) return;
    row("theorem", "%s: %.6f a step for ||w - w*||^2; the start is %s condition (II)", r->levels ? "3.2" : "3.1", r->rate,
        near);
}

void fit_report_table(const fit_report *report) {
    const fr_result *r = report->result;
    const char *source = report->settings->data ? report->settings->data : "planted";
    row("status", "%s", outcome_words(r));
    row("data", "%s, %" PRId64 " rows of %" PRId64 " features", source, report->samples, report->features);
    if (report->data) own_data_rows(report);
    if (weights_of(report->settings)) row("weights", "%s", weights_of(report->settings));
    method_row(report);
    row("step size", "%.4g (%s, %s)", r->step_size, fr_step_rule_name(r->step_rule), fr_schedule_name(r->schedule));
    place_row(r);
    iterations_row(report);
    number_row("loss", r->loss);
    if (isfinite(r->relative_error)) row("relative error", "%.3e", r->relative_error);
    if (isfinite(r->r_squared)) row("R^2", "%.6f", r->r_squared);
    if (report->data) number_row("RMSE", sqrt(r->loss));
    held_out_row(report->held_out);
    row("active rows", "%.1f %%", 100 * r->active);
    theory_row(r);
    if (report->settings->options.ensemble > 1)
        row("ensemble", "%d of %d runs agree", r->agreeing, report->settings->options.ensemble);
    row("seconds", "%.3f (prepare %.3f, compute %.3f, communicate %.3f)", report->prepared + r->seconds_total,
        report->prepared, r->seconds_compute, r->seconds_communicate);
    if (r->rank_sent)
        row("traffic", "%.6g bytes sent a rank and step, %.3g bits a coordinate", r->bytes_sent_per_iteration,
            r->bits_per_coordinate);
    if (report->path) row("model", "%s", report->path);
}

/* --------------------------------------------------------------------------------------- sentences */

void fit_report_sentences(const fit_report *report) {
    const fr_result *r = report->result;
    printf("fitrelu made a small problem and solved it. It drew %" PRId64 " random rows x of %" PRId64 " features,\n"
           "planted secret weights w*, and labelled each row y = max(0, <w*, x>). Knowing only x and y, it then\n"
           "looked for the weights by stochastic gradient descent: %" PRId64 " steps, each on %" PRId64
           " rows drawn at random.\n",
           report->samples, report->features, r->iterations, r->batch);
    if (r->outcome != FR_DIVERGED && r->relative_error < 1e-3)
        printf("The weights it found differ from w* by a relative error of %.1e: they were recovered.\n\n",
               r->relative_error);
    else printf("The weights it has reached differ from w* by a relative error of %.1e.\n\n", r->relative_error);
    fit_report_table(report);
    printf("\nNext: 'fitrelu fit --bits 7 --workers 8' does the same with 8 workers that send 8-bit numbers,\n"
           "'fitrelu fit --data FILE' fits your own rows, and 'fitrelu fit --help' lists every option.\n");
}
