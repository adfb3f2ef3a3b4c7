/*
 * forecast_exchange.c - bytes, messages and hops of a step, one function a collective.
 *
 * R ranks hold W workers each (K = R W); with two levels a rank is a node, which takes part as one worker, W = 1. v is
 * one vector with its scale. Messages go directly from each rank to each other, so that a hop is a message's latency:
 *
 *   allreduce   slices to their owners, sums back to all: 2 (R-1)/R v each way, 2 hops, before them the shared scale
 *   allgather   own vectors to all: W v each way; 1 hop, and 1 for the scales
 *   two-phase   slices of W vectors to their owners, (R-1)/R W v; rounded sums to all, (R-1)/R v; W scales of slices to
 *               all; 3 hops, before them the shared scale
 *   master      a rank more, without workers: W vectors of each rank come in, K v; the model goes down a binomial tree
 *               of R + 1 ranks, which takes as many turns as the root has children
 *
 * Small values that all share (a scale) go up and down a tree of 16 children a rank.
 */
#include <math.h>

#include "dataset.h"
#include "forecast.h"
#include "status.h"
#include "wire.h"

enum { FAN_OUT = 16 };
static const double SCALE_BYTES = 8; /* float64 in every precision: it is one number */

typedef struct ranks {
    double count, workers; /* R and W */
} ranks;

static ranks ranks_of(const fr_job *job) { return (ranks){job->nodes, job->two_level ? 1 : job->workers_a_node}; }

fr_machine fr_machine_of(double compute) { return (fr_machine){compute, compute / 4}; }

static double whole_bytes(const fr_job *job) {
    return (double)job->features * (double)fr_precision_bytes(job->precision);
}

double fr_scheme_vector_bytes(const fr_job *job, const fr_scheme *scheme) {
    double d = (double)job->features;
    switch (scheme->wire) {
    case FR_WIRE_BF16: return 2 * d;
    case FR_WIRE_INT8:
    case FR_WIRE_PACKED: return (double)fr_wire_most(scheme->wire, job->features, scheme->levels) + SCALE_BYTES;
    case FR_WIRE_ELIAS: {
        double unit = fr_gaussian_unit(scheme->scale, d, d);
        return d * fr_gaussian_levels(scheme->levels, unit).elias_bits / 8 + SCALE_BYTES;
    }
    default: return whole_bytes(job);
    }
}

/* Adds a part of the exchange that every rank does alike: bytes out and in, to and from `others` ranks. */
static void all_alike(fr_exchange *e, double bytes, double others) {
    e->sent += bytes;
    e->received += bytes;
    e->path += bytes;
    e->hops += 1;
    e->messages += 2 * others;
}

/* One number of each rank, combined for all: up the tree and down again. */
static void shared_scale(fr_exchange *e, double count) {
    double reached = 1, level = 1, children = fmin(FAN_OUT, count - 1);
    for (; reached < count; e->hops += 2) reached += level *= FAN_OUT;
    double mean = 2 * (count - 1) / count * SCALE_BYTES;
    e->sent += mean;
    e->received += mean;
    e->path += 2 * children * SCALE_BYTES;
    e->messages += 2 * children;
}

static fr_exchange allreduce(ranks r, double vector, bool quantized) {
    fr_exchange e = {0};
    double values = quantized ? vector - SCALE_BYTES : vector;
    if (quantized) shared_scale(&e, r.count);
    all_alike(&e, (r.count - 1) / r.count * values, r.count - 1);
    all_alike(&e, (r.count - 1) / r.count * values, r.count - 1);
    return e;
}

static fr_exchange allgather(ranks r, double vector, bool quantized) {
    fr_exchange e = {0};
    double values = quantized ? vector - SCALE_BYTES : vector;
    all_alike(&e, (r.count - 1) * r.workers * values, r.count - 1);
    if (quantized) all_alike(&e, (r.count - 1) * r.workers * SCALE_BYTES, r.count - 1);
    return e;
}

static fr_exchange two_phase(ranks r, double vector, bool quantized) {
    fr_exchange e = {0};
    double values = quantized ? vector - SCALE_BYTES : vector;
    if (quantized) shared_scale(&e, r.count);
    all_alike(&e, (r.count - 1) / r.count * r.workers * values, r.count - 1);
    all_alike(&e, (r.count - 1) / r.count * values, r.count - 1);
    if (quantized) all_alike(&e, (r.count - 1) * r.workers * SCALE_BYTES, r.count - 1);
    return e;
}

/* What a rank with workers passes on of the model is the mean: R + 1 ranks, R copies, ceil(log2(R + 1)) by the root. */
static fr_exchange master(ranks r, double vector, double model) {
    double turns = ceil(log2(r.count + 1));
    fr_exchange e = {.hops = 1 + turns, .messages = r.count + turns};
    e.sent = r.workers * vector + (r.count - turns) / r.count * model;
    e.received = model;
    e.path = r.count * r.workers * vector + turns * model;
    return e;
}

static double model_bytes(const fr_job *job, const fr_scheme *scheme) {
    if (job->model_levels == 0) return 8 * (double)job->features;
    fr_wire wire = scheme->wire == FR_WIRE_PACKED || scheme->wire == FR_WIRE_ELIAS ? FR_WIRE_PACKED : FR_WIRE_INT8;
    return (double)fr_wire_most(wire, job->features, job->model_levels) + SCALE_BYTES;
}

fr_exchange fr_exchange_between(const fr_job *job, const fr_scheme *scheme) {
    double vector = fr_scheme_vector_bytes(job, scheme);
    bool quantized = scheme->levels > 0;
    ranks r = ranks_of(job);
    if (scheme->collective == FR_COLLECTIVE_MASTER) return master(r, vector, model_bytes(job, scheme));
    if (r.count == 1) return (fr_exchange){0};
    switch (scheme->collective) {
    case FR_COLLECTIVE_ALLGATHER: return allgather(r, vector, quantized);
    case FR_COLLECTIVE_TWO_PHASE: return two_phase(r, vector, quantized);
    default: return allreduce(r, vector, quantized);
    }
}

/* Each worker of a node adds up one slice of all of them and sends it over the node's link; what comes back goes to all
 * in the same way. The values are unquantized. */
fr_exchange fr_exchange_inside(const fr_job *job) {
    fr_exchange e = {0};
    double w = job->workers_a_node;
    if (!job->two_level || w == 1) return e;
    all_alike(&e, (w - 1) / w * whole_bytes(job), w - 1);
    all_alike(&e, (w - 1) / w * whole_bytes(job), w - 1);
    return e;
}

/* Time of a coordinate, where quantizing one to an int8 is 1. The way out of packed is measured; elias takes 1.2 to 8
 * with the share of non-zero levels, and 5 stands for all; the ways in, adding included, are estimates. */
typedef struct coding {
    double out, in;
} coding;

static coding coding_of(fr_wire wire) {
    switch (wire) {
    case FR_WIRE_INT8: return (coding){1, 0.25};
    case FR_WIRE_PACKED: return (coding){1.3, 0.5};
    case FR_WIRE_ELIAS: return (coding){5, 5};
    default: return (coding){0, 0.25}; /* adding values up */
    }
}

double fr_exchange_coding(const fr_job *job, const fr_scheme *scheme) {
    double d = (double)job->features;
    ranks r = ranks_of(job);
    coding cost = coding_of(scheme->wire);
    double own = r.workers * d, all = r.count * own, model = job->model_levels ? d * 1.3 : 0;
    switch (scheme->collective) {
    case FR_COLLECTIVE_ALLGATHER: return own * cost.out + all * cost.in;
    case FR_COLLECTIVE_TWO_PHASE: return (own + d / r.count) * cost.out + (all / r.count + d) * cost.in;
    case FR_COLLECTIVE_MASTER: return own * cost.out + all * cost.in + 2 * model; /* one waits for the other */
    default: return own * cost.out + (own + d) * cost.in;
    }
}

double fr_exchange_seconds(const fr_exchange *e, const fr_network *network) {
    if (e->hops == 0) return 0;
    return e->hops * network->latency + e->path / network->bandwidth + e->messages * network->message_seconds;
}

fr_status fr_scheme_check(const fr_job *job, const fr_scheme *scheme, fr_error *error) {
    int64_t workers = job->two_level ? job->nodes : (int64_t)job->nodes * job->workers_a_node;
    bool sums = scheme->collective == FR_COLLECTIVE_ALLREDUCE, quantized = scheme->levels > 0;
    if (quantized != (scheme->wire >= FR_WIRE_INT8))
        return fr_fail(error, FR_ERROR_USAGE, "wire %s and %d levels do not go together", fr_wire_name(scheme->wire),
                       scheme->levels);
    if (sums && quantized && workers * scheme->levels > 127)
        return fr_fail(error, FR_ERROR_USAGE, "allreduce sums in an int8, and %lld x %d levels exceed 127",
                       (long long)workers, scheme->levels);
    if (sums ? scheme->wire == FR_WIRE_PACKED || scheme->wire == FR_WIRE_ELIAS : scheme->wire == FR_WIRE_BF16)
        return fr_fail(error, FR_ERROR_USAGE, "%s cannot carry %s", fr_collective_name(scheme->collective),
                       fr_wire_name(scheme->wire));
    if (scheme->wire == FR_WIRE_ELIAS && scheme->collective == FR_COLLECTIVE_TWO_PHASE)
        return fr_fail(error, FR_ERROR_USAGE, "two-phase cannot carry elias");
    return FR_OK;
}
