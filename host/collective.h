/*
 * collective.h - putting the K workers' vectors together: one step's exchange, from v_k to the new w.
 */
#ifndef FR_COLLECTIVE_H
#define FR_COLLECTIVE_H

#include "comm.h"
#include "engine.h"

/* The columns that worker k's slice begins with in the two-phase collective; slice k ends where k + 1 begins. */
static inline int64_t fr_slice_start(const fr_plan *plan, int worker) {
    return fr_part_start(plan->features, plan->workers, worker);
}

/* Encodes, exchanges and applies the partial gradients that engine->gradient left, as plan->collective says. */
fr_status fr_collective_step(fr_engine *engine, fr_comm *comm, fr_error *error);

#endif
