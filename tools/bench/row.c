/*
 * row.c - see row.h.
 */
#include "bench/row.h"

#include <math.h>

bench_row bench_row_of(const char *what) {
    return (bench_row){.what = what, .us = NAN, .us_p99 = NAN, .us_wire = NAN, .algbw = NAN, .busbw = NAN, .share = NAN,
                       .error = NAN, .reference = NAN, .speedup = NAN, .efficiency = NAN, .place = {.rank = -1}};
}
