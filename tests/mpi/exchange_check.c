/*
 * exchange_check - what the ranks of some tests of fault_test.cpp do.
 *
 *   mpirun -np 3 exchange_check pieces
 *
 * exchanges over a link whose largest MPI message has 1000 bytes: messages around that size and its multiples, several from
 * and to each rank, some shorter than their receiver has room for.
 *
 *   mpirun -np 5 exchange_check collectives
 *
 * MPI's collectives over such a link, in rounds of 100 bytes: sums that wrap, broadcasts, gathers and all-to-alls of lengths
 * around that size and its multiples.
 *
 *   mpirun -np 5 exchange_check roll
 *
 * rank 3 is stopped; the others wait in a collective, rank 1 in one of rank 2's messages: all of them are there but rank 3.
 *
 *   mpirun -np 2 exchange_check beats | silence
 *
 * rank 0 waits for rank 1, which is busy for several times the timeout, and says that it is at work (beats) or does not.
 *
 * Exit code 0; or that of the status, or 1, with a line on stderr, when a byte or a size is wrong.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ranks/link.h"

enum { LARGEST = 1000, ROOM = 5000, RANKS_MOST = 8 };

static const size_t sizes[] = {0, 1, LARGEST - 1, LARGEST, LARGEST + 1, 2 * LARGEST, 3 * LARGEST + 7, ROOM};
enum { SIZES = sizeof sizes / sizeof *sizes };

static unsigned char pattern(int rank, int message, size_t at) {
    return (unsigned char)((at * 131 + (size_t)rank * 17 + (size_t)message * 59 + at / 251) & 255);
}

static int fail(const fr_link *link, const char *what, int message, int from) {
    fprintf(stderr, "exchange_check: rank %d: message %d from rank %d: %s\n", link->rank, message, from, what);
    return 1;
}

static int check(const fr_link *link, const fr_message *in, int message, size_t size) {
    if (in->size != size) return fail(link, "its size is wrong", message, in->rank);
    for (size_t at = 0; at < size; at++)
        if (((const unsigned char *)in->data)[at] != pattern(in->rank, message, at))
            return fail(link, "a byte is wrong", message, in->rank);
    return 0;
}

/* All sizes to every other rank, in an order that begins with `first`. With `exact` a receiver has room for no more. */
static int exchange_all(fr_link *link, int first, bool exact) {
    static unsigned char sent[SIZES][ROOM], room[RANKS_MOST * SIZES][ROOM];
    fr_message out[RANKS_MOST * SIZES], in[RANKS_MOST * SIZES];
    fr_error error = {0};
    int count = 0, wrong = 0;
    for (int m = 0; m < SIZES; m++) {
        size_t size = sizes[(m + first) % SIZES];
        for (size_t at = 0; at < size; at++) sent[m][at] = pattern(link->rank, m, at);
        for (int r = 0; r < link->size; r++) {
            if (r == link->rank) continue;
            out[count] = (fr_message){r, sent[m], size};
            in[count] = (fr_message){r, room[count], exact ? size : ROOM};
            count++;
        }
    }
    if (fr_link_exchange(link, "the pieces", out, count, in, count, &error) != FR_OK) {
        fprintf(stderr, "exchange_check: %s\n", error.message);
        return 1;
    }
    for (int i = 0; i < count; i++) wrong |= check(link, &in[i], i / (link->size - 1), out[i].size);
    return wrong;
}

static int exchange_pieces(fr_link *link) {
    int wrong = 0;
    link->largest = LARGEST;
    link->timeout = 30;
    for (int first = 0; first < SIZES; first++) wrong |= exchange_all(link, first, first % 2 == 0);
    return wrong;
}

/* ---------------------------------------------------------------------------------------------- collectives */

static int collect(fr_link *link, size_t size) {
    static unsigned char mine[ROOM * RANKS_MOST], all[ROOM * RANKS_MOST];
    static uint32_t words[ROOM];
    fr_error error = {0};
    int wrong = 0, ranks = link->size;
    for (size_t at = 0; at < size; at++) mine[at] = pattern(link->rank, 0, at), words[at] = 0x70000000u + (uint32_t)at;
    fr_status status = fr_link_gather(link, "the gather", mine, size, all, &error);
    for (size_t at = 0; status == FR_OK && at < size * (size_t)ranks; at++)
        wrong |= all[at] != pattern((int)(at / size), 0, at % size);
    if (status == FR_OK) status = fr_link_broadcast(link, "the broadcast", mine, size, &error);
    for (size_t at = 0; status == FR_OK && at < size; at++) wrong |= mine[at] != pattern(0, 0, at);
    if (status == FR_OK) status = fr_link_sum(link, "the sum", words, (int64_t)size, &error);
    for (size_t at = 0; status == FR_OK && at < size; at++) wrong |= words[at] != (uint32_t)ranks * (0x70000000u + (uint32_t)at);
    for (int r = 0; r < ranks; r++)
        for (size_t at = 0; at < size; at++) mine[(size_t)r * size + at] = pattern(link->rank, r, at);
    if (status == FR_OK) status = fr_link_all_to_all(link, "the all-to-all", mine, size, all, &error);
    for (size_t at = 0; status == FR_OK && at < size * (size_t)ranks; at++)
        wrong |= all[at] != pattern((int)(at / size), link->rank, at % size);
    if (status != FR_OK) fprintf(stderr, "exchange_check: %s\n", error.message);
    return status != FR_OK ? (int)status : wrong ? fail(link, "a byte of a collective is wrong", (int)size, 0) : 0;
}

static int collect_all(fr_link *link) {
    int wrong = 0;
    link->largest = LARGEST;
    link->piece = 100;
    link->timeout = 30;
    for (int i = 0; i < SIZES; i++) wrong |= collect(link, sizes[i]);
    for (size_t size = 99; size <= 201; size += 17) wrong |= collect(link, size);
    return wrong;
}

/* Rank 3 never comes. */
static void call_roll(fr_link *link) {
    fr_error error = {0};
    char byte = 0, got[RANKS_MOST];
    fr_message in = {2, &byte, 1};
    link->timeout = 1;
    if (link->rank == 3) raise(SIGSTOP);
    fr_status status = link->rank == 1 ? fr_link_exchange(link, "a message", NULL, 0, &in, 1, &error)
                                       : fr_link_gather(link, "the gather", &byte, 1, got, &error);
    if (status != FR_OK) fprintf(stderr, "exchange_check: %s\n", error.message);
    fr_link_abort(link, (int)status);
}

/* Rank 1 works for three times the timeout. */
static int wait_for_work(fr_link *link, bool beats) {
    fr_error error = {0};
    char byte = 0, got = 0;
    fr_message out = {1 - link->rank, &byte, 1}, in = {1 - link->rank, &got, 1};
    link->timeout = 1;
    for (double began = fr_seconds(), last = began; link->rank == 1 && fr_seconds() - began < 3 * link->timeout;) {
        if (!beats || fr_seconds() - last < 0.05) continue;
        fr_link_beat(link);
        last = fr_seconds();
    }
    fr_status status = fr_link_exchange(link, "the work", &out, 1, &in, 1, &error);
    if (status != FR_OK) fprintf(stderr, "exchange_check: %s\n", error.message);
    return (int)status;
}

int main(int argc, char **argv) {
    fr_link *link = NULL;
    fr_error error = {0};
    if (argc != 2 || fr_link_join(&link, &error) != FR_OK || link->size > RANKS_MOST) return 1;
    const char *what = argv[1];
    int code = strcmp(what, "pieces") == 0        ? exchange_pieces(link)
               : strcmp(what, "collectives") == 0 ? collect_all(link)
                                                  : 0;
    if (strcmp(what, "roll") == 0) call_roll(link);
    if (strcmp(what, "beats") == 0 || strcmp(what, "silence") == 0) code = wait_for_work(link, *what == 'b');
    if (code != 0) fr_link_abort(link, code);
    fr_link_leave(link);
    return 0;
}
