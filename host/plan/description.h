/*
 * description.h - the one description of a run, in words: what ranks compare before they begin, and what a
 * checkpoint holds so that no other run resumes it.
 *
 * A description is lines of "name=value". Names are those of the program's options, so that a line about a
 * difference says what to change. An option that changes a result is described; one that does not is listed, with
 * the reason, in fr_undescribed. A test compares both with the program's table of options, so that none is
 * forgotten.
 */
#ifndef FR_DESCRIPTION_H
#define FR_DESCRIPTION_H

#include "plan/plan.h"
#include "ranks/world.h"

/* A run: what was asked for, what was made of it, and the data. */
typedef struct fr_run {
    const fr_options *options;
    const fr_plan *plan;
    const fr_dataset *set;
} fr_run;

/* Who reads the description. */
enum {
    FR_OF_OPTIONS = 1,   /* ranks: what their command lines decide; the plan has begun */
    FR_OF_DATA = 2,      /* ranks: what their files decide */
    FR_OF_CHECKPOINT = 4 /* a run that resumes: whatever changes a bit of the weights; the plan is finished */
};

enum { FR_DESCRIPTION_SIZE = FR_WORLD_SAME_SIZE };

/* Writes the lines that one of these readers (or several, of a finished plan) needs, and zeros up to the end of
 * text. */
void fr_describe_run(const fr_run *run, unsigned readers, char text[FR_DESCRIPTION_SIZE]);

/* An option of `fitrelu fit` that these readers need not see. */
typedef struct fr_undescribed_option {
    const char *name; /* without the dashes */
    unsigned readers; /* FR_OF_OPTIONS: neither as an option nor as data */
    const char *why;
} fr_undescribed_option;

extern const fr_undescribed_option fr_undescribed[];
extern const int fr_undescribed_count;

#endif
