/*
 * table.c - the table for people, whose columns are those of nccl-tests as far as it has them; and CSV.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/parse_number.h"
#include "bench/reference.h"
#include "bench/report.h"

/* ---------------------------------------------------------------------------------------- conditions */

static void print_lines(const char *text, const char *const *names) {
    for (const char *line = text; *line;) {
        size_t length = strcspn(line, "\n");
        for (int i = 0; names[i]; i++)
            if (strncmp(line, names[i], strlen(names[i])) == 0) printf("# %.*s\n", (int)length, line);
        line += length + (line[length] == '\n');
    }
}

static void print_cards(const bench_host *host) {
    for (int i = 0; i < host->card_count; i++) {
        const bench_card *card = &host->cards[i];
        printf("#   GPU %d: %s", card->number, card->name[0] ? card->name : "of an unknown name");
        if (card->clock > 0) printf(", %u MHz, memory %u MHz", card->clock, card->memory_clock);
        printf("\n");
    }
}

static void print_hosts(const bench_conditions *c) {
    for (int p = 0; p < c->processes; p++) {
        const bench_host *host = &c->hosts[p];
        printf("# rank %d", p * c->ranks_a_process);
        if (c->ranks_a_process > 1) printf("-%d", (p + 1) * c->ranks_a_process - 1);
        printf(": %s, %s", host->name, host->processor[0] ? host->processor : "of an unknown processor");
        printf(", %d of %d processors", host->threads, host->processors);
        if (host->clock > 0) printf(" at %.0f MHz", host->clock);
        printf("%s%s\n", host->driver[0] ? ", driver " : "", host->driver);
        print_cards(host);
    }
}

static void print_conditions(const bench_results *results) {
    static const char *const names[] = {"compiler: ", "build: ", "processor path: ", "GPUs: ", "NCCL: ", NULL};
    const bench_conditions *c = &results->conditions;
    char info[4096];
    fr_build_info(info, sizeof info);
    printf("# fitrelu %s bench, %s\n", fr_version(), c->when);
    print_lines(info, names);
    print_hosts(c);
    for (int i = 0; i < c->variables; i++) printf("# %s\n", c->environment[i]);
}

/* What makes figures other than they look. */
static void print_warnings(const bench_results *results) {
    const bench_conditions *c = &results->conditions;
    char line[BENCH_LINE];
    for (int at = 0; bench_shared(c, &at, line);) printf("# note: %s\n", line);
    if (bench_gpus(&results->settings) == 0 && bench_working_set(&results->settings) < 2 * bench_cache())
        printf("# note: rows and streams of %.0f MB may stay in part in a last cache of %.0f MB\n",
               (double)bench_working_set(&results->settings) / 1e6, (double)bench_cache() / 1e6);
    if (c->processes * c->ranks_a_process == 1)
        printf("# note: one rank: nothing travels between ranks, so there is no busbw; mpirun -np R or --gpus G has more\n");
}

/* --------------------------------------------------------------------------------------------- table */

void bench_table_begin(const bench_results *results) {
    print_conditions(results);
    print_warnings(results);
    printf("#\n# size: bytes; time, p99, wire, reference: us; algbw, busbw: GB/s; share: of the read bandwidth\n");
    printf("#%-9s %-10s %-6s %3s %11s %11s %3s %10s %10s %10s %8s %8s %6s %6s %10s\n", "what", "collective", "wire", "s",
           "size", "count", "on", "time", "p99", "wire", "algbw", "busbw", "share", "#wrong", "reference");
    fflush(stdout);
}

static const char *figure(char text[16], int digits, double value) {
    if (isnan(value)) snprintf(text, 16, "-");
    else snprintf(text, 16, "%.*f", digits, value);
    return text;
}

/* Three digits at least. */
static const char *time_text(char text[16], double us) {
    return figure(text, us < 100 ? 2 : us < 1000 ? 1 : 0, us);
}

/* What a step has to say beside the columns. */
static void print_remark(const bench_row *row) {
    if (!isnan(row->speedup)) printf("  x%.2f, %.0f %%", row->speedup, 100 * row->efficiency);
    if (!isnan(row->error) && row->error == 0) printf("  equal bits");
    else if (!isnan(row->error)) printf("  error %.1e", row->error);
    if (isnan(row->us)) printf("  %d runs, each held", row->runs);
}

void bench_table_row(const bench_results *results, const bench_row *row) {
    char t[8][16], levels[12] = "-";
    (void)results;
    if (row->levels > 0) snprintf(levels, sizeof levels, "%d", row->levels);
    printf(" %-9s %-10s %-6s %3s %11s %11" PRId64 " %3d %10s %10s %10s %8s %8s %6s %6" PRId64 " %10s", row->what,
           row->collective ? row->collective : "-", row->wire, levels, figure(t[7], 0, row->size > 0 ? row->size : NAN), row->count, row->units,
           time_text(t[0], row->us), time_text(t[1], row->us_p99), time_text(t[2], row->us_wire),
           figure(t[3], row->algbw < 1 ? 4 : 2, row->algbw), figure(t[4], row->busbw < 1 ? 4 : 2, row->busbw),
           figure(t[5], 2, row->share), row->wrong, time_text(t[6], row->reference));
    print_remark(row);
    printf("\n");
    fflush(stdout);
}

void bench_table_end(const bench_results *results) {
    const bench_row *wrong = bench_wrong(results);
    int64_t elements = 0;
    for (int i = 0; i < results->count; i++) elements += results->rows[i].wrong;
    if (results->rounds > 0) printf("#\n# %" PRId64 " rounds\n", results->rounds);
    printf("#\n# %d rows, %" PRId64 " wrong elements, in %.1f s%s\n", results->count, elements, results->seconds,
           wrong ? "" : ": every result was as it must be");
}

/* ----------------------------------------------------------------------------------------------- CSV */

void bench_csv_begin(const bench_results *results) {
    (void)results;
    printf("what,collective,wire,levels,size,count,units,us,us_p99,us_wire,runs,algbw,busbw,share,wrong,error,reference,"
           "speedup,efficiency\n");
}

/* Nothing where there is no number. */
static void print_field(double value, char end) {
    char text[FR_NUMBER_SIZE] = "";
    if (isfinite(value)) fr_format_double(text, sizeof text, value);
    printf("%s%c", text, end);
}

void bench_csv_row(const bench_results *results, const bench_row *row) {
    (void)results;
    printf("%s,%s,%s,%d,", row->what, row->collective ? row->collective : "", row->wire, row->levels);
    print_field(row->size, ',');
    printf("%" PRId64 ",%d,", row->count, row->units);
    print_field(row->us, ',');
    print_field(row->us_p99, ',');
    print_field(row->us_wire, ',');
    printf("%d,", row->runs);
    print_field(row->algbw, ',');
    print_field(row->busbw, ',');
    print_field(row->share, ',');
    printf("%" PRId64 ",", row->wrong);
    print_field(row->error, ',');
    print_field(row->reference, ',');
    print_field(row->speedup, ',');
    print_field(row->efficiency, '\n');
    fflush(stdout);
}
