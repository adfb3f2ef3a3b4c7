/*
 * traffic.h - the bytes that ranks send and receive in one step, by formula; exchange/comm.h counts them. And in how many messages,
 * which forecast/forecast.h makes seconds of.
 */
#ifndef FR_TRAFFIC_H
#define FR_TRAFFIC_H

#include "plan/plan.h"

typedef struct fr_traffic {
    double sent, received; /* bytes */
    double hops;           /* exchanges of a step, which wait for each other */
    double messages;       /* that the rank sends or receives */
} fr_traffic;

/* Whether pieces of so many bytes, one for each other rank, are better sent in log2(R) messages that carry many of them
 * (fr_world_gather, fr_world_all_to_all) than one by one. A message costs the processor as much as a few kilobytes cost a
 * fast link; Bruck's all-to-all moves each piece log2(R) / 2 times. */
static inline bool fr_uses_bruck(int ranks, double bytes) { return ranks > 8 && bytes <= 1024; }
/* The same of packed messages, the longest of which has so many bytes: unquantized vectors are none, and codes that vary in length
 * travel one by one. */
static inline bool fr_packed_uses_bruck(const fr_plan *plan, int ranks, double bytes) {
    return plan->levels > 0 && plan->wire != FR_WIRE_ELIAS && fr_uses_bruck(ranks, bytes);
}

/* Of rank `rank` of `ranks`, each with its workers (fr_first_worker), over processes (exchange/mpi.c). Elias' codes vary; for
 * them this is the most that can be. */
fr_traffic fr_traffic_of(const fr_plan *plan, int ranks, int rank);

/* The mean of `sent` over ranks. */
double fr_traffic_mean(const fr_plan *plan, int ranks);

/* Bits of one coordinate of a worker's vector on the wire, its scale included; for Elias the most. */
double fr_traffic_bits(const fr_plan *plan);

#endif
