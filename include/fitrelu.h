/*
 * fitrelu.h - the whole public interface of fitrelu, for C and C++.
 *
 * fitrelu fits one rectified linear unit
 *
 *     y = max(0, <w, x>)
 *
 * by mini-batch SGD, equation (2.1), and by quantized SGD (QSGD), equation (2.2), of Mousavi Kalan,
 * Soltanolkotabi and Avestimehr, "Fitting ReLUs via SGD and Quantized SGD", 2019. Equation and theorem
 * numbers below are that paper's. The loss is (1.1), L(w) = (1/n) sum_i (max(0, <w, x_i>) - y_i)^2, and
 * the one gradient used everywhere is (1.1)'s own:
 *
 *     grad l_i(w) = (max(0, <w, x_i>) - y_i) (1 + sgn(<w, x_i>)) x_i,     sgn(0) = 0.
 *
 * How it is used: a data set and options go into fr_solver_create, fr_solver_run fits, the result and the
 * model are read, everything is freed. The library never prints and never exits; what fails returns a
 * status and fills an fr_error. Objects are independent: there are no globals, and different threads may
 * work on different objects.
 */
#ifndef FITRELU_H
#define FITRELU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32) || !defined(__GNUC__)
#define FR_API
#else
#define FR_API __attribute__((visibility("default")))
#endif

/* ------------------------------------------------------------------------------------------ status */

/* What a call returns. The values are the exit codes of the program. */
typedef enum fr_status {
    FR_OK = 0,
    FR_ERROR = 1,            /* input or output failed, memory ran out, or an internal fault */
    FR_ERROR_USAGE = 2,      /* an option is out of its range or contradicts another */
    FR_ERROR_DATA = 5,       /* the data cannot be fitted or read as what they claim to be */
    FR_ERROR_CHECKPOINT = 6, /* a checkpoint is damaged or belongs to another run */
    FR_ERROR_DEVICE = 7,     /* GPU, NCCL or MPI failure */
    FR_ERROR_TIMEOUT = 8     /* a rank stopped answering, or input stopped coming */
} fr_status;

/* One line that says what failed: what was found, what was expected, and where. Every function that takes
 * an fr_error accepts NULL. Written only on failure. */
typedef struct fr_error {
    fr_status status;
    int rank;     /* the failing rank, which the line names; or -1 */
    int device;   /* the failing GPU, or -1 */
    int64_t step; /* the step of the fit, which the line names; or -1 */
    char message[480];
} fr_error;

typedef struct fr_world fr_world; /* below */

/* ----------------------------------------------------------------------------------------- options */

typedef enum fr_precision { FR_F64 = 0, FR_F32 = 1 } fr_precision;
typedef enum fr_step_rule { FR_STEP_AUTO, FR_STEP_THEOREM, FR_STEP_EXPERIMENT, FR_STEP_NUMBER } fr_step_rule;
/* auto: planted problems, the gradient step; data of one's own, several starts, of which the best result is kept. */
typedef enum fr_init { FR_INIT_AUTO, FR_INIT_GRADIENT, FR_INIT_RANDOM, FR_INIT_ZERO, FR_INIT_GIVEN } fr_init;
typedef enum fr_scale { FR_SCALE_AUTO, FR_SCALE_L2, FR_SCALE_MAX } fr_scale;
typedef enum fr_collective {
    FR_COLLECTIVE_AUTO,
    FR_COLLECTIVE_ALLREDUCE,
    FR_COLLECTIVE_ALLGATHER,
    FR_COLLECTIVE_TWO_PHASE,
    FR_COLLECTIVE_MASTER,
    FR_COLLECTIVE_COUNT /* of the values above; not one itself */
} fr_collective;
/* How a worker's vector travels: unquantized, in the precision of the fit (full) or as bfloat16; quantized, a level an
 * int8, a level in b + 1 bits (packed, s = 2^b - 1; where levels are summed on the way, fields of 4, 8 or 16 bits, the
 * smallest with 2 K s < 2^bits), or by the Elias code of the QSGD paper. */
typedef enum fr_wire {
    FR_WIRE_AUTO,
    FR_WIRE_FULL,
    FR_WIRE_BF16,
    FR_WIRE_INT8,
    FR_WIRE_PACKED,
    FR_WIRE_ELIAS
} fr_wire;
/* How a GPU keeps the rows: in the precision of the fit, or each value rounded to bfloat16 (relative error 2^-8 at
 * most), which halves the traffic of float32 rows and quarters that of float64. Arithmetic and labels are the fit's. */
typedef enum fr_storage { FR_STORAGE_SAME, FR_STORAGE_BF16 } fr_storage;
typedef enum fr_schedule { FR_SCHEDULE_AUTO, FR_SCHEDULE_CONSTANT, FR_SCHEDULE_DECAY } fr_schedule;
typedef enum fr_device { FR_DEVICE_AUTO, FR_DEVICE_CPU, FR_DEVICE_CUDA } fr_device;

/* The words that the program uses for the values above ("two-phase", "f64", ...). Static strings. */
FR_API const char *fr_precision_name(fr_precision precision);
FR_API const char *fr_step_rule_name(fr_step_rule rule);
FR_API const char *fr_init_name(fr_init init);
FR_API const char *fr_scale_name(fr_scale scale);
FR_API const char *fr_collective_name(fr_collective collective);
FR_API const char *fr_wire_name(fr_wire wire);
FR_API const char *fr_storage_name(fr_storage storage);
FR_API const char *fr_schedule_name(fr_schedule schedule);

#define FR_BATCH_AUTO 0
#define FR_BATCH_FULL (-1)   /* every row once a step: gradient descent, Remark 3.6 */
#define FR_AVERAGE_AUTO (-1) /* average the tail wherever labels are noisy */

/* Where a run stands. */
typedef struct fr_report {
    int64_t iteration;     /* steps done */
    int64_t iterations;    /* steps planned */
    int run;               /* of an ensemble or a search among starts, from 0 */
    double seconds;        /* since the first step */
    double loss;           /* (1.1) over all rows, in the units of y squared */
    double relative_error; /* ||w - w*|| / ||w*||, NaN where w* is unknown */
    double bytes_sent;     /* by one worker since the first step */
} fr_report;

/* Called at each report, or before the first and then about ten times a second with the latest loss known; on the
 * caller's thread. A non-zero return asks the run to stop ("interrupted"). */
typedef int (*fr_report_function)(const fr_report *report, void *user);

/* Fill with fr_options_default, then change what you like. Pointers are borrowed until fr_solver_free. */
typedef struct fr_options {
    int64_t batch;             /* m rows a step over all workers; FR_BATCH_AUTO, FR_BATCH_FULL */
    int workers;               /* K >= 1; 0: one a GPU or rank */
    int64_t iterations;        /* T >= 0; -1: chosen from the size of the problem */
    fr_step_rule step_rule;
    double step_size;          /* eta > 0, with FR_STEP_NUMBER */
    fr_schedule schedule;      /* decay: constant for the first half, then linearly to zero */
    double average;            /* share of the last steps whose iterates are averaged, 0 to 1; FR_AVERAGE_AUTO */
    fr_init init;
    const double *init_weights; /* with FR_INIT_GIVEN: the d weights of the data set's own features */
    double init_intercept;      /* with FR_INIT_GIVEN and intercept */
    int levels;                 /* s, 1..127 levels of Q_s; 0: unquantized */
    fr_scale scale;
    fr_collective collective;
    fr_wire wire;
    bool star;                  /* master: the model goes from rank 0 to each rank; false: through a binomial tree */
    fr_storage storage;
    double tolerance;           /* stop at this relative error, or where w* is unknown at this share of the gradient
                                   at zero; 0: none */
    int ensemble;               /* L >= 1 runs of Algorithm 1 */
    bool standardize;           /* fit on features of mean 0 and variance 1 */
    bool keep_columns;          /* data of one's own: fit on the columns as they are; false: with the automatic step size
                                   they are scaled and decorrelated first, for many times fewer steps */
    bool intercept;             /* fit y = max(0, <w, x> + b) */
    uint64_t seed;              /* of sampling, quantization and the random start */
    fr_world *world;            /* the processes that fit together, or NULL: this one alone */
    fr_device device;
    int gpus;                   /* of each process; 0: one where device is cuda */
    int threads;                /* 0: as many as the processor offers */
    double timeout;             /* seconds a rank, or a GPU, may stay silent (300); 0: no limit */
    bool plain_steps;           /* GPUs: steps are launched one by one, not recorded as CUDA graphs */
    int64_t report_every;       /* steps between reports; 0: at doubling intervals */
    fr_report_function report;   /* at the start, at each report and at the end, on rank 0; or NULL */
    fr_report_function progress; /* before the first step and about ten times a second, on every rank, or NULL; the place
                                    to notice a signal */
    void *report_user;           /* handed to both */
    const char *checkpoint;     /* file written at reports and at the end, or NULL */
    double checkpoint_every;    /* seconds after which it is written again, at the next look; 0: at reports alone */
    const char *resume;         /* checkpoint to go on from, of a run with these options and data; or NULL */
    bool resume_if_there;       /* without that file the run begins at its start, as the first of the ranks says */
} fr_options;

FR_API void fr_options_default(fr_options *options);

/* -------------------------------------------------------------------------------------------- world */

/* The processes that mpirun or srun started together for one run; a program started otherwise is alone in its world.
 * NULL stands for being alone. Calls marked "all" are made by every rank, in the same order. */

/* All ranks of an MPI communicator, by its Fortran handle (MPI_Comm_c2f, mpi4py's py2f), of a program that has started MPI
 * itself: a world of these processes, over a duplicate of the communicator. FR_ERROR_DEVICE where MPI is not started, or is
 * another than this library was built with, or none. */
FR_API fr_status fr_world_from_mpi(int communicator, fr_world **world, fr_error *error);
/* All. Starts MPI where the program was launched with others. FR_ERROR_DEVICE where MPI fails, or where this build has
 * no MPI and was launched with others. */
FR_API fr_status fr_world_join(fr_world **world, fr_error *error);
FR_API int fr_world_rank(const fr_world *world);
FR_API int fr_world_size(const fr_world *world);
/* Seconds that a rank may be silent; 0: any. */
FR_API void fr_world_set_timeout(fr_world *world, double timeout);
/* All. size bytes of every rank, in order of rank, into `all`. */
FR_API fr_status fr_world_gather(fr_world *world, const void *mine, size_t size, void *all, fr_error *error);
/* All. FR_OK if every rank brings FR_OK; else, on every rank, the status and line of the first rank that does not. */
FR_API fr_status fr_world_agree(fr_world *world, fr_status mine, fr_error *error);
/* After a failure: whether every rank knows of it, so that all can leave; else this rank should abort. */
FR_API bool fr_world_agreed(const fr_world *world);
/* Ends every process of the world at once with this exit code. */
FR_API void fr_world_abort(fr_world *world, int code);
/* All. Ends MPI where join started it. NULL is fine. */
FR_API void fr_world_leave(fr_world *world);

/* ---------------------------------------------------------------------------------------- data sets */

/* n rows of d features with a label each, owned by the object, except for rows that are borrowed. */
typedef struct fr_dataset fr_dataset;

/* Planted model: x_ij ~ N(0,1), w*_j ~ N(200, 3) (variance 3), y_i = max(0, <w*, x_i>) + noise * N(0,1).
 * A function of seed alone: the same values on any machine and any number of threads. */
typedef struct fr_planted {
    int64_t samples;   /* n >= 1 */
    int64_t features;  /* d >= 1 */
    double noise;      /* sigma >= 0 */
    uint64_t seed;
} fr_planted;

/* Whether the first line of a CSV (or of a text of labels) names its columns. auto: it is told by that line and those
 * below; whatever is not plain is remarked. */
typedef enum fr_header_rule { FR_HEADER_AUTO, FR_HEADER_YES, FR_HEADER_NO } fr_header_rule;
/* What becomes of a missing value (nothing, NA, nan, #N/A, ...): refused; its row left out; or replaced by the mean of
 * its column's other values. A row without its label is left out by the last two. */
typedef enum fr_missing_rule { FR_MISSING_ERROR, FR_MISSING_DROP, FR_MISSING_MEAN } fr_missing_rule;

/* What a file holds besides numbers; zero-initialise for the defaults. */
typedef struct fr_read_options {
    fr_precision precision;   /* in which rows are kept */
    const char *labels;       /* file with the labels (NPY or one number a line); NULL: inside the data file */
    const char *label_column; /* CSV: name, or number from 1; NULL: the last that holds no weights */
    const char *weights;      /* file with a weight for each row (NPY or one number a line), or NULL */
    const char *weight_column; /* CSV: the column of weights, by name or number from 1, or NULL; it is no feature */
    bool without_labels;      /* rows only, for prediction; a label column found is ignored where one can be told */
    bool labels_optional;     /* for prediction: labels are read where the file has them (a CSV: one column more than
                                 features); where one is missing or no number, none is kept */
    int64_t features;         /* expected d; 0: any. LIBSVM rows are padded to it */
    /* For prediction: the names of the d features (fr_model_names) and of the label, or NULL, borrowed. A CSV that names
     * its columns is matched by them, in whatever order; one that is missing or unknown is FR_ERROR_DATA. */
    const char *const *names;
    const char *label_name;
    const char *const *passed; /* columns that may stand there all the same (fr_model_passed) */
    int64_t passed_count;
    /* Which columns are features: those of a list with commas, "price,rooms,7", by name or by number from 1; or all but
     * those of a list; NULL both: all. Other columns are not read. */
    const char *columns, *ignore;
    bool categories;          /* a CSV's columns of words become columns of 0 and 1, one a word; else they are refused */
    /* Which rows are kept: those of workers first_worker .. first_worker + worker_count - 1, as a fit with all_workers
     * workers cuts the n rows. 0 workers in all: every row. A count of 0 of them: none, but n and d are known. */
    int all_workers, first_worker, worker_count;
    fr_header_rule header;
    fr_missing_rule missing;
    const double *means;      /* with FR_MISSING_MEAN: d values that stand in for missing ones (fr_model_means), borrowed;
                                 NULL: the means of the file itself */
    double holdout;           /* share of the rows, 0 to below 1, that are kept apart (fr_dataset_held_out): which ones is
                                 a function of their number in the file and holdout_seed alone */
    uint64_t holdout_seed;
    int (*stop)(void *user);                      /* asked while the file is read; non-zero: give up, FR_ERROR. Or NULL */
    int (*watch)(int64_t done, int64_t total, void *user); /* told how many bytes of the file, in this pass over it of
                                 perhaps several, were read of how many (0: not known); returns as stop does. Or NULL */
    void (*remark)(const char *line, void *user); /* told what was decided and was not plain. Or NULL */
    void *user;                                   /* handed to all */
} fr_read_options;

/* Creates a planted problem; rows are generated where and when they are needed. */
FR_API fr_status fr_dataset_generate(const fr_planted *planted, fr_precision precision, fr_dataset **dataset,
                                     fr_error *error);
/* Called some times a second while the rows of a planted set are made on a CPU, where and when they are needed: how many
 * of those needed here there are. A non-zero return stops the making, and the call that needs the rows fails. */
typedef int (*fr_rows_function)(int64_t done, int64_t total, void *user);
/* watch: NULL: nobody. user is handed to it. */
FR_API void fr_dataset_watch(fr_dataset *dataset, fr_rows_function watch, void *user);
/* Reads NPY, NPZ, CSV or LIBSVM, told apart by content and ending; all but NPZ also compressed by gzip or zstd. The path
 * "-" is standard input, which is read once. Of a set that keeps the rows of some workers, samples and features are
 * those of the whole file; it cannot be written or predicted from. Rows that are not kept are counted but not parsed:
 * what is wrong with their numbers is not found. */
FR_API fr_status fr_dataset_read(const char *path, const fr_read_options *options, fr_dataset **dataset,
                                 fr_error *error);
/* Limits a reading to the rows that this rank of options->world needs for a fit with these options: sets the three
 * numbers of workers. FR_ERROR_USAGE where the ranks do not divide the workers. */
FR_API fr_status fr_read_options_share(fr_read_options *reading, const fr_options *options, fr_error *error);
/* Copies n x d row-major doubles and n labels (NULL: none). */
FR_API fr_status fr_dataset_from_arrays(int64_t samples, int64_t features, const double *rows, const double *labels,
                                        fr_precision precision, fr_dataset **dataset, fr_error *error);
/* Borrows n x d values of type float or double, as `precision` says: those of row i are rows[i * stride] ... rows[i *
 * stride + d - 1], stride >= d. They are read where they lie and never written, and must stay as they are until the data
 * set is freed. Copies n labels (NULL: none). A fit copies the rows where it changes columns, that is with weights, with
 * `standardize` or `intercept`, and with the automatic step size unless `keep_columns` is set. */
FR_API fr_status fr_dataset_borrow(int64_t samples, int64_t features, const void *rows, int64_t stride,
                                   fr_precision precision, const double *labels, fr_dataset **dataset, fr_error *error);
/* Names for the features, d of them, and for the label or NULL, copied, before a fit; of a data set without any. */
FR_API fr_status fr_dataset_set_names(fr_dataset *dataset, const char *const *names, const char *label_name,
                                      fr_error *error);
/* Copies `count` rows from row `first` on, row-major, and their labels unless NULL, in the precision of the
 * data set. Rows of a planted set are made here. Of a set whose columns no fit has changed. */
FR_API fr_status fr_dataset_rows(const fr_dataset *dataset, int64_t first, int64_t count, void *rows, void *labels,
                                 fr_error *error);
/* Whether the rows are borrowed, and no fit has copied them. */
FR_API bool fr_dataset_borrows(const fr_dataset *dataset);
/* Copies a weight u_i for each row kept here (NULL: 1 each again), before the first fit of a set that is not planted. A
 * fit then minimises sum_i u_i (max(0, <w, x_i>) - y_i)^2 / sum_i u_i: with full batches a weight of 2 is the row twice
 * and 0 its absence, to rounding. FR_ERROR_DATA names a weight that is not from 0 to 1e150; a fit refuses weights that
 * are all 0. */
FR_API fr_status fr_dataset_set_weights(fr_dataset *dataset, const double *weights, fr_error *error);
/* Writes X, y (and w_star of a planted set) as NPZ, or as NPY files PATH, PATH-without-.npy + "-labels.npy" and
 * "-planted.npy". Files appear whole or not at all. */
FR_API fr_status fr_dataset_write(const fr_dataset *dataset, const char *path, fr_error *error);
FR_API int64_t fr_dataset_samples(const fr_dataset *dataset); /* n, those not kept here included */
/* The rows that a reading with `holdout` kept apart, of which this process holds the same workers' share; else NULL.
 * Owned by dataset. */
FR_API const fr_dataset *fr_dataset_held_out(const fr_dataset *dataset);
FR_API int64_t fr_dataset_features(const fr_dataset *dataset);
/* The names of the features, d of them, and of the label: of a CSV with a header (any column named once), else NULL.
 * Owned by dataset. */
FR_API const char *const *fr_dataset_names(const fr_dataset *dataset);
FR_API const char *fr_dataset_label_name(const fr_dataset *dataset);
/* Why a fit of this data set left a feature (counted from 0) out, so that its weight is exactly 0. */
typedef enum fr_left_out {
    FR_COLUMN_USED,       /* it did not, or no fit has changed the columns yet */
    FR_COLUMN_ZERO,       /* it is 0 in every row */
    FR_COLUMN_CONSTANT,   /* it is constant beside an intercept or another constant column */
    FR_COLUMN_COMBINATION /* it is a linear combination of columns before it, to within the precision of the data */
} fr_left_out;
/* Known once fr_solver_create has prepared the data set. */
FR_API fr_left_out fr_dataset_left_out(const fr_dataset *dataset, int64_t column);
FR_API const double *fr_dataset_planted(const fr_dataset *dataset); /* w*, d values, or NULL; owned by dataset */
FR_API void fr_dataset_free(fr_dataset *dataset);                   /* NULL is fine */

/* ------------------------------------------------------------------------------------------- model */

/* A fitted unit in the coordinates of the user's features: y = max(0, <w, x> + b). */
typedef struct fr_model fr_model;

/* The unit of d weights and an intercept that are known, all finite. The names of the features, d of them, and of the label
 * may be NULL. All is copied. */
FR_API fr_status fr_model_from_weights(int64_t features, const double *weights, double intercept,
                                       const char *const *names, const char *label_name, fr_model **model,
                                       fr_error *error);
FR_API int64_t fr_model_features(const fr_model *model);
FR_API const double *fr_model_weights(const fr_model *model); /* d values, owned by model */
FR_API double fr_model_intercept(const fr_model *model);
/* The names that the data set of the fit had, d of them, and its label's; NULL where there were none. Owned by model. */
FR_API const char *const *fr_model_names(const fr_model *model);
FR_API const char *fr_model_label_name(const fr_model *model);
/* The names of columns that were no features of the fit (columns, ignore, weight_column), *count of them, or NULL. */
FR_API const char *const *fr_model_passed(const fr_model *model, int64_t *count);
/* The means of the features that stood in for missing values in the fit (FR_MISSING_MEAN), d of them, or NULL. */
FR_API const double *fr_model_means(const fr_model *model);
/* n predictions for the rows of a data set of as many features, all of them kept here, into out. */
FR_API fr_status fr_model_predict(const fr_model *model, const fr_dataset *dataset, double *out, fr_error *error);
/* The same on a device: FR_DEVICE_CUDA is the first GPU, by cuBLAS, whose sums differ from the CPU's in their last bits.
 * FR_ERROR_DEVICE where there is no GPU, no cuBLAS, or no CUDA in this build. */
FR_API fr_status fr_model_predict_on(const fr_model *model, fr_device device, const fr_dataset *dataset, double *out,
                                     fr_error *error);
FR_API fr_status fr_model_write(const fr_model *model, const char *path, fr_error *error); /* whole or not at all */
FR_API fr_status fr_model_read(const char *path, fr_model **model, fr_error *error);
FR_API void fr_model_free(fr_model *model); /* NULL is fine */

/* ------------------------------------------------------------------------------------------ solver */

/* Dead: no row is active, though another start has a lower loss; no gradient leads away from there. */
typedef enum fr_outcome { FR_TOLERANCE, FR_ITERATIONS, FR_DIVERGED, FR_INTERRUPTED, FR_DEAD } fr_outcome;
FR_API const char *fr_outcome_name(fr_outcome outcome);

/* What a fit found and how it was done; choices left to "auto" stand here as they were made. */
typedef struct fr_result {
    fr_outcome outcome;
    int64_t iterations;     /* of all runs together */
    int runs;               /* of the loop: starts that were run, or the ensemble */
    bool converged;         /* the loss no longer fell; false where a fixed number of steps was made */
    int64_t converged_at;   /* the step of its run at which it did; 0 where it did not */
    double loss;            /* (1.1) of the model, over all rows, by their weights where there are any */
    double relative_error;  /* NaN where w* is unknown */
    double r_squared;       /* 1 - residual / total sum of squares of y, both weighted; NaN where y is constant */
    double active;          /* share of rows with <w, x> > 0, of those with a weight above 0 */
    double step_size;       /* eta of the first step */
    int64_t batch;          /* m */
    int workers;            /* K */
    int levels;             /* s, 0 unquantized */
    fr_scale scale;
    fr_collective collective;
    fr_wire wire;
    fr_storage storage;
    fr_step_rule step_rule;
    fr_schedule schedule;
    fr_init init;
    fr_precision precision;
    double average;
    const char *device;     /* "cpu" or "cuda" */
    int gpus, threads, ranks;
    double seconds_total;   /* of the steps, reports included */
    double seconds_compute, seconds_communicate; /* its two parts; on GPUs exchanges are timed by events on the device in
                                                    steps that are looked at, and count for those between */
    double seconds_processor; /* of the processors, all threads of a rank, outside of exchanges: gradients, coding, reports;
                               mean over the ranks that have rows */
    double seconds_up, seconds_down; /* master over several ranks: of seconds_communicate, the gradients' way to the
                               master and the model's way back; NaN elsewhere */
    double bytes_sent_per_iteration; /* by one rank, mean over ranks; of K workers in one process: what each would send
                               were it a rank of its own */
    const double *rank_sent, *rank_received; /* bytes a step, for each of `ranks`; NULL where there are none. Owned by the
                               solver */
    bool bytes_modelled;    /* some of these went by MPI's own collectives, whose bytes nobody can count */
    double bits_per_coordinate; /* of a worker's vector on the wire, its scale included */
    double rate;            /* rho of Theorem 3.1, or alpha of Theorem 3.2; NaN where neither speaks of the run */
    int condition_ii;       /* the start meets condition (II) with delta1 = 1/2: 1, 0, or -1 where w* is unknown */
    int agreeing;           /* ensemble: runs inside the winning ball, 0 if none won; 1 without an ensemble */
} fr_result;

typedef struct fr_solver fr_solver;

/* Checks options against the data and makes every choice left open. The data set is borrowed until the solver is
 * freed; standardize, intercept and weights change it in place (fr_model undoes that). */
FR_API fr_status fr_solver_create(const fr_options *options, fr_dataset *dataset, fr_solver **solver, fr_error *error);
/* Runs to the end; divergence, an unreached tolerance and an interruption are outcomes, not errors. */
FR_API fr_status fr_solver_run(fr_solver *solver, fr_result *result, fr_error *error);
/* After fr_solver_run: a new model for the caller to free. */
FR_API fr_status fr_solver_model(const fr_solver *solver, fr_model **model, fr_error *error);
/* Threads that a fit on CPUs takes here: as asked for, or fewer where ranks share a machine. */
FR_API int fr_solver_threads(const fr_solver *solver);
FR_API void fr_solver_free(fr_solver *solver); /* NULL is fine */

/* ------------------------------------------------------------------------------------------ theory */

/* The relative variance bound of Lemma 6.3: q = min(d / s^2, sqrt(d) / s); 0 for levels = 0. */
FR_API double fr_theory_lemma_variance(int64_t features, int levels);
/* C of Theorem 3.1 (levels = 0) or 3.2: the step size is 3 / (4 C) and the rate 1 - 9 / (16 C). */
FR_API double fr_theory_constant(int64_t features, double batch, int levels);
FR_API double fr_theory_step_size(int64_t features, double batch, int levels);
FR_API double fr_theory_rate(int64_t features, double batch, int levels);
/* Steps after which (3.2) or (3.4) holds: (log(2 / epsilon) + log(1 / delta2)) / (1 - rate). */
FR_API double fr_theory_iterations(double rate, double epsilon, double delta2);
/* Section 4's step sizes, halved for (1.1)'s own gradient: m / (2 d), and m b / (18 d) with b = log2(s + 1). */
FR_API double fr_experiment_step_size(int64_t features, double batch, int levels);
/* One step near w* on Gaussian rows multiplies E||w - w*||^2 by 1 - 2 eta + eta^2 (1 + (2 d + 3) / m). */
FR_API double fr_local_rate(int64_t features, double batch, double step_size);

/* --------------------------------------------------------------------------------------- quantizer */

/* Q_s of section 2.2: level_i = sgn(v_i) (h + [draw < u - h]), u = |v_i| s / N, h = floor(u), at most s.
 * The value that a level stands for is N level_i / s. Draws depend on (seed, step, worker, i) alone.
 * v: d finite doubles; levels: d int8; returns N. N = 0 gives levels 0. */
FR_API double fr_quantize(const double *v, int64_t features, int levels_count, fr_scale scale, uint64_t seed,
                          uint64_t step, uint32_t worker, int8_t *levels);

/* The bits of a coordinate of an all-reduce that adds the levels of K workers exactly: 4, 8 or 16, the least that 2 K s
 * fits into; 0 where it does not. */
FR_API int fr_allreduce_bits(int workers, int levels_count);

/* ----------------------------------------------------------------------------------------- version */

FR_API const char *fr_version(void);
/* One line of what the build holds, "name: value\n" each: compiler, options, library versions, processor path and
 * devices. Written into buffer (always terminated); returns the length that the whole text needs. */
FR_API size_t fr_build_info(char *buffer, size_t size);

#ifdef __cplusplus
}
#endif
#endif
