/*
 * update.h - what a step decodes before it moves the weights; the one list for the collectives, which choose, and for
 * the CPU engine and the kernels, which decode.
 */
#ifndef FR_UPDATE_H
#define FR_UPDATE_H

/* Names of buffers are those of fr_buffers (engine/buffers.h). g is the decoded mean over the K workers, N a norm, s
 * the number of levels. */
typedef enum fr_update {
    FR_UPDATE_TOTAL_VALUES, /* g = total_values / K */
    FR_UPDATE_TOTAL_BF16,   /* g = total_bf16 / K */
    FR_UPDATE_TOTAL_LEVELS, /* g = N / (s K) total_levels, N the shared scale */
    FR_UPDATE_TOTAL_FIELDS, /* g = N / (s K) (total_fields - K s), which is the same (kernels/rules/fields.h) */
    FR_UPDATE_ALL_VALUES,   /* g = sum_k all_values[k] / K */
    FR_UPDATE_ALL_LEVELS,   /* g = sum_k N_k / (s K) all_levels[k], N_k each worker's own scale */
    FR_UPDATE_SLICE_LEVELS, /* g = N / (s K) N_k / s slice_levels on slice k, N_k that slice's scale */
    FR_UPDATE_MODEL         /* nothing to decode: the new weights are in place already, g = 0 */
} fr_update;

#endif
