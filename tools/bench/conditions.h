/*
 * conditions.h - under which conditions a run is measured: versions, hosts, devices, drivers, clocks, environment.
 *
 * All is as it can be read before the first measurement; what cannot be read is left empty or 0.
 */
#ifndef FITRELU_BENCH_CONDITIONS_H
#define FITRELU_BENCH_CONDITIONS_H

#include "bench/settings.h"

enum { BENCH_NAME = 96, BENCH_CARDS_MOST = 16, BENCH_WHO = 256, BENCH_LINE = 512 };

/* Of one GPU. */
typedef struct bench_card {
    char name[BENCH_NAME];         /* "" where NVML is not there */
    unsigned char id[16];          /* which no two cards share */
    int number;                    /* as CUDA counts in its process */
    unsigned clock, memory_clock;  /* MHz, now */
} bench_card;

/* Of one process. */
typedef struct bench_host {
    char name[BENCH_NAME], processor[BENCH_NAME];
    char driver[BENCH_NAME];       /* of the GPUs */
    double clock;                  /* MHz of the first processor, now */
    int processors;                /* that the process may use, */
    unsigned char mask[128];       /* and which */
    int threads;                   /* that it takes on CPUs */
    int card_count;
    bench_card cards[BENCH_CARDS_MOST];
} bench_host;

typedef struct bench_conditions {
    bench_host *hosts;             /* of each process, in order */
    int processes;
    int ranks_a_process;           /* 1, or its GPUs */
    char **environment;            /* "NCCL_ALGO=Ring" of this process, `variables` of them */
    int variables;
    char when[32];                 /* UTC */
} bench_conditions;

/* All processes. */
fr_status bench_conditions_read(const bench_settings *settings, bench_conditions *conditions, fr_error *error);
void bench_conditions_free(bench_conditions *conditions);

/* "rank 3 on host node07, GPU 1 (NVIDIA H100)". Returns text. */
const char *bench_who(const bench_conditions *conditions, int rank, char text[BENCH_WHO]);

/* The next line on what processes share and should not, processors or cards; *at is 0 for the first. False: no more. */
bool bench_shared(const bench_conditions *conditions, int *at, char line[BENCH_LINE]);

#endif
