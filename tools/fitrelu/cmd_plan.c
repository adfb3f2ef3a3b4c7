/*
 * cmd_plan.c - fitrelu plan: a forecast of every scheme that the job allows, and which is best.
 *
 * The schemes: for each collective the precision of the fit, bfloat16 where sums are made, and s = 1, 3, .. 127 (b =
 * 1 .. 7 bits) with either scale. Levels are packed where that is shorter than an int8 (for b < 7; sums, for K s <= 7) or
 * no int8 holds their sums, and coded by Elias; also the largest s whose sums an int8 can hold.
 */
#include <math.h>
#include <stdio.h>

#include "options/commands.h"
#include "console/message.h"
#include "options/option_parse.h"
#include "fitrelu/plan_read.h"
#include "fitrelu/plan_report.h"
#include "console/ranks.h"

enum { BITS_MOST = 7, SCHEMES_MOST = FR_COLLECTIVE_COUNT * (2 + (BITS_MOST + 1) * 2 * 3) };

typedef struct scheme_list {
    const plan_settings *settings;
    fr_forecast forecasts[SCHEMES_MOST];
    int count;
} scheme_list;

static bool allowed(const scheme_list *list, fr_scheme scheme) {
    return fr_scheme_check(&list->settings->job, &scheme, NULL) == FR_OK;
}

static void add(scheme_list *list, fr_scheme scheme) {
    const plan_settings *s = list->settings;
    if (!allowed(list, scheme)) return;
    fr_forecast_make(&s->job, &scheme, &s->machine, &s->between, &s->inside, &list->forecasts[list->count++]);
}

static bool packs(const scheme_list *list, fr_scheme packed, fr_scheme int8) {
    const fr_job *job = &list->settings->job;
    if (!allowed(list, packed) || !allowed(list, int8)) return allowed(list, packed);
    return fr_scheme_vector_bytes(job, &packed) < fr_scheme_vector_bytes(job, &int8);
}

static void add_levels(scheme_list *list, fr_collective collective, int levels) {
    for (fr_scale scale = FR_SCALE_L2; scale <= FR_SCALE_MAX; scale++) {
        fr_scheme packed = {collective, FR_WIRE_PACKED, levels, scale};
        fr_scheme int8 = {collective, FR_WIRE_INT8, levels, scale};
        add(list, packs(list, packed, int8) ? packed : int8);
        add(list, (fr_scheme){collective, FR_WIRE_ELIAS, levels, scale});
    }
}

static void add_all(scheme_list *list) {
    const fr_job *job = &list->settings->job;
    int64_t rounding = job->two_level ? job->nodes : plan_workers(list->settings);
    int fitting = rounding <= 127 ? (int)(127 / rounding) : 0;
    for (fr_collective c = FR_COLLECTIVE_AUTO + 1; c < FR_COLLECTIVE_COUNT; c++) {
        add(list, (fr_scheme){c, FR_WIRE_FULL, 0, FR_SCALE_L2});
        add(list, (fr_scheme){c, FR_WIRE_BF16, 0, FR_SCALE_L2});
        for (int b = 1; b <= BITS_MOST; b++) {
            int below = (1 << b) - 1, next = 2 * below + 1;
            add_levels(list, c, below);
            bool ends = !allowed(list, (fr_scheme){c, FR_WIRE_INT8, next, FR_SCALE_L2});
            if (ends && fitting > below && fitting < next) add_levels(list, c, fitting);
        }
    }
}

static bool any(const fr_scheme *scheme) { return scheme->levels >= 0; }
static bool quantized(const fr_scheme *scheme) { return scheme->levels > 0; }
static bool unquantized(const fr_scheme *scheme) { return scheme->levels == 0; }
static bool full(const fr_scheme *scheme) { return scheme->wire == FR_WIRE_FULL; }

/* The least seconds among schemes of one kind; NULL where none ends. */
static const fr_forecast *best_of(const scheme_list *list, bool (*kind)(const fr_scheme *scheme)) {
    const fr_forecast *best = NULL;
    for (int i = 0; i < list->count; i++) {
        const fr_forecast *f = &list->forecasts[i];
        if (kind(&f->scheme) && isfinite(f->seconds) && (!best || f->seconds < best->seconds)) best = f;
    }
    return best;
}

static int read_settings(const arguments *given, plan_settings *settings) {
    bool measure = given->values[OPT_MEASURE].given;
    const option_value *file = &given->values[OPT_MEASURED];
    int ranks = fr_world_size(given->world);
    plan_measured measured;
    fr_options fit;
    fr_options_default(&fit);
    fr_world_set_timeout(given->world, given->values[OPT_TIMEOUT].given ? given->values[OPT_TIMEOUT].real : fit.timeout);
    if (measure && file->given)
        return message_usage("--measured %s says what --measure would find out; give one of them", file->text);
    int code = plan_settings_read(given->values, measure && ranks > 1 ? ranks : 0, settings);
    if (code == 0 && file->given)
        code = plan_read_measured(file->text, settings->job.precision, settings->between.message_seconds, &measured);
    if (code == 0 && file->given && measured.link) /* as many nodes as ranks, where no option says otherwise */
        code = plan_settings_read(given->values, measured.ranks, settings);
    code = ranks_agree(given->world, code);
    if (code == 0 && file->given) plan_settings_measured(given->values, &measured, settings);
    if (code != 0 || !measure) return code;
    code = plan_measure(given->world, settings->job.precision, settings->job.features, &measured);
    if (code == 0) plan_settings_measured(given->values, &measured, settings);
    return code;
}

int cmd_plan(const arguments *given) {
    plan_settings settings;
    int code = read_settings(given, &settings);
    if (code != 0) return code;
    scheme_list list = {.settings = &settings};
    add_all(&list);
    plan_result result = {.settings = &settings,
                          .forecasts = list.forecasts,
                          .count = list.count,
                          .best = best_of(&list, any),
                          .unquantized = best_of(&list, unquantized),
                          .full = best_of(&list, full),
                          .quantized = best_of(&list, quantized)};
    if (!result.full) {
        message_error("no unquantized scheme reaches --tolerance %g", settings.job.tolerance);
        return EXIT_TOLERANCE;
    }
    if (fr_world_rank(given->world) > 0) return EXIT_DONE; /* all know the same; rank 0 speaks */
    if (given->values[OPT_JSON].given) plan_report_json(&result);
    else plan_report_text(&result);
    return EXIT_DONE;
}
