/*
 * collective_check.c - what can be said of any collective from its entry alone: its name, and the formats that it carries.
 */
#include "plan/collective.h"

#include <stdio.h>

#include "base/status.h"
#include "kernels/rules/fields.h"
#include "plan/plan.h"

const char *fr_collective_name(fr_collective collective) { return fr_collectives[collective]->name; }

const fr_collective_ops *fr_collective_of(const fr_plan *plan) { return fr_collectives[plan->collective]; }

/* "allgather, two-phase or master": the collectives that carry the wire. */
static void list_carriers(fr_wire wire, char *text, size_t size) {
    int left = 0;
    size_t used = 0;
    for (int c = 0; c < FR_COLLECTIVE_COUNT; c++) left += (fr_collectives[c]->wires & FR_CARRIES(wire)) != 0;
    text[0] = '\0';
    for (int c = 0; c < FR_COLLECTIVE_COUNT && used < size; c++) {
        if (!(fr_collectives[c]->wires & FR_CARRIES(wire))) continue;
        const char *between = --left == 0 ? "" : left == 1 ? " or " : ", ";
        used += (size_t)snprintf(text + used, size - used, "%s%s", fr_collectives[c]->name, between);
    }
}

fr_status fr_collective_check(const fr_plan *plan, fr_error *error) {
    const fr_collective_ops *ops = fr_collective_of(plan);
    char carriers[128];
    if (ops->check) FR_TRY(ops->check(plan, error));
    if (ops->wires & FR_CARRIES(plan->wire)) return FR_OK;
    list_carriers(plan->wire, carriers, sizeof carriers);
    return fr_fail(error, FR_ERROR_USAGE, "--wire %s needs --collective %s; it is %s", fr_wire_name(plan->wire),
                   carriers, ops->name);
}

int fr_summed_field_bits(const fr_plan *plan) {
    bool sums = plan->levels > 0 && fr_collective_of(plan)->needs == FR_NEEDS_TOTAL;
    return sums && plan->wire == FR_WIRE_PACKED ? fr_field_bits((int64_t)plan->workers * plan->levels) : 0;
}

bool fr_theorem_covers(fr_collective collective, int levels, fr_scale scale, fr_wire wire) {
    const fr_collective_ops *c = fr_collectives[collective];
    if (levels == 0) return wire != FR_WIRE_BF16;
    return scale == FR_SCALE_L2 && !c->shares_scale && !c->rounds_sums;
}
