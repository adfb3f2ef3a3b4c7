/*
 * link.h - messages between the processes of a run: the one thing that fitrelu asks of MPI.
 *
 * A link has a single operation, exchange: send these messages, receive those, and return when all is done. What is
 * built of it (gathering, sums, the collectives of a step) stands in ranks/world.c and exchange/mpi.c and knows no MPI. Messages
 * between two ranks arrive in the order in which they were sent, and all ranks make their exchanges in one order, so
 * messages carry no names.
 *
 * Whoever waits does so politely: by short sleeps that grow, since ranks often share processors with ranks that have
 * work to do. Nobody waits longer than the timeout for a rank that is silent.
 */
#ifndef FR_LINK_H
#define FR_LINK_H

#include "base/status.h"

typedef struct fr_message {
    int rank;    /* to, or from */
    void *data;
    size_t size; /* bytes to send; or the most that may come, and afterwards what has come */
} fr_message;

typedef struct fr_link {
    int rank, size;
    int local_ranks;   /* ranks on this machine, this one among them; the world finds out, until then 1 */
    int local_rank;    /* which of these this one is, from 0 */
    double timeout;   /* seconds that a rank may be silent; 0: any */
    double seconds;   /* spent in exchanges so far */
    uint64_t sent, received; /* bytes of messages so far */
} fr_link;

/* How many processes the launcher (mpirun, srun) says that it started together with this one; 1: none. */
int fr_link_started(void);

/* Starts MPI, unless the calling program has done so. Called by every process of the run. */
fr_status fr_link_join(fr_link **link, fr_error *error);
/* Ends MPI if join started it. Called by every process; NULL is fine. */
void fr_link_leave(fr_link *link);
/* Ends every process of the run at once with this exit code; does not return. */
void fr_link_abort(fr_link *link, int code) __attribute__((noreturn));

/* what: for the line about a rank that does not answer ("the sum"). No two messages of `in` share memory. */
fr_status fr_link_exchange(fr_link *link, const char *what, const fr_message *out, int outs, fr_message *in, int ins,
                           fr_error *error);

/* The largest message; d is far from it. */
#define FR_LINK_MOST ((size_t)1 << 30)

#endif
