/*
 * row.h - a line of the table: what was measured, how long it took, and whether it was right.
 */
#ifndef FITRELU_BENCH_ROW_H
#define FITRELU_BENCH_ROW_H

#include <stdint.h>

/* Where an element was not what it must be. */
typedef struct bench_place {
    int rank;           /* of all; -1: nowhere */
    int64_t step, coordinate;
    double expected, found;
} bench_place;

/* One line of the table. Numbers that are not there are NAN. */
typedef struct bench_row {
    const char *what;             /* "exchange": the measurement's name */
    const char *collective;       /* NULL: none */
    const char *wire;             /* the format of what is read or travels: f64, f32, bf16, int8, packed, elias */
    int levels;                   /* 0: unquantized */
    double size;                  /* bytes */
    int64_t count;                /* numbers: coordinates of a vector, or of the rows read */
    double us, us_p99;            /* of one run on the slowest rank: median, 99th percentile */
    double us_wire;               /* of that, what the exchange took: median */
    int runs;                     /* timed */
    double algbw, busbw;          /* GB/s */
    double share;                 /* of the read bandwidth */
    int64_t wrong;                /* elements */
    double error;                 /* normalised, against the reference; 0: equal bits; NAN: integers were compared */
    double reference;             /* microseconds of the same work on one thread of a CPU */
    int units;                    /* threads, ranks or GPUs */
    double speedup, efficiency;   /* over the first number of units of the run */
    int slowest;                  /* rank */
    bench_place place;            /* of the first wrong element */
} bench_row;

/* A row with nothing in it. */
bench_row bench_row_of(const char *what);

#endif
