/*
 * buffers.c - the layout of every collective: which buffers, how long, which of them are the same memory.
 *
 * Where one engine holds all workers, what is gathered or sent to the owner of a slice is here already: those names
 * then mean the same memory, and the exchange has nothing to do.
 */
#include "engine/buffers.h"

#include "kernels/rules/bf16.h"
#include "kernels/rules/fields.h"
#include "plan/collective.h"

fr_status fr_memory_take(fr_memory *memory, void *pointer, int64_t count, size_t size, const char *what,
                         fr_error *error) {
    void *taken = NULL;
    if (memory->owned_count == FR_MOST_OWNED) return fr_fail(error, FR_ERROR, "no place left to note %s", what);
    FR_TRY(memory->allocate(memory->user, &taken, count, size, what, error));
    memory->owned[memory->owned_count++] = taken;
    memcpy(pointer, &taken, sizeof taken);
    return FR_OK;
}

void fr_memory_free(fr_memory *memory) {
    while (memory->owned_count > 0) memory->release(memory->owned[--memory->owned_count]);
}

/* What every layout asks for. */
typedef struct layout {
    fr_memory *memory;
    fr_buffers *buffers;
    int64_t features, own, all; /* d, workers here, K */
    int64_t width, widest;      /* own columns; those of the rank with the most, the first */
    size_t real;                /* bytes */
    bool quantized, whole;      /* whole: all workers are here */
    bool blocks;                /* what is gathered lies in blocks */
} layout;

static fr_status take_reals(const layout *l, void *pointer, int64_t count, const char *what, fr_error *error) {
    return fr_memory_take(l->memory, pointer, count, l->real, what, error);
}

static fr_status take_levels(const layout *l, void *pointer, int64_t count, const char *what, fr_error *error) {
    return fr_memory_take(l->memory, pointer, count, sizeof(int8_t), what, error);
}

/* Own levels and scales as a block, and the blocks of all ranks. `most` levels: those of the rank with the most. */
static fr_status take_blocks(const layout *l, int64_t most, int8_t **levels, void **scales, int8_t **all_levels,
                             void **all_scales, fr_error *error) {
    fr_buffers *b = l->buffers;
    int64_t ranks = l->all / l->own, unit = (int64_t)l->real, scales_at = (most + unit - 1) / unit * unit;
    b->block = (size_t)(scales_at + l->own * unit), b->block_workers = (int)l->own;
    FR_TRY(take_levels(l, levels, (int64_t)b->block, "levels and scales", error));
    FR_TRY(take_levels(l, all_levels, ranks * (int64_t)b->block, "levels and scales of all ranks", error));
    *scales = *levels + scales_at, *all_scales = *all_levels + scales_at;
    return FR_OK;
}

/* allreduce: the sum over workers, one vector whatever K is. */
static fr_status make_total(const layout *l, const fr_plan *plan, fr_error *error) {
    fr_buffers *b = l->buffers;
    int bits = fr_summed_field_bits(plan);
    if (bits > 0)
        return fr_memory_take(l->memory, &b->total_fields, fr_field_words(l->features, bits), sizeof *b->total_fields,
                              "the sum of levels", error);
    if (plan->wire == FR_WIRE_BF16)
        FR_TRY(fr_memory_take(l->memory, &b->total_bf16, l->features, sizeof(fr_bf16), "the sum in bfloat16", error));
    if (l->own == 1) { /* a worker alone is the sum */
        b->total_levels = b->levels, b->total_values = b->values;
        return FR_OK;
    }
    if (l->quantized) return take_levels(l, &b->total_levels, l->features, "the sum of levels", error);
    return take_reals(l, &b->total_values, l->features, "the sum of gradients", error);
}

/* allgather and master: a vector of each worker. */
static fr_status make_all(const layout *l, fr_error *error) {
    fr_buffers *b = l->buffers;
    if (l->whole) {
        b->all_values = b->values, b->all_levels = b->levels, b->all_scales = b->scales;
        return FR_OK;
    }
    if (!l->quantized) return take_reals(l, &b->all_values, l->all * l->features, "gradients of all workers", error);
    FR_TRY(take_levels(l, &b->all_levels, l->all * l->features, "levels of all workers", error));
    return take_reals(l, &b->all_scales, l->all, "scales of all workers", error);
}

/* two-phase on levels: all to the owners of the slices, whose sums are rounded once more and gathered. */
static fr_status make_slices_of_levels(const layout *l, fr_error *error) {
    fr_buffers *b = l->buffers;
    if (!l->whole) {
        FR_TRY(take_levels(l, &b->outgoing, l->own * l->features, "levels to send", error));
        FR_TRY(take_levels(l, &b->incoming, l->all * l->width, "levels to receive", error));
    }
    if (l->blocks)
        return take_blocks(l, l->widest, &b->own_slice, &b->own_slice_scales, &b->slice_levels, &b->slice_scales, error);
    FR_TRY(take_levels(l, &b->slice_levels, l->features, "levels of all slices", error));
    FR_TRY(take_reals(l, &b->slice_scales, l->all, "scales of all slices", error));
    if (l->whole) {
        b->outgoing = b->incoming = b->levels;
        b->own_slice = b->slice_levels, b->own_slice_scales = b->slice_scales;
        return FR_OK;
    }
    /* what a rank's workers send together, where many ranks go by way of leaders (exchange/hierarchical.h) */
    FR_TRY(take_levels(l, &b->total_levels, l->features, "the sum of levels", error));
    FR_TRY(take_levels(l, &b->own_slice, l->width, "levels of own slices", error));
    return take_reals(l, &b->own_slice_scales, l->own, "scales of own slices", error);
}

/* two-phase without levels: a reduce-scatter of values and an all-gather of the sums. */
static fr_status make_slices_of_values(const layout *l, fr_error *error) {
    fr_buffers *b = l->buffers;
    FR_TRY(take_reals(l, &b->total_values, l->features, "the sum of gradients", error));
    if (l->whole) {
        b->outgoing = b->incoming = b->values;
        b->own_values = b->total_values;
        return FR_OK;
    }
    FR_TRY(take_reals(l, &b->outgoing, l->own * l->features, "values to send", error));
    FR_TRY(take_reals(l, &b->incoming, l->all * l->width, "values to receive", error));
    return take_reals(l, &b->own_values, l->width, "sums of own slices", error);
}

fr_status fr_buffers_make(const fr_plan *plan, fr_range workers, bool blocks, fr_memory *memory, fr_buffers *buffers,
                          fr_error *error) {
    const layout l = {
        .memory = memory,
        .buffers = buffers,
        .features = plan->features,
        .own = workers.count,
        .all = plan->workers,
        .width = fr_slice_of_workers(plan, workers).count,
        .widest = fr_slice_of_workers(plan, (fr_range){0, workers.count}).count,
        .real = fr_precision_bytes(plan->precision),
        .quantized = plan->levels > 0,
        .whole = workers.count == plan->workers,
        .blocks = blocks && plan->levels > 0 && workers.count < plan->workers,
    };
    const fr_needs needs = fr_collective_of(plan)->needs;
    buffers->block_workers = plan->workers;
    FR_TRY(take_reals(&l, &buffers->values, l.own * l.features, "gradients", error));
    FR_TRY(take_reals(&l, &buffers->shared_scale, 1, "scales", error));
    if (l.blocks && needs == FR_NEEDS_ALL)
        return take_blocks(&l, l.own * l.features, &buffers->levels, &buffers->scales, &buffers->all_levels,
                           &buffers->all_scales, error);
    FR_TRY(take_reals(&l, &buffers->scales, l.own, "scales", error));
    if (l.quantized) FR_TRY(take_levels(&l, &buffers->levels, l.own * l.features, "levels", error));
    switch (needs) {
    case FR_NEEDS_TOTAL: return make_total(&l, plan, error);
    case FR_NEEDS_SLICES: return l.quantized ? make_slices_of_levels(&l, error) : make_slices_of_values(&l, error);
    case FR_NEEDS_ALL:
        if (plan->dedicated_master && l.own > 0) return FR_OK; /* what ranks send is gathered on the master alone */
        return make_all(&l, error);
    default: return FR_OK;
    }
}
