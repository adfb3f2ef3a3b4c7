/*
 * world.c - the processes of a run, of exchanges over a link (ranks/link.h).
 *
 * What is short goes in few messages: gathering by doubling, where in round i every rank hands all that it has to the rank
 * 2^i before it; all-to-all by Bruck's way; maxima by a tree. What is long goes by MPI's collectives. Sums of floating-point
 * numbers have one order: MPI moves them, rank r adds slice r of every vector and hands its sum to all.
 */
#include "ranks/world.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/rules/qsgd.h"
#include "ranks/launch.h"
#include "ranks/routes.h"

/* ---------------------------------------------------------------------------------- joining, leaving */

/* Ranks that run on the same boot of the same kernel share its processors and its clock, whatever the names of their
 * hosts are (containers and network namespaces have names of their own). */
static fr_status find_nodes(fr_link *link, fr_error *error) {
#ifdef FR_HAVE_MPI
    return fr_link_find_nodes(link, error);
#else
    (void)link, (void)error;
    return FR_OK;
#endif
}

fr_status fr_world_meet(fr_world *world, fr_error *error) {
    enum { SIZE = 40 };
    fr_link *link = world->link;
    char mine[SIZE] = "";
    FR_OWNED char *all = NULL;
    if (!link) return FR_OK;
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");
    bool known = file && fgets(mine, sizeof mine, file);
    if (file) fclose(file);
    if (!known) snprintf(mine, sizeof mine, "rank %d", link->rank);
    FR_TRY(fr_allocate((void **)&all, link->size, SIZE, "the ranks' machines", error));
    FR_TRY(fr_world_gather(world, mine, SIZE, all, error));
    link->local_ranks = link->local_rank = 0;
    for (int r = 0; r < link->size; r++) {
        if (strcmp(all + (size_t)r * SIZE, mine) != 0) continue;
        link->local_ranks++;
        link->local_rank += r < link->rank;
    }
    return find_nodes(link, error);
}

static fr_status start_link(fr_link **link, fr_error *error) {
    if (fr_launched_ranks() == 1) return FR_OK;
#ifdef FR_HAVE_MPI
    return fr_link_join(link, error);
#else
    (void)link;
    return fr_fail(error, FR_ERROR_DEVICE,
                   "%d processes were started together, but this fitrelu was built without MPI: each would fit for itself",
                   fr_launched_ranks());
#endif
}

static fr_status take_link(int communicator, fr_link **link, fr_error *error) {
#ifdef FR_HAVE_MPI
    return fr_link_of(communicator, link, error);
#else
    (void)communicator, (void)link;
    return fr_fail(error, FR_ERROR_DEVICE, "a communicator of MPI was given, and this fitrelu was built without MPI");
#endif
}

fr_status fr_world_start(fr_world **world, fr_error *error) {
    FR_OWNED fr_world *w = NULL;
    FR_TRY(fr_allocate((void **)&w, 1, sizeof *w, "the world", error));
    FR_TRY(start_link(&w->link, error));
    *world = w;
    w = NULL;
    return FR_OK;
}

/* Takes the world over. */
static fr_status meet(fr_world *w, fr_world **world, fr_error *error) {
    fr_world_set_timeout(w, FR_DEFAULT_TIMEOUT);
    fr_status status = fr_world_meet(w, error);
    if (status == FR_OK) *world = w;
    else free(w); /* and MPI stays: its end would wait for the rank that is silent */
    return status;
}

fr_status fr_world_join(fr_world **world, fr_error *error) {
    fr_world *w = NULL;
    FR_TRY(fr_world_start(&w, error));
    return meet(w, world, error);
}

fr_status fr_world_from_mpi(int communicator, fr_world **world, fr_error *error) {
    FR_OWNED fr_world *w = NULL;
    FR_TRY(fr_allocate((void **)&w, 1, sizeof *w, "the world", error));
    FR_TRY(take_link(communicator, &w->link, error));
    fr_world *joined = w;
    w = NULL;
    return meet(joined, world, error);
}

int fr_world_rank(const fr_world *world) { return world && world->link ? world->link->rank : 0; }
int fr_world_size(const fr_world *world) { return world && world->link ? world->link->size : 1; }
bool fr_world_agreed(const fr_world *world) { return !world || !world->link || world->agreed; }
void fr_world_set_timeout(fr_world *world, double timeout) {
    if (world && world->link) world->link->timeout = timeout;
}

bool fr_world_is_busy(fr_world *world) { return world && world->link && fr_link_is_busy(world->link); }
void fr_world_beat(fr_world *world) {
    if (world && world->link) (void)fr_link_beat(world->link);
}

#ifndef FR_HAVE_MPI
/* A build without MPI has worlds of one process, which exchange nothing. */
static fr_status fail_without_mpi(const char *what, fr_error *error) {
    return fr_fail(error, FR_ERROR_DEVICE, "%s needs MPI, and this fitrelu was built without it", what);
}
fr_status fr_link_exchange(fr_link *link, const char *what, const fr_message *out, int outs, fr_message *in, int ins,
                           fr_error *error) {
    (void)link, (void)out, (void)outs, (void)in, (void)ins;
    return fail_without_mpi(what, error);
}
fr_status fr_link_sum(fr_link *link, const char *what, uint32_t *words, int64_t count, fr_error *error) {
    (void)link, (void)words, (void)count;
    return fail_without_mpi(what, error);
}
fr_status fr_link_broadcast(fr_link *link, const char *what, void *data, size_t size, fr_error *error) {
    (void)link, (void)data, (void)size;
    return fail_without_mpi(what, error);
}
fr_status fr_link_gather(fr_link *link, const char *what, const void *mine, size_t size, void *all, fr_error *error) {
    (void)link, (void)mine, (void)size, (void)all;
    return fail_without_mpi(what, error);
}
fr_status fr_link_all_to_all(fr_link *link, const char *what, const void *send, size_t size, void *receive,
                             fr_error *error) {
    (void)link, (void)send, (void)size, (void)receive;
    return fail_without_mpi(what, error);
}
void fr_link_leave(fr_link *link) { (void)link; }
bool fr_link_beat(fr_link *link) { return link != NULL; }
bool fr_link_is_busy(fr_link *link) { return link == NULL; }
#endif

void fr_world_abort(fr_world *world, int code) {
#ifdef FR_HAVE_MPI
    if (world && world->link) fr_link_abort(world->link, code);
#else
    (void)world;
#endif
    exit(code);
}

/* All meet once more before MPI ends, which by itself would wait for ever for a rank that is gone. */
void fr_world_leave(fr_world *world) {
    if (!world) return;
    fr_error error;
    int here = 0, *all = NULL;
    if (world->link && fr_allocate((void **)&all, world->link->size, sizeof *all, "leaving", NULL) == FR_OK &&
        fr_world_gather(world, &here, sizeof here, all, &error) != FR_OK)
        fr_world_abort(world, (int)error.status);
    free(all);
    fr_link_leave(world->link);
    free(world);
}

/* -------------------------------------------------------------------------------------------- gather */

static const char meeting[] = "the meeting of the ranks";

static fr_status gather_by_doubling(fr_link *link, const void *mine, size_t size, void *all, fr_error *error) {
    int ranks = link->size, rank = link->rank;
    FR_OWNED char *held = NULL;
    FR_TRY(fr_allocate((void **)&held, ranks, size, "what ranks gather", error));
    memcpy(held, mine, size); /* place i is for what rank (rank + i) mod ranks has */
    for (int have = 1; have < ranks; have *= 2) {
        int count = have < ranks - have ? have : ranks - have;
        fr_message out = {(rank - have + ranks) % ranks, held, (size_t)count * size};
        fr_message in = {(rank + have) % ranks, held + (size_t)have * size, (size_t)count * size};
        FR_TRY(fr_link_exchange(link, meeting, &out, 1, &in, 1, error));
    }
    for (int i = 0; i < ranks; i++)
        memcpy((char *)all + (size_t)((rank + i) % ranks) * size, held + (size_t)i * size, size);
    return FR_OK;
}

fr_status fr_world_gather(fr_world *world, const void *mine, size_t size, void *all, fr_error *error) {
    int ranks = fr_world_size(world);
    if (ranks == 1) {
        if (mine != all) memcpy(all, mine, size);
        return FR_OK;
    }
    if (fr_gather_doubles((double)size)) return gather_by_doubling(world->link, mine, size, all, error);
    return fr_link_gather(world->link, meeting, mine, size, all, error);
}

/* ------------------------------------------------------------------------------------------- maximum */

static void take_larger(double *values, const double *others, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        if (!isnan(values[i]) && !(others[i] <= values[i])) values[i] = others[i];
}

static fr_status max_by_doubling(fr_world *world, double *values, int64_t count, double *others, fr_error *error) {
    FR_TRY(fr_world_gather(world, values, (size_t)count * sizeof *values, others, error));
    for (int r = 0; r < world->link->size; r++) take_larger(values, others + r * count, count);
    return FR_OK;
}

/* Up the tree and down again. A rank without children sends and receives in one exchange: it wakes once. */
static fr_status max_by_tree(fr_link *link, double *values, int64_t count, double *others, fr_error *error) {
    static const char what[] = "the largest norm";
    size_t size = (size_t)count * sizeof *values;
    int first = fr_tree_first_child(link->rank), children = fr_tree_children(link->size, link->rank);
    fr_message below[FR_FAN], up = {fr_tree_parent(link->rank), values, size}, down = {up.rank, others, size};
    for (int c = 0; c < children; c++) below[c] = (fr_message){first + c, others + c * count, size};
    if (children > 0) FR_TRY(fr_link_exchange(link, what, NULL, 0, below, children, error));
    for (int c = 0; c < children; c++) take_larger(values, others + c * count, count);
    if (link->rank > 0) {
        FR_TRY(fr_link_exchange(link, what, &up, 1, &down, 1, error));
        memcpy(values, others, size);
    }
    for (int c = 0; c < children; c++) below[c] = (fr_message){first + c, values, size};
    return children > 0 ? fr_link_exchange(link, what, below, children, NULL, 0, error) : FR_OK;
}

fr_status fr_world_max(fr_world *world, double *values, int64_t count, fr_error *error) {
    int ranks = fr_world_size(world);
    FR_OWNED double *others = NULL;
    if (ranks == 1) return FR_OK;
    int64_t most = ranks > FR_FAN ? ranks : FR_FAN; /* vectors at a time */
    FR_TRY(fr_allocate((void **)&others, most * count, sizeof *others, "a maximum", error));
    if (fr_max_uses_tree(ranks)) return max_by_tree(world->link, values, count, others, error);
    return max_by_doubling(world, values, count, others, error);
}

/* ---------------------------------------------------------------------------------------- all-to-all */

/* Chunk i of a rank has i ranks to go. In the round of bit b every chunk whose i has that bit goes b ranks on, so that
 * after all bits it is where it belongs. */
static fr_status bruck_rounds(fr_link *link, char *chunks, char *out, char *in, size_t size, fr_error *error) {
    for (int bit = 1; bit < link->size; bit *= 2) {
        size_t count = 0;
        for (int i = bit; i < link->size; i++)
            if (i & bit) memcpy(out + count++ * size, chunks + (size_t)i * size, size);
        fr_message to = {(link->rank + bit) % link->size, out, count * size};
        fr_message from = {(link->rank - bit + link->size) % link->size, in, count * size};
        FR_TRY(fr_link_exchange(link, "the all-to-all", &to, 1, &from, 1, error));
        for (int i = link->size - 1; i >= bit; i--)
            if (i & bit) memcpy(chunks + (size_t)i * size, in + --count * size, size);
    }
    return FR_OK;
}

static fr_status bruck(fr_link *link, const void *send, size_t size, void *receive, fr_error *error) {
    int ranks = link->size, rank = link->rank;
    size_t half = (size_t)(ranks + 1) / 2 * size, all = (size_t)ranks * size;
    FR_OWNED char *memory = NULL;
    FR_TRY(fr_allocate((void **)&memory, (int64_t)(all + 2 * half), 1, "Bruck's all-to-all", error));
    for (int i = 0; i < ranks; i++)
        memcpy(memory + (size_t)i * size, (const char *)send + (size_t)((rank + i) % ranks) * size, size);
    FR_TRY(bruck_rounds(link, memory, memory + all, memory + all + half, size, error));
    for (int i = 0; i < ranks; i++)
        memcpy((char *)receive + (size_t)((rank - i + ranks) % ranks) * size, memory + (size_t)i * size, size);
    return FR_OK;
}

fr_status fr_world_all_to_all(fr_world *world, const void *send, size_t size, void *receive, fr_error *error) {
    int ranks = fr_world_size(world);
    if (ranks == 1) {
        memcpy(receive, send, size);
        return FR_OK;
    }
    if (fr_all_to_all_uses_bruck(ranks, (double)size)) return bruck(world->link, send, size, receive, error);
    return fr_link_all_to_all(world->link, "the all-to-all", send, size, receive, error);
}

/* ----------------------------------------------------------------------------------------- broadcast */

static const char model_back[] = "the model's way back";

static fr_status broadcast_in_chunks(fr_world *world, void *data, size_t size, fr_error *error) {
    int ranks = world->link->size, rank = world->link->rank;
    size_t chunk = fr_chunk_bytes(ranks, size);
    FR_OWNED fr_message *out = NULL;
    FR_OWNED char *whole = NULL;
    FR_TRY(fr_allocate((void **)&whole, (int64_t)ranks + 1, chunk, "the model's chunks", error));
    FR_TRY(fr_allocate((void **)&out, ranks, sizeof *out, "messages", error));
    char *mine = rank == 0 ? whole : whole + (size_t)ranks * chunk;
    fr_message in = {0, mine, chunk};
    if (rank == 0) memcpy(whole, data, size);
    for (int r = 1; r < ranks; r++) out[r - 1] = (fr_message){r, whole + (size_t)r * chunk, chunk};
    FR_TRY(fr_link_exchange(world->link, model_back, out, rank == 0 ? ranks - 1 : 0, &in, rank == 0 ? 0 : 1, error));
    FR_TRY(fr_world_gather(world, mine, chunk, whole, error));
    memcpy(data, whole, size);
    return FR_OK;
}

/* From rank 0 to each. */
static fr_status broadcast_by_star(fr_link *link, void *data, size_t size, fr_error *error) {
    FR_OWNED fr_message *out = NULL;
    fr_message in = {0, data, size};
    if (link->rank > 0) return fr_link_exchange(link, model_back, NULL, 0, &in, 1, error);
    FR_TRY(fr_allocate((void **)&out, link->size, sizeof *out, "messages", error));
    for (int r = 1; r < link->size; r++) out[r - 1] = (fr_message){r, data, size};
    return fr_link_exchange(link, model_back, out, link->size - 1, NULL, 0, error);
}

fr_status fr_world_broadcast(fr_world *world, void *data, size_t size, bool tree, fr_error *error) {
    int ranks = fr_world_size(world);
    if (ranks == 1) return FR_OK;
    if (!tree) return broadcast_by_star(world->link, data, size, error);
    if (fr_broadcast_uses_chunks(ranks, size)) return broadcast_in_chunks(world, data, size, error);
    return fr_link_broadcast(world->link, model_back, data, size, error);
}

/* ----------------------------------------------------------------------------------------------- sum */

void fr_slices_cut(const void *vector, int64_t count, int ranks, size_t size, size_t stride, void *slices) {
    for (int r = 0; r < ranks; r++) {
        fr_range slice = fr_split(count, ranks, r);
        memcpy((char *)slices + (size_t)r * stride, (const char *)vector + (size_t)slice.first * size,
               (size_t)slice.count * size);
    }
}

void fr_slices_join(const void *slices, int64_t count, int ranks, size_t size, size_t stride, void *vector) {
    for (int r = 0; r < ranks; r++) {
        fr_range slice = fr_split(count, ranks, r);
        memcpy((char *)vector + (size_t)slice.first * size, (const char *)slices + (size_t)r * stride,
               (size_t)slice.count * size);
    }
}

static void add_vectors(const double *vectors, int64_t how_many, int64_t width, double *sum) {
    memset(sum, 0, (size_t)width * sizeof *sum);
    for (int64_t k = 0; k < how_many; k++)
        for (int64_t j = 0; j < width; j++) sum[j] += vectors[k * width + j];
}

fr_status fr_world_sum(fr_world *world, const int *owns, const double *mine, int64_t count, double *sum,
                       fr_error *error) {
    int ranks = fr_world_size(world), rank = fr_world_rank(world), most = 0;
    if (ranks == 1) {
        add_vectors(mine, owns[0], count, sum);
        return FR_OK;
    }
    for (int r = 0; r < ranks; r++) most = owns[r] > most ? owns[r] : most;
    /* Slices filled up to the longest, vectors to the most that a rank has. */
    int64_t width = (count + ranks - 1) / ranks, block = most * width;
    FR_OWNED double *send = NULL;
    FR_OWNED double *receive = NULL;
    FR_TRY(fr_allocate((void **)&send, ranks * block, sizeof *send, "sums over ranks", error));
    FR_TRY(fr_allocate((void **)&receive, ranks * block, sizeof *receive, "sums over ranks", error));
    for (int k = 0; k < owns[rank]; k++)
        fr_slices_cut(mine + k * count, count, ranks, sizeof *send, (size_t)block * sizeof *send, send + k * width);
    FR_TRY(fr_world_all_to_all(world, send, (size_t)block * sizeof *send, receive, error));
    int64_t vectors = 0; /* from here on one behind the other */
    for (int r = 0; r < ranks; vectors += owns[r], r++)
        memmove(receive + vectors * width, receive + r * block, (size_t)(owns[r] * width) * sizeof *receive);
    add_vectors(receive, vectors, width, send);
    FR_TRY(fr_world_gather(world, send, (size_t)width * sizeof *send, receive, error));
    fr_slices_join(receive, count, ranks, sizeof *sum, (size_t)width * sizeof *sum, sum);
    return FR_OK;
}

/* --------------------------------------------------------------------------------------------- agree */

/* The line of the first rank that failed. Which rank is said only where not all say the same. */
static fr_status first_failure(const fr_error *all, int ranks, fr_error *error) {
    int first = 0;
    bool common = true;
    while (first < ranks && all[first].status == FR_OK) first++;
    if (first == ranks) return FR_OK;
    for (int r = 0; r < ranks; r++) common &= strcmp(all[r].message, all[first].message) == 0;
    if (error) *error = all[first];
    if (!common) fr_error_name_rank(error, first);
    return all[first].status;
}

fr_status fr_world_agree(fr_world *world, fr_status mine, fr_error *error) {
    int ranks = fr_world_size(world);
    FR_OWNED fr_error *all = NULL;
    fr_error own = {.rank = -1, .device = -1, .step = -1};
    if (ranks == 1) return mine;
    if (mine != FR_OK && error) own = *error;
    own.status = mine;
    FR_TRY(fr_allocate((void **)&all, ranks, sizeof *all, "the ranks' agreement", error));
    FR_TRY(fr_world_gather(world, &own, sizeof own, all, error));
    fr_status status = first_failure(all, ranks, error);
    world->agreed = status != FR_OK;
    return status;
}

void fr_first_difference(const char **found, int *found_length, const char **expected, int *expected_length) {
    const char *f = *found, *e = *expected;
    size_t start = 0;
    for (size_t at = 0; f[at] && f[at] == e[at]; at++)
        if (f[at] == '\n') start = at + 1;
    *found += start;
    *expected += start;
    *found_length = (int)strcspn(*found, "\n");
    *expected_length = (int)strcspn(*expected, "\n");
}

fr_status fr_world_same(fr_world *world, const char *text, fr_status status, fr_error *error) {
    enum { SIZE = FR_WORLD_SAME_SIZE };
    int ranks = fr_world_size(world);
    char own[SIZE] = "";
    FR_OWNED char *all = NULL;
    if (ranks == 1) return FR_OK;
    memcpy(own, text, strlen(text) < SIZE ? strlen(text) : SIZE - 1);
    FR_TRY(fr_allocate((void **)&all, ranks, SIZE, "the ranks' agreement", error));
    FR_TRY(fr_world_gather(world, own, SIZE, all, error));
    for (int r = 1; r < ranks; r++) {
        const char *found = all + (size_t)r * SIZE, *expected = all;
        int found_length, expected_length;
        if (strcmp(found, expected) == 0) continue;
        fr_first_difference(&found, &found_length, &expected, &expected_length);
        world->agreed = true;
        return fr_fail_on_rank(error, status, r, "rank %d differs from rank 0: it has %.*s, rank 0 has %.*s", r,
                               found_length, found, expected_length, expected);
    }
    return FR_OK;
}
