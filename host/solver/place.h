/*
 * place.h - where a fit runs: one rank in the caller's thread (a CPU or one GPU), or one rank a GPU, each in a thread
 * of its own, the first in the caller's; and that in each process of a world.
 */
#ifndef FR_PLACE_H
#define FR_PLACE_H

#include "columns/products.h"
#include "exchange/comm.h"
#include "engine/engine.h"

typedef struct fr_place {
    bool cuda;
    bool plain_steps; /* GPUs: not recorded as graphs */
    double timeout;   /* seconds of silence, 0: no limit */
    bool dedicated_master;                  /* rank 0 of the world is a master without rows */
    int ranks;                   /* of this process, its threads */
    int all_ranks;               /* of the world */
    fr_world *world;             /* borrowed; NULL: this process alone */
    struct fr_nccl_group *group; /* what the ranks share; NULL with one rank */
    int *devices;                /* the GPUs of this process, one a rank; NULL before fr_place_share_devices */
    struct fr_dense *dense;      /* between fr_place_products and fr_place_products_end, with GPUs */
} fr_place;

/* Refuses what options say of the place if this build or this machine cannot give it. Makes `workers` one a rank that
 * has rows where it was left open, and refuses a number that these do not divide. */
fr_status fr_place_make(fr_options *options, fr_place *place, fr_error *error);
void fr_place_free(fr_place *place); /* after every rank's exchange is gone */

/* With GPUs: which of those that are visible to several processes belong to this one. Called by all processes, which all
 * fail if one of them finds fewer than it needs. */
fr_status fr_place_share_devices(fr_place *place, fr_error *error);

/* *products <- what the first GPU of this process does for columns, NULL without one. It holds memory there until
 * fr_place_products_end. */
fr_status fr_place_products(fr_place *place, const fr_device_products **products, fr_error *error);
void fr_place_products_end(fr_place *place);

/* A name of the GPU of rank `rank` of this process, which no other GPU has: 16 bytes. After fr_place_share_devices. */
fr_status fr_place_identify(const fr_place *place, int rank, unsigned char id[16], fr_error *error);

/* Runs job(user, rank) on every rank at once and waits for all. A rank that fails makes the others stop; the line is
 * that of the rank that failed first. */
typedef fr_status (*fr_place_job)(void *user, int rank, fr_error *error);
fr_status fr_place_run(fr_place *place, fr_place_job job, void *user, fr_error *error);

/* The engine of one rank, and its exchange, in which it meets the others: when all ranks have their engines. Inside a
 * job. On failure what was made is for the caller to free. */
fr_status fr_place_engine(fr_place *place, int rank, const fr_plan *plan, const fr_dataset *set, int threads,
                          fr_engine **engine, fr_error *error);
fr_status fr_place_comm(fr_place *place, int rank, const fr_plan *plan, fr_engine *engine, fr_comm **comm,
                        fr_error *error);

#endif
