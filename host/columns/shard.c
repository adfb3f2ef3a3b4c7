/*
 * shard.c - sums over rows: parts of a worker's rows to threads, in an order that threads and ranks do not change.
 */
#include "columns/shard.h"

#include "base/threads.h"

/* Parts of all workers together, about, so that many threads find work; rows that are worth a part. */
enum { PARTS = 64, PART_ROWS = 64 };

fr_status fr_shard_make(fr_shard *s, const fr_dataset *set, const fr_plan *plan, int threads, fr_world *world,
                        fr_error *error) {
    int ranks = fr_world_size(world);
    fr_range own = fr_workers_of_rank(plan, ranks, fr_world_rank(world));
    *s = (fr_shard){.set = set, .plan = plan, .world = world, .first = (int)own.first, .own = (int)own.count};
    if (!set->weighed) s->weights = set->weights;
    s->threads = threads > 0 ? threads : fr_default_threads();
    if (set->local_rows * set->features < 100000) s->threads = 1;
    fr_status status = fr_allocate((void **)&s->owns, ranks, sizeof *s->owns, "the ranks", error);
    for (int r = 0; status == FR_OK && r < ranks; r++)
        s->owns[r] = (int)fr_workers_of_rank(plan, ranks, r).count;
    if (status == FR_OK) status = fr_team_create(s->threads, &s->team, error);
    return fr_world_agree(world, status, error);
}

void fr_shard_free(fr_shard *s) {
    fr_team_free(s->team);
    free(s->owns);
    s->team = NULL;
    s->owns = NULL;
}

/* ------------------------------------------------------------------------------------------------ sums */

typedef struct sum_job {
    const fr_shard *shard;
    fr_row_work work;
    const void *context;
    int64_t stride, count;
    int parts;    /* of each worker */
    double *sums; /* own x parts x count */
    double *rows; /* d a thread */
} sum_job;

static void add_part(void *context, int64_t item, int thread) {
    const sum_job *job = context;
    int64_t d = job->shard->set->features;
    double *x = job->rows + thread * d;
    fr_range rows = fr_shard_rows(job->shard, (int)(item / job->parts));
    int64_t some = (rows.count + job->stride - 1) / job->stride; /* every stride-th row */
    fr_range part = fr_split(some, job->parts, item % job->parts);
    for (int64_t i = part.first; i < part.first + part.count; i++) {
        int64_t row = rows.first + i * job->stride;
        fr_dataset_row(job->shard->set, row, x);
        job->work(job->context, d, fr_shard_weight(job->shard, row), x, job->sums + item * job->count);
    }
}

/* How many parts a worker's rows make: a function of n and K alone. */
static int count_parts(const fr_shard *s) {
    int64_t parts = PARTS / s->plan->workers, most = s->set->samples / s->plan->workers / PART_ROWS;
    if (parts > most) parts = most;
    return parts > 1 ? (int)parts : 1;
}

fr_status fr_shard_sum(const fr_shard *s, fr_row_work work, const void *context, int64_t stride, int64_t count,
                       double *sum, fr_error *error) {
    int parts = count_parts(s);
    FR_OWNED double *sums = NULL;
    FR_OWNED double *rows = NULL;
    fr_status status = fr_allocate((void **)&sums, s->own * parts * count, sizeof *sums, "sums over rows", error);
    if (status == FR_OK)
        status = fr_allocate((void **)&rows, s->threads * s->set->features, sizeof *rows, "sums over rows", error);
    FR_TRY(fr_world_agree(s->world, status, error)); /* before any rank waits for another's sums */
    sum_job job = {s, work, context, stride, count, parts, sums, rows};
    fr_team_run(s->team, (int64_t)s->own * parts, add_part, &job);
    for (int k = 0; k < s->own; k++) /* parts of worker k into its first, and that to its place */
        for (int64_t j = 0; j < count; j++) {
            double all = 0;
            for (int p = 0; p < parts; p++) all += sums[(k * parts + p) * count + j];
            sums[k * count + j] = all;
        }
    return fr_world_sum(s->world, s->owns, sums, count, sum, error);
}

fr_status fr_shard_tell_row(const fr_shard *s, int64_t row, double *out, fr_error *error) {
    int ranks = fr_world_size(s->world);
    int64_t d = s->set->features;
    FR_OWNED double *mine = NULL;
    FR_OWNED int *ones = NULL;
    FR_OWNED int64_t *all = NULL;
    fr_status status = fr_allocate((void **)&mine, d, sizeof *mine, "a row", error);
    if (status == FR_OK) status = fr_allocate((void **)&ones, ranks, sizeof *ones, "a row", error);
    if (status == FR_OK) status = fr_allocate((void **)&all, ranks, sizeof *all, "a row", error);
    FR_TRY(fr_world_agree(s->world, status, error));
    FR_TRY(fr_world_gather(s->world, &row, sizeof row, all, error));
    for (int r = 0; r < ranks; r++) ones[r] = 1;
    for (int r = 0; r < fr_world_rank(s->world); r++)
        if (all[r] >= 0) row = -1;
    if (row >= 0) fr_dataset_row(s->set, row, mine);
    return fr_world_sum(s->world, ones, mine, d, out, error);
}
