/*
 * link_check - what the ranks of tests/cluster/run do, and a ruler for the links of tools/cluster.
 *
 * Every rank counts the others by an allreduce; then rank 0 and rank 1 send each other BYTES bytes, and all ranks but
 * the first send BYTES to rank 0 at once, the pattern of the paper's master. Each message carries a pattern that its
 * receiver compares in full, so that what is timed is also known to have arrived. The times printed are rank 0's.
 *
 *   mpirun -np 3 link_check [BYTES] [REPEATS]          (1000000, 1)
 *
 * One line a measurement: pattern, bytes into one link, the least seconds of the repeats. Exit code 0, or 1 with a
 * line on stderr when a sum or a message is wrong.
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

enum { DATA, TOKEN };

static unsigned char pattern(int rank, size_t at) {
    return (unsigned char)((at * 131 + (size_t)rank * 17 + at / 251) & 255);
}

static void fill(unsigned char *bytes, size_t count, int rank) {
    for (size_t i = 0; i < count; ++i) bytes[i] = pattern(rank, i);
}

/* Ends all ranks unless `bytes` is what `rank` sends. */
static void check(const unsigned char *bytes, size_t count, int rank) {
    for (size_t i = 0; i < count; ++i)
        if (bytes[i] != pattern(rank, i)) {
            fprintf(stderr, "link_check: byte %zu from rank %d is %d, not %d\n", i, rank, bytes[i], pattern(rank, i));
            MPI_Abort(MPI_COMM_WORLD, 1);
        }
}

/* Seconds in which `count` bytes go from each of the ranks first ... last to rank `to`, by the clock of rank 0, which
 * starts it before the senders are told to begin and reads it after the receiver has said that it has all: so the
 * figure is never too small, and too large by two empty messages. */
static double transfer(unsigned char *room, size_t count, int first, int last, int to) {
    int rank, posted = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Request *requests = malloc((size_t)(last - first + 1) * sizeof *requests);
    if (!requests) MPI_Abort(MPI_COMM_WORLD, 1);
    if (rank == to)
        for (int from = first; from <= last; ++from, ++posted)
            MPI_Irecv(room + (size_t)posted * count, (int)count, MPI_BYTE, from, DATA, MPI_COMM_WORLD,
                      &requests[posted]);
    else fill(room, count, rank);
    MPI_Barrier(MPI_COMM_WORLD);
    double start = MPI_Wtime();
    for (int sender = first; rank == 0 && sender <= last; ++sender)
        if (sender != 0) MPI_Send(NULL, 0, MPI_BYTE, sender, TOKEN, MPI_COMM_WORLD);
    if (rank >= first && rank <= last) {
        if (rank != 0) MPI_Recv(NULL, 0, MPI_BYTE, 0, TOKEN, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Send(room, (int)count, MPI_BYTE, to, DATA, MPI_COMM_WORLD);
    }
    MPI_Waitall(posted, requests, MPI_STATUSES_IGNORE);
    if (to != 0 && rank == to) MPI_Send(NULL, 0, MPI_BYTE, 0, TOKEN, MPI_COMM_WORLD);
    if (to != 0 && rank == 0) MPI_Recv(NULL, 0, MPI_BYTE, to, TOKEN, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    double seconds = MPI_Wtime() - start;
    for (int k = 0; k < posted; ++k) check(room + (size_t)k * count, count, first + k);
    free(requests);
    return seconds;
}

static void measure(const char *name, unsigned char *room, size_t count, int repeats, int first, int last, int to) {
    double best = 1e30;
    for (int repeat = 0; repeat < repeats; ++repeat) {
        double seconds = transfer(room, count, first, last, to);
        best = seconds < best ? seconds : best;
    }
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) printf("%s %zu %.6f\n", name, count * (size_t)(last - first + 1), best);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
    int repeats = argc > 2 ? atoi(argv[2]) : 1;
    int rank, size, sum;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);

    int mine = rank + 1;
    MPI_Allreduce(&mine, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    unsigned char *room = malloc(count * (size_t)size);
    if (size < 2 || !room || sum != size * (size + 1) / 2) {
        fprintf(stderr, "link_check: rank %d: %d ranks, their numbers add up to %d\n", rank, size, sum);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    if (rank == 0) printf("ranks %d\n", size);
    measure("0-to-1", room, count, repeats, 0, 0, 1);
    measure("1-to-0", room, count, repeats, 1, 1, 0);
    measure("all-to-0", room, count, repeats, 1, size - 1, 0);
    free(room);
    MPI_Finalize();
    return 0;
}
