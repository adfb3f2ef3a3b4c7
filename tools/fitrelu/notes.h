/*
 * notes.h - what a fit remarks: lines on stderr while it goes on, and the list `notes` of its JSON.
 */
#ifndef FITRELU_NOTES_H
#define FITRELU_NOTES_H

#include "fitrelu.h"

enum { NOTES_MOST = 16 };

typedef struct note_list {
    bool quiet; /* keep, print nothing */
    int count;
    char *lines[NOTES_MOST];
} note_list;

/* Prints "fitrelu: ..." unless quiet, and keeps the line. Room for NOTES_MOST lines; more are printed and not kept. */
void notes_add(note_list *list, const char *format, ...) __attribute__((format(printf, 2, 3)));
void notes_free(note_list *list);

/* One line for each reason for which features of a prepared data set were left out, that names them, by number
 * where they have no names. */
void notes_left_out(note_list *list, const fr_dataset *set, int64_t features);

#endif
