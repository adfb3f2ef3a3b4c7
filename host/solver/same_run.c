/*
 * same_run.c - each rank writes down what it is about to do, "name=value" by "name=value", and all compare.
 *
 * Names are those of the program's options, so that the line about a difference says what to change.
 */
#include "solver/same_run.h"

#include <inttypes.h>
#include <stdio.h>

enum { TEXT = 1024 };

static void describe_options(const fr_options *o, const fr_dataset *set, const fr_plan *p, char text[TEXT]) {
    size_t used = (size_t)snprintf(
        text, TEXT,
        "--batch=%" PRId64 " --workers=%d --iterations=%" PRId64 " --levels=%d --scale=%s --collective=%s --wire=%s "
        "--precision=%s --seed=%" PRIu64 " --step-size=%s --step-size=%.17g --schedule=%s --average=%.17g --init=%s "
        "--tolerance=%.17g --ensemble=%d --standardize=%d --intercept=%d --report-every=%" PRId64 " --device=%d "
        "--gpus=%d --checkpoint=%d --resume=%d --broadcast=%s --storage=%s",
        p->batch, p->workers, p->iterations, p->levels, fr_scale_name(p->scale), fr_collective_name(p->collective),
        fr_wire_name(p->wire), fr_precision_name(p->precision), p->seed, fr_step_rule_name(o->step_rule), o->step_size,
        fr_schedule_name(o->schedule), o->average, fr_init_name(o->init), o->tolerance, o->ensemble, o->standardize,
        o->intercept, o->report_every, (int)o->device, o->gpus, o->checkpoint != NULL, o->resume != NULL,
        o->star ? "star" : "tree", fr_storage_name(o->storage));
    if (set->is_planted && used < TEXT)
        snprintf(text + used, TEXT - used,
                 " --samples=%" PRId64 " --features=%" PRId64 " --noise=%.17g planted-seed=%" PRIu64,
                 set->recipe.samples, set->recipe.features, set->recipe.noise, set->recipe.seed);
}

/* The start's weights are a file of their own: their bits, mixed into one number. */
static uint64_t mix_weights(const fr_options *options, int64_t features) {
    uint64_t sum = 0;
    for (int64_t j = 0; options->init == FR_INIT_GIVEN && j < features; j++) {
        union {
            double value;
            uint64_t bits;
        } weight = {options->init_weights[j]};
        sum = (sum ^ weight.bits) * UINT64_C(0x9E3779B97F4A7C15);
        sum ^= sum >> 29;
    }
    return sum;
}

static void describe_data(const fr_options *options, const fr_dataset *set, char text[TEXT]) {
    snprintf(text, TEXT, "planted=%d rows=%" PRId64 " features=%" PRId64 " content=%016" PRIx64 " start-file=%016" PRIx64,
             set->is_planted, set->samples, set->features, set->fingerprint, mix_weights(options, set->features));
}

fr_status fr_check_same_run(fr_world *world, const fr_options *options, const fr_dataset *set, const fr_plan *plan,
                     fr_error *error) {
    char text[TEXT];
    if (fr_world_size(world) == 1) return FR_OK;
    snprintf(text, sizeof text, "version=%s", fr_version());
    fr_status status = fr_world_same(world, text, FR_ERROR_DEVICE, error);
    if (status != FR_OK) return status;
    describe_options(options, set, plan, text);
    status = fr_world_same(world, text, FR_ERROR_USAGE, error);
    if (status != FR_OK) return status;
    describe_data(options, set, text);
    return fr_world_same(world, text, FR_ERROR_DATA, error);
}
