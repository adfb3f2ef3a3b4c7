/*
 * advice.h - what measurements on GPUs have shown and the program tells: filled in from bench/results by hand, in this
 * one place, once a machine has shown it. Until then the program says that nothing was measured, and advises nothing.
 */
#ifndef FR_ADVICE_H
#define FR_ADVICE_H

/* d from which on a step's exchange between GPUs is faster with int8 levels than with float32 gradients, as bench_gpu
 * finds it ("int8_wins_from_against_float32"); 0: not measured yet. */
enum { FR_INT8_WINS_FROM = 0 };

#endif
