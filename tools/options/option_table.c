/*
 * option_table.c - the table of options, and what it says in words.
 *
 * The words of --header, --missing, --condition, --step-size, --schedule, --init, --scale, --collective, --wire, --precision, --storage
 * and --device stand in the order of their enumerations in fitrelu.h, so that the position of a word is its value.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "options/commands.h"
#include "options/option_table.h"

#define FIT COMMAND_FIT
#define PREDICT COMMAND_PREDICT
#define GENERATE COMMAND_GENERATE
#define EXPERIMENT COMMAND_EXPERIMENT
#define PLAN COMMAND_PLAN
#define BENCH COMMAND_BENCH

/* Sizes end at 10^15, which a double still holds exactly; what is too large for memory is told by the library. */
#define MOST 1e15

const option_entry option_table[OPT_COUNT] = {
    [OPT_SAMPLES] = {"samples", 'n', GROUP_DATA, FIT | GENERATE | EXPERIMENT | PLAN | BENCH, KIND_INTEGER, "N", NULL, 1, MOST, 0,
                     "rows of the planted problem (default: 10 times the features)"},
    [OPT_FEATURES] = {"features", 'd', GROUP_DATA, FIT | GENERATE | EXPERIMENT | PLAN, KIND_INTEGER, "D", NULL, 1, MOST, 0,
                      "features of the planted problem (default: 1000; with --samples alone N / 10, at most 1000)"},
    [OPT_NOISE] = {"noise", 0, GROUP_DATA, FIT | GENERATE, KIND_REAL, "SIGMA", NULL, 0, INFINITY, 0,
                   "standard deviation of the noise on planted labels (default: 0)"},
    [OPT_SEED] = {"seed", 's', GROUP_DATA, FIT | GENERATE | EXPERIMENT, KIND_SEED, "S", NULL, 0, 0, 0,
                  "seed of planted data, sampling, quantization and random start (default: 1)"},
    [OPT_DATA] = {"data", 0, GROUP_DATA, FIT, KIND_FILE, "FILE", NULL, 0, 0, 0,
                  "fit this file instead: NPY, NPZ (arrays X and y), CSV or LIBSVM, told apart by content, also compressed by "
                  "gzip or zstd; - is standard input"},
    [OPT_LABELS] = {"labels", 0, GROUP_DATA, FIT | PREDICT, KIND_FILE, "FILE", NULL, 0, 0, 0,
                    "labels from a file of their own: NPY, or text with one number a line"},
    [OPT_LABEL_COLUMN] = {"label-column", 0, GROUP_DATA, FIT | PREDICT, KIND_TEXT, "C", NULL, 0, 0, 0,
                          "the CSV column that holds the labels, by name or by number from 1 (default: the last)"},
    [OPT_WEIGHTS] = {"weights", 0, GROUP_DATA, FIT | PREDICT, KIND_FILE, "FILE", NULL, 0, 0, 0,
                     "a weight of 0 or more for each row, by which its squared error counts: NPY, or text with one number a "
                     "line (default: 1 each)"},
    [OPT_WEIGHT_COLUMN] = {"weight-column", 0, GROUP_DATA, FIT | PREDICT, KIND_TEXT, "C", NULL, 0, 0, 0,
                           "the CSV column that holds such weights, by name or by number from 1; it is no feature"},
    [OPT_COLUMNS] = {"columns", 0, GROUP_DATA, FIT | PREDICT, KIND_TEXT, "LIST", NULL, 0, 0, 0,
                     "the columns that are features, by name or by number from 1, with commas between (default: all but "
                     "the label)"},
    [OPT_IGNORE] = {"ignore", 0, GROUP_DATA, FIT | PREDICT, KIND_TEXT, "LIST", NULL, 0, 0, 0,
                    "columns that are left unread, by name or by number from 1, with commas between"},
    [OPT_CATEGORIES] = {"categories", 0, GROUP_DATA, FIT, KIND_FLAG, NULL, NULL, 0, 0, 0,
                        "make of a CSV column of words one column of 0 and 1 for each word (default: such columns are "
                        "refused)"},
    [OPT_HEADER] = {"header", 0, GROUP_DATA, FIT | PREDICT, KIND_WORD, NULL, "auto|yes|no", 0, 0, 0,
                    "whether the first line of a CSV names its columns (default: auto, told by that line and those below)"},
    [OPT_MISSING] = {"missing", 0, GROUP_DATA, FIT | PREDICT, KIND_WORD, NULL, "error|drop|mean", 0, 0, 0,
                     "what becomes of missing values: refused, their rows left out, or the mean of their column instead; "
                     "a row without its label is left out by the last two (default: error)"},
    [OPT_HOLDOUT] = {"holdout", 0, GROUP_DATA, FIT, KIND_REAL, "SHARE", NULL, 0, 0.99, 1,
                     "keep this share of the rows of a file out of the fit and report how well it predicts them; which rows "
                     "is a function of their number and --seed alone"},
    [OPT_STANDARDIZE] = {"standardize", 0, GROUP_DATA, FIT, KIND_FLAG, NULL, NULL, 0, 0, 0,
                         "fit on features of mean 0 and variance 1; the model is in your own units all the same"},
    [OPT_INTERCEPT] = {"intercept", 0, GROUP_DATA, FIT, KIND_FLAG, NULL, NULL, 0, 0, 0,
                       "fit y = max(0, <w, x> + b), with an intercept b"},
    [OPT_CONDITION] = {"condition", 0, GROUP_DATA, FIT, KIND_WORD, NULL, "yes|no", 0, 0, 0,
                       "whether a fit of a file with the automatic step size scales and decorrelates the columns first; it "
                       "takes many times more steps without, and the model is in your own units all the same (default: yes)"},

    [OPT_BATCH] =
        {"batch", 'm', GROUP_METHOD, FIT | PLAN, KIND_INTEGER, "M", "full", 1, MOST, 0,
         "rows drawn a step, over all workers; full: every row once, gradient descent (default: chosen from "
         "the data)"},
    [OPT_BATCHES] = {"batches", 0, GROUP_METHOD, EXPERIMENT, KIND_TEXT, "LIST", NULL, 0, 0, 0,
                     "mini-batches that fig1a, scales and lemmas compare, with commas between; fig1b, collectives and "
                     "theorems take one, or of several the first, the others none (default: those of the paper)"},
    [OPT_SEEDS] = {"seeds", 0, GROUP_METHOD, EXPERIMENT, KIND_INTEGER, "N", NULL, 1, 1000, 0,
                   "runs of each setting, from as many seeds (default: chosen by the experiment)"},
    [OPT_FULL] = {"full", 0, GROUP_METHOD, EXPERIMENT, KIND_FLAG, NULL, NULL, 0, 0, 0,
                  "the large version: more seeds, finer grids"},
    [OPT_WITH_TABLE2] = {"with-table2", 0, GROUP_METHOD, EXPERIMENT, KIND_FLAG, NULL, NULL, 0, 0, 0,
                         "all: run table2 too, which takes some ten minutes and needs root for its cluster"},
    [OPT_NO_PICTURES] = {"no-pictures", 0, GROUP_RESULTS, EXPERIMENT, KIND_FLAG, NULL, NULL, 0, 0, 0,
                         "write CSV and JSON only"},
    [OPT_WORKERS] = {"workers", 'K', GROUP_METHOD, FIT | EXPERIMENT | PLAN, KIND_INTEGER, "K", NULL, 1, 1e6, 0,
                     "workers that share the rows; must divide the batch (default: one a GPU or rank)"},
    [OPT_ITERATIONS] = {"iterations", 'T', GROUP_METHOD, FIT | EXPERIMENT | BENCH, KIND_INTEGER, "T", NULL, 0, MOST, 0,
                        "steps to make at most (default: chosen from the size of the problem)"},
    [OPT_STEP_SIZE] = {"step-size", 0, GROUP_METHOD, FIT | EXPERIMENT, KIND_REAL, "NUMBER", "auto|theorem|experiment", 0, INFINITY,
                       1,
                       "auto: from the spectrum of the data; theorem: Theorems 3.1 and 3.2; experiment: section 4 of "
                       "the paper; or a number (default: auto)"},
    [OPT_SCHEDULE] = {"schedule", 0, GROUP_METHOD, FIT, KIND_WORD, NULL, "auto|constant|decay", 0, 0, 0,
                      "decay: constant for the first half, then linearly to zero (default: auto)"},
    [OPT_AVERAGE] = {"average", 0, GROUP_METHOD, FIT, KIND_REAL, "SHARE", "auto", 0, 1, 0,
                     "average the weights over this share of the last steps (default: auto, where labels are noisy)"},
    [OPT_INIT] =
        {"init", 0, GROUP_METHOD, FIT | EXPERIMENT, KIND_FILE, "FILE", "auto|gradient|random|zero", 0, 0, 0,
         "where to start: one full gradient step from zero, standard normal, zero, or a file: a model, an NPY "
         "vector or text with one weight a line (default: auto, for files several starts, of which the best result "
         "is kept; for planted problems gradient)"},
    [OPT_LEVELS] = {"levels", 0, GROUP_METHOD, FIT, KIND_INTEGER, "S", NULL, 1, 127, 0,
                    "quantize gradients to S levels and a sign (default: no quantization)"},
    [OPT_BITS] = {"bits", 0, GROUP_METHOD, FIT, KIND_INTEGER, "B", NULL, 1, 7, 0, "the same in bits: S = 2^B - 1"},
    [OPT_SCALE] = {"scale", 0, GROUP_METHOD, FIT | EXPERIMENT, KIND_WORD, NULL, "auto|l2|max", 0, 0, 0,
                   "what a quantized gradient is divided by: its norm or its largest entry (default: auto: l2, the "
                   "paper's, for allgather and master, else max)"},
    [OPT_COLLECTIVE] =
        {"collective", 0, GROUP_METHOD, FIT | EXPERIMENT, KIND_WORD, NULL, "auto|allreduce|allgather|two-phase|master", 0, 0, 0,
         "how the workers put their gradients together; quantized, allreduce needs K S <= 32767 (default: "
         "auto: allreduce for K <= 16 and K S <= 127, else two-phase)"},
    [OPT_WIRE] = {"wire", 0, GROUP_METHOD, FIT, KIND_WORD, NULL, "auto|full|bf16|int8|packed|elias", 0, 0, 0,
                  "how a gradient travels: levels as int8, packed into b + 1 bits (with allreduce into fields of 4, 8 or 16 "
                  "bits for K S <= 7, 127, 32767, which are added up), or by Elias' code (allgather, master); unquantized in "
                  "the precision of the fit (full) or, with allreduce, as bfloat16 (default: auto, packed where that is "
                  "shorter, or int8 cannot hold allreduce's sums; else int8)"},
    [OPT_BROADCAST] = {"broadcast", 0, GROUP_METHOD, FIT, KIND_WORD, NULL, "tree|star", 0, 0, 0,
                       "with --collective master over several ranks: the model goes back by way of other ranks, or from "
                       "the master to each (default: tree)"},
    [OPT_PRECISION] = {"precision", 0, GROUP_METHOD, FIT | GENERATE | PLAN | BENCH, KIND_WORD, NULL, "f64|f32", 0, 0, 0,
                       "compute and keep rows in float64 or float32 (default: f64)"},
    [OPT_STORAGE] = {"storage", 0, GROUP_METHOD, FIT, KIND_WORD, NULL, "same|bf16", 0, 0, 0,
                     "how a GPU keeps the rows: in the precision of the fit, or rounded to bfloat16, in half the "
                     "memory of f32 (default: same)"},
    [OPT_TOLERANCE] =
        {"tolerance", 0, GROUP_METHOD, FIT | PLAN, KIND_REAL, "EPS", NULL, 0, INFINITY, 1,
         "stop at this relative error ||w - w*|| / ||w*||, or, where w* is unknown, at this share of the "
         "gradient at zero; exit code 3 where it was not reached"},
    [OPT_ENSEMBLE] = {"ensemble", 0, GROUP_METHOD, FIT, KIND_INTEGER, "L", NULL, 1, 1e6, 0,
                      "make L runs and keep the one that at least half of them agree with (Algorithm 1)"},

    [OPT_DEVICE] = {"device", 0, GROUP_PLACE, FIT | PREDICT | EXPERIMENT | BENCH, KIND_WORD, NULL, "auto|cpu|cuda", 0, 0, 0,
                    "where to compute; auto: on the processors, or on GPUs where --gpus is given (default: auto)"},
    [OPT_GPUS] = {"gpus", 0, GROUP_PLACE, FIT | BENCH, KIND_INTEGER, "G", NULL, 1, 1024, 0,
                  "GPUs that the workers are spread over; must divide their number (default: 1)", BENCH},
    [OPT_THREADS] = {"threads", 'j', GROUP_PLACE, FIT | EXPERIMENT | BENCH, KIND_INTEGER, "N", NULL, 1, 4096, 0,
                     "processor threads; the result does not depend on them (default: all)"},
    [OPT_TIMEOUT] = {"timeout", 0, GROUP_PLACE, FIT | PLAN | BENCH, KIND_REAL, "SECONDS", NULL, 0, INFINITY, 0,
                     "give up, with exit code 8, when for so long another rank is silent or nothing comes of the input, from "
                     "joining MPI on; slow input is not silent; 0: never (default: 300; one process alone waits for its "
                     "input without end)"},
    [OPT_NO_GRAPHS] = {"no-graphs", 0, GROUP_PLACE, FIT, KIND_FLAG, NULL, NULL, 0, 0, 0,
                       "GPUs: launch the steps one by one instead of replaying a recorded one as a CUDA graph, which is slower; "
                       "for drivers that have trouble with graphs"},

    [OPT_NODES] = {"nodes", 0, GROUP_NETWORK, PLAN, KIND_INTEGER, "N", NULL, 1, 1e6, 0,
                   "machines, each with a link of its own (default: one a worker, else 8)"},
    [OPT_WORKERS_PER_NODE] = {"workers-per-node", 0, GROUP_NETWORK, PLAN, KIND_INTEGER, "W", NULL, 1, 1e6, 0,
                              "workers, or GPUs, of a machine, which share its link (default: 1)"},
    [OPT_BANDWIDTH] = {"bandwidth", 0, GROUP_NETWORK, PLAN, KIND_REAL, "BITS", NULL, 0, INFINITY, 1,
                       "bits a second of a link, each way (default: 1G)"},
    [OPT_LATENCY] = {"latency", 0, GROUP_NETWORK, PLAN, KIND_REAL, "SECONDS", NULL, 0, INFINITY, 0,
                     "seconds until the first byte of a message arrives (default: 50e-6)"},
    [OPT_MESSAGE_TIME] = {"message-time", 0, GROUP_NETWORK, PLAN, KIND_REAL, "SECONDS", NULL, 0, INFINITY, 0,
                          "seconds of the processor for each message sent or received (default: 4e-6, as Open MPI over TCP)"},
    [OPT_INNER_BANDWIDTH] = {"inner-bandwidth", 0, GROUP_NETWORK, PLAN, KIND_REAL, "BITS", NULL, 0, INFINITY, 1,
                             "bits a second between workers of one machine, which then add up before the machine "
                             "takes part (default: no such links; a machine exchanges each worker's vector)"},
    [OPT_INNER_LATENCY] = {"inner-latency", 0, GROUP_NETWORK, PLAN, KIND_REAL, "SECONDS", NULL, 0, INFINITY, 0,
                           "seconds of latency between workers of one machine (default: 5e-6)"},
    [OPT_COMPUTE_RATE] = {"compute-rate", 0, GROUP_NETWORK, PLAN, KIND_REAL, "RATE", NULL, 0, INFINITY, 1,
                          "rows times features of the gradient that one worker computes a second (default: 2G)"},
    [OPT_MEASURE] = {"measure", 0, GROUP_NETWORK, PLAN, KIND_FLAG, NULL, NULL, 0, 0, 0,
                     "measure --compute-rate on this machine's processors and, under mpirun, --latency and --bandwidth "
                     "between ranks 0 and 1; --nodes is then the number of ranks; options given go before what was "
                     "measured"},

    [OPT_MEASURED] = {"measured", 0, GROUP_NETWORK, PLAN, KIND_FILE, "FILE", NULL, 0, 0, 0,
                      "take the rates of a worker, and of ranks latency and bandwidth, from this file that 'fitrelu bench "
                      "--json' wrote; --nodes is then the number of its ranks; options given go before what was measured"},

    [OPT_FROM] = {"from", 0, GROUP_BENCH, BENCH, KIND_INTEGER, "N", NULL, 1, 1e12, 0,
                  "the smallest size, in coordinates of a vector (default: 1000)"},
    [OPT_TO] = {"to", 0, GROUP_BENCH, BENCH, KIND_INTEGER, "N", NULL, 1, 1e12, 0,
                "the largest size (default: 4000 for gradient and step, else 1M; 100K for the exchanges of all)"},
    [OPT_FACTOR] = {"factor", 0, GROUP_BENCH, BENCH, KIND_REAL, "X", NULL, 1, 1e12, 1,
                    "from one size to the next (default: 4 for gradient and step, else 10; larger for all)"},
    [OPT_STEP] = {"step", 0, GROUP_BENCH, BENCH, KIND_INTEGER, "N", NULL, 1, 1e12, 0,
                  "from one size to the next by this number instead"},
    [OPT_WARMUP] = {"warmup", 0, GROUP_BENCH, BENCH, KIND_INTEGER, "N", NULL, 0, 1e6, 0,
                    "untimed runs before the timed ones; one more tells how long they take (default: 5)"},
    [OPT_CHECK] = {"check", 0, GROUP_BENCH, BENCH, KIND_INTEGER, "N", NULL, 1, 1e6, 0,
                   "runs that are checked one by one, beside the timed ones, which are checked together (default: 1)"},
    [OPT_MIN_BUSBW] = {"min-busbw", 0, GROUP_BENCH, BENCH, KIND_REAL, "GB/S", NULL, 0, INFINITY, 1,
                       "exit code 3 and a line that says where, if a collective does not reach this busbw with any size and wire"},
    [OPT_MAX_TIME] = {"max-time", 0, GROUP_BENCH, BENCH, KIND_REAL, "US", NULL, 0, INFINITY, 1,
                      "the same if anything measured takes more microseconds, in the median"},

    [OPT_SOAK] = {"soak", 0, GROUP_BENCH, BENCH, KIND_TIME, "DURATION", NULL, 0, INFINITY, 1,
                  "instead of measuring, exchange over all sizes and make steps for so long (60s, 5m, 8h), and hold every "
                  "one to bits that are known; each difference is told"},

    [OPT_PROMETHEUS] = {"prometheus", 0, GROUP_RESULTS, BENCH, KIND_FILE, "FILE", NULL, 0, 0, 0,
                        "write the figures for Prometheus too, as node_exporter's textfile collector reads them (*.prom)"},

    [OPT_MODEL] = {"model", 0, GROUP_RESULTS, FIT, KIND_FILE, "FILE", NULL, 0, 0, 0,
                   "write the fitted model, for fitrelu predict; nothing is written when the fit diverges"},
    [OPT_OUTPUT] = {"output", 'o', GROUP_RESULTS, PREDICT | GENERATE | EXPERIMENT, KIND_FILE, "FILE", NULL, 0, 0, 0,
                    "write the predictions to this file: a float64 array where it ends in .npy, else text (default: text "
                    "on stdout)"},
    [OPT_HISTORY] = {"history", 0, GROUP_RESULTS, FIT, KIND_FILE, "FILE", NULL, 0, 0, 0,
                     "write a CSV row a report: iteration,seconds,loss,relative_error,bytes_sent"},
    [OPT_JSON] = {"json", 0, GROUP_RESULTS, COMMAND_ALL, KIND_FLAG, NULL, NULL, 0, 0, 0,
                  "print one JSON object on stdout instead of text"},
    [OPT_CSV] = {"csv", 0, GROUP_RESULTS, COMMAND_SHOW | COMMAND_INFO | BENCH, KIND_FLAG, NULL, NULL, 0, 0, 0,
                 "print rows name,coefficient instead, for other programs"},
    [OPT_REPORT_EVERY] = {"report-every", 0, GROUP_RESULTS, FIT, KIND_INTEGER, "N", NULL, 1, MOST, 0,
                          "steps between reports (default: at doubling intervals)"},
    [OPT_CHECKPOINT] = {"checkpoint", 0, GROUP_RESULTS, FIT, KIND_FILE, "FILE", NULL, 0, 0, 0,
                        "keep the state of the run in FILE, at reports and at the end"},
    [OPT_CHECKPOINT_EVERY] = {"checkpoint-every", 0, GROUP_RESULTS, FIT, KIND_TIME, "TIME", NULL, 0, INFINITY, 1,
                              "keep it also whenever so much time has gone by since the last one: 60s, 5m, 1h (default: at "
                              "reports and at the end alone)"},
    [OPT_RESUME] = {"resume", 0, GROUP_RESULTS, FIT, KIND_FILE, "FILE", "auto", 0, 0, 0,
                    "go on from a checkpoint, with the options and the data of that run; auto: from the file of "
                    "--checkpoint where it is there, else begin"},
    [OPT_QUIET] = {"quiet", 'q', GROUP_GENERAL, COMMAND_ALL, KIND_FLAG, NULL, NULL, 0, 0, 0,
                   "no progress and no remarks on stderr; errors are still told"},
    [OPT_HELP] = {"help", 'h', GROUP_GENERAL, COMMAND_ALL, KIND_FLAG, NULL, NULL, 0, 0, 0,
                  "print this help and exit"},
    [OPT_VERSION] = {"version", 'V', GROUP_GENERAL, COMMAND_ALL, KIND_FLAG, NULL, NULL, 0, 0, 0,
                     "print the version and exit"},
};

/* What an option means to one command where that is not what it means to the others: --help of a command speaks of that
 * command alone. */
static const struct {
    option_id id;
    unsigned command;
    const char *help;
} own_help[] = {
    {OPT_SAMPLES, EXPERIMENT,
     "rows of the planted problems, in fig2a and fig2b the most rows of the grid, in table2 those of a worker (default: "
     "chosen by the experiment, mostly 10 times the features)"},
    {OPT_SAMPLES, PLAN, "rows of the fit (default: 10 times the features)"},
    {OPT_FEATURES, EXPERIMENT, "features of the planted problems (default: chosen by the experiment)"},
    {OPT_FEATURES, PLAN, "features of the fit (default: 1000; with --samples alone N / 10, at most 1000)"},
    {OPT_SEED, GENERATE, "seed of rows, weights and noise (default: 1)"},
    {OPT_SEED, EXPERIMENT, "seed from which the trials have theirs (default: 1)"},
    {OPT_LABEL_COLUMN, PREDICT,
     "the CSV column that holds the labels, by name or by number from 1 (default: the one of the name that the model keeps; "
     "without names the last, where there is one more column than the model has features)"},
    {OPT_MISSING, PREDICT,
     "what becomes of missing values: refused, their rows left out, or a mean instead, that of their column in the fit where "
     "the model keeps it and else in this file (default: mean where the model keeps means, else error)"},
    {OPT_BATCH, PLAN,
     "rows drawn a step, over all workers; full: every row once (default: 0.8 times the features, at least 32, made "
     "divisible by the workers)"},
    {OPT_WORKERS, PLAN, "workers that share the rows; must divide the batch (default: --nodes times --workers-per-node)"},
    {OPT_INIT, EXPERIMENT,
     "where the runs of fig1a, fig1b, fig2a and fig2b start: auto and gradient are the gradient step of Remark 3.2, random is "
     "section 4's standard normal, which is near zero beside w*; a file serves no grid of problems (default: gradient)"},
    {OPT_STEP_SIZE, EXPERIMENT, "step sizes of fig1a, fig1b, fig2a and fig2b (default: experiment, those of section 4)"},
    {OPT_WORKERS, EXPERIMENT, "workers of the runs of fig1a, fig1b, fig2a and fig2b; must divide the mini-batches (default: 1)"},
    {OPT_SCALE, EXPERIMENT, "what the gradients of fig1b and fig2b are divided by (default: l2, the paper's)"},
    {OPT_COLLECTIVE, EXPERIMENT,
     "how workers put their gradients together in fig1a, fig1b, fig2a and fig2b (default: allgather, which is (2.2))"},
    {OPT_ITERATIONS, EXPERIMENT, "steps of each run (default: chosen by the experiment)"},
    {OPT_PRECISION, GENERATE, "write rows and labels in float64 or float32 (default: f64)"},
    {OPT_PRECISION, PLAN, "precision of the fit, float64 or float32 (default: f64)"},
    {OPT_TOLERANCE, PLAN, "relative error ||w - w*|| / ||w*|| that the fit is to reach (default: 1e-6)"},
    {OPT_DEVICE, EXPERIMENT, "where the fits are computed; auto is cpu (default: cpu)"},
    {OPT_THREADS, EXPERIMENT, "trials that run side by side, each on one thread; no result depends on it (default: all)"},
    {OPT_SAMPLES, BENCH, "rows of each rank for gradient and step (default: more than caches hold, 512 MB at most)"},
    {OPT_ITERATIONS, BENCH, "timed runs of each size (default: what fits into a second, 5 to 50; less for all)"},
    {OPT_PRECISION, BENCH, "of rows and vectors; exchanges without levels are measured in both (default: f64)"},
    {OPT_DEVICE, BENCH, "where to measure; auto: on the processors, or on GPUs where --gpus is given (default: auto)"},
    {OPT_GPUS, BENCH,
     "GPUs of each process; of several numbers, as 1,2,4, step measures each and the others the last (default: 1)"},
    {OPT_THREADS, BENCH, "processor threads of each process (default: all, shared by the ranks of a machine)"},
    {OPT_TIMEOUT, BENCH, "give up, with exit code 8, when another rank or a GPU is silent for so long; 0: never (default: 300)"},
    {OPT_CSV, BENCH, "print rows what,collective,wire,... instead, for other programs"},
    {OPT_TIMEOUT, PLAN, "under mpirun, give up when a rank is silent for so long; 0: never (default: 300)"},
    {OPT_OUTPUT, GENERATE, "the file to write, ending in .npz or .npy"},
    {OPT_OUTPUT, EXPERIMENT, "the folder for everything that is written; it is made where it is missing"},
};

int option_texts(option_id id, option_text texts[OPTION_TEXTS_MOST]) {
    int count = 1;
    texts[0] = (option_text){option_table[id].help, option_table[id].commands};
    for (size_t i = 0; i < sizeof own_help / sizeof own_help[0] && count < OPTION_TEXTS_MOST; i++) {
        if (own_help[i].id != id) continue;
        texts[count++] = (option_text){own_help[i].help, own_help[i].command};
        texts[0].commands &= ~own_help[i].command;
    }
    return count;
}

const char *option_help(option_id id, unsigned bit) {
    option_text texts[OPTION_TEXTS_MOST];
    for (int i = option_texts(id, texts) - 1; i > 0; i--) {
        if (texts[i].commands & bit) return texts[i].help;
    }
    return texts[0].help;
}

const char *option_group_name(option_group group) {
    const char *const names[GROUP_COUNT] = {"Data", "Method", "Place", "Network", "Measurement", "Results", "General"};
    return names[group];
}

const char *option_argument_text(const option_entry *entry, char text[OPTION_TEXT_SIZE]) {
    const char *words = entry->words ? entry->words : "";
    const char *placeholder = entry->placeholder ? entry->placeholder : "";
    snprintf(text, OPTION_TEXT_SIZE, "%s%s%s", words, *words && *placeholder ? "|" : "", placeholder);
    return text;
}

/* "a number above 0", "a whole number from 1 to 127": the range of an entry that takes a number. */
static void range_text(const option_entry *entry, char text[OPTION_TEXT_SIZE]) {
    const char *number = entry->kind == KIND_REAL ? "a number" : "a whole number";
    if (entry->kind == KIND_TIME) snprintf(text, OPTION_TEXT_SIZE, "a time above 0 with its unit, such as 60s, 5m or 1h");
    else if (entry->kind == KIND_SEED) snprintf(text, OPTION_TEXT_SIZE, "a whole number from 0 to 18446744073709551615");
    else if (entry->above && !isinf(entry->high))
        snprintf(text, OPTION_TEXT_SIZE, "%s above %.0f and up to %g", number, entry->low, entry->high);
    else if (entry->above) snprintf(text, OPTION_TEXT_SIZE, "%s above %.0f", number, entry->low);
    else if (isinf(entry->high)) snprintf(text, OPTION_TEXT_SIZE, "%s of at least %.0f", number, entry->low);
    else if (entry->high == MOST) snprintf(text, OPTION_TEXT_SIZE, "%s from %.0f to 10^15", number, entry->low);
    else snprintf(text, OPTION_TEXT_SIZE, "%s from %.0f to %.0f", number, entry->low, entry->high);
}

const char *option_expected_text(const option_entry *entry, char text[OPTION_TEXT_SIZE]) {
    char own[OPTION_TEXT_SIZE] = "";
    if (entry->kind == KIND_FILE) snprintf(own, sizeof own, "the name of a file");
    else if (entry->kind == KIND_TEXT) snprintf(own, sizeof own, "a text");
    else if (entry->kind != KIND_WORD && entry->kind != KIND_FLAG) range_text(entry, own);
    size_t used = 0;
    for (const char *word = entry->words; word && *word && used < OPTION_TEXT_SIZE;) {
        size_t length = strcspn(word, "|");
        bool last = word[length] == '\0';
        bool last_but_one = !last && !*own && !strchr(word + length + 1, '|');
        const char *joint = last_but_one || (last && *own) ? " or " : last ? "" : ", ";
        used += (size_t)snprintf(text + used, OPTION_TEXT_SIZE - used, "%.*s%s", (int)length, word, joint);
        word += length + !last;
    }
    if (used < OPTION_TEXT_SIZE) snprintf(text + used, OPTION_TEXT_SIZE - used, "%s", own);
    return text;
}

int option_word_find(const char *words, const char *text, size_t length) {
    int position = 0;
    for (const char *word = words; word && *word; position++) {
        size_t size = strcspn(word, "|");
        if (size == length && memcmp(word, text, length) == 0) return position;
        word += size + (word[size] == '|');
    }
    return -1;
}
