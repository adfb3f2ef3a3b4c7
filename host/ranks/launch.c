/*
 * launch.c - Open MPI's, MPICH's, MVAPICH's and Slurm's variables.
 */
#include "ranks/launch.h"

#include <stdlib.h>

static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS"};
static const char *const ranks[] = {"OMPI_COMM_WORLD_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK", "SLURM_PROCID"};

/* The largest of four variables, or least. */
static int largest_of(const char *const names[4], int least) {
    for (int i = 0; i < 4; i++) {
        const char *text = getenv(names[i]);
        if (text && atoi(text) > least) least = atoi(text);
    }
    return least;
}

int fr_launched_ranks(void) { return largest_of(sizes, 1); }

int fr_launched_rank(void) { return largest_of(ranks, 0); }
