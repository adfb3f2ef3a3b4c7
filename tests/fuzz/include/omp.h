/*
 * omp.h - OpenMP for fuzzed programs, which are compiled without it: one thread, so that a finding can be repeated.
 */
#ifndef FR_FUZZ_OMP_H
#define FR_FUZZ_OMP_H

static inline int omp_get_max_threads(void) { return 1; }
static inline int omp_get_num_threads(void) { return 1; }
static inline int omp_get_thread_num(void) { return 0; }
static inline int omp_get_num_procs(void) { return 1; }
static inline void omp_set_num_threads(int threads) { (void)threads; }

#endif
