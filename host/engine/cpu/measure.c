/*
 * measure.c - what the CPU engine offers those who measure: its buffers, and how fast its threads read memory.
 */
#include "base/clock.h"
#include "engine/cpu/parts.h"

fr_status fr_cpu_read(fr_engine *engine, void *to, const void *buffer, size_t size, fr_error *error) {
    (void)engine, (void)error;
    if (size > 0) memcpy(to, buffer, size);
    return FR_OK;
}

fr_status fr_cpu_write(fr_engine *engine, void *buffer, const void *from, size_t size, fr_error *error) {
    return fr_cpu_read(engine, buffer, from, size, error);
}

/* ------------------------------------------------------------------------------------------ streaming */

/* Words of 64 bits, by blocks: an item of work is a block. */
typedef struct words {
    uint64_t *at;
    uint64_t *sums; /* of each block */
} words;

enum { BLOCK_WORDS = FR_STREAM_BLOCK / 8, SUMS = 8 };

/* Each thread writes blocks, so that their pages lie near some of them; and no value is like its neighbour's. */
static void fill_item(void *context, int64_t block, int thread) {
    words *w = context;
    (void)thread;
    for (int64_t i = block * BLOCK_WORDS; i < (block + 1) * BLOCK_WORDS; i++) w->at[i] = (uint64_t)i * 0x9e3779b97f4a7c15u;
}

/* Independent sums keep loads in flight. */
static void read_item(void *context, int64_t block, int thread) {
    words *w = context;
    uint64_t sum[SUMS] = {0}, total = 0;
    const uint64_t *at = w->at + block * BLOCK_WORDS;
    (void)thread;
    for (int i = 0; i < BLOCK_WORDS; i += SUMS)
        for (int l = 0; l < SUMS; l++) sum[l] += at[i + l];
    for (int l = 0; l < SUMS; l++) total += sum[l];
    w->sums[block] = total;
}

static fr_status check_sum(const words *w, int64_t blocks, fr_error *error) {
    uint64_t found = 0, last = (uint64_t)blocks * BLOCK_WORDS - 1;
    for (int64_t b = 0; b < blocks; b++) found += w->sums[b];
    /* 0 + 1 + .. + last, times the factor; one of the two factors is even */
    uint64_t count = last % 2 ? (last + 1) / 2 * last : last / 2 * (last + 1);
    if (found == count * 0x9e3779b97f4a7c15u) return FR_OK;
    return fr_fail(error, FR_ERROR, "memory that was read once more did not hold what was written to it");
}

fr_status fr_cpu_stream(fr_engine *engine, size_t size, int times, double *seconds, fr_error *error) {
    cpu_engine *e = of(engine);
    int64_t blocks = (int64_t)(size / FR_STREAM_BLOCK);
    FR_OWNED uint64_t *memory = NULL, *sums = NULL;
    FR_TRY(fr_allocate_unset((void **)&memory, blocks, FR_STREAM_BLOCK, "memory to read", error));
    FR_TRY(fr_allocate((void **)&sums, blocks, sizeof *sums, "memory to read", error));
    words w = {memory, sums};
    fr_team_run(e->team, blocks, fill_item, &w);
    fr_team_run(e->team, blocks, read_item, &w);
    for (int i = 0; i < times; i++) {
        double began = fr_seconds();
        fr_team_run(e->team, blocks, read_item, &w);
        seconds[i] = fr_seconds() - began;
        FR_TRY(check_sum(&w, blocks, error));
    }
    return FR_OK;
}
