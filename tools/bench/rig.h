/*
 * rig.h - engines and exchanges to measure with: those of a fit, on the same places.
 */
#ifndef FITRELU_BENCH_RIG_H
#define FITRELU_BENCH_RIG_H

#include "bench/settings.h"
#include "exchange/collectives.h"

/* What engines are made for. */
typedef struct bench_problem {
    int64_t samples, features;
    int64_t batch;              /* m; FR_BATCH_FULL */
    int workers;                /* K; 0: one a rank, or 4 where there is one rank */
    fr_precision precision;
    fr_storage storage;
    fr_collective collective;
    fr_wire wire;
    int levels;
    fr_scale scale;
    double step_size;
    int gpus, threads;          /* of each process; gpus 0: on CPUs */
    bool alone;                 /* in this process, whatever world there is */
    bool host_rows;             /* rows, all zero, are held on the host beside GPUs too, for an engine of the reference */
} bench_problem;

/* The problem of the settings: where and in which precision, and nothing else. */
bench_problem bench_problem_of(const bench_settings *settings);

/* What one rank works with. */
typedef struct bench_rank {
    int rank, ranks;            /* of all */
    bool first;                 /* of its process: it writes what was found */
    const fr_plan *plan;
    const fr_dataset *set;
    fr_engine *engine;
    fr_comm *comm;
    bool looked_at;             /* the time of the next step's exchange is read after it */
    fr_state state;             /* zero weights, or what load was given; of d */
} bench_rank;

/* FR_ERROR_USAGE where no fit could be so; nothing is allocated. */
fr_status bench_rig_check(const bench_settings *settings, const bench_problem *problem, fr_error *error);

/* Makes engine and exchange of every rank and runs body on each. held: rows made before, or NULL: nobody reads rows. */
typedef fr_status bench_body(void *user, bench_rank *rank, fr_error *error);
fr_status bench_rig_run(const bench_settings *settings, const bench_problem *problem, fr_dataset *held, bench_body *body,
                        void *user, fr_error *error);

/* K of the problem, and the ranks of its place. */
fr_status bench_rig_count(const bench_settings *settings, const bench_problem *problem, int *workers, int *ranks,
                          fr_error *error);

/* The names (16 bytes each) and numbers of the GPUs of this process' ranks, `most` of them at most; *count of them. */
fr_status bench_rig_cards(const bench_settings *settings, unsigned char (*ids)[16], int *numbers, int most, int *count,
                          fr_error *error);

/* One step as fit/fit.c makes it, recorded where the engine can: with the gradient, or from the values that are there. */
fr_status bench_one_step(bench_rank *rank, bool gradient, fr_error *error);

/* The state of rank.state goes to the engine; and comes from it. */
fr_status bench_load(bench_rank *rank, int64_t step, fr_error *error);
fr_status bench_store(bench_rank *rank, fr_error *error);
/* Until the engine is idle. */
fr_status bench_wait(bench_rank *rank, fr_error *error);

#endif
