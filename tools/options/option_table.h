/*
 * option_table.h - every option of the program, one time.
 *
 * Parsing (options/option_parse.c), --help and the man page (manual.c) and shell completion (options/completion.c) all read this
 * table, so none of them can know an option that another does not.
 */
#ifndef FITRELU_OPTION_TABLE_H
#define FITRELU_OPTION_TABLE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum option_id {
    OPT_SAMPLES,
    OPT_FEATURES,
    OPT_NOISE,
    OPT_SEED,
    OPT_DATA,
    OPT_LABELS,
    OPT_LABEL_COLUMN,
    OPT_WEIGHTS,
    OPT_WEIGHT_COLUMN,
    OPT_COLUMNS,
    OPT_IGNORE,
    OPT_CATEGORIES,
    OPT_HEADER,
    OPT_MISSING,
    OPT_HOLDOUT,
    OPT_STANDARDIZE,
    OPT_INTERCEPT,
    OPT_CONDITION,
    OPT_BATCH,
    OPT_BATCHES,
    OPT_SEEDS,
    OPT_FULL,
    OPT_WITH_TABLE2,
    OPT_NO_PICTURES,
    OPT_WORKERS,
    OPT_ITERATIONS,
    OPT_STEP_SIZE,
    OPT_SCHEDULE,
    OPT_AVERAGE,
    OPT_INIT,
    OPT_LEVELS,
    OPT_BITS,
    OPT_SCALE,
    OPT_COLLECTIVE,
    OPT_WIRE,
    OPT_BROADCAST,
    OPT_PRECISION,
    OPT_STORAGE,
    OPT_TOLERANCE,
    OPT_ENSEMBLE,
    OPT_DEVICE,
    OPT_GPUS,
    OPT_THREADS,
    OPT_TIMEOUT,
    OPT_NO_GRAPHS,
    OPT_NODES,
    OPT_WORKERS_PER_NODE,
    OPT_BANDWIDTH,
    OPT_LATENCY,
    OPT_MESSAGE_TIME,
    OPT_INNER_BANDWIDTH,
    OPT_INNER_LATENCY,
    OPT_COMPUTE_RATE,
    OPT_MEASURE,
    OPT_MEASURED,
    OPT_FROM,
    OPT_TO,
    OPT_FACTOR,
    OPT_STEP,
    OPT_WARMUP,
    OPT_CHECK,
    OPT_MIN_BUSBW,
    OPT_MAX_TIME,
    OPT_SOAK,
    OPT_PROMETHEUS,
    OPT_MODEL,
    OPT_OUTPUT,
    OPT_HISTORY,
    OPT_JSON,
    OPT_CSV,
    OPT_REPORT_EVERY,
    OPT_CHECKPOINT,
    OPT_CHECKPOINT_EVERY,
    OPT_RESUME,
    OPT_QUIET,
    OPT_HELP,
    OPT_VERSION,
    OPT_COUNT
} option_id;

typedef enum option_group {
    GROUP_DATA,
    GROUP_METHOD,
    GROUP_PLACE,
    GROUP_NETWORK,
    GROUP_BENCH,
    GROUP_RESULTS,
    GROUP_GENERAL,
    GROUP_COUNT
} option_group;

typedef enum option_kind {
    KIND_FLAG,    /* takes no argument */
    KIND_INTEGER, /* a whole number, K, M and G allowed */
    KIND_SEED,    /* 0 to 2^64 - 1 */
    KIND_REAL,
    KIND_TIME, /* seconds, written with their unit: 60s, 5m, 1h */
    KIND_WORD, /* one of the words, nothing else */
    KIND_TEXT,
    KIND_FILE
} option_kind;

typedef struct option_entry {
    const char *name; /* without the dashes */
    char letter;      /* 0: none */
    option_group group;
    unsigned commands; /* command_bit values of the subcommands that take it */
    option_kind kind;
    const char *placeholder; /* "N", or NULL where the words say it all */
    const char *words;       /* "auto|theorem", allowed beside or instead of a number or file; NULL: none */
    double low, high;        /* of a number; high may be INFINITY */
    int above;               /* low itself is refused */
    const char *help;        /* for every command that has no text of its own, option_help */
    unsigned lists;          /* commands that take several such whole numbers, with commas between */
} option_entry;

extern const option_entry option_table[OPT_COUNT];

/* A text on an option, and the commands (bits of command_bit) that it is for. */
typedef struct option_text {
    const char *help;
    unsigned commands;
} option_text;
enum { OPTION_TEXTS_MOST = 8 };

/* All texts on an option, the general one first; returns their number, at least 1. */
int option_texts(option_id id, option_text texts[OPTION_TEXTS_MOST]);
/* The one for the command of this bit. */
const char *option_help(option_id id, unsigned bit);

/* The heading of a group: "Data", ... */
const char *option_group_name(option_group group);

/* The largest text that the two functions below write. */
enum { OPTION_TEXT_SIZE = 128 };

/* What follows the name on the command line: "auto|theorem|experiment|NUMBER"; "" for a flag. Returns text. */
const char *option_argument_text(const option_entry *entry, char text[OPTION_TEXT_SIZE]);
/* What is accepted, for refusals and the man page: "a whole number from 1 to 127", "full or a whole number of at
 * least 1". Returns text. */
const char *option_expected_text(const option_entry *entry, char text[OPTION_TEXT_SIZE]);

/* The position of the word [text, text + length) in "a|b|c", or -1. */
int option_word_find(const char *words, const char *text, size_t length);

#endif
