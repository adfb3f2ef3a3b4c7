/*
 * launch.h - what the launcher (mpirun, srun) says before MPI is joined, by its environment variables.
 */
#ifndef FR_LAUNCH_H
#define FR_LAUNCH_H

/* How many processes were started together with this one; 1: none. */
int fr_launched_ranks(void);

/* Which of them this one will be; 0 where the launcher does not say. */
int fr_launched_rank(void);

#endif
