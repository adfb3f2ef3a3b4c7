/*
 * fit_settings.c - defaults, and the checks that need more than one option to look at.
 */
#include <stdlib.h>
#include <string.h>

#include "fitting/fit_settings.h"
#include "console/message.h"
#include "console/stage.h"
#include "options/same_file.h"

enum { USUAL_FEATURES = 1000, ROWS_A_FEATURE = 10 };

/* The value of a word of the table, which stands in the order of its enumeration; 0 (auto, f64, ...) by default. */
static int word_of(const option_value *value) { return value->word < 0 ? 0 : value->word; }

static const char *text_of(const option_value *value) { return value->given ? value->text : NULL; }

fr_precision precision_setting(const option_value *values) { return (fr_precision)word_of(&values[OPT_PRECISION]); }

fr_planted planted_settings(const option_value *values) {
    const option_value *samples = &values[OPT_SAMPLES], *features = &values[OPT_FEATURES];
    fr_planted planted = {.features = USUAL_FEATURES, .noise = values[OPT_NOISE].real, .seed = 1};
    if (samples->given && samples->integer < USUAL_FEATURES * ROWS_A_FEATURE)
        planted.features = samples->integer < ROWS_A_FEATURE ? 1 : samples->integer / ROWS_A_FEATURE;
    if (features->given) planted.features = features->integer;
    planted.samples = samples->given ? samples->integer : ROWS_A_FEATURE * planted.features;
    if (values[OPT_SEED].given) planted.seed = values[OPT_SEED].seed;
    return planted;
}

static void remark_reading(const char *line, void *unused) {
    (void)unused;
    message_note("%s", line);
}

void reading_settings(const option_value *values, fr_read_options *reading) {
    reading->labels = text_of(&values[OPT_LABELS]);
    reading->label_column = text_of(&values[OPT_LABEL_COLUMN]);
    reading->weights = text_of(&values[OPT_WEIGHTS]);
    reading->weight_column = text_of(&values[OPT_WEIGHT_COLUMN]);
    reading->columns = text_of(&values[OPT_COLUMNS]);
    reading->ignore = text_of(&values[OPT_IGNORE]);
    reading->categories = values[OPT_CATEGORIES].given;
    reading->header = (fr_header_rule)word_of(&values[OPT_HEADER]);
    reading->missing = (fr_missing_rule)word_of(&values[OPT_MISSING]);
    reading->remark = remark_reading;
    reading->watch = stage_count_bytes;
}

/* ------------------------------------------------------------------------------------ contradictions */

int check_reading(const option_value *values) {
    const option_id pairs[][2] = {{OPT_LABELS, OPT_LABEL_COLUMN}, {OPT_WEIGHTS, OPT_WEIGHT_COLUMN}};
    for (int i = 0; i < 2; i++) {
        const option_value *file = &values[pairs[i][0]], *column = &values[pairs[i][1]];
        if (file->given && column->given)
            return message_usage("--%s %s and --%s %s contradict each other", option_table[pairs[i][0]].name, file->text,
                                 option_table[pairs[i][1]].name, column->text);
    }
    return 0;
}

/* Planted options make no sense beside a file, nor labels and weights without one. */
static int check_source(const option_value *values) {
    const option_id planted[] = {OPT_SAMPLES, OPT_FEATURES, OPT_NOISE}, 
                    file[] = {OPT_LABELS, OPT_LABEL_COLUMN, OPT_WEIGHTS, OPT_WEIGHT_COLUMN, OPT_COLUMNS, OPT_IGNORE,
                            OPT_CATEGORIES, OPT_HEADER, OPT_MISSING, OPT_HOLDOUT};
    for (int i = 0; i < 3; i++) {
        if (values[planted[i]].given && values[OPT_DATA].given)
            return message_usage("--%s describes a planted problem and contradicts --data %s",
                                 option_table[planted[i]].name, values[OPT_DATA].text);
    }
    for (size_t i = 0; i < sizeof file / sizeof *file; i++) {
        if (values[file[i]].given && !values[OPT_DATA].given)
            return message_usage("--%s%s%s needs --data FILE", option_table[file[i]].name,
                                 *values[file[i]].text ? " " : "", values[file[i]].text);
    }
    return check_reading(values);
}

static int read_levels(const option_value *values, int *levels) {
    const option_value *bits = &values[OPT_BITS], *given = &values[OPT_LEVELS];
    int from_bits = (1 << bits->integer) - 1;
    *levels = given->given ? (int)given->integer : bits->given ? from_bits : 0;
    if (bits->given && *levels != from_bits)
        return message_usage("--levels %s contradicts --bits %s, which means %d levels", given->text, bits->text,
                             from_bits);
    return 0;
}

/* What would have no effect, and was asked for in so many words. */
static int check_method(const option_value *values) {
    const option_value *scale = &values[OPT_SCALE], *broadcast = &values[OPT_BROADCAST];
    bool quantized = values[OPT_LEVELS].given || values[OPT_BITS].given;
    bool master = word_of(&values[OPT_COLLECTIVE]) == FR_COLLECTIVE_MASTER;
    if (word_of(scale) != FR_SCALE_AUTO && !quantized)
        return message_usage("--scale %s needs --levels or --bits: gradients are not quantized", scale->text);
    if (word_of(broadcast) == 1 && !master)
        return message_usage("--broadcast %s needs --collective master", broadcast->text);
    if (values[OPT_GPUS].given && word_of(&values[OPT_DEVICE]) == FR_DEVICE_CPU)
        return message_usage("--gpus %s contradicts --device cpu", values[OPT_GPUS].text);
    return 0;
}

static int check_checkpoints(const option_value *values) {
    const option_id options[] = {OPT_CHECKPOINT_EVERY, OPT_RESUME};
    for (int i = 0; i < 2; i++) {
        const option_value *value = &values[options[i]];
        if (value->given && (options[i] != OPT_RESUME || value->word >= 0) && !values[OPT_CHECKPOINT].given)
            return message_usage("--%s %s needs --checkpoint FILE", option_table[options[i]].name, value->text);
    }
    return 0;
}

/* A run may go on from a checkpoint and keep the next one in the same file, so these two are not compared. */
static int check_files(const option_value *values) {
    const named_file model = {"--model", text_of(&values[OPT_MODEL]), true},
                     history = {"--history", text_of(&values[OPT_HISTORY]), true};
    const named_file files[] = {{"--data", text_of(&values[OPT_DATA]), false},
                                {"--labels", text_of(&values[OPT_LABELS]), false},
                                {"--weights", text_of(&values[OPT_WEIGHTS]), false},
                                {"--init", values[OPT_INIT].word < 0 ? text_of(&values[OPT_INIT]) : NULL, false},
                                model,
                                history,
                                {"--checkpoint", text_of(&values[OPT_CHECKPOINT]), true}};
    const char *resume = values[OPT_RESUME].word < 0 ? text_of(&values[OPT_RESUME]) : NULL;
    const named_file resumed[] = {{"--resume", resume, false}, model, history};
    int code = same_file_check(files, sizeof files / sizeof files[0]);
    return code ? code : same_file_check(resumed, sizeof resumed / sizeof resumed[0]);
}

/* --------------------------------------------------------------------------------------- settings */

static void read_method(const option_value *values, fr_options *options) {
    const option_value *batch = &values[OPT_BATCH], *step = &values[OPT_STEP_SIZE], *average = &values[OPT_AVERAGE];
    if (batch->given) options->batch = batch->word >= 0 ? FR_BATCH_FULL : batch->integer;
    if (values[OPT_WORKERS].given) options->workers = (int)values[OPT_WORKERS].integer;
    if (values[OPT_ITERATIONS].given) options->iterations = values[OPT_ITERATIONS].integer;
    if (step->given) options->step_rule = step->word >= 0 ? (fr_step_rule)step->word : FR_STEP_NUMBER;
    options->step_size = step->real;
    options->schedule = (fr_schedule)word_of(&values[OPT_SCHEDULE]);
    if (average->given) options->average = average->word >= 0 ? FR_AVERAGE_AUTO : average->real;
    options->scale = (fr_scale)word_of(&values[OPT_SCALE]);
    options->collective = (fr_collective)word_of(&values[OPT_COLLECTIVE]);
    options->wire = (fr_wire)word_of(&values[OPT_WIRE]);
    options->star = word_of(&values[OPT_BROADCAST]) == 1;
    options->storage = (fr_storage)word_of(&values[OPT_STORAGE]);
    options->tolerance = values[OPT_TOLERANCE].real;
    if (values[OPT_ENSEMBLE].given) options->ensemble = (int)values[OPT_ENSEMBLE].integer;
    options->standardize = values[OPT_STANDARDIZE].given;
    options->intercept = values[OPT_INTERCEPT].given;
    options->keep_columns = word_of(&values[OPT_CONDITION]) == 1;
    if (values[OPT_SEED].given) options->seed = values[OPT_SEED].seed;
}

static void read_place(const option_value *values, fr_options *options) {
    options->device = (fr_device)word_of(&values[OPT_DEVICE]);
    options->gpus = (int)values[OPT_GPUS].integer;
    options->threads = (int)values[OPT_THREADS].integer;
    if (values[OPT_TIMEOUT].given) options->timeout = values[OPT_TIMEOUT].real;
    options->plain_steps = values[OPT_NO_GRAPHS].given;
    options->report_every = values[OPT_REPORT_EVERY].integer;
    options->checkpoint = text_of(&values[OPT_CHECKPOINT]);
    options->checkpoint_every = values[OPT_CHECKPOINT_EVERY].real;
    options->resume_if_there = values[OPT_RESUME].word >= 0;
    options->resume = options->resume_if_there ? options->checkpoint : text_of(&values[OPT_RESUME]);
}

static void read_init(const option_value *init, fit_settings *settings) {
    settings->options.init = (fr_init)word_of(init);
    if (!init->given || init->word >= 0) return;
    settings->options.init = FR_INIT_GIVEN;
    settings->init_file = init->text;
}

int fit_settings_read(const arguments *given, fit_settings *settings) {
    const option_value *values = given->values;
    *settings = (fit_settings){.precision = precision_setting(values), .data = text_of(&values[OPT_DATA])};
    fr_options_default(&settings->options);
    int code = check_source(values);
    if (code == 0) code = check_method(values);
    if (code == 0) code = check_checkpoints(values);
    if (code == 0) code = check_files(values);
    if (code == 0) code = read_levels(values, &settings->options.levels);
    if (code != 0) return code;
    read_method(values, &settings->options);
    read_place(values, &settings->options);
    read_init(&values[OPT_INIT], settings);
    settings->planted = planted_settings(values);
    settings->reading = (fr_read_options){.precision = settings->precision};
    reading_settings(values, &settings->reading);
    settings->reading.holdout = values[OPT_HOLDOUT].real;
    settings->reading.holdout_seed = settings->options.seed;
    settings->model = text_of(&values[OPT_MODEL]);
    settings->history = text_of(&values[OPT_HISTORY]);
    settings->json = values[OPT_JSON].given;
    settings->quiet = values[OPT_QUIET].given;
    settings->explain = given->options_given == 0;
    return 0;
}
