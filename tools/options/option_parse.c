/*
 * option_parse.c - getopt_long over the table of options, and the numbers that follow them.
 *
 * getopt_long accepts any unambiguous beginning of a long option. A script that says --batc would break as soon as a
 * second option began so; therefore what was written is compared with the full name afterwards.
 */
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "console/message.h"
#include "options/option_parse.h"
#include "base/parse_number.h"

/* getopt's codes of long options lie above every letter. */
enum { LONG_CODE = 256 };

/* ---------------------------------------------------------------------------------------- numbers */

static double suffix_factor(char suffix) {
    return suffix == 'K' ? 1e3 : suffix == 'M' ? 1e6 : suffix == 'G' ? 1e9 : 1;
}

/* Reads a finite number with an optional K, M or G; a number so written stays exact up to 2^53. */
static bool read_number(const char *text, double *value) {
    size_t length = strlen(text);
    double factor = length ? suffix_factor(text[length - 1]) : 1;
    if (factor > 1) length--;
    if (length == 0 || text[0] == ' ' || text[length - 1] == ' ') return false;
    if (!fr_parse_double(text, text + length, value)) return false;
    *value *= factor;
    return isfinite(*value);
}

static bool within(const option_entry *entry, double value) {
    return value <= entry->high && (entry->above ? value > entry->low : value >= entry->low);
}

static bool read_integer(const option_entry *entry, const char *text, option_value *value) {
    double number;
    if (!read_number(text, &number) || number != floor(number) || !within(entry, number)) return false;
    value->integer = (int64_t)number;
    return true;
}

static bool read_real(const option_entry *entry, const char *text, option_value *value) {
    return read_number(text, &value->real) && within(entry, value->real);
}

/* A number of seconds, minutes or hours: without its unit it could be taken for steps. */
static bool read_time(const option_entry *entry, const char *text, option_value *value) {
    size_t length = strlen(text);
    char unit = length > 1 ? text[length - 1] : '\0';
    double seconds = unit == 's' ? 1 : unit == 'm' ? 60 : unit == 'h' ? 3600 : 0;
    if (seconds == 0 || !fr_parse_double(text, text + length - 1, &value->real)) return false;
    value->real *= seconds;
    return isfinite(value->real) && within(entry, value->real);
}

/* Digits with an optional suffix, without the detour over a double that would round large seeds. */
static bool read_seed(const char *text, option_value *value) {
    uint64_t seed = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0) return false;
    for (size_t i = 0; i < digits; i++) {
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (seed > (UINT64_MAX - digit) / 10) return false;
        seed = seed * 10 + digit;
    }
    uint64_t factor = (uint64_t)suffix_factor(text[digits]);
    if (text[digits + (factor > 1)] != '\0' || seed > UINT64_MAX / factor) return false;
    value->seed = seed * factor;
    return true;
}

static bool read_value(const option_entry *entry, const char *text, option_value *value) {
    value->word = option_word_find(entry->words, text, strlen(text));
    if (value->word >= 0) return true;
    switch (entry->kind) {
    case KIND_FLAG: return true;
    case KIND_INTEGER: return read_integer(entry, text, value);
    case KIND_SEED: return read_seed(text, value);
    case KIND_REAL: return read_real(entry, text, value);
    case KIND_TIME: return read_time(entry, text, value);
    case KIND_WORD: return false;
    case KIND_TEXT:
    case KIND_FILE: return text[0] != '\0';
    }
    return false;
}

/* ---------------------------------------------------------------------------------------- refusals */

static int refuse_value(const option_entry *entry, const char *text) {
    char expected[OPTION_TEXT_SIZE];
    bool suffixes = entry->kind == KIND_INTEGER && entry->high > 1000;
    return message_usage("--%s: found \"%s\", expected %s%s", entry->name, text,
                         option_expected_text(entry, expected),
                         suffixes ? ", with K, M or G for thousands, millions or billions" : "");
}

static int refuse_missing(const option_entry *entry) {
    char expected[OPTION_TEXT_SIZE];
    return message_usage("--%s: found nothing, expected %s", entry->name, option_expected_text(entry, expected));
}

static int refuse_unknown(const command *which, const char *written) {
    size_t length = strcspn(written, "=");
    for (int i = 0; i < OPT_COUNT; i++) {
        const char *name = option_table[i].name;
        if (length > 4 && strncmp(written + 2, name, length - 2) == 0 && (option_table[i].commands & which->bit))
            return message_usage("unknown option %.*s: long options are not abbreviated; do you mean --%s?",
                                 (int)length, written, name);
    }
    return message_usage("unknown option %.*s; 'fitrelu %s --help' lists the options", (int)length, written,
                         which->name);
}

/* An option of the table that this subcommand does not take: says which ones do. */
static int refuse_elsewhere(const command *which, const option_entry *entry) {
    char owners[OPTION_TEXT_SIZE] = "";
    size_t used = 0;
    for (int i = 0; i < command_count && used < sizeof owners; i++) {
        if (entry->commands & command_table[i].bit)
            used += (size_t)snprintf(owners + used, sizeof owners - used, "%s%s", used ? ", " : "",
                                     command_table[i].name);
    }
    return message_usage("'fitrelu %s' has no option --%s (it belongs to: %s)", which->name, entry->name, owners);
}

static int refuse_operands(const command *which, int count, char **operands) {
    if (count > which->operand_count)
        return message_usage("unexpected argument \"%s\"; 'fitrelu %s' takes %s%s", operands[which->operand_count],
                             which->name, which->operand_count ? "" : "options only", which->operands);
    return message_usage("'fitrelu %s' needs the arguments %s", which->name, which->operands);
}

/* ------------------------------------------------------------------------------------------ getopt */

static void fill_getopt(struct option long_options[OPT_COUNT + 1], char short_options[2 * OPT_COUNT + 2]) {
    *short_options++ = ':'; /* tell a missing argument from an unknown option */
    for (int i = 0; i < OPT_COUNT; i++) {
        const option_entry *entry = &option_table[i];
        bool flag = entry->kind == KIND_FLAG;
        long_options[i] = (struct option){entry->name, flag ? no_argument : required_argument, NULL, LONG_CODE + i};
        if (!entry->letter) continue;
        *short_options++ = entry->letter;
        if (!flag) *short_options++ = ':';
    }
    long_options[OPT_COUNT] = (struct option){0};
    *short_options = '\0';
}

/* Which option a code of getopt means, or -1. */
static int option_of(int code) {
    if (code >= LONG_CODE && code < LONG_CODE + OPT_COUNT) return code - LONG_CODE;
    for (int i = 0; i < OPT_COUNT; i++) {
        if (code != 0 && option_table[i].letter == code) return i;
    }
    return -1;
}

/* What getopt could not make sense of; written is the element of argv that it stands at. */
static int refuse_element(const command *which, int code, const char *written) {
    int id = option_of(optopt);
    if (id >= 0 && !(option_table[id].commands & which->bit)) return refuse_elsewhere(which, &option_table[id]);
    if (id >= 0 && code == ':') return refuse_missing(&option_table[id]);
    if (id >= 0) return message_usage("--%s takes no argument", option_table[id].name);
    if (optopt == 0) return refuse_unknown(which, written);
    return message_usage("unknown option -%c; 'fitrelu %s --help' lists the options", optopt, which->name);
}

/* True where the element of argv names the option in full. */
static bool named_in_full(const char *written, const char *name) {
    size_t length = strlen(name);
    return strncmp(written + 2, name, length) == 0 && (written[2 + length] == '\0' || written[2 + length] == '=');
}

static int keep_value(const command *which, int id, const char *text, arguments *given) {
    const option_entry *entry = &option_table[id];
    if (!(entry->commands & which->bit)) return refuse_elsewhere(which, entry);
    option_value value = {.given = true, .word = -1, .text = text};
    if (!read_value(entry, text, &value)) return refuse_value(entry, text);
    given->values[id] = value; /* the last of several wins */
    given->options_given++;
    return 0;
}

static int take_option(const command *which, int code, char **argv, arguments *given) {
    int id = option_of(code);
    const option_entry *entry = &option_table[id];
    /* The argument may be an element of its own, after the one that names the option. */
    const char *written = argv[optind - 1 - (optarg && optarg == argv[optind - 1])];
    if (code >= LONG_CODE && !named_in_full(written, entry->name)) return refuse_unknown(which, written);
    return keep_value(which, id, optarg ? optarg : "", given);
}

int option_set(const char *name, const char *text, arguments *given) {
    for (int i = 0; i < OPT_COUNT; i++)
        if (strcmp(option_table[i].name, name) == 0) return keep_value(given->command, i, text, given);
    return message_usage("unknown option --%s", name);
}

double option_timeout(int argc, char **argv) {
    const option_entry *entry = &option_table[OPT_TIMEOUT];
    double timeout = NAN;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        option_value value;
        if (strncmp(argv[i], "--", 2) != 0 || !named_in_full(argv[i], entry->name)) continue;
        const char *equals = strchr(argv[i], '='), *text = equals ? equals + 1 : i + 1 < argc ? argv[i + 1] : "";
        if (read_value(entry, text, &value)) timeout = value.real;
    }
    return timeout;
}

void option_begin(const command *which, arguments *given) {
    *given = (arguments){.command = which};
    for (int i = 0; i < OPT_COUNT; i++) given->values[i].word = -1;
}

int option_parse(const command *which, int argc, char **argv, arguments *given) {
    struct option long_options[OPT_COUNT + 1];
    char short_options[2 * OPT_COUNT + 2];
    fill_getopt(long_options, short_options);
    option_begin(which, given);
    opterr = 0;
    optind = 0; /* begins anew, also where an earlier call ended within a word */
    int code;
    while ((code = getopt_long(argc, argv, short_options, long_options, NULL)) != -1) {
        int refused = code == '?' || code == ':' ? refuse_element(which, code, argv[optind - 1])
                                                 : take_option(which, code, argv, given);
        if (refused) return refused;
    }
    given->operands = argv + optind;
    if (given->values[OPT_HELP].given || given->values[OPT_VERSION].given) return 0;
    int count = given->operands_given = argc - optind;
    bool fits = count >= which->operands_needed && count <= which->operand_count;
    return fits ? 0 : refuse_operands(which, count, given->operands);
}
