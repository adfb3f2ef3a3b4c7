/*
 * cmd_bench.c - fitrelu bench: options to settings, the measurements (tools/bench/), and what becomes of them: a table while
 * they are made, or CSV, or one JSON object, and an exit code that a script can act on.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/output_file.h"
#include "bench/report.h"
#include "console/interrupt.h"
#include "console/message.h"
#include "console/ranks.h"
#include "console/stage.h"
#include "fitting/fit_settings.h"
#include "options/commands.h"
#include "options/option_parse.h"

/* ------------------------------------------------------------------------------------------ settings */

static int read_what(const arguments *given, bench_settings *settings) {
    char names[128] = "";
    size_t used = 0;
    settings->all = given->operands_given == 0 || strcmp(given->operands[0], "all") == 0;
    for (int i = 0; i < bench_measure_count && !settings->all; i++) {
        if (strcmp(given->operands[0], bench_measures[i].name) == 0) {
            settings->what = i;
            return EXIT_DONE;
        }
        used += (size_t)snprintf(names + used, sizeof names - used, "%s, ", bench_measures[i].name);
    }
    if (settings->all) return EXIT_DONE;
    return message_usage("unknown measurement \"%s\"; expected one of: %sall", given->operands[0], names);
}

static int read_sizes(const option_value *values, bench_settings *settings) {
    settings->from = values[OPT_FROM].integer, settings->to = values[OPT_TO].integer;
    settings->step = values[OPT_STEP].integer, settings->factor = values[OPT_FACTOR].real;
    if (values[OPT_FROM].given && values[OPT_TO].given && settings->from > settings->to)
        return message_usage("--from %s is larger than --to %s", values[OPT_FROM].text, values[OPT_TO].text);
    if (values[OPT_STEP].given && values[OPT_FACTOR].given)
        return message_usage("--step %s and --factor %s are two ways to go from one size to the next; give one",
                             values[OPT_STEP].text, values[OPT_FACTOR].text);
    return EXIT_DONE;
}

/* "1,2,4", which the table has checked number by number. */
static int read_gpus(const option_value *value, bench_settings *settings) {
    for (const char *at = value->given ? value->text : NULL; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        if (settings->gpus_count == BENCH_PLACES_MOST)
            return message_usage("--gpus %s: %d numbers are the most", value->text, BENCH_PLACES_MOST);
        settings->gpus[settings->gpus_count++] = (int)strtol(at, NULL, 10);
    }
    if (settings->gpus_count > 0 && settings->device == FR_DEVICE_CPU)
        return message_usage("--gpus %s contradicts --device cpu", value->text);
    return EXIT_DONE;
}

static int read_settings(const arguments *given, bench_settings *settings) {
    const option_value *values = given->values;
    fr_options fit;
    fr_options_default(&fit);
    *settings = (bench_settings){.world = given->world,
                                 .precision = precision_setting(values),
                                 .device = values[OPT_DEVICE].given ? (fr_device)values[OPT_DEVICE].word : FR_DEVICE_AUTO,
                                 .samples = values[OPT_SAMPLES].integer,
                                 .iterations = (int)values[OPT_ITERATIONS].integer,
                                 .warmup = values[OPT_WARMUP].given ? (int)values[OPT_WARMUP].integer : -1,
                                 .checks = values[OPT_CHECK].given ? (int)values[OPT_CHECK].integer : 1,
                                 .threads = (int)values[OPT_THREADS].integer,
                                 .timeout = values[OPT_TIMEOUT].given ? values[OPT_TIMEOUT].real : fit.timeout,
                                 .soak = values[OPT_SOAK].real,
                                 .min_busbw = values[OPT_MIN_BUSBW].real,
                                 .max_time = values[OPT_MAX_TIME].real};
    if (values[OPT_JSON].given && values[OPT_CSV].given) return message_usage("--json and --csv are two forms of one result");
    if (values[OPT_ITERATIONS].integer > 1000000)
        return message_usage("--iterations %s: 1000000 are the most", values[OPT_ITERATIONS].text);
    if (values[OPT_SOAK].given && given->operands_given > 0)
        return message_usage("--soak %s goes over all exchanges and steps; it takes no \"%s\"", values[OPT_SOAK].text,
                             given->operands[0]);
    int code = read_what(given, settings);
    if (code == EXIT_DONE) code = read_sizes(values, settings);
    return code == EXIT_DONE ? read_gpus(&values[OPT_GPUS], settings) : code;
}

/* ------------------------------------------------------------------------------------------- verdict */

static int tell_wrong(const bench_results *results, const bench_row *row) {
    char who[BENCH_WHO];
    message_error("wrong: %s%s%s %s of %" PRId64 " numbers, %" PRId64 " elements; the first on %s, at step %" PRId64
                  ", coordinate %" PRId64 ": expected %.17g, found %.17g",
                  row->what, row->collective ? " " : "", row->collective ? row->collective : "", row->wire, row->count,
                  row->wrong, bench_who(&results->conditions, row->place.rank, who), row->place.step, row->place.coordinate,
                  row->place.expected, row->place.found);
    return EXIT_OUTPUT;
}

static int tell_slow(const bench_results *results, const bench_row *row) {
    const bench_settings *s = &results->settings;
    char who[BENCH_WHO], missed[128];
    if (s->max_time > 0 && row->us > s->max_time)
        snprintf(missed, sizeof missed, "took %.4g us, more than --max-time %.4g", row->us, s->max_time);
    else snprintf(missed, sizeof missed, "reached %.4g GB/s of busbw, its best and less than --min-busbw %.4g", row->busbw, s->min_busbw);
    message_error("slow: %s%s%s %s of %" PRId64 " numbers %s; the slowest was %s", row->what, row->collective ? " " : "",
                  row->collective ? row->collective : "", row->wire, row->count, missed,
                  bench_who(&results->conditions, row->slowest, who));
    return EXIT_TOLERANCE;
}

/* --min-busbw is only held where something travels. */
static void remark(const bench_results *results) {
    bool any = false;
    for (int i = 0; i < results->count; i++) any = any || !isnan(results->rows[i].busbw);
    if (results->settings.min_busbw > 0 && !any)
        message_note("--min-busbw has nothing to hold: no exchange between ranks was measured (exchange, with mpirun or --gpus)");
}

/* All processes know the same; the first one speaks. */
static int conclude(const bench_results *results, const option_value *values, bool speaks) {
    const bench_row *wrong = bench_wrong(results), *slow = bench_slowest(results);
    fr_error error = {0};
    int signal = ranks_most(results->settings.world, interrupt_signal());
    remark(results);
    if (speaks && values[OPT_JSON].given)
        bench_json(results, wrong ? "wrong" : signal ? "interrupted" : slow ? "slow" : "done");
    else if (speaks && !values[OPT_CSV].given) bench_table_end(results);
    fflush(stdout);
    if (speaks && values[OPT_PROMETHEUS].given &&
        bench_prometheus(results, values[OPT_PROMETHEUS].text, &error) != FR_OK)
        return message_library(&error);
    if (wrong) return tell_wrong(results, wrong);
    if (signal) return EXIT_SIGNALLED + signal;
    return slow ? tell_slow(results, slow) : EXIT_DONE;
}

/* ---------------------------------------------------------------------------------------------- all */

/* A file that cannot be written is told now, not after hours. */
static int probe_output(const option_value *file) {
    fr_error error = {0};
    fr_output *probe = NULL;
    if (!file->given || fr_output_open(file->text, &probe, &error) == FR_OK) {
        fr_output_discard(probe);
        return EXIT_DONE;
    }
    return message_library(&error);
}

static int measure(bench_results *results, const option_value *values, bool speaks) {
    fr_error error = {0};
    bool table = speaks && !values[OPT_JSON].given && !values[OPT_CSV].given, csv = speaks && values[OPT_CSV].given;
    stage_begin("looking at the machine");
    fr_status status = bench_conditions_read(&results->settings, &results->conditions, &error);
    if (status != FR_OK) return ranks_fail(results->settings.world, &error);
    if (table) bench_table_begin(results);
    if (csv) bench_csv_begin(results);
    results->tell = table ? bench_table_row : csv ? bench_csv_row : NULL;
    status = bench_run(results, &error);
    stage_end();
    if (status != FR_OK) return ranks_fail(results->settings.world, &error);
    return conclude(results, values, speaks);
}

int cmd_bench(const arguments *given) {
    bench_results results = {0};
    bool speaks = fr_world_rank(given->world) == 0;
    int code = ranks_agree(given->world, read_settings(given, &results.settings));
    if (code == 0) code = ranks_agree(given->world, speaks ? probe_output(&given->values[OPT_PROMETHEUS]) : EXIT_DONE);
    if (code != 0) return code;
    fr_world_set_timeout(given->world, results.settings.timeout);
    results.settings.speaks = speaks && !given->values[OPT_QUIET].given;
    if (results.settings.speaks) stage_show();
    code = measure(&results, given->values, speaks);
    bench_results_free(&results);
    return code;
}
