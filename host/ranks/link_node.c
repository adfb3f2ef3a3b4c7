/*
 * link_node.c - sums of whole numbers by node: inside each through memory that its ranks share, between nodes by the first
 * rank of each alone.
 *
 *   every rank      own words -> its part of the window                                        | the node meets
 *   every rank      a slice: the sum over the parts of its node -> the node's total            | the node meets
 *   the first one   the total: MPI_Iallreduce among the first ranks                            | the node meets
 *   every rank      the total -> own words
 *
 * Whole numbers have no order, so no bit depends on who shares a node; what goes over the network shrinks by the ranks that a
 * node has. Meetings are MPI_Ibarrier, polled as all collectives are, so that a rank that is silent is told. The window is made
 * once, of ROUND words a rank: longer vectors go in rounds.
 */
#include <stdlib.h>
#include <string.h>

#include "kernels/rules/split.h"
#include "ranks/link_parts.h"
#include "ranks/routes.h"

enum { ROUND = 1 << 18 };

/* ---------------------------------------------------------------------------------------- made once */

/* The parts of all ranks of the node, and the total behind those of the first. */
static int find_parts(link_node *n) {
    int code = MPI_SUCCESS;
    for (int r = 0; r < n->size && code == MPI_SUCCESS; r++) {
        MPI_Aint size;
        int unit;
        code = MPI_Win_shared_query(n->window, r, &size, &unit, &n->parts[r]);
    }
    n->total = n->parts[0] + ROUND;
    return code;
}

static int make_window(link_node *n) {
    void *own;
    MPI_Aint bytes = (MPI_Aint)((n->rank == 0 ? 2 : 1) * ROUND * sizeof(uint32_t));
    int code = MPI_Win_allocate_shared(bytes, sizeof(uint32_t), MPI_INFO_NULL, n->comm, &own, &n->window);
    if (code == MPI_SUCCESS) code = find_parts(n);
    return code == MPI_SUCCESS ? MPI_Win_lock_all(MPI_MODE_NOCHECK, n->window) : code;
}

/* Which ranks share this one's memory, and how many nodes there are. */
static int split(mpi_link *l) {
    link_node *n = &l->node;
    int first, code = MPI_Comm_split_type(l->comm, MPI_COMM_TYPE_SHARED, l->base.rank, MPI_INFO_NULL, &n->comm);
    if (code == MPI_SUCCESS) code = MPI_Comm_set_errhandler(n->comm, MPI_ERRORS_RETURN);
    if (code == MPI_SUCCESS) code = MPI_Comm_size(n->comm, &n->size);
    if (code == MPI_SUCCESS) code = MPI_Comm_rank(n->comm, &n->rank);
    first = n->rank == 0;
    if (code == MPI_SUCCESS) code = MPI_Allreduce(&first, &n->nodes, 1, MPI_INT, MPI_SUM, l->comm);
    return code;
}

/* The communicator of the nodes' first ranks. */
static int join_firsts(mpi_link *l) {
    link_node *n = &l->node;
    int code = MPI_Comm_split(l->comm, n->rank == 0 ? 0 : MPI_UNDEFINED, l->base.rank, &n->firsts);
    if (code != MPI_SUCCESS || n->rank > 0) return code;
    code = MPI_Comm_set_errhandler(n->firsts, MPI_ERRORS_RETURN);
    return code == MPI_SUCCESS ? MPI_Comm_rank(n->firsts, &n->number) : code;
}

/* On all ranks or on none: where memory cannot be shared, sums go by MPI's own way. */
fr_status fr_node_make(mpi_link *l, fr_error *error) {
    link_node *n = &l->node;
    int code = split(l), made = code == MPI_SUCCESS, all = 0;
    if (made && (n->nodes == 1 || n->nodes == l->base.size)) return FR_OK; /* one node, or one rank on each: nothing to share */
    FR_TRY(fr_allocate((void **)&n->parts, n->size > 0 ? n->size : 1, sizeof *n->parts, "the ranks of a node", error));
    if (made) made = join_firsts(l) == MPI_SUCCESS && make_window(n) == MPI_SUCCESS;
    code = MPI_Allreduce(&made, &all, 1, MPI_INT, MPI_MIN, l->comm);
    if (code != MPI_SUCCESS) return fr_link_fail(l, code, "sharing memory in a node", error);
    if (all) l->base.nodes = n->nodes;
    return FR_OK;
}

void fr_node_free(link_node *n) {
    if (n->window != MPI_WIN_NULL) {
        MPI_Win_unlock_all(n->window);
        MPI_Win_free(&n->window);
    }
    if (n->firsts != MPI_COMM_NULL) MPI_Comm_free(&n->firsts);
    if (n->comm != MPI_COMM_NULL) MPI_Comm_free(&n->comm);
    free(n->parts);
    n->parts = NULL;
}

/* --------------------------------------------------------------------------------------------- a sum */

/* What each rank of the node has written, all see. */
static fr_status meet(mpi_link *l, const char *what, fr_error *error) {
    MPI_Win_sync(l->node.window);
    FR_TRY(fr_link_finish(l, MPI_Ibarrier(l->node.comm, &l->collective), what, error));
    MPI_Win_sync(l->node.window);
    return FR_OK;
}

static void add_slice(const link_node *n, int64_t count) {
    fr_range slice = fr_split(count, n->size, n->rank);
    for (int64_t j = slice.first; j < slice.first + slice.count; j++) {
        uint32_t sum = 0;
        for (int r = 0; r < n->size; r++) sum += n->parts[r][j];
        n->total[j] = sum;
    }
}

/* The first rank's own part serves as what is sent: in place Open MPI never goes by a ring. */
static fr_status add_nodes(mpi_link *l, const char *what, int64_t count, fr_error *error) {
    link_node *n = &l->node;
    memcpy(n->parts[0], n->total, (size_t)count * sizeof *n->total);
    int code = MPI_Iallreduce(n->parts[0], n->total, (int)count, MPI_UINT32_T, MPI_SUM, n->firsts, &l->collective);
    return fr_link_finish(l, code, what, error);
}

fr_status fr_node_sum(mpi_link *l, const char *what, uint32_t *words, int64_t count, fr_error *error) {
    link_node *n = &l->node;
    for (int64_t at = 0; at < count; at += ROUND) {
        int64_t some = count - at < ROUND ? count - at : ROUND;
        memcpy(n->parts[n->rank], words + at, (size_t)some * sizeof *words);
        FR_TRY(meet(l, what, error));
        add_slice(n, some);
        FR_TRY(meet(l, what, error));
        if (n->rank == 0) FR_TRY(add_nodes(l, what, some, error));
        FR_TRY(meet(l, what, error));
        memcpy(words + at, n->total, (size_t)some * sizeof *words);
    }
    return FR_OK;
}

double fr_node_sum_bytes(const mpi_link *l, double bytes) {
    int nodes = l->base.nodes;
    if (l->node.rank > 0) return 0;
    return fr_sum_goes_round(bytes) ? 2 * (nodes - 1.0) / nodes * bytes : fr_sum_visits(nodes, l->node.number) * bytes;
}
