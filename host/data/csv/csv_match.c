/*
 * csv_match.c - each name of the table is looked for among the model's; what is left on either side is told in one line.
 */
#include "data/csv/csv_match.h"

#include <inttypes.h>
#include <stdio.h>

#include "data/names.h"

/* ----------------------------------------------------------------------------------------- one message */

void fr_csv_list(fr_csv_listing *all, const char *name, int64_t column) {
    char shown[FR_SHOWN_SIZE];
    size_t used = strlen(all->text), room = sizeof all->text - sizeof " and 9223372036854775807 more";
    all->count++;
    if (all->listed < all->count - 1 || used + sizeof shown + 2 > room) return;
    all->listed++;
    if (*name) fr_text_show(shown, name, name + strlen(name));
    else snprintf(shown, sizeof shown, "%" PRId64, column + 1);
    snprintf(all->text + used, sizeof all->text - used, "%s%s", all->count > 1 ? ", " : " ", shown);
}

void fr_csv_end_list(fr_csv_listing *all) {
    size_t used = strlen(all->text);
    if (all->count > all->listed)
        snprintf(all->text + used, sizeof all->text - used, " and %" PRId64 " more", all->count - all->listed);
}

static fr_status refuse(const fr_csv_choice *c, fr_csv_listing *missing, fr_csv_listing *unknown, fr_error *error) {
    const fr_read_options *options = c->options;
    bool hint = missing->count == 0 && unknown->count == 1 && !options->label_name && c->columns->label < 0;
    fr_csv_end_list(missing);
    fr_csv_end_list(unknown);
    return fr_fail(error, FR_ERROR_DATA, "%s:%" PRId64 ": %s%s%s%s%s%s%s%s%s", c->file->path, c->head->number,
                   missing->count ? "missing column" : "", missing->count > 1 ? "s" : "", missing->text,
                   missing->count && unknown->count ? "; " : "", unknown->count ? "unknown column" : "",
                   unknown->count > 1 ? "s" : "", unknown->text,
                   unknown->count ? ", expected the model's features and its label only (or --ignore)" : " of the model",
                   hint ? " (or --label-column, if it holds the labels)" : "");
}

/* ------------------------------------------------------------------------------------------- the names */

/* The model's names in order, and which of them the table has. */
typedef struct known {
    const char *const *names;
    int64_t count, *sorted, *passed; /* passed: the order of options->passed */
    bool *taken;
    int64_t categories; /* found so far */
} known;

/* The words of a column `name`: features "name=word" of the model, which lie side by side in their order. */
static fr_status take_words(const fr_csv_choice *c, known *k, int64_t column, fr_error *error) {
    const char *name = c->head->names[column];
    size_t length = strlen(name);
    fr_csv_category *words = &c->columns->categories[k->categories];
    words->column = column;
    for (int64_t i = 0; i < k->count; i++) {
        int64_t feature = k->sorted[i];
        const char *known_name = k->names[feature], *word = known_name + length + 1;
        if (strncmp(known_name, name, length) != 0 || known_name[length] != '=' || k->taken[feature]) continue;
        FR_TRY(fr_csv_add_word(words, word, word + strlen(word), feature, error));
        k->taken[feature] = true;
    }
    if (words->count > 0) c->columns->feature[column] = FR_CSV_CATEGORY - k->categories++;
    return FR_OK;
}

static bool is_passed(const fr_read_options *options, const known *k, const char *name) {
    if (options->label_name && strcmp(name, options->label_name) == 0) return true;
    return fr_names_find(options->passed, options->passed_count, k->passed, name) < options->passed_count;
}

static fr_status match_column(const fr_csv_choice *c, known *k, int64_t column, fr_csv_listing *unknown,
                              fr_error *error) {
    const char *name = c->head->names[column];
    int64_t *feature = &c->columns->feature[column];
    *feature = column == c->columns->label    ? FR_CSV_LABEL
               : column == c->columns->weight ? FR_CSV_WEIGHT
                                              : FR_CSV_PASSED;
    if (*feature != FR_CSV_PASSED || !c->selected[column]) return FR_OK;
    int64_t place = fr_names_find(k->names, k->count, k->sorted, name);
    if (place == k->count) {
        if (is_passed(c->options, k, name)) return FR_OK;
        FR_TRY(take_words(c, k, column, error));
        if (*feature == FR_CSV_PASSED) fr_csv_list(unknown, name, column);
        return FR_OK;
    }
    *feature = k->sorted[place];
    if (k->taken[*feature])
        return fr_fail(error, FR_ERROR_DATA, "%s:%" PRId64 ": two columns are named %s, expected one", c->file->path,
                       c->head->number, name);
    k->taken[*feature] = true;
    return FR_OK;
}

static fr_status match(const fr_csv_choice *c, known *k, fr_error *error) {
    fr_csv_listing missing = {0}, unknown = {0};
    for (int64_t i = 0; i < c->head->columns; i++) FR_TRY(match_column(c, k, i, &unknown, error));
    c->columns->category_count = k->categories;
    for (int64_t j = 0; j < k->count; j++)
        if (!k->taken[j]) fr_csv_list(&missing, k->names[j], j);
    return missing.count || unknown.count ? refuse(c, &missing, &unknown, error) : FR_OK;
}

/* The label, where --label-column does not tell. */
static void find_label(const fr_csv_choice *c) {
    const fr_read_options *options = c->options;
    for (int64_t i = 0; !options->label_column && !options->labels && options->label_name && i < c->head->columns; i++)
        if (strcmp(c->head->names[i], options->label_name) == 0) c->columns->label = i;
}

fr_status fr_csv_match(const fr_csv_choice *c, fr_error *error) {
    const fr_read_options *options = c->options;
    fr_csv_columns *chosen = c->columns;
    FR_OWNED int64_t *sorted = NULL;
    FR_OWNED int64_t *passed = NULL;
    FR_OWNED bool *taken = NULL;
    const int64_t d = options->features;
    FR_TRY(fr_allocate((void **)&sorted, d, sizeof *sorted, "the columns", error));
    FR_TRY(fr_allocate((void **)&taken, d, sizeof *taken, "the columns", error));
    FR_TRY(fr_allocate((void **)&chosen->categories, c->head->columns, sizeof *chosen->categories, "the columns", error));
    FR_TRY(fr_allocate((void **)&passed, options->passed_count, sizeof *passed, "the columns", error));
    fr_names_sort(options->names, d, sorted);
    fr_names_sort(options->passed, options->passed_count, passed);
    known k = {options->names, d, sorted, passed, taken, 0};
    find_label(c);
    chosen->keep_label = chosen->label >= 0 && fr_wants_own_labels(options);
    chosen->features = d;
    FR_TRY(match(c, &k, error));
    if (chosen->label >= 0 || !fr_wants_own_labels(options) || chosen->label_optional) return FR_OK;
    return fr_fail(error, FR_ERROR_DATA, "%s:%" PRId64 ": no column holds labels", c->file->path, c->head->number);
}
