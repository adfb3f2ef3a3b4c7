/*
 * threads.h - how many threads a process starts where nobody says.
 */
#ifndef FR_THREADS_H
#define FR_THREADS_H

enum { FR_MOST_THREADS = 4096 }; /* of one process */

/* The threads of a loop of OpenMP that takes all there are: no more than the processors, whatever OMP_NUM_THREADS asks
 * for. OpenMP's runtime dies of a number like 100000, so that every "omp parallel" names this or one that was checked. */
int fr_loop_threads(void);

/* Those of OpenMP up to the most, and, unless OMP_NUM_THREADS asks for them, no more than the quota of the control
 * group is good for: more would only stop each other for the rest of each period. */
int fr_default_threads(void);

#endif
