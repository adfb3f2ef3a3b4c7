/*
 * collective.h - a way of putting the workers' gradients together, as the rest of the library sees it.
 *
 * Each collective is one entry of this type. It stands in a file of its own in exchange/ (allreduce.c, allgather.c,
 * two_phase.c, master.c); exchange/collectives.c lists them all. The type stands down here because more than the
 * exchange asks: a plan asks what a collective refuses, an engine which buffers it needs, the forecast what it would
 * send. They call through the entry and include nothing of exchange/.
 *
 * To add one: its file (named in host/CMakeLists.txt), its line in the list, its value in fr_collective (fitrelu.h), its
 * word for --collective, its tests.
 */
#ifndef FR_COLLECTIVE_H
#define FR_COLLECTIVE_H

#include "fitrelu.h"

typedef struct fr_plan fr_plan; /* plan/plan.h */
struct fr_engine;
struct fr_comm;

/* What a rank sends and receives in one step. */
typedef struct fr_traffic {
    double sent, received; /* bytes */
    double hops;           /* exchanges of a step, which wait for each other */
    double messages;       /* that the rank sends or receives */
    double summed;         /* bytes that are summed in a ring; exchange/traffic.c turns them into sent and received */
    bool uneven;           /* some ranks send much more than others: leaders of groups */
} fr_traffic;

/* Whose traffic is asked for: rank `rank` of `ranks`. rings: sums go round a ring, as NCCL sends them, 2 (R - 1) / R
 * of their bytes a rank; otherwise by messages of our own (ranks/routes.h). */
typedef struct fr_member {
    int ranks, rank;
    bool rings;
    int nodes; /* by which whole numbers are summed, of which the first ranks are then ranks 0 .. nodes - 1; 0: not so */
} fr_member;

/* Coordinates that the busiest rank turns into what is sent, and those that it turns back or adds up, in one step. */
typedef struct fr_work {
    double encoded, decoded;
} fr_work;

/* Which buffers of the engine a step uses (fr_buffers in engine/engine.h). */
typedef enum fr_needs {
    FR_NEEDS_NOTHING,
    FR_NEEDS_TOTAL, /* total_*: one vector, the sum over workers */
    FR_NEEDS_ALL,   /* all_*: the vectors of all workers */
    FR_NEEDS_SLICES /* outgoing, incoming, own_*, slice_*: slices of columns, each summed by its owner */
} fr_needs;

#define FR_CARRIES(wire) (1u << (wire))

typedef struct fr_collective_ops {
    const char *name;      /* the word for --collective */
    unsigned wires;        /* FR_CARRIES of each format that it can send */
    fr_scale scale;        /* what --scale auto stands for */
    fr_needs needs;
    bool shares_scale;     /* all workers' levels are of one scale, the largest N_k: it is exchanged first */
    bool rounds_sums;      /* the sum over workers is quantized once more */
    bool has_master;       /* over CPUs of several processes rank 0 keeps the model and has no workers */

    /* One step's exchange: from the v_k that engine->gradient left to the new w. Called by all ranks. */
    fr_status (*step)(struct fr_engine *engine, struct fr_comm *comm, fr_error *error);
    /* Refuses plans that it cannot serve, its wires apart (fr_collective_check). NULL: there are none. */
    fr_status (*check)(const fr_plan *plan, fr_error *error);
    /* What a member sends and receives in a step; more than one rank. Elias' codes vary: of them the most that can
     * be. */
    fr_traffic (*traffic)(const fr_plan *plan, fr_member member);
    /* What coding and adding up costs, with the workers on `ranks` ranks. */
    fr_work (*work)(const fr_plan *plan, int ranks);
} fr_collective_ops;

/* By fr_collective; FR_COLLECTIVE_AUTO has a name alone. Defined in exchange/collectives.c. */
extern const fr_collective_ops *const fr_collectives[FR_COLLECTIVE_COUNT];

/* The entry of the plan's collective. */
const fr_collective_ops *fr_collective_of(const fr_plan *plan);

/* Bits of the fields of words in which the plan's levels are summed on the way (kernels/rules/fields.h); 0: they are not, or
 * as int8. */
int fr_summed_field_bits(const fr_plan *plan);

/* Whether Theorem 3.1 (levels = 0) or 3.2 speaks of such an exchange: values sent as they are, or the levels of (2.2), of
 * each worker's own l2 norm and rounded once. */
bool fr_theorem_covers(fr_collective collective, int levels, fr_scale scale, fr_wire wire);

/* Refuses a plan whose collective cannot carry its wire, or cannot serve it otherwise: FR_ERROR_USAGE and why. */
fr_status fr_collective_check(const fr_plan *plan, fr_error *error);

#endif
