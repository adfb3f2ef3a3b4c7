/*
 * link_parts.h - the link over MPI from inside, for the files that make it up.
 *
 *   ranks/link_mpi.c          joining and leaving, messages between two ranks
 *   ranks/link_collectives.c  MPI's own collectives
 *   ranks/link_node.c         sums by node
 *   ranks/link_wait.c         how a rank waits, and finds out who is silent
 */
#ifndef FR_LINK_PARTS_H
#define FR_LINK_PARTS_H

#include <mpi.h>
#include <pthread.h>

#include "ranks/link.h"

enum { FR_TAG_MESSAGE = 1, FR_TAG_BEAT = 2, FR_TAG_ROLL = 3 };

/* The ranks that share this one's memory (ranks/link_node.c); made where there are nodes of several ranks. */
typedef struct link_node {
    MPI_Comm comm, firsts; /* of the node; of the first ranks of all, elsewhere MPI_COMM_NULL */
    int size, rank, nodes;
    int number; /* of the node, in firsts */
    MPI_Win window;
    uint32_t **parts, *total; /* in the window: of each rank of the node, and their sum */
} link_node;

/* How far a message has come. */
typedef struct arrival {
    size_t bytes;
    bool posted, complete; /* its next piece is waited for; it is all there */
} arrival;

typedef struct mpi_link {
    fr_link base;
    MPI_Comm comm;
    bool ours; /* MPI was started here */
    bool serialized; /* MPI may be called by one thread after the other */
    int processors;
    pthread_mutex_t lock; /* held while MPI is called; in an exchange to its end */
    MPI_Request *requests;
    MPI_Status *statuses;
    int *done;
    arrival *arrivals;
    int room; /* of the four above */
    /* MPI can neither cancel nor free a collective that was given up: its request and its memory stay as they are. */
    MPI_Request collective;
    char *stage;
    size_t stage_size;
    bool given_up;
    link_node node;
} mpi_link;

/* FR_ERROR_DEVICE with MPI's own words for the code. */
fr_status fr_link_fail(const mpi_link *l, int code, const char *what, fr_error *error);

/* Until l->collective, begun with this code, is done. */
fr_status fr_link_finish(mpi_link *l, int code, const char *what, fr_error *error);

/* Finds the nodes: link->nodes, where sums are to go by them. Called by all ranks. */
fr_status fr_node_make(mpi_link *l, fr_error *error);
void fr_node_free(link_node *n);
/* words <- their sum over all ranks; all call. And what this rank sends for it, as long as receives. */
fr_status fr_node_sum(mpi_link *l, const char *what, uint32_t *words, int64_t count, fr_error *error);
double fr_node_sum_bytes(const mpi_link *l, double bytes);

/* A wait that is under way: seconds in which nothing came while this process was awake. */
typedef struct link_wait {
    int turn;
    double silent, before;
} link_wait;

static inline link_wait fr_link_wait(double now) { return (link_wait){0, 0, now}; }

/* After a look: rests, and counts the silence; moved: something has come. FR_ERROR_TIMEOUT with the names of the ranks that
 * do not answer when the timeout is over. */
fr_status fr_link_rest(mpi_link *l, link_wait *p, bool moved, const char *what, fr_error *error);

#endif
