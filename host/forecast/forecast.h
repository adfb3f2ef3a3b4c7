/*
 * forecast.h - what a fit would cost: steps, bytes and seconds of each way of exchanging gradients, before any of it is
 * run. (plan/plan.h is another thing: the options of a fit that is about to run.)
 *
 *     fr_scheme + fr_job          -> steps     forecast/forecast.c, from the theorems and from the error near w*
 *     Q_s on Gaussian gradients   -> q, bits   forecast/levels.c
 *     fr_scheme + fr_job          -> bytes, messages, hops a step   forecast/exchange.c
 *     ... + fr_network, fr_machine -> seconds
 *
 * Rows are Gaussian, as in the paper's theorems and experiments. Everything is a formula; nothing is measured here.
 */
#ifndef FR_FORECAST_H
#define FR_FORECAST_H

#include "fitrelu.h"

/* A link as a rank sees it; sending and receiving do not disturb each other. */
typedef struct fr_network {
    double latency;         /* seconds until the first byte arrives */
    double bandwidth;       /* bytes a second, each way */
    double message_seconds; /* of the processor's time, for each message sent or received */
} fr_network;

/* What one worker computes with. */
typedef struct fr_machine {
    double compute; /* rows x features of the gradient a second */
    double code;    /* coordinates quantized to an int8 a second */
} fr_machine;

/* A machine of which only the first is known: a coordinate quantized takes as long as four of a row. */
fr_machine fr_machine_of(double compute);

/* What is to be fitted, and where the workers are. */
typedef struct fr_job {
    int64_t samples, features; /* n > 2 d: with fewer rows the minimum of (1.1) near w* is not unique */
    int64_t batch;             /* m; n with full */
    bool full;                 /* every row once a step: no sampling noise */
    int nodes, workers_a_node; /* K = nodes x workers_a_node */
    bool two_level;            /* a node adds up its workers over links of its own before it takes part */
    fr_precision precision;
    double tolerance; /* ||w - w*|| / ||w*|| to reach, above 0 */
} fr_job;

typedef struct fr_scheme {
    fr_collective collective; /* not auto */
    fr_wire wire;             /* not auto */
    int levels;               /* s, 0: unquantized */
    fr_scale scale;           /* l2 or max, where quantized */
} fr_scheme;

/* A step's exchange on one kind of link. Time: hops x latency + path / bandwidth + messages x message_seconds. */
typedef struct fr_exchange {
    double sent, received; /* bytes of a rank that has workers, on average */
    double path;           /* bytes that pass the busiest link one after the other */
    double hops;           /* messages that wait for each other */
    double messages;       /* sent and received by the busiest rank */
} fr_exchange;

typedef struct fr_forecast {
    fr_scheme scheme;
    double step_size;                   /* of the rule auto; the theorem's steps are at the theorem's */
    double variance, second_variance;   /* q, and that of two-phase's second rounding */
    double vector_bytes;                /* one gradient with its scale, on average */
    double theorem_rate, theorem_steps; /* Theorem 3.1 or 3.2, with delta2 = 1/2; NaN where neither speaks of it */
    double local_rate, steps;           /* rate for n >> d; steps for the n given; INFINITY where it diverges */
    fr_exchange between, inside;        /* between nodes, and inside a node (two levels) */
    double compute_seconds, code_seconds, exchange_seconds, step_seconds;
    double seconds, theorem_seconds; /* to the tolerance */
} fr_forecast;

/* FR_OK where the scheme can run, else FR_ERROR_USAGE and why not (sums of levels that are too large, a wire that cannot be
 * summed). */
fr_status fr_scheme_check(const fr_job *job, const fr_scheme *scheme, fr_error *error);

/* Everything about a scheme that fr_scheme_check accepts. */
void fr_forecast_make(const fr_job *job, const fr_scheme *scheme, const fr_machine *machine,
                      const fr_network *between, const fr_network *inside, fr_forecast *forecast);

/* ------------------------------------------------------------------------------------- steps (forecast/forecast.c) */

/* What a step does to the error; everything that the formula below needs. */
typedef struct fr_noise {
    double step_size;                 /* eta */
    double workers;                   /* K that quantize on their own */
    double sampling;                  /* (2 d + 3) / m */
    double drawn;                     /* 1; 0 with full batches */
    double variance, second_variance; /* q, q2 */
} fr_noise;

/* The factor of E||w - w*||^2 in one step near w*, for n much larger than d:
 *     1 - 2 eta + eta^2 (1 + q2) (1 + q/K + (drawn + q) (2 d + 3) / m). */
double fr_noise_rate(const fr_noise *noise);

/* Steps from the gradient start, whose relative error is sqrt(2 d / n), to `tolerance`; INFINITY if never. */
double fr_noise_steps(const fr_noise *noise, double features_a_row, double tolerance);

/* ----------------------------------------------------------------------------- levels (forecast/levels.c) */

/* Levels of Q_s on a Gaussian vector whose largest scale unit N is `unit` standard deviations. */
typedef struct fr_level_statistics {
    double variance;   /* E||Q(v) - v||^2 / ||v||^2 */
    double elias_bits; /* a coordinate, of wire/elias.c */
} fr_level_statistics;

fr_level_statistics fr_gaussian_levels(int levels, double unit);

/* N in standard deviations of one coordinate: sqrt(d) for l2; for max the median of the largest of `among` Gaussians. */
double fr_gaussian_unit(fr_scale scale, double features, double among);

/* --------------------------------------------------------------------------- bytes (forecast/exchange.c) */

/* Bytes of one gradient, its scale included: what a worker sends once. */
double fr_scheme_vector_bytes(const fr_job *job, const fr_scheme *scheme);

fr_exchange fr_exchange_between(const fr_job *job, const fr_scheme *scheme);
fr_exchange fr_exchange_inside(const fr_job *job);
/* Coordinates that the busiest rank codes, decodes or adds in a step, each counted by what it costs in units of one
 * coordinate quantized to an int8. */
double fr_exchange_coding(const fr_job *job, const fr_scheme *scheme);
double fr_exchange_seconds(const fr_exchange *exchange, const fr_network *network);

#endif
