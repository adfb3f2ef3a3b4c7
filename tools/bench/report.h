/*
 * report.h - what fitrelu bench prints: a table while it measures, or CSV, or one JSON object at the end.
 */
#ifndef FITRELU_BENCH_REPORT_H
#define FITRELU_BENCH_REPORT_H

#include "bench/bench.h"

/* Lines that begin with '#': the conditions, and the names of the columns; a row; and what it came to. */
void bench_table_begin(const bench_results *results);
void bench_table_row(const bench_results *results, const bench_row *row);
void bench_table_end(const bench_results *results);

/* The columns of the JSON rows, with commas. */
void bench_csv_begin(const bench_results *results);
void bench_csv_row(const bench_results *results, const bench_row *row);

/* status: "done", "wrong", "slow" or "interrupted". */
void bench_json(const bench_results *results, const char *status);

/* The file for node_exporter, whole or not at all. */
fr_status bench_prometheus(const bench_results *results, const char *path, fr_error *error);

#endif
