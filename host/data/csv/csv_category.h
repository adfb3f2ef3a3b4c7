/*
 * csv_category.h - columns of words: found, and made columns of 0 and 1, one for each word.
 *
 * A column whose first hundred rows hold words and no number is one of words. Its words, in the order of their bytes, make
 * features "color=blue", "color=red", ...; a model's names tell them again where rows are predicted.
 */
#ifndef FR_DATA_CSV_CATEGORY_H
#define FR_DATA_CSV_CATEGORY_H

#include "data/csv/csv_head.h"

enum { FR_CSV_MOST_WORDS = 1000 };

typedef struct fr_csv_category {
    int64_t column, count;
    char **words;     /* sorted, each allocated */
    int64_t *feature; /* of each word */
} fr_csv_category;

/* Which of the `wanted` columns are of words: an example of each in texts[i], allocated; the others stay NULL. */
fr_status fr_csv_find_text(const fr_text *file, const fr_csv_head *head, const bool *wanted, char **texts,
                           fr_error *error);

/* Reads the whole file to fill words of `count` categories whose columns are set. FR_ERROR_DATA where a column has more than
 * FR_CSV_MOST_WORDS of them. */
fr_status fr_csv_collect_words(const fr_text *file, const fr_csv_head *head, fr_csv_category *categories, int64_t count,
                               fr_error *error);

/* Adds a word that is new at its place, with a feature; words added in order stay where they are. */
fr_status fr_csv_add_word(fr_csv_category *category, const char *begin, const char *end, int64_t feature,
                          fr_error *error);

/* The number of a word, or -1. */
int64_t fr_csv_find_word(const fr_csv_category *category, fr_csv_field word);

void fr_csv_category_free(fr_csv_category *category);

#endif
