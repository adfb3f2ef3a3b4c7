/*
 * link.h - messages between the processes of a run: the one thing that fitrelu asks of MPI.
 *
 * A link has one operation between ranks, exchange: send these messages, receive those, and return when all is done; and the
 * collectives of MPI's that are used. What is built of them (gathering, sums, the collectives of a step) stands in
 * ranks/world.c and exchange/mpi.c and knows no MPI. Messages
 * between two ranks arrive in the order in which they were sent, and all ranks make their exchanges in one order, so
 * messages carry no names.
 *
 * Whoever waits does so politely: by short sleeps that grow, since ranks often share processors with ranks that have
 * work to do. Nobody waits longer than the timeout for a rank that is silent. A rank that works alone for long (it reads
 * its part of the data) is not silent while a thread beside says so now and then: fr_link_beat.
 */
#ifndef FR_LINK_H
#define FR_LINK_H

#include "base/status.h"

/* Seconds. */
enum { FR_DEFAULT_TIMEOUT = 300 };

typedef struct fr_message {
    int rank;    /* to, or from */
    void *data;
    size_t size; /* bytes to send; or the most that may come, and afterwards what has come */
} fr_message;

typedef struct fr_link {
    int rank, size;
    int local_ranks;   /* ranks on this machine, this one among them; the world finds out, until then 1 */
    int local_rank;    /* which of these this one is, from 0 */
    int nodes;        /* machines with several ranks, by which whole numbers are summed; 0: each rank for itself */
    double timeout;   /* seconds that a rank may be silent; 0: any */
    size_t largest;   /* bytes of MPI's largest message: larger ones go in pieces. FR_LINK_LARGEST; tests set less */
    size_t piece;     /* bytes from a rank to another in one round of a collective. FR_LINK_PIECE; tests set less */
    double seconds;   /* spent in exchanges so far, */
    double processor; /* and by the processor */
    uint64_t sent, received; /* bytes of messages so far, */
    uint64_t modelled; /* and how many collectives of MPI's are among them, whose bytes are modelled */
} fr_link;

/* Starts MPI, unless the calling program has done so. Called by every process of the run. */
fr_status fr_link_join(fr_link **link, fr_error *error);
/* Of the ranks of a communicator, by its Fortran handle, of a program that has started MPI. Called by all of these. */
fr_status fr_link_of(int communicator, fr_link **link, fr_error *error);
/* Finds out which ranks share memory (link->nodes), and has them share it. Called by all, once they have met. */
fr_status fr_link_find_nodes(fr_link *link, fr_error *error);
/* Ends MPI if join started it. Called by every process; NULL is fine. */
void fr_link_leave(fr_link *link);
/* Ends every process of the run at once with this exit code; does not return. */
void fr_link_abort(fr_link *link, int code) __attribute__((noreturn));

/* what: for the line about a rank that does not answer ("the sum"). No two messages of `in` share memory. */
fr_status fr_link_exchange(fr_link *link, const char *what, const fr_message *out, int outs, fr_message *in, int ins,
                           fr_error *error);

/* MPI's own collectives, in which every rank takes part with the same lengths. Their bytes are modelled: those that any way
 * needs; of the first two, by a binomial tree. Sums wrap. */
fr_status fr_link_sum(fr_link *link, const char *what, uint32_t *words, int64_t count, fr_error *error); /* in place */
fr_status fr_link_broadcast(fr_link *link, const char *what, void *data, size_t size, fr_error *error); /* of rank 0 */
/* all: size bytes of each rank; and of send, size bytes to each rank, receive from each. */
fr_status fr_link_gather(fr_link *link, const char *what, const void *mine, size_t size, void *all, fr_error *error);
fr_status fr_link_all_to_all(fr_link *link, const char *what, const void *send, size_t size, void *receive,
                             fr_error *error);

/* From a thread of its own: tells the other ranks that this one is at work. False, and nothing told, while it is in an
 * exchange. */
bool fr_link_beat(fr_link *link);
/* Whether an exchange is under way. */
bool fr_link_is_busy(fr_link *link);

/* Long ones collide on TCP, and beyond 64 kB Open MPI asks the receiver first: bench/NOTES.md has what was measured. */
#define FR_LINK_PIECE ((size_t)1 << 13)

/* MPI counts bytes in an int. */
#define FR_LINK_LARGEST ((size_t)1 << 30)

#endif
