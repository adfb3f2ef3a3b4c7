/*
 * ranks.c - joining, agreeing and leaving, for a program of which each process runs the same.
 */
#include <math.h>

#include "base/status.h"
#include "console/json_result.h"
#include "console/message.h"
#include "console/ranks.h"
#include "console/stage.h"
#include "console/streams.h"
#include "ranks/launch.h"
#include "ranks/world.h"

/* A world that cannot even agree ends here. */
static int give_up(fr_world *world, const fr_error *error) {
    message_hold(false, true);
    int code = message_library(error);
    json_result_failure(code);
    code = streams_flush(code);
    fr_world_abort(world, code);
    return code;
}

int ranks_join(fr_world **world, double timeout) {
    fr_error error = {0};
    bool alone = fr_launched_ranks() == 1;
    if (isnan(timeout)) timeout = alone ? 0 : FR_DEFAULT_TIMEOUT;
    stage_limit(timeout, alone ? -1 : fr_launched_rank());
    if (!alone) stage_begin_meeting("joining MPI");
    if (fr_world_start(world, &error) != FR_OK) return message_library(&error);
    fr_world_set_timeout(*world, timeout);
    stage_join(*world);
    if (fr_world_meet(*world, &error) != FR_OK) return give_up(*world, &error);
    stage_end();
    if (fr_world_size(*world) > 1) message_hold(true, fr_world_rank(*world) == 0);
    return EXIT_DONE;
}

/* A failure that was agreed on before has its rank already. */
int ranks_agree(fr_world *world, int code) {
    if (fr_world_size(world) == 1) return code;
    fr_error error = message_held();
    code = (int)fr_world_agree(world, (fr_status)code, &error);
    if (!fr_world_agreed(world) && code != 0) return give_up(world, &error);
    if (code != 0 && fr_world_rank(world) == 0 && error.message[0]) {
        message_hold(false, true);
        message_library(&error);
        message_hold(true, true);
    }
    return code;
}

int ranks_leave(fr_world *world, int code) {
    code = ranks_agree(world, code);
    stage_join(NULL);
    if (fr_world_size(world) > 1) stage_begin_meeting("leaving MPI");
    fr_world_leave(world);
    stage_end();
    return code;
}

int ranks_fail(fr_world *world, const fr_error *error) {
    if (fr_world_agreed(world)) return message_library(error);
    return give_up(world, error);
}

int ranks_most(fr_world *world, int number) {
    fr_error error = {0};
    FR_OWNED int *all = NULL;
    if (fr_allocate((void **)&all, fr_world_size(world), sizeof *all, "the ranks' signals", &error) != FR_OK ||
        fr_world_gather(world, &number, sizeof number, all, &error) != FR_OK)
        give_up(world, &error);
    for (int r = 0; r < fr_world_size(world); r++)
        if (all[r] > number) number = all[r];
    return number;
}
