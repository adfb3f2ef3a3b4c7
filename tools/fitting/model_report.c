/*
 * model_report.c - the lines, rows and members of a model.
 */
#include "fitting/model_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse_number.h"

enum { NARROWEST = 16, WIDEST = 40 };

/* A feature's name; where it has none, its number in `number`. */
static const char *name_of(const fr_model *model, int64_t feature, char number[24]) {
    const char *const *names = fr_model_names(model);
    if (names && *names[feature]) return names[feature];
    snprintf(number, 24, "%" PRId64, feature + 1);
    return number;
}

/* -------------------------------------------------------------------------------------------- text */

/* Names come from files: a control character would act on the terminal. */
static void print_name(const char *name, int width) {
    int length = 0;
    for (const unsigned char *c = (const unsigned char *)name; *c; c++, length++)
        putchar(*c < 0x20 || *c == 0x7f ? '?' : *c);
    if (width > 0) printf("%*s", length < width ? width - length : 1, "");
}

static void print_line(const char *name, int width, double value) {
    char text[FR_NUMBER_SIZE];
    fr_format_double(text, sizeof text, value);
    print_name(name, width);
    puts(text);
}

static int width_of_names(const fr_model *model) {
    int width = NARROWEST;
    char number[24];
    for (int64_t j = 0; j < fr_model_features(model); j++) {
        size_t needed = strlen(name_of(model, j, number)) + 2;
        if ((int)needed > width) width = needed > WIDEST ? WIDEST : (int)needed;
    }
    return width;
}

void model_report_text(const fr_model *model) {
    int width = width_of_names(model);
    char number[24];
    print_name("features", width);
    printf("%" PRId64 "\n", fr_model_features(model));
    if (fr_model_label_name(model)) {
        print_name("label", width);
        print_name(fr_model_label_name(model), 0);
        putchar('\n');
    }
    putchar('\n');
    print_line("intercept", width, fr_model_intercept(model));
    for (int64_t j = 0; j < fr_model_features(model); j++)
        print_line(name_of(model, j, number), width, fr_model_weights(model)[j]);
}

/* --------------------------------------------------------------------------------------------- CSV */

/* In quotes where the name would else end early or be more than one field. */
static void print_field(const char *name) {
    bool quotes = strpbrk(name, ",\"\r\n") != NULL;
    if (quotes) putchar('"');
    for (const char *c = name; *c; c++) {
        if (*c == '"') putchar('"');
        putchar(*c);
    }
    if (quotes) putchar('"');
}

static void print_row(const char *name, double value) {
    char text[FR_NUMBER_SIZE];
    fr_format_double(text, sizeof text, value);
    print_field(name);
    printf(",%s\n", text);
}

void model_report_csv(const fr_model *model) {
    char number[24];
    puts("name,coefficient");
    print_row("(intercept)", fr_model_intercept(model));
    for (int64_t j = 0; j < fr_model_features(model); j++)
        print_row(name_of(model, j, number), fr_model_weights(model)[j]);
}

/* -------------------------------------------------------------------------------------------- JSON */

static void write_weights(json_writer *json, const fr_model *model) {
    json_begin_array(json, "weights");
    for (int64_t j = 0; j < fr_model_features(model); j++) json_number(json, NULL, fr_model_weights(model)[j]);
    json_end_array(json);
}

static void write_names(json_writer *json, const fr_model *model) {
    const char *const *names = fr_model_names(model);
    json_begin_array(json, "names");
    for (int64_t j = 0; j < fr_model_features(model); j++) json_string(json, NULL, names[j]);
    json_end_array(json);
}

void model_report_member(json_writer *json, const char *path, const fr_model *model, int64_t most) {
    bool all = model && fr_model_features(model) <= most;
    json_begin(json, "model");
    json_string(json, "path", path);
    if (model) {
        json_string(json, "label", fr_model_label_name(model));
        json_integer(json, "features", fr_model_features(model));
        json_number(json, "intercept", fr_model_intercept(model));
        if (all) write_weights(json, model);
        else json_null(json, "weights");
        if (all && fr_model_names(model)) write_names(json, model);
        else json_null(json, "names");
    }
    json_end(json);
}
