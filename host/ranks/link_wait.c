/*
 * link_wait.c - waiting politely, and finding out who is silent.
 *
 * Who waits sleeps between looks, each time a little longer: MPI's blocking calls poll without pause, which starves the ranks
 * that compute where several share a processor, and wait for ever for a rank that was stopped. Only time in which this process
 * was awake counts as silence, so that a job that was suspended as a whole goes on when it is resumed.
 *
 * A rank that waits knows at best whose message is missing, which may be that of a rank that waits itself; in a collective of
 * MPI's it knows nothing. So when the timeout is over the ranks answer a roll call: each sends an empty message to rank 0,
 * which names those of whom none came. If rank 0 is the silent one, the others find that it ends nothing.
 */
#include <sched.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "ranks/link_parts.h"

/* Seconds that rank 0 gives the others to answer, who began to wait a little before or after it. */
static double roll_seconds(const mpi_link *l) { return l->base.timeout < 10 ? l->base.timeout : 10; }

/* Spins for a moment where processors are free, then sleeps, each time a little longer. The more ranks a processor has,
 * the longer, since looking takes time from those that compute. */
static void rest(const mpi_link *l, int turn) {
    const int ranks = l->base.local_ranks / l->processors; /* that one processor has */
    const int spins = l->base.local_ranks > l->processors ? 0 : 2000;
    const long shortest = 20000L * (ranks < 1 ? 1 : ranks > 10 ? 10 : ranks), longest = ranks > 1 ? 400000 : 200000;
    if (turn < spins) return;
    long pause = shortest << ((turn - spins) / 4 < 6 ? (turn - spins) / 4 : 6);
    nanosleep(&(struct timespec){0, pause < longest ? pause : longest}, NULL);
}

/* Whether any rank has told that it is at work since this was last asked. The rank that this one waits for may itself
 * wait for that one. */
static bool hear_beats(const mpi_link *l) {
    for (bool heard = false;; heard = true) {
        int there = 0;
        MPI_Status from;
        if (MPI_Iprobe(MPI_ANY_SOURCE, FR_TAG_BEAT, l->comm, &there, &from) != MPI_SUCCESS || !there) return heard;
        MPI_Recv(NULL, 0, MPI_BYTE, from.MPI_SOURCE, FR_TAG_BEAT, l->comm, MPI_STATUS_IGNORE);
    }
}

/* --------------------------------------------------------------------------------------------- roll call */

/* "rank 2", "ranks 2, 5 and 3 more": those that are not here. */
static void name_missing(const bool *here, int ranks, char *text, size_t size) {
    int missing = 0, named = 0;
    for (int r = 0; r < ranks; r++) missing += !here[r];
    size_t used = (size_t)snprintf(text, size, missing == 1 ? "rank " : "ranks ");
    for (int r = 0; r < ranks && named < 4; r++)
        if (!here[r] && used < size) used += (size_t)snprintf(text + used, size - used, "%s%d", named++ ? ", " : "", r);
    if (missing > named && used < size) snprintf(text + used, size - used, " and %d more", missing - named);
    if (missing == 0) snprintf(text, size, "its messages, though all ranks are there,");
}

/* Rank 0: until all are here, or the time for it is over. */
static void hear_all(const mpi_link *l, bool *here) {
    int left = l->base.size - 1;
    for (double began = fr_seconds(); left > 0 && fr_seconds() - began < roll_seconds(l);) {
        int there = 0;
        MPI_Status from;
        if (MPI_Iprobe(MPI_ANY_SOURCE, FR_TAG_ROLL, l->comm, &there, &from) != MPI_SUCCESS) return;
        if (there) {
            MPI_Recv(NULL, 0, MPI_BYTE, from.MPI_SOURCE, FR_TAG_ROLL, l->comm, MPI_STATUS_IGNORE);
            left -= !here[from.MPI_SOURCE];
            here[from.MPI_SOURCE] = true;
        } else {
            nanosleep(&(struct timespec){0, 1000000}, NULL);
        }
    }
}

/* The others: longer than rank 0 takes to name somebody and to end them all. If it does not, rank 1 speaks, and those after it
 * if that is silent too: mpirun takes a second or two to end the ranks. */
static void wait_for_the_end(const mpi_link *l) {
    MPI_Request request;
    int done;
    if (MPI_Isend(NULL, 0, MPI_BYTE, 0, FR_TAG_ROLL, l->comm, &request) == MPI_SUCCESS) MPI_Request_free(&request);
    double most = 2 * roll_seconds(l) + 0.05 * l->base.rank + (l->base.rank > 1 ? 3 : 0);
    for (double began = fr_seconds(); fr_seconds() - began < most;) {
        MPI_Iprobe(MPI_ANY_SOURCE, FR_TAG_ROLL, l->comm, &done, MPI_STATUS_IGNORE); /* moves the message on */
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
}

static fr_status call_roll(mpi_link *l, const char *what, fr_error *error) {
    char missing[96] = "rank 0";
    FR_OWNED bool *here = NULL;
    l->given_up = true;
    FR_TRY(fr_allocate((void **)&here, l->base.size, sizeof *here, "the roll", error));
    here[l->base.rank] = true;
    if (l->base.rank > 0) {
        wait_for_the_end(l);
    } else {
        hear_all(l, here);
        name_missing(here, l->base.size, missing, sizeof missing);
    }
    return fr_fail_on_rank(error, FR_ERROR_TIMEOUT, l->base.rank, "rank %d: %s had no answer from %s for %g seconds",
                           l->base.rank, what, missing, l->base.timeout);
}

/* From half of the time on they listen whether somebody is at work. */
fr_status fr_link_rest(mpi_link *l, link_wait *p, bool moved, const char *what, fr_error *error) {
    rest(l, p->turn++);
    double now = fr_seconds(), awake = now - p->before, timeout = l->base.timeout;
    p->before = now;
    p->silent = moved ? 0 : p->silent + (awake < 1 ? awake : 1);
    if (timeout > 0 && p->silent > timeout / 2 && hear_beats(l)) p->silent = 0;
    return timeout > 0 && p->silent > timeout ? call_roll(l, what, error) : FR_OK;
}
