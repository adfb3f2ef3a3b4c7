/*
 * nccl_host.c - what the ranks of an exchange over NCCL share, and how they exchange host memory.
 *
 * The ranks of a process are threads and meet at one place: each brings a pointer, the first one copies what all
 * brought, and between processes this goes over their world, where the first thread of each speaks for its process.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "exchange/nccl.h"
#include "exchange/nccl_parts.h"

/* ------------------------------------------------------------------------------------------ the group */

fr_status fr_nccl_group_create(fr_world *world, int local, double timeout, fr_nccl_group **group, fr_error *error) {
    FR_OWNED fr_nccl_group *g = NULL;
    FR_TRY(fr_nccl_open(error));
    FR_TRY(fr_allocate((void **)&g, 1, sizeof *g, "the exchange", error));
    FR_TRY(fr_allocate((void **)&g->brought, local, sizeof *g->brought, "the exchange", error));
    g->world = world;
    g->local = local;
    g->size = local * fr_world_size(world);
    g->first = local * fr_world_rank(world);
    g->timeout = timeout;
    pthread_mutex_init(&g->mutex, NULL);
    pthread_cond_init(&g->changed, NULL);
    *group = g;
    g = NULL; /* it is the caller's */
    return FR_OK;
}

void fr_nccl_group_free(fr_nccl_group *group) {
    if (!group) return;
    pthread_cond_destroy(&group->changed);
    pthread_mutex_destroy(&group->mutex);
    free(group->brought);
    free(group->joint);
    free(group);
}

void fr_nccl_group_abort(fr_nccl_group *group, int rank) {
    int none = 0;
    atomic_compare_exchange_strong(&group->failed, &none, rank + 1);
    pthread_mutex_lock(&group->mutex);
    pthread_cond_broadcast(&group->changed);
    pthread_mutex_unlock(&group->mutex);
}

int fr_nccl_group_failed_rank(const fr_nccl_group *group) { return atomic_load(&group->failed) - 1; }

/* -------------------------------------------------------------------------------------- meeting, gathering */

fr_status fr_nccl_meet(nccl_comm *c, fr_error *error) {
    fr_nccl_group *g = c->group;
    double since = fr_seconds();
    fr_status status = FR_OK;
    pthread_mutex_lock(&g->mutex);
    long turn = g->turn;
    if (++g->here == g->local) {
        g->here = 0;
        g->turn++;
        pthread_cond_broadcast(&g->changed);
    }
    while (g->turn == turn && status == FR_OK) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 20000000;
        if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
        pthread_cond_timedwait(&g->changed, &g->mutex, &until);
        if (g->turn != turn) break;
        pthread_mutex_unlock(&g->mutex); /* giving up takes the lock itself */
        status = fr_nccl_look_around(c, since, "the meeting of the ranks", error);
        pthread_mutex_lock(&g->mutex);
    }
    pthread_mutex_unlock(&g->mutex);
    return status;
}

/* Memory of the group for what all ranks of its processes bring. */
static fr_status make_joint(fr_nccl_group *g, size_t need, fr_error *error) {
    if (need <= g->joint_size) return FR_OK;
    free(g->joint);
    g->joint = NULL, g->joint_size = 0;
    FR_TRY(fr_allocate((void **)&g->joint, (int64_t)need, 1, "what ranks gather", error));
    g->joint_size = need;
    return FR_OK;
}

/* The first rank of a process puts together what its ranks brought and gathers it with the other processes'. */
static fr_status join_brought(fr_nccl_group *g, size_t size, fr_error *error) {
    size_t own = (size_t)g->local * size, before = (size_t)g->size * size;
    FR_TRY(make_joint(g, before + own, error));
    for (int r = 0; r < g->local; r++) memcpy(g->joint + before + (size_t)r * size, g->brought[r], size);
    return fr_world_gather(g->world, g->joint + before, own, g->joint, error);
}

fr_status fr_nccl_gather_joint(nccl_comm *c, const void *mine, size_t size, fr_error *error) {
    fr_nccl_group *g = c->group;
    g->brought[c->base.rank - g->first] = mine;
    FR_TRY(fr_nccl_meet(c, error));
    if (c->base.rank == g->first) {
        fr_status status = join_brought(g, size, error);
        if (status != FR_OK) return fr_nccl_give_up(c, status, error);
    }
    return fr_nccl_meet(c, error);
}

static fr_status gather_all(nccl_comm *c, const void *mine, size_t size, void *all, fr_error *error) {
    FR_TRY(fr_nccl_gather_joint(c, mine, size, error));
    memcpy(all, c->group->joint, (size_t)c->base.size * size);
    return fr_nccl_meet(c, error); /* nobody leaves while another still reads */
}

fr_status fr_nccl_gather_host(fr_comm *comm, const void *mine, size_t size, void *all, fr_error *error) {
    nccl_comm *c = fr_nccl_of(comm);
    double since = fr_seconds();
    fr_status status = gather_all(c, mine, size, all, error);
    c->looked = fr_seconds();
    comm->seconds += c->looked - since;
    return status;
}

static fr_status sum_joint(nccl_comm *c, const double *mine, int own, int64_t count, double *sum, fr_error *error) {
    FR_TRY(fr_nccl_gather_joint(c, mine, (size_t)(own * count) * sizeof *mine, error));
    const double *all = (const double *)(const void *)c->group->joint;
    memset(sum, 0, (size_t)count * sizeof *sum);
    for (int k = 0; k < c->base.size * own; k++)
        for (int64_t j = 0; j < count; j++) sum[j] += all[k * count + j];
    return fr_nccl_meet(c, error);
}

/* Every rank adds up everybody's vectors. */
fr_status fr_nccl_sum_host(fr_comm *comm, const double *mine, int own, int64_t count, double *sum,
                               fr_error *error) {
    double since = fr_seconds();
    fr_status status = sum_joint(fr_nccl_of(comm), mine, own, count, sum, error);
    comm->seconds += fr_seconds() - since;
    return status;
}
