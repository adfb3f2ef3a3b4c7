/*
 * clock.h - the clocks that durations are measured with.
 */
#ifndef FR_CLOCK_H
#define FR_CLOCK_H

/* Seconds of CLOCK_MONOTONIC, from some point in the past; never runs backwards. */
double fr_seconds(void);
/* Seconds that the processors have spent on this process, all its threads. */
double fr_processor_seconds(void);

#endif
