/*
 * exchange.h - the exchanges that there are at this place, and one of them on vectors whose sum is known.
 */
#ifndef FITRELU_BENCH_EXCHANGE_H
#define FITRELU_BENCH_EXCHANGE_H

#include "bench/known.h"

typedef struct bench_case {
    fr_collective collective;
    fr_wire wire;
    int levels;
    fr_precision precision;
    int workers; /* K */
} bench_case;

enum { BENCH_CASES_MOST = 64 };
typedef struct bench_cases {
    bench_case cases[BENCH_CASES_MOST];
    int count;
} bench_cases;

/* Each collective with each wire that it carries, unquantized in float64 and float32, as far as this place has them. */
fr_status bench_cases_of(const bench_settings *settings, bench_cases *list, fr_error *error);
/* "f64", "int8": the format that travels. */
const char *bench_case_wire(const bench_case *c);
/* Runs body on every rank, on vectors of so many coordinates. */
fr_status bench_case_run(const bench_settings *settings, const bench_case *c, int64_t features, bench_body *body, void *user,
                         fr_error *error);

/* Within a body: the known vectors and zero weights go to the engine; zero weights again; and the weights after the steps
 * since then are held against the sums. */
typedef struct bench_verdict {
    int64_t wrong;
    bench_place place; /* of the first */
} bench_verdict;
fr_status bench_case_begin(bench_rank *rank, bench_known *known, fr_error *error);
fr_status bench_case_zero(bench_rank *rank, fr_error *error);
fr_status bench_case_check(bench_rank *rank, const bench_known *known, bench_verdict *verdict, fr_error *error);
/* The sum over ranks, and the first place; all ranks get it. */
fr_status bench_verdict_gather(bench_rank *rank, bench_verdict *verdict, fr_error *error);

#endif
