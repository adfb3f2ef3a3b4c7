/*
 * traffic.h - the bytes that ranks send and receive in one step, by formula; comm.h counts them.
 */
#ifndef FR_TRAFFIC_H
#define FR_TRAFFIC_H

#include "plan.h"

typedef struct fr_traffic {
    double sent, received;
} fr_traffic;

/* Of rank `rank` of `ranks`, each with its workers (fr_first_worker), over processes (comm_mpi.c). Elias' codes vary; for
 * them this is the most that can be. */
fr_traffic fr_traffic_of(const fr_plan *plan, int ranks, int rank);

/* The mean of `sent` over ranks. */
double fr_traffic_mean(const fr_plan *plan, int ranks);

/* Bits of one coordinate of a worker's vector on the wire, its scale included; for Elias the most. */
double fr_traffic_bits(const fr_plan *plan);

#endif
