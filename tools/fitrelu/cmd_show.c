/*
 * cmd_show.c - fitrelu show MODEL: what a fit found, to be read or to be used elsewhere.
 */
#include <stdint.h>
#include <stdio.h>

#include "options/commands.h"
#include "console/json_result.h"
#include "console/message.h"
#include "fitting/model_report.h"
#include "options/option_parse.h"

static void print_json(const char *path, const fr_model *model) {
    json_writer json = json_result_begin();
    model_report_member(&json, path, model, INT64_MAX);
    json_end(&json);
}

int cmd_show(const arguments *given) {
    const option_value *values = given->values;
    fr_model *model = NULL;
    fr_error error = {0};
    if (values[OPT_CSV].given && values[OPT_JSON].given) return message_usage("--csv and --json contradict each other");
    if (fr_model_read(given->operands[0], &model, &error) != FR_OK) return message_library(&error);
    if (values[OPT_JSON].given) print_json(given->operands[0], model);
    else if (values[OPT_CSV].given) model_report_csv(model);
    else model_report_text(model);
    fr_model_free(model);
    return EXIT_DONE;
}
