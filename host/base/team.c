/*
 * team.c - one shared ticket: the number of the loop in its upper half, the next item in its lower half.
 *
 * Whoever wants an item reads the ticket, then the loop it belongs to, and takes the item by compare-and-swap; the
 * exchange fails if the loop has changed meanwhile. A new loop is written while the ticket is closed, so nobody can
 * take an item of a half-written one. Helpers look for work for a short while and then sleep.
 */
#include "base/team.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { LOOKS_BEFORE_SLEEP = 4000, LOOKS_BEFORE_YIELD = 200 };
static const uint64_t CLOSED = 0xffffffffu;

typedef struct helper {
    fr_team *team;
    int thread;
    pthread_t id;
} helper;

struct fr_team {
    _Atomic uint64_t ticket;
    _Atomic int64_t items, done;
    _Atomic(fr_team_work) work;
    _Atomic(void *) context;
    _Atomic int sleeping;
    _Atomic bool leaving;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    helper *helpers;
    int count;
};

static void pause_briefly(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

/* Takes and does one item; false where there is none. */
static bool do_one(fr_team *team, int thread) {
    uint64_t ticket = atomic_load_explicit(&team->ticket, memory_order_acquire), item = ticket & CLOSED;
    if (item == CLOSED) return false;
    int64_t items = atomic_load_explicit(&team->items, memory_order_relaxed);
    fr_team_work work = atomic_load_explicit(&team->work, memory_order_relaxed);
    void *context = atomic_load_explicit(&team->context, memory_order_relaxed);
    if ((int64_t)item >= items) return false;
    if (!atomic_compare_exchange_strong(&team->ticket, &ticket, ticket + 1)) return true; /* somebody was faster */
    work(context, (int64_t)item, thread);
    atomic_fetch_add(&team->done, 1);
    return true;
}

static bool has_work(fr_team *team) {
    uint64_t item = atomic_load(&team->ticket) & CLOSED;
    return item != CLOSED && (int64_t)item < atomic_load(&team->items);
}

static void sleep_until_work(fr_team *team) {
    pthread_mutex_lock(&team->mutex);
    atomic_fetch_add(&team->sleeping, 1);
    while (!has_work(team) && !atomic_load(&team->leaving)) pthread_cond_wait(&team->wake, &team->mutex);
    atomic_fetch_sub(&team->sleeping, 1);
    pthread_mutex_unlock(&team->mutex);
}

static void *help(void *argument) {
    helper *self = argument;
    fr_team *team = self->team;
    while (!atomic_load(&team->leaving)) {
        int looks = 0;
        while (looks < LOOKS_BEFORE_SLEEP && !atomic_load_explicit(&team->leaving, memory_order_relaxed)) {
            if (do_one(team, self->thread)) {
                looks = 0;
            } else {
                looks++;
                pause_briefly();
            }
        }
        if (!atomic_load(&team->leaving)) sleep_until_work(team);
    }
    return NULL;
}

void fr_team_run(fr_team *team, int64_t items, fr_team_work work, void *context) {
    if (team->count == 0 || items == 1) {
        for (int64_t item = 0; item < items; item++) work(context, item, 0);
        return;
    }
    uint64_t loop = (atomic_load(&team->ticket) >> 32) + 1;
    atomic_store(&team->ticket, loop << 32 | CLOSED);
    atomic_store(&team->items, items);
    atomic_store(&team->work, work);
    atomic_store(&team->context, context);
    atomic_store(&team->done, 0);
    atomic_store(&team->ticket, loop << 32);
    if (atomic_load(&team->sleeping) > 0) {
        pthread_mutex_lock(&team->mutex);
        pthread_cond_broadcast(&team->wake);
        pthread_mutex_unlock(&team->mutex);
    }
    while (do_one(team, 0)) continue;
    for (int looks = 0; atomic_load(&team->done) < items; looks++) {
        if (looks < LOOKS_BEFORE_YIELD) pause_briefly();
        else sched_yield(); /* whoever holds the last item may be waiting for this processor */
    }
}

fr_status fr_team_create(int threads, fr_team **team, fr_error *error) {
    fr_team *t = NULL;
    fr_status status = fr_allocate((void **)&t, 1, sizeof *t, "threads", error);
    if (status != FR_OK) return status;
    atomic_store(&t->ticket, CLOSED);
    pthread_mutex_init(&t->mutex, NULL);
    pthread_cond_init(&t->wake, NULL);
    status = fr_allocate((void **)&t->helpers, threads, sizeof *t->helpers, "threads", error);
    for (; status == FR_OK && t->count < threads - 1; t->count++) {
        helper *next = &t->helpers[t->count];
        next->team = t;
        next->thread = t->count + 1;
        if (pthread_create(&next->id, NULL, help, next) != 0) {
            status = fr_fail(error, FR_ERROR, "cannot start %d threads; try fewer with --threads", threads);
            break;
        }
    }
    if (status != FR_OK) {
        fr_team_free(t);
        return status;
    }
    *team = t;
    return FR_OK;
}

void fr_team_free(fr_team *team) {
    if (!team) return;
    atomic_store(&team->leaving, true);
    pthread_mutex_lock(&team->mutex);
    pthread_cond_broadcast(&team->wake);
    pthread_mutex_unlock(&team->mutex);
    for (int i = 0; i < team->count; i++) pthread_join(team->helpers[i].id, NULL);
    pthread_cond_destroy(&team->wake);
    pthread_mutex_destroy(&team->mutex);
    free(team->helpers);
    free(team);
}
