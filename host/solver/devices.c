/*
 * devices.c - GPUs to processes.
 */
#include "solver/devices.h"

#include <stdbool.h>
#include <string.h>

/* By one of the processes before p. */
static bool is_taken(const fr_visible_devices *seen, int p, const unsigned char *id) {
    for (const fr_visible_devices *other = seen; other < seen + p; other++)
        for (int i = 0; i < other->taken; i++)
            if (memcmp(other->id[other->own[i]], id, FR_DEVICE_ID) == 0) return true;
    return false;
}

void fr_devices_share(fr_visible_devices *seen, int processes, int each) {
    for (int p = 0; p < processes; p++) {
        seen[p].taken = 0;
        for (int i = 0; i < seen[p].count && seen[p].taken < each; i++)
            if (!is_taken(seen, p, seen[p].id[i])) seen[p].own[seen[p].taken++] = i;
    }
}
