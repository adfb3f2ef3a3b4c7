/*
 * ranks.c - joining, agreeing and leaving, for a program of which each process runs the same.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/status.h"
#include "fitrelu/message.h"
#include "fitrelu/ranks.h"

int ranks_join(fr_world **world) {
    fr_error error = {0};
    if (fr_world_join(world, &error) != FR_OK) return message_library(&error);
    if (fr_world_size(*world) > 1) message_hold(true, fr_world_rank(*world) == 0);
    return EXIT_DONE;
}

/* A world that cannot even agree ends here. */
static int give_up(fr_world *world, const fr_error *error) {
    message_hold(false, true);
    int code = message_library(error);
    fr_world_abort(world, code);
    return code;
}

int ranks_agree(fr_world *world, int code) {
    fr_error error = {0};
    if (fr_world_size(world) == 1) return code;
    if (code != 0) fr_fail(&error, (fr_status)code, "%s", message_held());
    code = (int)fr_world_agree(world, (fr_status)code, &error);
    if (!fr_world_agreed(world) && code != 0) return give_up(world, &error);
    if (code != 0 && fr_world_rank(world) == 0 && error.message[0]) {
        message_hold(false, true);
        message_error("%s", error.message);
        message_hold(true, true);
    }
    return code;
}

int ranks_leave(fr_world *world, int code) {
    code = ranks_agree(world, code);
    fr_world_leave(world);
    return code;
}

int ranks_fail(fr_world *world, const fr_error *error) {
    if (fr_world_agreed(world)) return message_library(error);
    return give_up(world, error);
}

int ranks_most(fr_world *world, int number) {
    fr_error error = {0};
    int *all = malloc((size_t)fr_world_size(world) * sizeof *all);
    if (!all) abort();
    if (fr_world_gather(world, &number, sizeof number, all, &error) != FR_OK) give_up(world, &error);
    for (int r = 0; r < fr_world_size(world); r++)
        if (all[r] > number) number = all[r];
    free(all);
    return number;
}
