/*
 * buffers.h - what a step reads and writes in an engine's memory, and that memory itself.
 *
 * Which buffer a collective needs, how long it is and which names mean the same memory is said once, in
 * fr_buffers_make, for every engine. An engine brings only the two functions that take and release memory of its
 * device; whatever it took stands in one list and is released by one call.
 */
#ifndef FR_BUFFERS_H
#define FR_BUFFERS_H

#include "plan/plan.h"

/* "real" is float or double by the plan's precision. K workers are in the fit, `own` of them in this engine; own
 * columns are the slices of these (fr_slice_of_workers). Several names may mean the same memory where nothing needs
 * to move. What the plan's collective does not use is NULL. */
typedef struct fr_buffers {
    void *values;            /* own x d real: partial gradients v_k */
    void *scales;            /* own real: N_k */
    void *shared_scale;      /* 1 real */
    int8_t *levels;          /* own x d */
    void *total_values;      /* d real */
    void *total_bf16;        /* d fr_bf16, with FR_WIRE_BF16 */
    int8_t *total_levels;    /* d */
    uint32_t *total_fields;  /* the same as fields of words (kernels/rules/fields.h), with FR_WIRE_PACKED */
    void *all_values;        /* K x d real */
    int8_t *all_levels;      /* K x d */
    void *all_scales;        /* K real */
    void *outgoing;          /* two-phase: for each rank, own x its columns (int8 or real) */
    void *incoming;          /* two-phase: K x own columns (int8 or real) */
    void *own_values;        /* own columns real, summed over all workers */
    int8_t *own_slice;       /* own columns, requantized */
    void *own_slice_scales;  /* own real */
    int8_t *slice_levels;    /* d */
    void *slice_scales;      /* K real */
    /* What is gathered of a rank, its levels and then its scales, may lie in one block, so that it is one message: rank r's are
     * `block` bytes times r behind those of rank 0, which are all_levels and all_scales, or slice_levels and slice_scales. A
     * block holds block_workers vectors, or the slices of so many workers. 0, and K: levels without gaps, scales apart. */
    size_t block;
    int block_workers;
    double *model;           /* d: the weights, where the master's may be received; host memory, or NULL. Not made here:
                              * the engine lends its own weights */
} fr_buffers;

enum { FR_MOST_OWNED = 48 }; /* an engine takes about 25 */

/* Memory of one engine. The engine sets the three members on top; the rest begins as zero. */
typedef struct fr_memory {
    /* *memory <- count elements of size bytes, zero before anything that the engine does later. On failure nothing is
     * left allocated, and the line says what the memory was for. */
    fr_status (*allocate)(void *user, void **memory, int64_t count, size_t size, const char *what, fr_error *error);
    void (*release)(void *memory);
    void *user;
    void *owned[FR_MOST_OWNED];
    int owned_count;
} fr_memory;

/* *pointer <- new memory; pointer is the address of a pointer of any type. It stays the list's until fr_memory_free. */
fr_status fr_memory_take(fr_memory *memory, void *pointer, int64_t count, size_t size, const char *what,
                         fr_error *error);

/* Releases all that was taken. */
void fr_memory_free(fr_memory *memory);

/* The buffers of an engine that holds `workers` of the plan's. blocks: what ranks gather lies in blocks; each rank has as many
 * workers. On failure what was made so far is in memory's list. */
fr_status fr_buffers_make(const fr_plan *plan, fr_range workers, bool blocks, fr_memory *memory, fr_buffers *buffers,
                          fr_error *error);

#endif
