/*
 * traffic.h - the bytes that ranks send and receive in one step, in how many messages and hops, by formula.
 *
 * Each collective says in its own file of which parts its exchange is made (fr_collective_ops.traffic), with the
 * functions fr_traffic_add_*; these know what a part costs by each way that ranks/routes.h may send it. What is
 * counted while a step runs (fr_comm.sent), what --json prints and what a forecast says all come from here.
 *
 * There are two kinds of exchange: our own messages between processes (exchange/mpi.c), and sums that go round rings,
 * as NCCL has them, where levels and scale of an all-gather are one message (the bytes that fill it up to whole scales are not
 * counted). K workers in one process are counted as K ranks in a ring.
 */
#ifndef FR_TRAFFIC_H
#define FR_TRAFFIC_H

#include "plan/collective.h"
#include "plan/plan.h"

/* Of rank `rank` of `ranks` processes, each with its workers, by messages. Elias' codes vary; for
 * them this is the most that can be. */
fr_traffic fr_traffic_of(const fr_plan *plan, int ranks, int rank);

/* The mean of `sent` over ranks; nodes: by which whole numbers are summed (fr_link), else 0. */
double fr_traffic_mean(const fr_plan *plan, int ranks, int nodes);

/* Bytes that one worker sends in a step, were it a rank of its own, in rings: for a fit in one process or over NCCL. */
double fr_traffic_of_worker(const fr_plan *plan);

/* Bytes of a worker's vector on the wire, its own scale included; for Elias the most. */
double fr_traffic_vector(const fr_plan *plan);
/* And bits of one coordinate of it. */
double fr_traffic_bits(const fr_plan *plan);

/* ---------------------------------------------------------------------------------- for the collectives */

/* |count numbers of own vectors|, with as many scales. */
double fr_traffic_coded(const fr_plan *plan, double count, double scales);
/* |the vectors of a rank's workers|, with their scales. */
double fr_traffic_vectors(const fr_plan *plan, int ranks, int rank);
/* The largest norm; none where nothing is quantized. */
void fr_traffic_add_max(fr_traffic *total, const fr_plan *plan, fr_member member);
/* A sum of `count` numbers of `size` bytes, whole ones or not. */
void fr_traffic_add_sum(fr_traffic *total, fr_member member, int64_t count, double size, bool whole);
/* `bytes` of every rank to every rank; and from every rank to each other. */
void fr_traffic_add_gather(fr_traffic *total, fr_member member, double bytes);
void fr_traffic_add_all_to_all(fr_traffic *total, fr_member member, double bytes);

#endif
