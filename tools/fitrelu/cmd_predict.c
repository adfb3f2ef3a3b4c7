/*
 * cmd_predict.c - fitrelu predict MODEL DATA: max(0, <w, x> + b) for each row, and how good that is where labels are
 * known.
 *
 * Columns that have names are matched to the model's by them, and the label is the column of the name that it had in the
 * fit. Without names, whether DATA holds labels is told by its number of columns, of which the model expects so many as
 * features. So both test.csv with a label column and new.csv without one work, and neither can be taken for the other.
 * DATA is read once, so that it may be a pipe.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options/commands.h"
#include "data/npy.h"
#include "fitting/fit_settings.h"
#include "console/json_result.h"
#include "console/message.h"
#include "options/option_parse.h"
#include "fit/quality.h"
#include "options/same_file.h"
#include "console/stage.h"
#include "base/output_file.h"
#include "base/parse_number.h"
#include "base/text_file.h"

typedef struct prediction {
    fr_model *model;
    fr_dataset *data;
    double *values; /* one for each row */
    int64_t samples;
    const char *output;     /* NULL: stdout */
    fr_quality judged;         /* NaN where labels are unknown */
} prediction;

/* ------------------------------------------------------------------------------------------ input */

static fr_status read_data(prediction *p, const char *path, const option_value *values, fr_error *error) {
    fr_read_options reading = {.features = fr_model_features(p->model),
                               .names = fr_model_names(p->model),
                               .label_name = fr_model_label_name(p->model),
                               .labels_optional = true};
    reading.passed = fr_model_passed(p->model, &reading.passed_count);
    reading_settings(values, &reading);
    reading.means = fr_model_means(p->model);
    if (reading.means && !values[OPT_MISSING].given) reading.missing = FR_MISSING_MEAN;
    return fr_dataset_read(path, &reading, &p->data, error);
}

/* Reading takes longer than one pass over the rows, so a GPU is used only where it is asked for. */
static fr_device device_of(const option_value *values) {
    return values[OPT_DEVICE].given ? (fr_device)values[OPT_DEVICE].word : FR_DEVICE_CPU;
}

static fr_status predict(prediction *p, const arguments *given, fr_error *error) {
    stage_begin("reading %s and %s", given->operands[0], given->operands[1]);
    fr_status status = fr_model_read(given->operands[0], &p->model, error);
    if (status == FR_OK) status = read_data(p, given->operands[1], given->values, error);
    if (status != FR_OK) return status;
    p->samples = fr_dataset_samples(p->data);
    status = fr_allocate((void **)&p->values, p->samples, sizeof *p->values, "the predictions", error);
    if (status == FR_OK) status = fr_model_predict_on(p->model, device_of(given->values), p->data, p->values, error);
    if (status == FR_OK && p->data->labels) status = fr_quality_of(p->data, p->values, NULL, &p->judged, error);
    return status;
}

/* ----------------------------------------------------------------------------------------- output */

static fr_status write_npy(const prediction *p, fr_output *out, fr_error *error) {
    fr_npy_output array = fr_npy_describe("y", p->values, p->samples, 0, FR_F64);
    fr_output_write(out, array.header, sizeof array.header);
    fr_output_write(out, array.values, (size_t)array.bytes);
    return fr_output_commit(out, error);
}

static fr_status write_lines(const prediction *p, fr_output *out, fr_error *error) {
    char line[FR_NUMBER_SIZE + 1];
    for (int64_t i = 0; i < p->samples; i++) {
        size_t length = fr_format_double(line, FR_NUMBER_SIZE, p->values[i]);
        line[length++] = '\n';
        if (!fr_output_write(out, line, length)) break;
    }
    return fr_output_commit(out, error);
}

static fr_status write_file(const prediction *p, fr_output *out, fr_error *error) {
    return fr_path_ends(p->output, ".npy") ? write_npy(p, out, error) : write_lines(p, out, error);
}

static void print_lines(const prediction *p) {
    char number[FR_NUMBER_SIZE];
    for (int64_t i = 0; i < p->samples && !ferror(stdout); i++) {
        fr_format_double(number, sizeof number, p->values[i]);
        puts(number);
    }
}

static void print_json(const prediction *p, const arguments *given) {
    json_writer json = json_result_begin();
    json_string(&json, "model", given->operands[0]);
    json_string(&json, "data", given->operands[1]);
    json_integer(&json, "samples", p->samples);
    json_integer(&json, "features", fr_model_features(p->model));
    json_number(&json, "loss", p->judged.loss);
    json_number(&json, "r_squared", p->judged.r_squared);
    json_string(&json, "output", p->output);
    if (!p->output) {
        json_begin_array(&json, "predictions");
        for (int64_t i = 0; i < p->samples; i++) json_number(&json, NULL, p->values[i]);
        json_end_array(&json);
    }
    json_result_notes(&json);
    json_end(&json);
}

static void tell_quality(const prediction *p) {
    if (isnan(p->judged.loss)) return;
    if (isnan(p->judged.r_squared)) message_note("%" PRId64 " rows with labels: loss %.6g", p->samples, p->judged.loss);
    else message_note("%" PRId64 " rows with labels: loss %.6g, R^2 %.6f", p->samples, p->judged.loss, p->judged.r_squared);
}

static int run(prediction *p, const arguments *given) {
    fr_output *out = NULL;
    fr_error error = {0};
    if (!given->values[OPT_QUIET].given) stage_show();
    fr_status status = p->output ? fr_output_open(p->output, &out, &error) : FR_OK;
    if (status == FR_OK) status = predict(p, given, &error);
    stage_end();
    if (status == FR_OK && out) {
        status = write_file(p, out, &error);
        out = NULL;
    }
    fr_output_discard(out);
    if (status != FR_OK) return message_library(&error);
    if (given->values[OPT_JSON].given) print_json(p, given);
    else if (!p->output) print_lines(p);
    tell_quality(p);
    return EXIT_DONE;
}

int cmd_predict(const arguments *given) {
    const option_value *values = given->values;
    prediction p = {.judged = {0, NAN, NAN}, .output = values[OPT_OUTPUT].given ? values[OPT_OUTPUT].text : NULL};
    const named_file files[] = {{"MODEL", given->operands[0], false},
                                {"DATA", given->operands[1], false},
                                {"--labels", values[OPT_LABELS].given ? values[OPT_LABELS].text : NULL, false},
                                {"--weights", values[OPT_WEIGHTS].given ? values[OPT_WEIGHTS].text : NULL, false},
                                {"--output", p.output, true}};
    int code = check_reading(values);
    if (code != 0) return code;
    code = same_file_check(files, sizeof files / sizeof files[0]);
    if (code != 0) return code;
    code = run(&p, given);
    fr_model_free(p.model);
    fr_dataset_free(p.data);
    free(p.values);
    return code;
}
