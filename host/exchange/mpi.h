/*
 * mpi.h - the exchange between processes: the collectives of a step over the world's link.
 */
#ifndef FR_COMM_MPI_H
#define FR_COMM_MPI_H

#include "exchange/comm.h"
#include "plan/plan.h"
#include "ranks/world.h"

/* For engines whose buffers are host memory. The world and the plan outlive the exchange; the plan says which workers
 * a rank has and how levels travel. */
fr_status fr_comm_mpi_create(fr_world *world, const fr_plan *plan, fr_comm **comm, fr_error *error);

#endif
