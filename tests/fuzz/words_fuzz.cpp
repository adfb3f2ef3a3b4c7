/*
 * The command line: any words after a subcommand are refused, or every option that was given has its value in the range
 * of the table, and the settings of a fit or a plan can be made of them.
 *
 * Words are separated by newlines; the first one is the subcommand.
 */
#include "held_file.h"

#include <getopt.h>

#include <cmath>
#include <vector>

extern "C" {
#include "fitting/fit_settings.h"
#include "fitrelu/plan_settings.h"
#include "options/option_parse.h"
}

namespace {

void must_be_in_range(const arguments &given) {
    for (int i = 0; i < OPT_COUNT; i++) {
        const option_value &value = given.values[i];
        if (!value.given) continue;
        if (option_table[i].kind == KIND_INTEGER && value.word < 0)
            must((double)value.integer >= option_table[i].low && (double)value.integer <= option_table[i].high,
                 "a whole number out of its range");
        if (option_table[i].kind == KIND_REAL && value.word < 0)
            must(std::isfinite(value.real) && value.real >= option_table[i].low && value.real <= option_table[i].high,
                 "a number out of its range");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    std::vector<std::string> words(1);
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\n') words.emplace_back();
        else if (bytes[i]) words.back() += (char)bytes[i];
    }
    const command *which = command_find(words[0].c_str());
    if (!which) return 0;
    std::vector<char *> argv;
    for (std::string &word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    arguments given = {};
    optind = 0; /* getopt begins anew */
    const double timeout = option_timeout((int)words.size(), argv.data());
    must(std::isnan(timeout) || timeout >= 0, "a timeout below 0");
    optind = 0;
    if (option_parse(which, (int)words.size(), argv.data(), &given) != 0) return 0;
    must_be_in_range(given);
    fit_settings fit;
    plan_settings plan;
    if (which->bit == COMMAND_FIT) fit_settings_read(&given, &fit);
    if (which->bit == COMMAND_PLAN) plan_settings_read(given.values, 0, &plan);
    return 0;
}
