/*
 * csv_columns.c - finds the label, the weight and the features among the columns of a table.
 *
 * The label is the column that the options name, or the one of the expected label's name, or the last that is not
 * ignored, named as a feature or that of weights.
 */
#include "data/csv/csv_columns.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/parse_number.h"
#include "data/csv/csv_match.h"
#include "data/names.h"
#include "data/select.h"

/* ---------------------------------------------------------------------------------- label and weight */

/* The header as it stands, for a message. */
static fr_status no_such_column(const fr_csv_choice *c, const char *option, const char *name, fr_error *error) {
    if (!c->head->header)
        return fr_fail(error, FR_ERROR_USAGE,
                       "%s has %" PRId64 " columns and no header: %s %s, expected 1 to %" PRId64, c->file->path,
                       c->head->columns, option, name, c->head->columns);
    return fr_fail(error, FR_ERROR_USAGE, "%s: %s %s, expected 1 to %" PRId64 " or a name of the header: %.200s",
                   c->file->path, option, name, c->head->columns, c->head->line);
}

/* The column that an option gives as a name of the header, or else as a number from 1, or from -1 for the last. */
static fr_status find_column(const fr_csv_choice *c, const char *option, const char *name, int64_t *column,
                             fr_error *error) {
    int64_t columns = c->head->columns, found = 0, number;
    for (int64_t i = 0; c->head->names && i < columns; i++)
        if (strcmp(c->head->names[i], name) == 0) found++, *column = i;
    if (found == 1) return FR_OK;
    if (found > 1)
        return fr_fail(error, FR_ERROR_USAGE, "%s: %" PRId64 " columns are named %s, expected one; give its number",
                       c->file->path, found, name);
    if (!fr_parse_int64(name, name + strlen(name), &number) || number == 0 || number > columns || number < -columns)
        return no_such_column(c, option, name, error);
    *column = number > 0 ? number - 1 : columns + number;
    return FR_OK;
}

static fr_status refuse_both(const fr_csv_choice *c, int64_t column, const char *what, fr_error *error) {
    return fr_fail(error, FR_ERROR_USAGE, "%s: column %" PRId64 " cannot be the %s and in %s both", c->file->path,
                   column + 1, what, c->options->columns ? "--columns" : "--ignore");
}

/* Whether a column that is no feature was chosen for one, or ignored. */
static bool is_in_both(const fr_csv_choice *c, int64_t column) {
    return column >= 0 && fr_selects(c->options) && c->selected[column] == (c->options->columns != NULL);
}

static fr_status find_weight_column(const fr_csv_choice *c, fr_error *error) {
    const char *name = c->options->weight_column;
    int64_t *weight = &c->columns->weight;
    if (!name) return FR_OK;
    FR_TRY(find_column(c, "--weight-column", name, weight, error));
    if (is_in_both(c, *weight)) return refuse_both(c, *weight, "weight", error);
    c->selected[*weight] = false;
    return FR_OK;
}

/* After the column of weights. */
static fr_status find_label_column(const fr_csv_choice *c, fr_error *error) {
    fr_csv_columns *found = c->columns;
    if (c->options->label_column) FR_TRY(find_column(c, "--label-column", c->options->label_column, &found->label, error));
    if (found->weight < 0 || found->weight != found->label) return FR_OK;
    return fr_fail(error, FR_ERROR_USAGE, "%s: --weight-column %s is the column of the labels", c->file->path,
                   c->options->weight_column);
}

/* The label that is told by no name: the last column that is not set aside for something else. */
static int64_t last_column(const fr_csv_choice *c) {
    const bool listed = c->options->columns != NULL;
    int64_t last = c->head->columns - 1;
    while (last >= 0 && (c->selected[last] == listed || last == c->columns->weight)) last--;
    return last;
}

/* -------------------------------------------------------------------------------------------- words */

/* Columns of words. */
static void list_text(const fr_csv_choice *c, char **texts, fr_csv_listing *all) {
    for (int64_t i = 0; i < c->head->columns; i++)
        if (texts[i]) fr_csv_list(all, c->head->names ? c->head->names[i] : "", i);
    fr_csv_end_list(all);
}

/* Refuses columns of words, all at once; labels of words alone, since no option makes numbers of them. */
static fr_status refuse_text(const fr_csv_choice *c, char **texts, fr_error *error) {
    const int64_t label = c->columns->label;
    const bool labels = label >= 0 && texts[label];
    fr_csv_listing all = {0};
    char shown[FR_SHOWN_SIZE];
    int64_t first = labels ? label : 0;
    while (!texts[first]) first++;
    if (labels) fr_csv_list(&all, c->head->names ? c->head->names[label] : "", label);
    else list_text(c, texts, &all);
    fr_text_show(shown, texts[first], texts[first] + strlen(texts[first]));
    return fr_fail(error, FR_ERROR_DATA, "%s: column%s%s hold%s words and no numbers: found %s, expected %s",
                   c->file->path, all.count > 1 ? "s" : "", all.text, all.count > 1 ? "" : "s", shown,
                   labels ? "labels, which are numbers (--label-column names another column)"
                          : "a number (--ignore leaves columns out, --categories makes columns of 0 and 1)");
}

/* A category for each column of words. */
static fr_status make_categories(const fr_csv_choice *c, char **texts, fr_error *error) {
    fr_csv_columns *chosen = c->columns;
    int64_t count = 0, at = 0;
    for (int64_t i = 0; i < c->head->columns; i++) count += texts[i] != NULL;
    if (count > 0 && !c->head->names)
        return fr_fail(error, FR_ERROR_USAGE, "%s: --categories needs a header that names the columns", c->file->path);
    FR_TRY(fr_allocate((void **)&chosen->categories, count, sizeof *chosen->categories, "columns of words", error));
    for (int64_t i = 0; i < c->head->columns; i++) {
        if (!texts[i]) continue;
        chosen->feature[i] = FR_CSV_CATEGORY - at;
        chosen->categories[at++] = (fr_csv_category){.column = i};
    }
    chosen->category_count = count;
    return fr_csv_collect_words(c->file, c->head, chosen->categories, count, error);
}

/* Of a table to be fitted: columns of words are refused, or become categories. */
static fr_status look_for_words(const fr_csv_choice *c, char **texts, fr_error *error) {
    FR_OWNED bool *wanted = NULL;
    fr_csv_columns *chosen = c->columns;
    bool any = false;
    if (c->options->features > 0) return FR_OK;
    FR_TRY(fr_allocate((void **)&wanted, c->head->columns, sizeof *wanted, "the columns", error));
    for (int64_t i = 0; i < c->head->columns; i++)
        wanted[i] = chosen->feature[i] >= 0 || (i == chosen->label && chosen->keep_label && !chosen->label_optional);
    FR_TRY(fr_csv_find_text(c->file, c->head, wanted, texts, error));
    for (int64_t i = 0; i < c->head->columns; i++) any |= texts[i] != NULL;
    if (!any) return FR_OK;
    bool label = chosen->label >= 0 && texts[chosen->label];
    return c->options->categories && !label ? make_categories(c, texts, error) : refuse_text(c, texts, error);
}

/* Features in the order of their columns, a category's words side by side. */
static void number_features(fr_csv_columns *chosen, int64_t columns) {
    int64_t next = 0;
    for (int64_t i = 0; i < columns; i++) {
        const fr_csv_category *words = fr_csv_category_of(chosen, i);
        if (chosen->feature[i] >= 0) chosen->feature[i] = next++;
        for (int64_t k = 0; words && k < words->count; k++) words->feature[k] = next++;
    }
    chosen->features = next;
}

/* ------------------------------------------------------------------------------------------ by number */

static int64_t count_selected(const fr_csv_choice *c) {
    int64_t count = 0;
    for (int64_t i = 0; i < c->head->columns; i++) count += c->selected[i];
    return count;
}

/* Whether one of the columns is that of labels; the number of columns tells where the options leave it open. */
static bool has_label_column(const fr_csv_choice *c) {
    int64_t expected = c->options->features, given = c->options->columns ? expected : count_selected(c);
    if (c->options->without_labels) return expected > 0 ? given == expected + 1 : c->options->label_column != NULL;
    if (c->columns->label_optional && expected > 0 && given == expected) return false;
    return fr_wants_own_labels(c->options);
}

static fr_status wrong_number(const fr_csv_choice *c, int64_t found, bool inside, fr_error *error) {
    const fr_read_options *options = c->options;
    return fr_fail(error, FR_ERROR_DATA,
                   "%s:%" PRId64 ": found %" PRId64 " columns, expected %" PRId64 " features%s", c->file->path,
                   c->head->number, found + inside, options->features,
                   c->columns->label_optional || options->without_labels ? " (and at most a label)"
                   : inside                                              ? " and a label"
                                                                         : "");
}

/* What the options left of the columns. */
static const char *too_few(const fr_csv_choice *c) {
    if (!fr_selects(c->options)) return "";
    return c->columns->features < 1 ? ", and no feature is left" : ", and no column is left for the label";
}

static fr_status choose_by_number(const fr_csv_choice *c, char **texts, fr_error *error) {
    const int64_t expected = c->options->features, columns = c->head->columns;
    bool inside = has_label_column(c);
    fr_csv_columns *chosen = c->columns;
    chosen->keep_label = inside && fr_wants_own_labels(c->options);
    if (inside) chosen->label = last_column(c);
    if (inside) FR_TRY(find_label_column(c, error));
    if (is_in_both(c, chosen->label)) return refuse_both(c, chosen->label, "label", error);
    for (int64_t i = 0; i < columns; i++)
        chosen->feature[i] = i == chosen->label    ? FR_CSV_LABEL
                             : i == chosen->weight ? FR_CSV_WEIGHT
                             : c->selected[i]      ? 0
                                                   : FR_CSV_PASSED;
    number_features(chosen, columns);
    if (chosen->features < 1 || (inside && chosen->label < 0))
        return fr_fail(error, FR_ERROR_DATA, "%s has %" PRId64 " column%s%s, expected at least one feature and the label%s",
                       c->file->path, columns, columns > 1 ? "s" : "", too_few(c),
                       chosen->weight >= 0 ? " beside the weight" : "");
    if (expected > 0 && chosen->features != expected) return wrong_number(c, chosen->features, inside, error);
    FR_TRY(look_for_words(c, texts, error));
    number_features(chosen, columns);
    return FR_OK;
}

/* ----------------------------------------------------------------------------------------------- both */

static fr_status choose(const fr_csv_choice *c, char **texts, fr_error *error) {
    FR_TRY(fr_select(c->file->path, c->options, (const char *const *)c->head->names, c->head->columns, c->selected,
                     error));
    FR_TRY(find_weight_column(c, error));
    if (!c->options->names || !c->head->names) {
        FR_TRY(choose_by_number(c, texts, error));
        if (c->options->names)
            fr_remark(c->options, "%s names no columns; they are taken in the order of the model's features",
                      c->file->path);
        return FR_OK;
    }
    FR_TRY(find_label_column(c, error));
    return fr_csv_match(c, error);
}

fr_status fr_csv_columns_choose(const fr_text *file, const fr_read_options *options, const fr_csv_head *head,
                                fr_csv_columns *columns, fr_error *error) {
    FR_OWNED bool *selected = NULL;
    FR_OWNED char **texts = NULL;
    *columns = (fr_csv_columns){.label = -1, .weight = -1, .label_optional = fr_labels_optional(options)};
    FR_TRY(fr_allocate((void **)&columns->feature, head->columns, sizeof *columns->feature, "the columns", error));
    FR_TRY(fr_allocate((void **)&selected, head->columns, sizeof *selected, "the columns", error));
    FR_TRY(fr_allocate((void **)&texts, head->columns, sizeof *texts, "the columns", error));
    const fr_csv_choice c = {file, options, head, columns, selected};
    fr_status status = choose(&c, texts, error);
    for (int64_t i = 0; i < head->columns; i++) free(texts[i]);
    return status;
}

void fr_csv_columns_free(fr_csv_columns *columns) {
    for (int64_t i = 0; i < columns->category_count; i++) fr_csv_category_free(&columns->categories[i]);
    free(columns->categories);
    free(columns->feature);
    *columns = (fr_csv_columns){.label = -1, .weight = -1};
}
