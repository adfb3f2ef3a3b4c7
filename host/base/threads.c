/*
 * threads.c - the processors of OpenMP, cut to the quota of a container.
 */
#include "base/threads.h"

#include <limits.h>
#include <omp.h>
#include <stdlib.h>

#include "base/cgroup.h"

int fr_default_threads(void) {
    int threads = omp_get_max_threads(), quota = getenv("OMP_NUM_THREADS") ? INT_MAX : fr_cgroup_processors("");
    return threads < quota ? threads : quota;
}
