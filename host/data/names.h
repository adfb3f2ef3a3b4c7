/*
 * names.h - names of columns: lists of strings, each list one piece of memory.
 *
 * A list is an array of pointers into the text that follows them, so that it is freed by one free() and copied whole.
 */
#ifndef FR_DATA_NAMES_H
#define FR_DATA_NAMES_H

#include "base/status.h"

/* A list of `count` strings with room for `bytes` of text, their ends included; *text is where the text begins. The
 * pointers are the caller's to set. */
fr_status fr_names_allocate(int64_t count, size_t bytes, char ***names, char **text, fr_error *error);

/* A copy of `count` names, or NULL of NULL. */
fr_status fr_names_copy(const char *const *names, int64_t count, char ***copy, fr_error *error);

/* Bytes of the text of `count` names, the ends included; 0 for NULL. */
size_t fr_names_bytes(const char *const *names, int64_t count);

/* The names in the order of their bytes: place[i] is the number of the i-th. Equal ones stay in their order. */
void fr_names_sort(const char *const *names, int64_t count, int64_t *place);

/* The first of the sorted places whose name is `name`, or count where there is none. */
int64_t fr_names_find(const char *const *names, int64_t count, const int64_t *place, const char *name);

#endif
