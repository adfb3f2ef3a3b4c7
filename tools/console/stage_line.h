/*
 * stage_line.h - how far a stage is, in words: "making rows, 34 %, 1.2e+06 rows a second, 3 s".
 */
#ifndef FITRELU_STAGE_LINE_H
#define FITRELU_STAGE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a stage has counted; zeroed when it begins. */
typedef struct stage_counts {
    bool bytes;          /* of a file, else rows */
    int pass;            /* over the file, from 1 */
    int64_t done, total; /* of this pass; total 0: not known */
    double read;         /* bytes of all passes */
    int64_t first;       /* the first count of rows, */
    double since;        /* and when it came: memory is cleared before */
} stage_counts;

void stage_counts_rows(stage_counts *counts, int64_t done, int64_t total, double now);
/* done may fall back to 0: another pass over the file, or another file. */
void stage_counts_bytes(stage_counts *counts, int64_t done, int64_t total, double now);

/* Whether there is a rate to tell. */
bool stage_counts_any(const stage_counts *counts);
/* The share that is done, or -1 where it is not known. */
double stage_counts_share(const stage_counts *counts);

enum { STAGE_WORDS = 128 };
/* ", pass 2, 45 %, 312 MB a second", or "" before there is anything to tell. */
void stage_counts_words(const stage_counts *counts, double now, char text[STAGE_WORDS]);

#endif
