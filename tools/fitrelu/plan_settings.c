/*
 * plan_settings.c - the defaults of a plan, and the checks that need more than one option to look at.
 */
#include <inttypes.h>

#include "fitting/fit_settings.h"
#include "console/message.h"
#include "fitrelu/plan_settings.h"

enum { USUAL_NODES = 8, MOST_WORKERS = 1000000 };

int64_t plan_workers(const plan_settings *settings) {
    return (int64_t)settings->job.nodes * settings->job.workers_a_node;
}

/* K = nodes x workers a node, from two or fewer of the three. */
static int read_workers(const option_value *values, int usual, fr_job *job) {
    const option_value *workers = &values[OPT_WORKERS], *nodes = &values[OPT_NODES],
                       *each = &values[OPT_WORKERS_PER_NODE];
    int64_t w = each->given ? each->integer : workers->given && nodes->given ? workers->integer / nodes->integer : 1;
    int64_t n = nodes->given ? nodes->integer : workers->given ? workers->integer / w : usual;
    if (workers->given && (n < 1 || w < 1 || n * w != workers->integer))
        return message_usage("--workers %s cannot be spread over %" PRId64 " nodes with %" PRId64 " each",
                             workers->text, n < 1 ? 1 : n, w < 1 ? 1 : w);
    if (n * w > MOST_WORKERS)
        return message_usage("%" PRId64 " nodes of %" PRId64 " workers are more than %d workers", n, w, MOST_WORKERS);
    job->nodes = (int)n;
    job->workers_a_node = (int)w;
    job->two_level = values[OPT_INNER_BANDWIDTH].given;
    if (job->two_level && w == 1)
        return message_usage("--inner-bandwidth %s: there is one worker a node; --workers-per-node says otherwise",
                             values[OPT_INNER_BANDWIDTH].text);
    if (values[OPT_INNER_LATENCY].given && !job->two_level)
        return message_usage("--inner-latency %s needs --inner-bandwidth", values[OPT_INNER_LATENCY].text);
    return 0;
}

/* m: as fit chooses it for planted data, 0.8 d and 32 at least, made divisible by K. */
static int read_batch(const option_value *batch, int64_t workers, fr_job *job) {
    int64_t usual = (4 * job->features + 4) / 5;
    job->full = batch->word >= 0;
    job->batch = batch->given ? batch->integer : ((usual > 32 ? usual : 32) + workers - 1) / workers * workers;
    if (job->full) job->batch = job->samples;
    else if (job->batch % workers)
        return message_usage("--batch %s is not divisible by the %" PRId64 " workers", batch->text, workers);
    return 0;
}

static int check_rows(const fr_job *job, int64_t workers) {
    if (job->samples <= 2 * job->features)
        return message_usage("%" PRId64 " rows are too few for %" PRId64
                             " features: nothing can be said of a fit with "
                             "2 rows a feature or less; --samples takes more",
                             job->samples, job->features);
    if (job->samples < workers)
        return message_usage("%" PRId64 " workers, but only %" PRId64 " rows; each worker needs at least one",
                             workers, job->samples);
    return 0;
}

static double given_or(const option_value *value, double otherwise) { return value->given ? value->real : otherwise; }

static void read_network(const option_value *values, plan_settings *settings) {
    double message = given_or(&values[OPT_MESSAGE_TIME], 4e-6);
    settings->machine = fr_machine_of(given_or(&values[OPT_COMPUTE_RATE], 2e9));
    settings->between =
        (fr_network){given_or(&values[OPT_LATENCY], 50e-6), given_or(&values[OPT_BANDWIDTH], 1e9) / 8, message};
    settings->inside = (fr_network){given_or(&values[OPT_INNER_LATENCY], 5e-6),
                                    given_or(&values[OPT_INNER_BANDWIDTH], 1e9) / 8, message};
}

int plan_settings_read(const option_value *values, int nodes, plan_settings *settings) {
    fr_planted planted = planted_settings(values);
    *settings = (plan_settings){.job = {.samples = planted.samples,
                                        .features = planted.features,
                                        .precision = precision_setting(values),
                                        .tolerance = given_or(&values[OPT_TOLERANCE], 1e-6)}};
    int code = read_workers(values, nodes > 0 ? nodes : USUAL_NODES, &settings->job);
    if (code == 0) code = check_rows(&settings->job, plan_workers(settings));
    if (code == 0) code = read_batch(&values[OPT_BATCH], plan_workers(settings), &settings->job);
    read_network(values, settings);
    return code;
}

void plan_settings_measured(const option_value *values, const plan_measured *measured, plan_settings *settings) {
    settings->measured = *measured;
    if (!values[OPT_COMPUTE_RATE].given) /* a node's workers share its processors */
        settings->machine = fr_machine_of(measured->compute / settings->job.workers_a_node);
    if (!values[OPT_COMPUTE_RATE].given && measured->code > 0)
        settings->machine.code = measured->code / settings->job.workers_a_node;
    if (!measured->link) return;
    if (!values[OPT_LATENCY].given) settings->between.latency = measured->latency;
    if (!values[OPT_BANDWIDTH].given) settings->between.bandwidth = measured->bandwidth;
}
