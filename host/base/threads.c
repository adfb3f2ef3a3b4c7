/*
 * threads.c - the processors of OpenMP, cut to the quota of a container.
 */
#include "base/threads.h"

#include <omp.h>
#include <stdlib.h>

#include "base/cgroup.h"

int fr_loop_threads(void) {
    int threads = omp_get_max_threads(), processors = omp_get_num_procs();
    return threads < processors ? threads : processors;
}

int fr_default_threads(void) {
    int threads = omp_get_max_threads(), quota = fr_cgroup_processors("");
    if (!getenv("OMP_NUM_THREADS") && quota < threads) threads = quota;
    return threads < FR_MOST_THREADS ? threads : FR_MOST_THREADS;
}
