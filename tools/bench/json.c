/*
 * json.c - one object: the conditions, and a row for each line of the table. Numbers that are not there are null.
 */
#include <math.h>
#include <stdio.h>

#include "bench/reference.h"
#include "bench/report.h"
#include "console/json_result.h"

/* ---------------------------------------------------------------------------------------- conditions */

static void write_card(json_writer *json, const bench_card *card) {
    json_begin(json, NULL);
    json_integer(json, "number", card->number);
    json_string(json, "name", card->name[0] ? card->name : NULL);
    json_number(json, "clock", card->clock > 0 ? card->clock : NAN);
    json_number(json, "memory_clock", card->memory_clock > 0 ? card->memory_clock : NAN);
    json_end(json);
}

static void write_host(json_writer *json, const bench_conditions *c, int process) {
    const bench_host *host = &c->hosts[process];
    json_begin(json, NULL);
    json_integer(json, "first_rank", process * c->ranks_a_process);
    json_integer(json, "ranks", c->ranks_a_process);
    json_string(json, "host", host->name);
    json_string(json, "processor", host->processor[0] ? host->processor : NULL);
    json_number(json, "clock", host->clock > 0 ? host->clock : NAN);
    json_integer(json, "processors", host->processors);
    json_integer(json, "threads", host->threads);
    json_string(json, "driver", host->driver[0] ? host->driver : NULL);
    json_begin_array(json, "gpus");
    for (int i = 0; i < host->card_count; i++) write_card(json, &host->cards[i]);
    json_end_array(json);
    json_end(json);
}

/* "compiler: gcc 12" as a member "compiler". */
static void write_build(json_writer *json) {
    char info[4096];
    fr_build_info(info, sizeof info);
    json_begin(json, "build");
    for (char *line = info; *line;) {
        char *end = line + strcspn(line, "\n"), *colon = strstr(line, ": ");
        char *next = *end ? end + 1 : end;
        *end = '\0';
        if (colon && colon < end) {
            *colon = '\0';
            json_string(json, line, colon + 2);
        }
        line = next;
    }
    json_end(json);
}

static void write_conditions(json_writer *json, const bench_results *results) {
    const bench_conditions *c = &results->conditions;
    char line[BENCH_LINE];
    json_begin(json, "conditions");
    json_string(json, "when", c->when);
    write_build(json);
    json_begin_array(json, "processes");
    for (int p = 0; p < c->processes; p++) write_host(json, c, p);
    json_end_array(json);
    json_begin_array(json, "environment");
    for (int i = 0; i < c->variables; i++) json_string(json, NULL, c->environment[i]);
    json_end_array(json);
    json_begin_array(json, "shared");
    for (int at = 0; bench_shared(c, &at, line);) json_string(json, NULL, line);
    json_end_array(json);
    json_integer(json, "working_set", bench_working_set(&results->settings));
    json_integer(json, "cache", bench_cache());
    json_end(json);
}

/* --------------------------------------------------------------------------------------------- rows */

static void write_place(json_writer *json, const bench_place *place) {
    json_begin(json, "first_wrong");
    json_integer(json, "rank", place->rank);
    json_integer(json, "step", place->step);
    json_integer(json, "coordinate", place->coordinate);
    json_number(json, "expected", place->expected);
    json_number(json, "found", place->found);
    json_end(json);
}

static void write_row(json_writer *json, const bench_row *row) {
    json_begin(json, NULL);
    json_string(json, "what", row->what);
    json_integer(json, "size", (int64_t)row->size);
    json_integer(json, "count", row->count);
    json_string(json, "collective", row->collective);
    json_string(json, "wire", row->wire);
    json_number(json, "us", row->us);
    json_number(json, "us_p99", row->us_p99);
    json_number(json, "algbw", row->algbw);
    json_number(json, "busbw", row->busbw);
    json_number(json, "share", row->share);
    json_integer(json, "wrong", row->wrong);
    json_number(json, "reference", row->reference);
    json_integer(json, "levels", row->levels);
    json_integer(json, "units", row->units);
    json_integer(json, "runs", row->runs);
    json_number(json, "us_wire", row->us_wire);
    json_number(json, "error", row->error);
    json_number(json, "speedup", row->speedup);
    json_number(json, "efficiency", row->efficiency);
    json_integer(json, "slowest_rank", row->slowest);
    if (row->wrong > 0) write_place(json, &row->place);
    json_end(json);
}

void bench_json(const bench_results *results, const char *status) {
    json_writer json = json_result_begin();
    json_string(&json, "status", status);
    json_string(&json, "precision", fr_precision_name(results->settings.precision));
    json_number(&json, "seconds", results->seconds);
    if (results->rounds > 0) json_integer(&json, "rounds", results->rounds);
    write_conditions(&json, results);
    json_begin_array(&json, "results");
    for (int i = 0; i < results->count; i++) write_row(&json, &results->rows[i]);
    json_end_array(&json);
    json_result_notes(&json);
    json_end(&json);
}
