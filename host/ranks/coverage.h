/*
 * coverage.h - for processes that end without exit: a build that counts what tests run (FITRELU_COVERAGE) writes its
 * counters at exit alone.
 */
#ifndef FR_COVERAGE_H
#define FR_COVERAGE_H

#ifdef FR_COVERAGE
extern void __gcov_dump(void);
static inline void fr_coverage_keep(void) { __gcov_dump(); }
#else
static inline void fr_coverage_keep(void) {}
#endif

#endif
