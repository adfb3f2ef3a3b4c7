/*
 * left_out.c - which columns were left out, and why.
 */
#include <stdio.h>
#include <string.h>

#include "fitting/left_out.h"
#include "console/message.h"
#include "base/text_file.h"

static int64_t count_of(const fr_dataset *set, int64_t features, fr_left_out why) {
    int64_t count = 0;
    for (int64_t j = 0; j < features; j++) count += fr_dataset_left_out(set, j) == why;
    return count;
}

/* A column's name, where it has one, in quotes; else its number. */
static void name_column(const fr_dataset *set, int64_t column, char name[FR_SHOWN_SIZE]) {
    const char *const *names = fr_dataset_names(set);
    if (names && *names[column]) fr_text_show(name, names[column], names[column] + strlen(names[column]));
    else snprintf(name, FR_SHOWN_SIZE, "%lld", (long long)column + 1);
}

/* "column 3", "columns 3, 5 and 7", "columns "a", "b" and 40 more". */
static void name_columns(const fr_dataset *set, int64_t features, fr_left_out why, char *text, size_t size) {
    const int NAMED = fr_dataset_names(set) ? 4 : 8;
    int64_t count = count_of(set, features, why), told = 0;
    int length = snprintf(text, size, count == 1 ? "column" : "columns");
    for (int64_t j = 0; j < features && told < NAMED; j++) {
        if (fr_dataset_left_out(set, j) != why) continue;
        const char *link = told == 0 ? " " : told == count - 1 ? " and " : ", ";
        char name[FR_SHOWN_SIZE];
        name_column(set, j, name);
        length += snprintf(text + length, size - (size_t)length, "%s%s", link, name);
        told++;
    }
    if (told < count) snprintf(text + length, size - (size_t)length, " and %lld more", (long long)(count - told));
}

void left_out_remark(const fr_dataset *set, int64_t features) {
    static const struct {
        fr_left_out why;
        const char *one, *many;
    } reasons[] = {{FR_COLUMN_ZERO, "is 0 in every row", "are 0 in every row"},
                   {FR_COLUMN_CONSTANT, "is constant beside an intercept or another constant column",
                    "are constant beside an intercept or another constant column"},
                   {FR_COLUMN_COMBINATION, "is a combination of others", "are combinations of others"}};
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        char names[320];
        int64_t count = count_of(set, features, reasons[i].why);
        if (count == 0) continue;
        name_columns(set, features, reasons[i].why, names, sizeof names);
        message_note("%s of the features %s; left out, %s 0", names, count == 1 ? reasons[i].one : reasons[i].many,
                     count == 1 ? "its weight is" : "their weights are");
    }
}
