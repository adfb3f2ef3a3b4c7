/*
 * plan_report.c - a plan as a table with a verdict, and as JSON with everything.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "console/json_result.h"
#include "fitrelu/plan_report.h"

/* ------------------------------------------------------------------------------------------- text */

/* 1234567 -> "1.23 MB". */
static const char *quantity(char text[32], double value, const char *unit) {
    const char *const prefixes[] = {"", "k", "M", "G", "T", "P"};
    int i = 0;
    for (; value >= 999.5 && i < 5; i++) value /= 1000;
    snprintf(text, 32, "%.3g %s%s", value, prefixes[i], unit);
    return text;
}

static const char *duration(char text[32], double seconds) {
    if (!isfinite(seconds)) snprintf(text, 32, "never");
    else if (seconds < 1e-3) snprintf(text, 32, "%.3g us", seconds * 1e6);
    else if (seconds < 1) snprintf(text, 32, "%.3g ms", seconds * 1e3);
    else if (seconds < 9999.5) snprintf(text, 32, "%.4g s", seconds);
    else snprintf(text, 32, "%.3g h", seconds / 3600);
    return text;
}

/* NaN: no theorem speaks of them. */
static const char *steps_text(char text[32], double steps) {
    if (isfinite(steps)) snprintf(text, 32, "%.0f", steps);
    else if (isnan(steps)) snprintf(text, 32, "-");
    else snprintf(text, 32, "never");
    return text;
}

/* Bits of a coordinate, the scale left out: it is one number a vector. */
static double bits_of(const plan_result *result, const fr_forecast *f) {
    double bytes = f->vector_bytes - (f->scheme.levels ? (result->settings->job.precision == FR_F32 ? 4 : 8) : 0);
    return 8 * bytes / (double)result->settings->job.features;
}

static void print_row(const plan_result *result, const fr_forecast *f) {
    char levels[8] = "-", bits[16], steps[32], theorem[32], sent[32], received[32], step[32], total[32];
    if (f->scheme.levels) snprintf(levels, sizeof levels, "%d", f->scheme.levels);
    snprintf(bits, sizeof bits, "%.3g", bits_of(result, f));
    printf("%c %-10s %6s %-5s %-6s %5s %8s %9s %9s %9s %8s %9s\n", f == result->best ? '*' : ' ',
           fr_collective_name(f->scheme.collective), levels, f->scheme.levels ? fr_scale_name(f->scheme.scale) : "-",
           fr_wire_name(f->scheme.wire), bits, steps_text(steps, f->steps), steps_text(theorem, f->theorem_steps),
           quantity(sent, f->between.sent, "B"), quantity(received, f->between.received, "B"),
           duration(step, f->step_seconds), duration(total, f->seconds));
}

/* Best of its collective and levels; bfloat16 stands beside the full precision. */
static bool is_shown(const plan_result *result, const fr_forecast *f) {
    for (int i = 0; i < result->count; i++) {
        const fr_forecast *g = &result->forecasts[i];
        if (g->scheme.collective != f->scheme.collective || g->scheme.levels != f->scheme.levels) continue;
        if (f->scheme.levels && (g->seconds < f->seconds || (g->seconds == f->seconds && g < f))) return false;
    }
    return true;
}

static void print_job(const plan_result *result) {
    const plan_settings *s = result->settings;
    char batch[32] = "every row", bandwidth[32], latency[32], rate[32];
    if (!s->job.full) snprintf(batch, sizeof batch, "%" PRId64 " rows", s->job.batch);
    printf("fit         %" PRId64 " rows of %" PRId64 " features, %s a step, %s, to a relative error of %g\n",
           s->job.samples, s->job.features, batch, fr_precision_name(s->job.precision), s->job.tolerance);
    printf("workers     %" PRId64 " on %d nodes, %s rows x features a second each\n", plan_workers(s), s->job.nodes,
           quantity(rate, s->machine.compute, ""));
    printf("links       %s, %s\n", quantity(bandwidth, 8 * s->between.bandwidth, "bit/s"),
           duration(latency, s->between.latency));
    if (s->job.two_level)
        printf("in a node   %s, %s; a node adds up its workers first\n",
               quantity(bandwidth, 8 * s->inside.bandwidth, "bit/s"), duration(latency, s->inside.latency));
}

static void print_measured(const plan_measured *m) {
    char bandwidth[32], latency[32], rate[32];
    if (!m->done) return;
    printf("measured    %s rows x features a second a rank; ", quantity(rate, m->compute, ""));
    if (m->link)
        printf("between ranks 0 and 1 of %d %s, %s\n", m->ranks, quantity(bandwidth, 8 * m->bandwidth, "bit/s"),
               duration(latency, m->latency));
    else printf("no link between ranks: mpirun -np R measures links too\n");
}

static void print_scheme(const fr_forecast *f) {
    printf("%s, ", fr_collective_name(f->scheme.collective));
    if (f->scheme.levels)
        printf("%d levels, %s scale, %s", f->scheme.levels, fr_scale_name(f->scheme.scale),
               fr_wire_name(f->scheme.wire));
    else printf("unquantized, %s", fr_wire_name(f->scheme.wire));
}

/* The verdict holds the best quantized scheme against the best unquantized one, and against full precision. */
static void print_gain(const plan_result *result) {
    double seconds = result->quantized->seconds, gain = result->unquantized->seconds / seconds;
    if (gain > 1) {
        printf("pays: %.3g times as fast as ", gain);
        print_scheme(result->unquantized);
    } else {
        printf("does not pay here: ");
        print_scheme(result->quantized);
        printf(", takes %.3g times as long", 1 / gain);
    }
    if (result->full != result->unquantized) {
        printf("; %.3g times as fast as ", result->full->seconds / seconds);
        print_scheme(result->full);
    }
    printf("\n");
}

static void print_verdict(const plan_result *result) {
    char step[32], compute[32], exchange[32], code[32];
    const fr_forecast *b = result->best;
    printf("\nbest        ");
    print_scheme(b);
    printf("\n            a step of %s: gradient %s, exchange %s, coding %s\n", duration(step, b->step_seconds),
           duration(compute, b->compute_seconds), duration(exchange, b->exchange_seconds),
           duration(code, b->code_seconds));
    printf("quantized   ");
    if (result->quantized) print_gain(result);
    else printf("does not pay here: no scheme with levels converges\n");
}

void plan_report_text(const plan_result *result) {
    print_job(result);
    print_measured(&result->settings->measured);
    printf("\n  %-10s %6s %-5s %-6s %5s %8s %9s %9s %9s %8s %9s\n", "collective", "levels", "scale", "wire", "bits",
           "steps", "(theorem)", "sent", "received", "a step", "in all");
    for (int i = 0; i < result->count; i++)
        if (is_shown(result, &result->forecasts[i])) print_row(result, &result->forecasts[i]);
    print_verdict(result);
}

/* ------------------------------------------------------------------------------------------- JSON */

static void json_scheme(json_writer *json, const fr_scheme *scheme) {
    json_string(json, "collective", fr_collective_name(scheme->collective));
    json_string(json, "wire", fr_wire_name(scheme->wire));
    if (scheme->levels) json_integer(json, "levels", scheme->levels);
    else json_null(json, "levels");
    json_string(json, "scale", scheme->levels ? fr_scale_name(scheme->scale) : NULL);
}

static void json_exchange(json_writer *json, const char *name, const fr_exchange *e) {
    json_begin(json, name);
    json_number(json, "sent", e->sent);
    json_number(json, "received", e->received);
    json_number(json, "busiest_link", e->path);
    json_number(json, "hops", e->hops);
    json_number(json, "messages", e->messages);
    json_end(json);
}

static void json_forecast(json_writer *json, const plan_result *result, const fr_forecast *f) {
    json_begin(json, NULL);
    json_scheme(json, &f->scheme);
    json_number(json, "bits_per_coordinate", bits_of(result, f));
    json_number(json, "step_size", f->step_size);
    json_number(json, "variance", f->variance);
    json_number(json, "second_variance", f->second_variance);
    json_number(json, "rate", f->local_rate);
    json_number(json, "theorem_rate", f->theorem_rate);
    json_number(json, "steps", f->steps);
    json_number(json, "theorem_steps", f->theorem_steps);
    json_exchange(json, "between_nodes", &f->between);
    json_exchange(json, "inside_node", &f->inside);
    json_begin(json, "seconds");
    json_number(json, "compute", f->compute_seconds);
    json_number(json, "code", f->code_seconds);
    json_number(json, "exchange", f->exchange_seconds);
    json_number(json, "step", f->step_seconds);
    json_number(json, "total", f->seconds);
    json_number(json, "theorem_total", f->theorem_seconds);
    json_end(json);
    json_bool(json, "best", f == result->best);
    json_end(json);
}

static void json_network(json_writer *json, const char *name, const fr_network *network) {
    json_begin(json, name);
    json_number(json, "bandwidth", 8 * network->bandwidth);
    json_number(json, "latency", network->latency);
    json_number(json, "message_time", network->message_seconds);
    json_end(json);
}

static void json_measured(json_writer *json, const plan_measured *m) {
    if (!m->done) {
        json_null(json, "measured");
        return;
    }
    json_begin(json, "measured");
    json_integer(json, "ranks", m->ranks);
    json_number(json, "compute_rate", m->compute);
    json_number(json, "bandwidth", m->link ? 8 * m->bandwidth : NAN);
    json_number(json, "latency", m->link ? m->latency : NAN);
    json_end(json);
}

static void json_job(json_writer *json, const plan_settings *s) {
    json_begin(json, "job");
    json_integer(json, "samples", s->job.samples);
    json_integer(json, "features", s->job.features);
    json_integer(json, "batch", s->job.batch);
    json_bool(json, "full", s->job.full);
    json_string(json, "precision", fr_precision_name(s->job.precision));
    json_number(json, "tolerance", s->job.tolerance);
    json_integer(json, "workers", plan_workers(s));
    json_integer(json, "nodes", s->job.nodes);
    json_integer(json, "workers_per_node", s->job.workers_a_node);
    json_end(json);
    json_number(json, "compute_rate", s->machine.compute);
    json_network(json, "network", &s->between);
    if (s->job.two_level) json_network(json, "inner_network", &s->inside);
    else json_null(json, "inner_network");
    json_measured(json, &s->measured);
}

void plan_report_json(const plan_result *result) {
    json_writer json = json_result_begin();
    json_job(&json, result->settings);
    json_begin_array(&json, "schemes");
    for (int i = 0; i < result->count; i++) json_forecast(&json, result, &result->forecasts[i]);
    json_end_array(&json);
    json_begin(&json, "best");
    json_scheme(&json, &result->best->scheme);
    json_number(&json, "seconds", result->best->seconds);
    json_end(&json);
    json_begin(&json, "quantization");
    json_bool(&json, "pays", result->best->scheme.levels > 0);
    double seconds = result->quantized ? result->quantized->seconds : INFINITY;
    json_number(&json, "speedup", result->unquantized->seconds / seconds);
    json_number(&json, "speedup_over_full_precision", result->full->seconds / seconds);
    json_end(&json);
    json_end(&json);
}
