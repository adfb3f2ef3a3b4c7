/*
 * cmd_generate.c - fitrelu generate: a planted data set with its w*, on disk.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "options/commands.h"
#include "fitting/fit_settings.h"
#include "console/json_result.h"
#include "console/message.h"
#include "options/option_parse.h"
#include "base/text_file.h"
#include "data/planted.h"
#include "console/stage.h"

/* The files that fr_dataset_write makes of PATH.npy: the rows, the labels and w*. */
enum { NPY_FILES = 3 };
static const char *const npy_endings[NPY_FILES] = {".npy", "-labels.npy", "-planted.npy"};

static void print_text(const char *path, const fr_planted *planted, fr_precision precision) {
    int stem = (int)strlen(path) - (int)strlen(".npy");
    if (fr_path_ends(path, ".npz")) printf("wrote %s with the arrays X, y and w_star\n", path);
    else
        printf("wrote %s (rows), %.*s%s (labels) and %.*s%s (w*)\n", path, stem, path, npy_endings[1], stem, path,
               npy_endings[2]);
    printf("%" PRId64 " rows of %" PRId64 " features, %s, noise %g, seed %" PRIu64 "\n", planted->samples,
           planted->features, fr_precision_name(precision), planted->noise, planted->seed);
}

static void print_json(const char *path, const fr_planted *planted, fr_precision precision) {
    char seed[24];
    snprintf(seed, sizeof seed, "%" PRIu64, planted->seed);
    json_writer json = json_result_begin();
    json_string(&json, "output", path);
    json_integer(&json, "samples", planted->samples);
    json_integer(&json, "features", planted->features);
    json_number(&json, "noise", planted->noise);
    json_string(&json, "seed", seed);
    json_string(&json, "precision", fr_precision_name(precision));
    json_end(&json);
}

static fr_status make(const fr_planted *planted, fr_precision precision, const char *path, fr_error *error) {
    fr_dataset *data = NULL;
    FR_TRY(fr_planted_check(planted, precision, 1, error));
    FR_TRY(fr_dataset_generate(planted, precision, &data, error));
    fr_dataset_watch(data, stage_count, NULL);
    fr_status status = fr_dataset_write(data, path, error);
    fr_dataset_free(data);
    return status;
}

int cmd_generate(const arguments *given) {
    const option_value *output = &given->values[OPT_OUTPUT];
    fr_planted planted = planted_settings(given->values);
    fr_precision precision = precision_setting(given->values);
    fr_error error = {0};
    if (!output->given) return message_usage("'fitrelu generate' needs --output FILE, ending in .npz or .npy");
    if (!fr_path_ends(output->text, ".npz") && !fr_path_ends(output->text, ".npy"))
        return message_usage("--output: found \"%s\", expected a name that ends in .npz or .npy", output->text);
    if (!given->values[OPT_QUIET].given) stage_show();
    stage_begin("making %s", output->text);
    fr_status status = make(&planted, precision, output->text, &error);
    stage_end();
    if (status != FR_OK) return message_library(&error);
    if (given->values[OPT_JSON].given) print_json(output->text, &planted, precision);
    else print_text(output->text, &planted, precision);
    return EXIT_DONE;
}
