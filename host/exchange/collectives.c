/*
 * collectives.c - the list of collectives, and a step of the one that the plan names.
 *
 *   allreduce   all ranks' vectors are summed on the way; levels as int8 under one scale
 *   allgather   each worker's levels and own scale N_k to all: (2.2) to the letter
 *   two-phase   slices of columns to their owners, which sum them, round the sum once more, and send it to all
 *   master      all vectors to rank 0, which averages them and sends the model back
 *
 * Unquantized, the same exchanges carry values in the precision of the fit.
 */
#include "exchange/collectives.h"

static const fr_collective_ops automatic = {.name = "auto"};

const fr_collective_ops *const fr_collectives[FR_COLLECTIVE_COUNT] = {
    [FR_COLLECTIVE_AUTO] = &automatic,
    [FR_COLLECTIVE_ALLREDUCE] = &fr_allreduce,
    [FR_COLLECTIVE_ALLGATHER] = &fr_allgather,
    [FR_COLLECTIVE_TWO_PHASE] = &fr_two_phase,
    [FR_COLLECTIVE_MASTER] = &fr_master,
};

fr_status fr_collective_step(fr_engine *engine, fr_comm *comm, fr_error *error) {
    comm->in_step = true;
    fr_status status = fr_collective_of(engine->config.plan)->step(engine, comm, error);
    comm->in_step = false;
    comm->steps++;
    return status;
}
