/*
 * same_run.c - each rank describes what it is about to do (plan/description.h), and all compare.
 */
#include "solver/same_run.h"

#include <inttypes.h>
#include <stdio.h>

#include "data/fingerprint.h"

/* The rows that a rank keeps, and those of the next rank as this one finds them. */
typedef struct rows_seen {
    fr_row_print held, next;
} rows_seen;

/* Whether two ranks that looked at the same rows found the same. */
static bool agree(const fr_row_print *a, const fr_row_print *b) {
    bool same_rows = a->rows.count > 0 && a->rows.first == b->rows.first && a->rows.count == b->rows.count;
    return !same_rows || a->sum == b->sum;
}

/* The first rank after r, in a circle, that holds rows. */
static int next_holder(const rows_seen *all, int ranks, int r) {
    int next = (r + 1) % ranks;
    while (next != r && all[next].held.rows.count == 0) next = (next + 1) % ranks;
    return next;
}

static fr_status refuse(int a, int b, fr_range rows, fr_error *error) {
    int first = a < b ? a : b, other = a < b ? b : a;
    return fr_fail_on_rank(error, FR_ERROR_DATA, other,
                           "rank %d differs from rank %d: rows %" PRId64 " to %" PRId64
                           " of their data are not the same",
                           other, first, rows.first + 1, rows.first + rows.count);
}

static fr_status compare_rows(const rows_seen *all, int ranks, fr_error *error) {
    for (int r = 0; r < ranks; r++) {
        int next = next_holder(all, ranks, r);
        if (!agree(&all[r].held, &all[0].held))
            return refuse(r, 0, all[r].held.rows, error); /* each holds all rows */
        if (!agree(&all[r].next, &all[next].held)) return refuse(r, next, all[r].next.rows, error);
    }
    return FR_OK;
}

/* The sum over all rows, each counted once, however many ranks hold it. */
static uint64_t sum_rows(const rows_seen *all, int ranks) {
    uint64_t sum = 0;
    int64_t covered = 0;
    for (int r = 0; r < ranks; r++) {
        if (all[r].held.rows.first != covered) continue;
        sum += all[r].held.sum;
        covered += all[r].held.rows.count;
    }
    return sum;
}

static fr_status check_rows(fr_world *world, fr_dataset *set, fr_error *error) {
    int ranks = fr_world_size(world);
    const rows_seen mine = {set->held, set->next};
    FR_OWNED rows_seen *all = NULL;
    if (set->is_planted) return FR_OK;
    FR_TRY(fr_allocate((void **)&all, ranks, sizeof *all, "the ranks' rows", error));
    FR_TRY(fr_world_gather(world, &mine, sizeof mine, all, error));
    fr_status status = compare_rows(all, ranks, error);
    if (status != FR_OK && world) world->agreed = true;
    set->content = fr_dataset_content(set, sum_rows(all, ranks));
    return status;
}

static fr_status compare(fr_world *world, const fr_run *run, unsigned readers, fr_status status, fr_error *error) {
    char text[FR_DESCRIPTION_SIZE];
    fr_describe_run(run, readers, text);
    return fr_world_same(world, text, status, error);
}

fr_status fr_check_same_run(fr_world *world, const fr_options *options, fr_dataset *set, const fr_plan *plan,
                            fr_error *error) {
    const fr_run run = {options, plan, set};
    char version[64];
    snprintf(version, sizeof version, "version=%s", fr_version());
    FR_TRY(fr_world_same(world, version, FR_ERROR_DEVICE, error));
    FR_TRY(compare(world, &run, FR_OF_OPTIONS, FR_ERROR_USAGE, error));
    FR_TRY(compare(world, &run, FR_OF_DATA, FR_ERROR_DATA, error));
    return check_rows(world, set, error);
}
