/*
 * names.c - lists of names: made, copied, sorted and searched.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* qsort_r */
#endif
#include "data/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

fr_status fr_names_allocate(int64_t count, size_t bytes, char ***names, char **text, fr_error *error) {
    size_t pointers = (size_t)count * sizeof(char *);
    FR_TRY(fr_allocate((void **)names, (int64_t)(pointers + bytes), 1, "the names of columns", error));
    *text = (char *)*names + pointers;
    return FR_OK;
}

size_t fr_names_bytes(const char *const *names, int64_t count) {
    size_t bytes = 0;
    for (int64_t i = 0; names && i < count; i++) bytes += strlen(names[i]) + 1;
    return bytes;
}

fr_status fr_names_copy(const char *const *names, int64_t count, char ***copy, fr_error *error) {
    char *text;
    *copy = NULL;
    if (!names) return FR_OK;
    FR_TRY(fr_names_allocate(count, fr_names_bytes(names, count), copy, &text, error));
    for (int64_t i = 0; i < count; i++) {
        size_t length = strlen(names[i]) + 1;
        (*copy)[i] = memcpy(text, names[i], length);
        text += length;
    }
    return FR_OK;
}

/* -------------------------------------------------------------------------------------------- in order */

static int compare_places(const void *one, const void *other, void *names) {
    const char *const *list = names;
    int64_t a = *(const int64_t *)one, b = *(const int64_t *)other;
    int order = strcmp(list[a], list[b]);
    return order ? order : (a > b) - (a < b);
}

void fr_names_sort(const char *const *names, int64_t count, int64_t *place) {
    for (int64_t i = 0; i < count; i++) place[i] = i;
    qsort_r(place, (size_t)count, sizeof *place, compare_places, (void *)names);
}

int64_t fr_names_find(const char *const *names, int64_t count, const int64_t *place, const char *name) {
    int64_t low = 0, high = count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (strcmp(names[place[middle]], name) < 0) low = middle + 1;
        else high = middle;
    }
    return low < count && strcmp(names[place[low]], name) == 0 ? low : count;
}
