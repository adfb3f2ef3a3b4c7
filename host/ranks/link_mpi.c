/*
 * link_mpi.c - joining MPI, and messages between two ranks: non-blocking sends and receives (waits: ranks/link_wait.c).
 *
 * A message of `largest` bytes or more goes in pieces: full ones, and at the end one that is shorter, be it empty. So its
 * receiver, who knows only the most that may come, knows when it has all. Pieces carry no names either: the next piece,
 * or the next message from the same rank, is received when the piece before has come.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "ranks/coverage.h"
#include "ranks/launch.h"
#include "ranks/link_parts.h"

/* The messages of one exchange; requests stand in this order: one for each of in, one for each piece of out. */
typedef struct batch {
    const fr_message *out;
    fr_message *in;
    int outs, ins, pieces;
    bool large; /* a message that comes may be pieces */
} batch;

fr_status fr_link_fail(const mpi_link *l, int code, const char *what, fr_error *error) {
    char text[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    MPI_Error_string(code, text, &length);
    return fr_fail_on_rank(error, FR_ERROR_DEVICE, l->base.rank, "rank %d: %s failed: %.*s", l->base.rank, what, length,
                           text);
}

/* ------------------------------------------------------------------------------------------ joining */

/* Over a duplicate, so that no message is taken for another's. */
static fr_status take_ranks(mpi_link *l, MPI_Comm from, fr_error *error) {
    int provided = 0, code = MPI_Query_thread(&provided);
    l->serialized = provided >= MPI_THREAD_SERIALIZED;
    if (code == MPI_SUCCESS) code = MPI_Comm_dup(from, &l->comm);
    if (code == MPI_SUCCESS) code = MPI_Comm_set_errhandler(l->comm, MPI_ERRORS_RETURN);
    if (code == MPI_SUCCESS) code = MPI_Comm_size(l->comm, &l->base.size);
    if (code == MPI_SUCCESS) code = MPI_Comm_rank(l->comm, &l->base.rank);
    return code == MPI_SUCCESS ? FR_OK : fr_link_fail(l, code, "starting MPI", error);
}

static fr_status start_mpi(mpi_link *l, fr_error *error) {
    int started = 0, provided = 0, code = MPI_Initialized(&started);
    if (code == MPI_SUCCESS && !started) {
        /* Open MPI's event loop asks poll() about all connections at every look; epoll costs the same for any number. */
        setenv("OMPI_MCA_opal_event_include", "epoll", 0);
        code = MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &provided);
        l->ours = code == MPI_SUCCESS;
    }
    if (code != MPI_SUCCESS) return fr_link_fail(l, code, "starting MPI", error);
    FR_TRY(take_ranks(l, MPI_COMM_WORLD, error));
    if (l->base.size < fr_launched_ranks())
        return fr_fail(error, FR_ERROR_DEVICE,
                       "the launcher started %d processes, but MPI joins only %d of them; launch with the mpirun of "
                       "this MPI, or with srun --mpi=pmix",
                       fr_launched_ranks(), l->base.size);
    return FR_OK;
}

static fr_status make_link(mpi_link **link, fr_error *error) {
    mpi_link *l = NULL;
    FR_TRY(fr_allocate((void **)&l, 1, sizeof *l, "the link", error));
    l->comm = MPI_COMM_NULL;
    l->base.local_ranks = 1;
    l->base.largest = FR_LINK_LARGEST;
    l->base.piece = FR_LINK_PIECE;
    l->collective = MPI_REQUEST_NULL;
    l->node = (link_node){.comm = MPI_COMM_NULL, .firsts = MPI_COMM_NULL, .window = MPI_WIN_NULL};
    pthread_mutex_init(&l->lock, NULL);
    l->processors = (int)sysconf(_SC_NPROCESSORS_ONLN);
    *link = l;
    return FR_OK;
}

fr_status fr_link_join(fr_link **link, fr_error *error) {
    mpi_link *l;
    FR_TRY(make_link(&l, error));
    fr_status status = start_mpi(l, error);
    if (status == FR_OK) *link = &l->base;
    else fr_link_leave(&l->base);
    return status;
}

fr_status fr_link_of(int communicator, fr_link **link, fr_error *error) {
    mpi_link *l;
    int started = 0;
    if (MPI_Initialized(&started) != MPI_SUCCESS || !started)
        return fr_fail(error, FR_ERROR_DEVICE, "a communicator of MPI was given, but the MPI that fitrelu was built with is not "
                                               "started: the program uses another");
    FR_TRY(make_link(&l, error));
    fr_status status = take_ranks(l, MPI_Comm_f2c((MPI_Fint)communicator), error);
    if (status == FR_OK) *link = &l->base;
    else fr_link_leave(&l->base);
    return status;
}

fr_status fr_link_find_nodes(fr_link *link, fr_error *error) {
    mpi_link *l = (mpi_link *)link;
    pthread_mutex_lock(&l->lock);
    fr_status status = fr_node_make(l, error);
    pthread_mutex_unlock(&l->lock);
    return status;
}

void fr_link_leave(fr_link *link) {
    mpi_link *l = (mpi_link *)link;
    if (!l) return;
    if (!l->given_up) fr_node_free(&l->node);
    if (l->comm != MPI_COMM_NULL) MPI_Comm_free(&l->comm);
    if (l->ours) MPI_Finalize();
    free(l->requests);
    free(l->statuses);
    free(l->done);
    free(l->arrivals);
    if (!l->given_up) free(l->stage);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

void fr_link_abort(fr_link *link, int code) {
    fr_coverage_keep();
    MPI_Abort(((mpi_link *)link)->comm, code);
    abort(); /* MPI_Abort may return, but not here */
}

/* -------------------------------------------------------------------------------------------- beats */

bool fr_link_beat(fr_link *link) {
    mpi_link *l = (mpi_link *)link;
    if (pthread_mutex_trylock(&l->lock) != 0) return false;
    for (int r = 0; r < link->size && l->serialized; r++) {
        MPI_Request request;
        if (r == link->rank) continue;
        if (MPI_Isend(NULL, 0, MPI_BYTE, r, FR_TAG_BEAT, l->comm, &request) == MPI_SUCCESS) MPI_Request_free(&request);
    }
    pthread_mutex_unlock(&l->lock);
    return true;
}

bool fr_link_is_busy(fr_link *link) {
    mpi_link *l = (mpi_link *)link;
    if (pthread_mutex_trylock(&l->lock) != 0) return true;
    pthread_mutex_unlock(&l->lock);
    return false;
}

/* ------------------------------------------------------------------------------------------- pieces */

static int pieces_of(const mpi_link *l, const fr_message *m) { return (int)(m->size / l->base.largest) + 1; }

static bool may_be_pieces(const mpi_link *l, const fr_message *m) { return m->size >= l->base.largest; }

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

static int post_piece(mpi_link *l, const batch *all, int which) {
    fr_message *m = &all->in[which];
    arrival *a = &l->arrivals[which];
    a->posted = true;
    return MPI_Irecv((char *)m->data + a->bytes, (int)smaller(m->size - a->bytes, l->base.largest), MPI_BYTE, m->rank,
                     FR_TAG_MESSAGE, l->comm, &l->requests[which]);
}

/* Whether message i is behind one of the same rank's that is to come in pieces. */
static bool is_behind_pieces(const mpi_link *l, const batch *all, int i) {
    for (int j = 0; j < i; j++)
        if (all->in[j].rank == all->in[i].rank && !l->arrivals[j].complete && may_be_pieces(l, &all->in[j])) return true;
    return false;
}

/* Posts what can be: mostly all messages at once. */
static int post_messages(mpi_link *l, const batch *all) {
    int code = MPI_SUCCESS;
    for (int i = 0; i < all->ins && code == MPI_SUCCESS; i++) {
        bool posted = l->arrivals[i].posted || l->arrivals[i].complete;
        if (!posted && !(all->large && is_behind_pieces(l, all, i))) code = post_piece(l, all, i);
    }
    return code;
}

static int send_pieces(mpi_link *l, const fr_message *m, MPI_Request *requests) {
    int code = MPI_SUCCESS;
    for (int p = 0; p < pieces_of(l, m) && code == MPI_SUCCESS; p++) {
        size_t from = (size_t)p * l->base.largest;
        code = MPI_Isend((const char *)m->data + from, (int)smaller(m->size - from, l->base.largest), MPI_BYTE, m->rank,
                         FR_TAG_MESSAGE, l->comm, &requests[p]);
    }
    l->base.sent += m->size;
    return code;
}

/* A piece of that many bytes has come: *complete where the message is. */
static int take_piece(mpi_link *l, const batch *all, int which, size_t bytes, bool *complete) {
    fr_message *m = &all->in[which];
    arrival *a = &l->arrivals[which];
    bool pieces = may_be_pieces(l, m);
    a->bytes += bytes;
    a->posted = false;
    l->base.received += bytes;
    *complete = bytes < l->base.largest;
    if (!*complete) return post_piece(l, all, which);
    a->complete = true;
    m->size = a->bytes;
    return pieces ? post_messages(l, all) : MPI_SUCCESS;
}

/* ------------------------------------------------------------------------------------------ waiting */

/* Open MPI's test looks at the requests first and for messages then: what has come, the next test tells. */
static int look(const mpi_link *l, int count, int *done) {
    int code = MPI_SUCCESS;
    *done = 0;
    for (int i = 0; i < 2 && code == MPI_SUCCESS && *done == 0; i++)
        code = MPI_Testsome(count, l->requests, done, l->done, l->statuses);
    return code;
}

/* Takes what the test found; *left: messages in and pieces out that are still to come. */
static int take_done(mpi_link *l, const batch *all, int done, int *left) {
    int code = MPI_SUCCESS;
    for (int i = 0; i < done && code == MPI_SUCCESS; i++) {
        int which = l->done[i], bytes = 0;
        bool complete = true;
        if (which < all->ins) {
            MPI_Get_count(&l->statuses[i], MPI_BYTE, &bytes);
            code = take_piece(l, all, which, (size_t)bytes, &complete);
        }
        *left -= complete;
    }
    return code;
}

/* Until all requests are done. */
static fr_status wait_all(mpi_link *l, const char *what, const batch *all, fr_error *error) {
    const int count = all->ins + all->pieces;
    link_wait p = fr_link_wait(fr_seconds());
    for (int left = count; left > 0;) {
        int done = 0, code = look(l, count, &done);
        if (done == MPI_UNDEFINED) return FR_OK;
        if (code == MPI_SUCCESS) code = take_done(l, all, done, &left);
        if (code != MPI_SUCCESS) return fr_link_fail(l, code, what, error);
        if (left > 0) FR_TRY(fr_link_rest(l, &p, done > 0, what, error));
    }
    return FR_OK;
}

/* ----------------------------------------------------------------------------------------- exchange */

static fr_status make_room(mpi_link *l, int count, fr_error *error) {
    static const char what[] = "messages";
    if (count <= l->room) return FR_OK;
    free(l->requests);
    free(l->statuses);
    free(l->done);
    free(l->arrivals);
    l->requests = NULL, l->statuses = NULL, l->done = NULL, l->arrivals = NULL, l->room = 0;
    FR_TRY(fr_allocate((void **)&l->requests, count, sizeof *l->requests, what, error));
    FR_TRY(fr_allocate((void **)&l->statuses, count, sizeof *l->statuses, what, error));
    FR_TRY(fr_allocate((void **)&l->done, count, sizeof *l->done, what, error));
    FR_TRY(fr_allocate((void **)&l->arrivals, count, sizeof *l->arrivals, what, error));
    l->room = count;
    return FR_OK;
}

static fr_status start_and_wait(mpi_link *l, const char *what, const batch *all, fr_error *error) {
    FR_TRY(make_room(l, all->ins + all->pieces, error));
    for (int i = 0; i < all->ins; i++) l->requests[i] = MPI_REQUEST_NULL, l->arrivals[i] = (arrival){0};
    int code = post_messages(l, all), next = all->ins;
    for (int i = 0; i < all->outs && code == MPI_SUCCESS; i++) {
        code = send_pieces(l, &all->out[i], &l->requests[next]);
        next += pieces_of(l, &all->out[i]);
    }
    return code == MPI_SUCCESS ? wait_all(l, what, all, error) : fr_link_fail(l, code, what, error);
}

fr_status fr_link_exchange(fr_link *link, const char *what, const fr_message *out, int outs, fr_message *in, int ins,
                           fr_error *error) {
    mpi_link *l = (mpi_link *)link;
    double began = fr_seconds(), processor = fr_processor_seconds();
    batch all = {out, in, outs, ins, 0, false};
    for (int i = 0; i < outs; i++) all.pieces += pieces_of(l, &out[i]);
    for (int i = 0; i < ins; i++) all.large |= may_be_pieces(l, &in[i]);
    pthread_mutex_lock(&l->lock);
    fr_status status = start_and_wait(l, what, &all, error);
    pthread_mutex_unlock(&l->lock);
    link->seconds += fr_seconds() - began;
    link->processor += fr_processor_seconds() - processor;
    return status;
}
