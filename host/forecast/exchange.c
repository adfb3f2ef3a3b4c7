/*
 * exchange.c - bytes, messages and hops of a step, put together from those of all ranks (exchange/traffic.h).
 *
 * R ranks hold W workers each (K = R W); with two levels a rank is a node, which takes part as one worker, W = 1. A
 * master is a rank more, without workers.
 *
 * Elias' codes, of which exchange/traffic.h knows the most, get their mean length here. Inside a node (two levels)
 * the exchange is a formula of its own.
 */
#include <math.h>

#include "base/status.h"
#include "data/dataset.h"
#include "exchange/traffic.h"
#include "forecast/forecast.h"
#include "plan/collective.h"
#include "wire/wire.h"

/* Ranks that differ by a column at most need not all be asked: each costs a walk over all. */
enum { VISITS = 1 << 14 };

typedef struct holding {
    double count, workers; /* R and W */
} holding;

static holding holding_of(const fr_job *job) {
    return (holding){job->nodes, job->two_level ? 1 : job->workers_a_node};
}

fr_machine fr_machine_of(double compute) { return (fr_machine){compute, compute / 4}; }

static double whole_bytes(const fr_job *job) {
    return (double)job->features * (double)fr_precision_bytes(job->precision);
}

/* The options of a fit of these ranks, as far as its traffic depends on them. */
static fr_plan plan_of(const fr_job *job, const fr_scheme *scheme) {
    holding r = holding_of(job);
    return (fr_plan){.features = job->features,
                     .workers = (int)(r.count * r.workers),
                     .dedicated_master = fr_collectives[scheme->collective]->has_master,
                     .levels = scheme->levels,
                     .collective = scheme->collective,
                     .wire = scheme->wire,
                     .precision = job->precision};
}

double fr_scheme_vector_bytes(const fr_job *job, const fr_scheme *scheme) {
    const fr_plan plan = plan_of(job, scheme);
    double d = (double)job->features, scale = (double)fr_precision_bytes(job->precision);
    if (fr_summed_field_bits(&plan) > 0) return fr_traffic_vector(&plan) + scale;
    switch (scheme->wire) {
    case FR_WIRE_BF16: return 2 * d;
    case FR_WIRE_INT8:
    case FR_WIRE_PACKED: return (double)fr_wire_most(scheme->wire, job->features, scheme->levels) + scale;
    case FR_WIRE_ELIAS: {
        double unit = fr_gaussian_unit(scheme->scale, d, d);
        return d * fr_gaussian_levels(scheme->levels, unit).elias_bits / 8 + scale;
    }
    default: return whole_bytes(job);
    }
}

/* The mean over ranks first .. ranks - 1, or over some of them; path is of the one with the most. */
static fr_exchange mean_of(const fr_plan *plan, int size, int first) {
    int others = size - first, asked = VISITS / size;
    bool uneven = fr_traffic_of(plan, size, first).uneven;
    asked = asked < 1 ? 1 : asked > others || uneven ? others : asked;
    fr_exchange e = {0};
    for (int i = 0; i < asked; i++) {
        fr_traffic t = fr_traffic_of(plan, size, first + (int)((int64_t)others * i / asked));
        e.sent += t.sent / asked;
        e.received += t.received / asked;
        e.path = fmax(e.path, fmax(t.sent, t.received));
        e.hops = t.hops;
        e.messages = fmax(e.messages, t.messages);
    }
    return e;
}

/* The master's link is the busiest, and what it sends depends on the gradients that it received; what comes in while it
 * sends, of a model in chunks, disturbs nothing. */
static fr_exchange master(const fr_plan *plan, int size, double coded) {
    fr_exchange e = mean_of(plan, size, 1);
    fr_traffic root = fr_traffic_of(plan, size, 0);
    double gradients = plan->workers * fr_traffic_bits(plan) * (double)plan->features / 8;
    e.sent -= (1 - coded) * gradients / (size - 1);
    e.path = coded * gradients + root.sent;
    e.hops = root.hops;
    e.messages = root.messages;
    return e;
}

fr_exchange fr_exchange_between(const fr_job *job, const fr_scheme *scheme) {
    fr_plan plan = plan_of(job, scheme);
    double coded = 1; /* what Elias' codes are of the most that they can be */
    if (scheme->wire == FR_WIRE_ELIAS)
        coded = fr_scheme_vector_bytes(job, scheme) / (fr_traffic_bits(&plan) * (double)job->features / 8);
    if (plan.dedicated_master) return master(&plan, job->nodes + 1, coded);
    fr_exchange e = mean_of(&plan, job->nodes, 0);
    e.sent *= coded, e.received *= coded, e.path *= coded;
    return e;
}

/* Adds a part of the exchange that every worker does alike: bytes out and in, to and from `others`. */
static void all_alike(fr_exchange *e, double bytes, double others) {
    e->sent += bytes;
    e->received += bytes;
    e->path += bytes;
    e->hops += 1;
    e->messages += 2 * others;
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
    fr_plan plan = plan_of(job, scheme);
    fr_work work = fr_collective_of(&plan)->work(&plan, job->nodes);
    coding cost = coding_of(scheme->wire);
    return work.encoded * cost.out + work.decoded * cost.in;
}

double fr_exchange_seconds(const fr_exchange *e, const fr_network *network) {
    if (e->hops == 0) return 0;
    return e->hops * network->latency + e->path / network->bandwidth + e->messages * network->message_seconds;
}

fr_status fr_scheme_check(const fr_job *job, const fr_scheme *scheme, fr_error *error) {
    fr_plan plan = plan_of(job, scheme);
    if ((scheme->levels > 0) != (scheme->wire >= FR_WIRE_INT8))
        return fr_fail(error, FR_ERROR_USAGE, "wire %s and %d levels do not go together", fr_wire_name(scheme->wire),
                       scheme->levels);
    return fr_collective_check(&plan, error);
}
