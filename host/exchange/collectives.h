/*
 * collectives.h - the collectives there are, and one step of whichever the plan names: from v_k to the new w.
 *
 * Every collective is written once, over engine/engine.h and exchange/comm.h; plan/collective.h says what an entry
 * holds.
 */
#ifndef FR_COLLECTIVES_H
#define FR_COLLECTIVES_H

#include "engine/engine.h"
#include "exchange/comm.h"
#include "plan/collective.h"

extern const fr_collective_ops fr_allreduce, fr_allgather, fr_two_phase, fr_master;

/* Encodes, exchanges and applies the partial gradients that engine->gradient left, as plan->collective says. */
fr_status fr_collective_step(fr_engine *engine, fr_comm *comm, fr_error *error);

#endif
