/*
 * collective.h - putting the K workers' vectors together: one step's exchange, from v_k to the new w.
 */
#ifndef FR_COLLECTIVE_H
#define FR_COLLECTIVE_H

#include "exchange/comm.h"
#include "engine/engine.h"

/* Encodes, exchanges and applies the partial gradients that engine->gradient left, as plan->collective says. */
fr_status fr_collective_step(fr_engine *engine, fr_comm *comm, fr_error *error);

#endif
