/*
 * kernels.h - the launchers: one function an operation, each only enqueues on the stream it is given and returns
 * what the launch returned.
 *
 * Buffers are in device memory, of float or double by `precision`. The number of the step, the run of the ensemble
 * and the count of averaged iterates live in fr_device_state, so that a recorded step can be replayed without the
 * host. Whatever decides an order of summation is a function of the plan: the grid, the device and the number of
 * devices change no bit.
 */
#ifndef FR_KERNELS_H
#define FR_KERNELS_H

#include <cuda_runtime_api.h>

#include "fitrelu.h"
#include "kernels/rules/bf16.h"
#include "kernels/rules/pass.h"
#include "kernels/rules/qsgd.h"
#include "kernels/rules/update.h"

/* In place of a stream: a launcher has its kernels loaded on the current device, and launches nothing. CUDA loads a
 * kernel when it is first launched, and may wait for all that runs on the device before it does. */
#define FR_LOAD_ONLY ((cudaStream_t)UINTPTR_MAX)

#ifdef __cplusplus
extern "C" {
#endif

/* In device memory; advanced by fr_launch_apply alone. */
typedef struct fr_device_state {
    int64_t step;       /* steps done */
    int64_t averaged;   /* iterates in the average */
    uint32_t run;       /* of the ensemble */
    uint32_t arrived;   /* blocks of fr_launch_apply that have read the step; 0 between launches */
    uint32_t too_large; /* set by fr_launch_round_rows where a value is beyond bfloat16 */
} fr_device_state;

/* The rows of one device, kept in the precision of the fit or as bfloat16 (kernels/rules/bf16.h). A row takes `stride`
 * elements, d rounded up to 16 bytes, zeros behind column d - 1, so that every row begins on 16 bytes whatever d is.
 * Worker k of all holds the rows fr_split(n, K, k). */
typedef struct fr_shard {
    fr_precision precision;
    fr_storage storage;
    void *rows;                /* rows of this device's workers x stride */
    void *labels;              /* real */
    int64_t samples, features; /* n and d of the plan */
    int64_t stride;            /* elements */
    int all_workers;           /* K */
    int first_worker, workers; /* those of this device */
    int64_t draws;             /* a worker and step; 0: all rows */
    uint64_t seed;
    int lanes;      /* of a worker's draws (of all its rows where there are none), */
    int full_lanes; /* and of all its rows */
} fr_shard;

static inline int64_t fr_padded(int64_t features, fr_precision precision, fr_storage storage) {
    int64_t each = storage == FR_STORAGE_BF16 ? 8 : precision == FR_F32 ? 4 : 2;
    return (features + each - 1) / each * each;
}

/* scales[k] <- N_k = max |v_k|, *shared_scale <- the largest of them, NaN if one is. */
typedef struct fr_norms {
    uint32_t *arrived;   /* blocks that have told theirs, */
    void *most;          /* and the largest so far, workers real as bits: both 0 between launches */
    void *scales;        /* workers real */
    void *shared_scale;  /* 1 real */
} fr_norms;

/* How many lanes a worker's rows, those drawn in a step or all of them, are divided into: lane l of `count` rows is
 * fr_split(count, lanes, l). By counts of the plan alone. */
int fr_lanes_for(int64_t rows_a_worker, bool drawn, int64_t features);

/* values (workers x d) <- the mean of the drawn rows' gradients, (2.1), or K / n times the sum over all rows.
 * weights: stride real, zeros behind d - 1. lane_sums: workers x lanes x stride. lane_scalars: workers x lanes.
 * norms: where the norms of the max scale go, or NULL. */
cudaError_t fr_launch_relu_gradient(const fr_shard *shard, const fr_device_state *state, const void *weights,
                                    void *lane_sums, fr_row_sums *lane_scalars, const fr_norms *norms, void *values,
                                    cudaStream_t stream);

/* sums (workers x d double, or NULL) <- sum_i c_i x_i over all rows; lane_scalars: workers x full_lanes. */
cudaError_t fr_launch_survey(const fr_shard *shard, fr_pass kind, const void *weights, void *lane_sums,
                             fr_row_sums *lane_scalars, double *sums, cudaStream_t stream);

/* scales[k] <- N_k of values (workers x d); shared_scale <- max_k N_k, NaN if one is. */
cudaError_t fr_launch_norm(fr_precision precision, fr_scale scale, const void *values, int64_t features, int workers,
                           void *scales, void *shared_scale, cudaStream_t stream);

/* What an encoding is made of. */
typedef struct fr_encoding {
    fr_precision precision;
    int64_t features;
    int first_worker, workers;
    int levels;  /* s */
    bool shared; /* one scale for all: scales points to it */
    uint64_t seed;
    int field_bits; /* of one worker whose levels are the device's sum: they go as fields of words; 0: as int8 */
} fr_encoding;

/* levels (workers x d int8, or one worker's words of fields) <- Q_s of values, zeros where the scale is 0 or NaN. */
cudaError_t fr_launch_encode(const fr_encoding *encoding, const fr_device_state *state, const void *values,
                             const void *scales, void *levels, cudaStream_t stream);

/* total (d) <- the sum over this device's workers. */
cudaError_t fr_launch_total_levels(const int8_t *levels, int64_t features, int workers, int8_t *total,
                                   cudaStream_t stream);
/* words <- the same as fields of `bits` bits, workers x s up (kernels/rules/fields.h). */
cudaError_t fr_launch_total_fields(const int8_t *levels, int64_t features, int workers, int s, int bits, uint32_t *words,
                                   cudaStream_t stream);
cudaError_t fr_launch_total_values(fr_precision precision, const void *values, int64_t features, int workers,
                                   void *total, cudaStream_t stream);

/* out (count fr_bf16) <- values (real), rounded to nearest even; what is too large becomes infinite. */
cudaError_t fr_launch_round_to_bf16(fr_precision precision, const void *values, int64_t count, void *out,
                                    cudaStream_t stream);

/* to <- from (workers x d elements of `bytes` bytes) by ranks of `workers` workers each: for rank r its columns of
 * every own worker. Column j belongs to the worker in whose slice it lies. */
cudaError_t fr_launch_pack(const void *from, int64_t features, int all_workers, int workers, int bytes, void *to,
                           cudaStream_t stream);

/* The second rounding of two-phase: the exact sum over all workers of incoming (K x width), each own slice rounded to
 * s levels of its own scale. sums: width int32; statistics: workers uint64. */
typedef struct fr_requantization {
    fr_precision precision;
    fr_scale scale;
    int64_t features;
    int all_workers, first_worker, workers;
    int levels;
    uint64_t seed;
} fr_requantization;

cudaError_t fr_launch_requantize(const fr_requantization *how, const fr_device_state *state, const int8_t *incoming,
                                 int32_t *sums, uint64_t *statistics, int8_t *slices, void *scales,
                                 cudaStream_t stream);

typedef struct fr_application {
    fr_precision precision;
    fr_update update; /* which of the pointers below are read */
    int64_t features;
    int all_workers, levels;
    fr_step_plan steps;
    int64_t average_start;
    double momentum; /* b of Nesterov's momentum, whose v is kept in average; 0: none */
    const void *values;  /* total or all values */
    const int8_t *codes; /* total, all or slice levels */
    const uint32_t *fields; /* total levels as fields of words */
    const void *scales;  /* of all workers or of all slices */
    int64_t block;       /* bytes from the codes and scales of so many workers to those of the next: engine/buffers.h */
    int block_workers;
    const void *shared_scale;
    double *weights, *average;
    void *weights_real; /* weights as real; weights itself in double */
} fr_application;

/* w <- w - eta_t g, g what job->update decodes (kernels/rules/update.h), or on by momentum; average of the tail;
 * t <- t + 1. */
cudaError_t fr_launch_apply(const fr_application *job, fr_device_state *state, cudaStream_t stream);

/* Rows first .. first + count - 1 of a planted problem, count x stride real, and their labels: the same bits as
 * data/planted.c makes. planted: d double in device memory. */
cudaError_t fr_launch_planted(const fr_shard *shard, int64_t first, int64_t count, uint64_t seed, double noise,
                              const double *planted, void *rows, void *labels, cudaStream_t stream);

/* out (count fr_bf16) <- rows (real), rounded to nearest even; state->too_large is set where a finite value has no
 * bfloat16. */
cudaError_t fr_launch_round_rows(fr_precision precision, const void *rows, int64_t count, void *out,
                                 fr_device_state *state, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
