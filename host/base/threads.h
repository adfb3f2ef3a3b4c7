/*
 * threads.h - how many threads a process starts where nobody says.
 */
#ifndef FR_THREADS_H
#define FR_THREADS_H

/* Those of OpenMP, and, unless OMP_NUM_THREADS asks for them, no more than the quota of the control group is good for:
 * more would only stop each other for the rest of each period. */
int fr_default_threads(void);

#endif
