/*
 * link_mpi.c - the link over MPI: non-blocking sends and receives, and a wait that sleeps.
 *
 * MPI's own collectives are not used: they poll without pause, which starves the ranks that compute where several
 * share a processor, and they wait for ever for a rank that was stopped. Here a wait tests, sleeps, and counts how long
 * nothing has come. Only time in which this process was awake counts, so that a job that was suspended as a whole goes
 * on when it is resumed.
 */
#include <mpi.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "ranks/link.h"

typedef struct mpi_link {
    fr_link base;
    MPI_Comm comm;
    bool ours; /* MPI was started here */
    int processors;
    MPI_Request *requests;
    MPI_Status *statuses;
    int *done;
    int room; /* of the three above */
} mpi_link;

/* The messages of one exchange; requests stand in this order: in, out. */
typedef struct packed {
    const fr_message *out;
    fr_message *in;
    int outs, ins;
} packed;

static fr_status fail(const mpi_link *l, int code, const char *what, fr_error *error) {
    char text[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    MPI_Error_string(code, text, &length);
    return fr_fail_on_rank(error, FR_ERROR_DEVICE, l->base.rank, "rank %d: %s failed: %.*s", l->base.rank, what, length,
                           text);
}

/* ------------------------------------------------------------------------------------------ joining */

static int number_of(const char *variable) {
    const char *text = getenv(variable);
    return text ? atoi(text) : 0;
}

int fr_link_started(void) {
    static const char *const variables[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE",
                                            "SLURM_STEP_NUM_TASKS"};
    int most = 1;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        if (number_of(variables[i]) > most) most = number_of(variables[i]);
    return most;
}

static fr_status start_mpi(mpi_link *l, fr_error *error) {
    int started = 0, provided = 0, code = MPI_Initialized(&started);
    if (code == MPI_SUCCESS && !started) {
        /* Open MPI's event loop asks poll() about all connections at every look; epoll costs the same for any number. */
        setenv("OMPI_MCA_opal_event_include", "epoll", 0);
        code = MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &provided);
        l->ours = code == MPI_SUCCESS;
    }
    if (code == MPI_SUCCESS) code = MPI_Comm_dup(MPI_COMM_WORLD, &l->comm);
    if (code == MPI_SUCCESS) code = MPI_Comm_set_errhandler(l->comm, MPI_ERRORS_RETURN);
    if (code == MPI_SUCCESS) code = MPI_Comm_size(l->comm, &l->base.size);
    if (code == MPI_SUCCESS) code = MPI_Comm_rank(l->comm, &l->base.rank);
    if (code != MPI_SUCCESS) return fail(l, code, "starting MPI", error);
    if (l->base.size < fr_link_started())
        return fr_fail(error, FR_ERROR_DEVICE,
                       "the launcher started %d processes, but MPI joins only %d of them; launch with the mpirun of "
                       "this MPI, or with srun --mpi=pmix",
                       fr_link_started(), l->base.size);
    return FR_OK;
}

fr_status fr_link_join(fr_link **link, fr_error *error) {
    mpi_link *l = NULL;
    fr_status status = fr_allocate((void **)&l, 1, sizeof *l, "the link", error);
    if (status != FR_OK) return status;
    l->comm = MPI_COMM_NULL;
    l->base.local_ranks = 1;
    l->processors = (int)sysconf(_SC_NPROCESSORS_ONLN);
    status = start_mpi(l, error);
    if (status == FR_OK) *link = &l->base;
    else fr_link_leave(&l->base);
    return status;
}

void fr_link_leave(fr_link *link) {
    mpi_link *l = (mpi_link *)link;
    if (!l) return;
    if (l->comm != MPI_COMM_NULL) MPI_Comm_free(&l->comm);
    if (l->ours) MPI_Finalize();
    free(l->requests);
    free(l->statuses);
    free(l->done);
    free(l);
}

void fr_link_abort(fr_link *link, int code) {
    MPI_Abort(((mpi_link *)link)->comm, code);
    abort(); /* MPI_Abort may return, but not here */
}

/* ------------------------------------------------------------------------------------------ waiting */

/* "rank 2", "ranks 2, 5 and 3 more": those whose messages are still to come, or else are still to be taken. */
static void name_missing(const mpi_link *l, const packed *all, char *text, size_t size) {
    int missing = 0, named = 0, first = 0, last = all->ins;
    for (int i = 0; i < all->ins; i++) missing += l->requests[i] != MPI_REQUEST_NULL;
    if (missing == 0) {
        first = all->ins, last = all->ins + all->outs;
        for (int i = first; i < last; i++) missing += l->requests[i] != MPI_REQUEST_NULL;
    }
    size_t used = (size_t)snprintf(text, size, missing == 1 ? "rank " : "ranks ");
    for (int i = first; i < last && named < 4; i++) {
        int rank = i < all->ins ? all->in[i].rank : all->out[i - all->ins].rank;
        if (l->requests[i] != MPI_REQUEST_NULL && used < size)
            used += (size_t)snprintf(text + used, size - used, "%s%d", named++ ? ", " : "", rank);
    }
    if (missing > named && used < size) snprintf(text + used, size - used, " and %d more", missing - named);
}

static fr_status tell_silence(const mpi_link *l, const char *what, const packed *all, fr_error *error) {
    char missing[96];
    name_missing(l, all, missing, sizeof missing);
    return fr_fail_on_rank(error, FR_ERROR_TIMEOUT, l->base.rank,
                           "rank %d: %s had no answer from %s for %g seconds", l->base.rank, what, missing,
                           l->base.timeout);
}

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

/* Open MPI's test looks at the requests first and for messages then: what has come, the next test tells. */
static int look(const mpi_link *l, int count, int *done) {
    int code = MPI_SUCCESS;
    *done = 0;
    for (int i = 0; i < 2 && code == MPI_SUCCESS && *done == 0; i++)
        code = MPI_Testsome(count, l->requests, done, l->done, l->statuses);
    return code;
}

/* Until all requests are done. Ranks time out one after the other, so that one of them speaks. */
static fr_status wait_all(mpi_link *l, const char *what, const packed *all, fr_error *error) {
    const int count = all->ins + all->outs;
    double silent = 0, before = fr_seconds(), limit = l->base.timeout + 0.05 * l->base.rank;
    for (int turn = 0, left = count;; turn++) {
        int done = 0;
        if (left == 0) return FR_OK;
        int code = look(l, count, &done);
        if (code != MPI_SUCCESS) return fail(l, code, what, error);
        if (done == MPI_UNDEFINED) return FR_OK;
        for (int i = 0; i < done; i++) {
            int which = l->done[i], bytes = 0;
            if (which >= all->ins) continue;
            MPI_Get_count(&l->statuses[i], MPI_BYTE, &bytes);
            all->in[which].size = (size_t)bytes;
            l->base.received += (uint64_t)bytes;
        }
        left -= done;
        if (left == 0) return FR_OK;
        rest(l, turn);
        double now = fr_seconds(), awake = now - before;
        before = now;
        silent = done > 0 ? 0 : silent + (awake < 1 ? awake : 1);
        if (l->base.timeout > 0 && silent > limit) return tell_silence(l, what, all, error);
    }
}

/* ----------------------------------------------------------------------------------------- exchange */

static fr_status make_room(mpi_link *l, int count, fr_error *error) {
    if (count <= l->room) return FR_OK;
    free(l->requests);
    free(l->statuses);
    free(l->done);
    l->requests = NULL, l->statuses = NULL, l->done = NULL, l->room = 0;
    fr_status status = fr_allocate((void **)&l->requests, count, sizeof *l->requests, "messages", error);
    if (status == FR_OK) status = fr_allocate((void **)&l->statuses, count, sizeof *l->statuses, "messages", error);
    if (status == FR_OK) status = fr_allocate((void **)&l->done, count, sizeof *l->done, "messages", error);
    if (status == FR_OK) l->room = count;
    return status;
}

static fr_status check_size(const mpi_link *l, const fr_message *messages, int count, fr_error *error) {
    for (int i = 0; i < count; i++)
        if (messages[i].size > FR_LINK_MOST)
            return fr_fail_on_rank(error, FR_ERROR_USAGE, l->base.rank,
                                   "rank %d: a message of %zu bytes; at most %zu can be sent", l->base.rank,
                                   messages[i].size, FR_LINK_MOST);
    return FR_OK;
}

fr_status fr_link_exchange(fr_link *link, const char *what, const fr_message *out, int outs, fr_message *in, int ins,
                           fr_error *error) {
    enum { TAG = 1 };
    mpi_link *l = (mpi_link *)link;
    double began = fr_seconds();
    int code = MPI_SUCCESS;
    fr_status status = make_room(l, outs + ins, error);
    if (status == FR_OK) status = check_size(l, out, outs, error);
    if (status == FR_OK) status = check_size(l, in, ins, error);
    if (status != FR_OK) return status;
    for (int i = 0; i < ins && code == MPI_SUCCESS; i++)
        code = MPI_Irecv(in[i].data, (int)in[i].size, MPI_BYTE, in[i].rank, TAG, l->comm, &l->requests[i]);
    for (int i = 0; i < outs && code == MPI_SUCCESS; i++) {
        code = MPI_Isend(out[i].data, (int)out[i].size, MPI_BYTE, out[i].rank, TAG, l->comm, &l->requests[ins + i]);
        link->sent += out[i].size;
    }
    const packed all = {out, in, outs, ins};
    status = code == MPI_SUCCESS ? wait_all(l, what, &all, error) : fail(l, code, what, error);
    link->seconds += fr_seconds() - began;
    return status;
}
