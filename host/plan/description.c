/*
 * description.c - a run as lines of "name=value", each written once, for those who read it.
 */
#include "plan/description.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/checksum.h"
#include "base/parse_number.h"

#define RANKS FR_OF_OPTIONS
#define RESUME FR_OF_CHECKPOINT
#define BOTH (RANKS | RESUME)

static const char same_bits[] = "the weights do not depend on it";
static const char elsewhere[] =
    "a run may go on elsewhere; unquantized sums then differ by rounding, as with other ranks";
static const char in_data[] = "the fingerprint of the data holds it";
static const char output[] = "rank 0 alone writes it, from the same weights";
static const char stops[] = "it decides when a run stops or looks, not what a step does";
static const char rows[] = "it decides which rows there are, and these are compared: their number, and by a checkpoint all";

const fr_undescribed_option fr_undescribed[] = {
    {"labels", BOTH, in_data},
    {"label-column", RESUME, in_data},
    {"weights", BOTH, in_data},
    {"weight-column", RESUME, in_data},
    {"columns", BOTH, in_data},
    {"ignore", BOTH, in_data},
    {"categories", BOTH, in_data},
    {"header", BOTH, rows},
    {"missing", BOTH, rows},
    {"holdout", BOTH, rows},
    {"bits", BOTH, "it is another word for --levels"},
    {"broadcast", RESUME, same_bits},
    {"ensemble", RESUME, "it cannot be combined with a checkpoint"},
    {"device", RESUME, elsewhere},
    {"gpus", RESUME, elsewhere},
    {"threads", BOTH, same_bits},
    {"timeout", BOTH, stops},
    {"no-graphs", BOTH, same_bits},
    {"checkpoint", RESUME, stops},
    {"checkpoint-every", BOTH, "rank 0 alone decides, and looking changes nothing"},
    {"resume", RESUME, stops},
    {"model", BOTH, output},
    {"history", BOTH, output},
    {"json", BOTH, output},
    {"quiet", BOTH, output},
    {"help", BOTH, "no run begins"},
    {"version", BOTH, "no run begins; ranks compare their versions all the same"},
};
const int fr_undescribed_count = sizeof fr_undescribed / sizeof *fr_undescribed;

/* -------------------------------------------------------------------------------------------- lines */

typedef struct writer {
    char *text;
    size_t used;
    unsigned readers;
} writer;

static void put(writer *w, unsigned readers, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void put(writer *w, unsigned readers, const char *name, const char *format, ...) {
    char value[256];
    if (!(w->readers & readers)) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(value, sizeof value, format, arguments);
    va_end(arguments);
    if (w->used < FR_DESCRIPTION_SIZE)
        w->used += (size_t)snprintf(w->text + w->used, FR_DESCRIPTION_SIZE - w->used, "%s=%s\n", name, value);
}

static void put_integer(writer *w, unsigned readers, const char *name, int64_t value) {
    put(w, readers, name, "%" PRId64, value);
}

/* All bits of it, and no decimal comma. */
static void put_real(writer *w, unsigned readers, const char *name, double value) {
    char number[FR_NUMBER_SIZE];
    fr_format_double(number, sizeof number, value);
    put(w, readers, name, "%s", number);
}

static void put_flag(writer *w, unsigned readers, const char *name, bool value) {
    put(w, readers, name, "%s", value ? "yes" : "no");
}

static void put_bits(writer *w, unsigned readers, const char *name, uint64_t bits) {
    put(w, readers, name, "%016" PRIx64, bits);
}

/* ---------------------------------------------------------------------------------------- the parts */

/* The start's weights are a file of their own: their bits. */
static uint64_t start_bits(const fr_run *run) {
    const fr_options *o = run->options;
    size_t features = (size_t)(run->set->features - (run->set->intercept ? 1 : 0));
    if (o->init != FR_INIT_GIVEN) return 0;
    uint64_t parts[2] = {fr_checksum(o->init_weights, features * sizeof *o->init_weights),
                         fr_checksum(&o->init_intercept, sizeof o->init_intercept)};
    return fr_checksum(parts, sizeof parts);
}

static void put_data(writer *w, const fr_run *run) {
    const fr_dataset *set = run->set;
    const fr_planted recipe = set->is_planted ? set->recipe : (fr_planted){0};
    put(w, BOTH, "--data", "%s", set->is_planted ? "none" : "given");
    put_integer(w, BOTH, "--samples", recipe.samples);
    put_integer(w, BOTH, "--features", recipe.features);
    put_real(w, BOTH, "--noise", recipe.noise);
    put(w, BOTH, "--seed", "%" PRIu64, run->options->seed);
    put(w, BOTH, "seed of the data", "%" PRIu64, recipe.seed);
    put(w, BOTH, "--precision", "%s", fr_precision_name(set->precision));
    put(w, BOTH, "--storage", "%s", fr_storage_name(run->plan->storage));
    put(w, RANKS, "--label-column", "%s", set->label_column ? set->label_column : "default");
    put(w, RANKS, "--weight-column", "%s", set->weight_column ? set->weight_column : "none");
    put_flag(w, FR_OF_DATA, "weights of rows", set->weights != NULL);
    put_integer(w, FR_OF_DATA | RESUME, "rows", set->samples);
    put_integer(w, FR_OF_DATA | RESUME, "features", set->features - (set->intercept ? 1 : 0));
    put_bits(w, FR_OF_DATA, "data", set->fingerprint);
    put_bits(w, RESUME, "data", set->content);
    put_flag(w, BOTH, "--standardize", run->options->standardize);
    put_flag(w, BOTH, "--intercept", run->options->intercept);
    put_flag(w, BOTH, "--condition", !run->options->keep_columns);
}

/* How the workers make a step. Codes of levels give back the levels: on the wire only bfloat16 loses bits. */
static void put_step(writer *w, const fr_plan *plan) {
    if (plan->draws == 0) put(w, BOTH, "--batch", "full");
    else put_integer(w, BOTH, "--batch", plan->batch);
    put_integer(w, BOTH, "--workers", plan->workers);
    put_integer(w, BOTH, "--levels", plan->levels);
    put(w, BOTH, "--collective", "%s", fr_collective_name(plan->collective));
    put(w, BOTH, "--scale", "%s", fr_scale_name(plan->scale));
    put(w, RANKS, "--wire", "%s", fr_wire_name(plan->wire));
    put(w, RESUME, "--wire", "%s", plan->wire == FR_WIRE_BF16 ? "bf16" : "exact");
    put(w, RANKS, "--broadcast", "%s", plan->star ? "star" : "tree");
}

/* How a run ends: as it was asked for, which the plan of a rank need not know yet, and as it is. The number of iterations
 * changes a step only where the schedule or the average looks at the end. */
static void put_end(writer *w, const fr_options *o, const fr_plan *plan, bool averages) {
    put_integer(w, RANKS, "--iterations", o->iterations);
    put_real(w, RANKS, "--tolerance", o->tolerance);
    put_integer(w, RANKS, "--report-every", o->report_every);
    if (!plan->settles && !averages && !plan->steps.decays) put(w, RESUME, "--iterations", "any");
    else if (!plan->settles) put_integer(w, RESUME, "--iterations", plan->iterations);
    /* The stopping rule asks for more where the tolerance is small, and the best is kept of the steps reported. */
    if (plan->settles) put_real(w, RESUME, "--tolerance", o->tolerance);
    else put(w, RESUME, "--tolerance", "any");
    if (plan->own_data) put_integer(w, RESUME, "--report-every", o->report_every);
    else put(w, RESUME, "--report-every", "any");
}

/* Which steps. */
static void put_steps(writer *w, const fr_run *run) {
    const fr_options *o = run->options;
    const fr_plan *plan = run->plan;
    bool averages = plan->average_start < plan->steps.steps;
    put_bits(w, FR_OF_DATA | RESUME, "start file", start_bits(run));
    put(w, BOTH, "--init", "%s", fr_init_name(o->init == FR_INIT_AUTO && !plan->own_data ? FR_INIT_GRADIENT : o->init));
    if (o->step_rule == FR_STEP_NUMBER) put_real(w, BOTH, "--step-size", o->step_size);
    else put(w, BOTH, "--step-size", "%s", fr_step_rule_name(o->step_rule));
    put(w, RESUME, "--iterations", plan->settles ? "as the stopping rule says" : "a number of steps");
    put(w, RANKS, "--schedule", "%s", fr_schedule_name(o->schedule));
    put_real(w, RANKS, "--average", o->average);
    put(w, RESUME, "--schedule", "%s",
        fr_schedule_name(plan->steps.decays ? FR_SCHEDULE_DECAY : FR_SCHEDULE_CONSTANT));
    if (averages) put(w, RESUME, "--average", "from step %" PRId64, plan->average_start);
    else put(w, RESUME, "--average", "none");
    put_end(w, o, plan, averages);
}

/* What the rows decided: last, since it follows from the lines above in a run of the same program. The step size of
 * decorrelated columns is left out: its last bits are those of the machine's BLAS, and a run may go on elsewhere. */
static void put_findings(writer *w, const fr_run *run) {
    const fr_dataset *set = run->set;
    put(w, RESUME, "columns", "%s%s%s", set->centered ? "centered " : "", set->scaled ? "scaled " : "",
        set->mix ? "decorrelated" : "");
    if (!set->mix) put_real(w, RESUME, "step size", run->plan->steps.eta);
}

/* How ranks go through the loop together. */
static void put_loop(writer *w, const fr_options *o) {
    static const char *const devices[] = {"auto", "cpu", "cuda"};
    put_integer(w, RANKS, "--ensemble", o->ensemble);
    put(w, RANKS, "--device", "%s", devices[o->device]);
    put_integer(w, RANKS, "--gpus", o->gpus);
    put_flag(w, RANKS, "--checkpoint", o->checkpoint != NULL);
    put(w, RANKS, "--resume", "%s", o->resume_if_there ? "auto" : o->resume ? "yes" : "no");
}

/* The first difference is told: what is chosen comes before what follows from it. */
void fr_describe_run(const fr_run *run, unsigned readers, char text[FR_DESCRIPTION_SIZE]) {
    writer w = {text, 0, readers};
    memset(text, 0, FR_DESCRIPTION_SIZE);
    put_data(&w, run);
    put_step(&w, run->plan);
    put_steps(&w, run);
    put_findings(&w, run);
    put_loop(&w, run->options);
}
