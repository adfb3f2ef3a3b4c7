/*
 * prometheus.c - the rows as a text file for node_exporter's textfile collector: a gauge a figure, in seconds and bytes.
 *
 * The file appears whole, as the collector may read it at any time.
 */
#include <inttypes.h>
#include <math.h>

#include "base/output_file.h"
#include "base/parse_number.h"
#include "bench/report.h"

/* A figure of a row, NAN where it has none. */
typedef struct gauge {
    const char *name, *help;
    double (*of)(const bench_row *row);
} gauge;

static double seconds(const bench_row *row) { return 1e-6 * row->us; }
static double seconds_p99(const bench_row *row) { return 1e-6 * row->us_p99; }
static double algorithm_rate(const bench_row *row) { return 1e9 * row->algbw; }
static double bus_rate(const bench_row *row) { return 1e9 * row->busbw; }
static double share(const bench_row *row) { return row->share; }
static double wrong(const bench_row *row) { return (double)row->wrong; }

static const gauge gauges[] = {
    {"seconds", "Median time of one run on the slowest rank.", seconds},
    {"seconds_p99", "99th percentile of the times.", seconds_p99},
    {"algorithm_bytes_per_second", "Bytes over time, algbw of nccl-tests.", algorithm_rate},
    {"bus_bytes_per_second", "What each link carries, busbw of nccl-tests.", bus_rate},
    {"read_share", "Share of the read bandwidth measured in the same run.", share},
    {"wrong_elements", "Elements that were not what they must be.", wrong},
};

static void write_value(fr_output *out, double value) {
    char text[FR_NUMBER_SIZE];
    fr_format_double(text, sizeof text, value);
    fr_output_printf(out, "%s\n", text);
}

static void write_gauge(fr_output *out, const bench_results *results, const gauge *g) {
    fr_output_printf(out, "# HELP fitrelu_bench_%s %s\n# TYPE fitrelu_bench_%s gauge\n", g->name, g->help, g->name);
    for (int i = 0; i < results->count; i++) {
        const bench_row *row = &results->rows[i];
        double value = g->of(row);
        if (!isfinite(value)) continue;
        fr_output_printf(out, "fitrelu_bench_%s{what=\"%s\",collective=\"%s\",wire=\"%s\",levels=\"%d\",count=\"%" PRId64
                         "\",units=\"%d\"} ", g->name, row->what, row->collective ? row->collective : "", row->wire,
                         row->levels, row->count, row->units);
        write_value(out, value);
    }
}

fr_status bench_prometheus(const bench_results *results, const char *path, fr_error *error) {
    fr_output *out = NULL;
    FR_TRY(fr_output_open(path, &out, error));
    for (size_t i = 0; i < sizeof gauges / sizeof gauges[0]; i++) write_gauge(out, results, &gauges[i]);
    fr_output_printf(out, "# HELP fitrelu_bench_run_seconds How long the whole run took.\n"
                     "# TYPE fitrelu_bench_run_seconds gauge\nfitrelu_bench_run_seconds ");
    write_value(out, results->seconds);
    return fr_output_commit(out, error);
}
