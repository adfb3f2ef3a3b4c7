/*
 * csv_columns.c - finds the label, the weight and the features among the columns of a table.
 *
 * The label is the column that the options name, or the one of the expected label's name, or the last that holds no
 * weights.
 */
#include "data/csv_columns.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/parse_number.h"
#include "data/names.h"

typedef struct choice {
    const char *path;
    const fr_read_options *options;
    const fr_csv_head *head;
    fr_csv_columns *columns;
} choice;

/* ---------------------------------------------------------------------------------- label and weight */

/* The header as it stands, for a message. */
static fr_status no_such_column(const choice *c, const char *option, const char *name, fr_error *error) {
    if (!c->head->header)
        return fr_fail(error, FR_ERROR_USAGE,
                       "%s has %" PRId64 " columns and no header: %s %s, expected 1 to %" PRId64, c->path,
                       c->head->columns, option, name, c->head->columns);
    return fr_fail(error, FR_ERROR_USAGE, "%s: %s %s, expected 1 to %" PRId64 " or a name of the header: %.200s",
                   c->path, option, name, c->head->columns, c->head->line);
}

/* The column that an option gives as a name of the header, or else as a number from 1, or from -1 for the last. */
static fr_status find_column(const choice *c, const char *option, const char *name, int64_t *column,
                             fr_error *error) {
    int64_t columns = c->head->columns, found = 0, number;
    for (int64_t i = 0; c->head->names && i < columns; i++)
        if (strcmp(c->head->names[i], name) == 0) found++, *column = i;
    if (found == 1) return FR_OK;
    if (found > 1)
        return fr_fail(error, FR_ERROR_USAGE, "%s: %" PRId64 " columns are named %s, expected one; give its number",
                       c->path, found, name);
    if (!fr_parse_int64(name, name + strlen(name), &number) || number == 0 || number > columns || number < -columns)
        return no_such_column(c, option, name, error);
    *column = number > 0 ? number - 1 : columns + number;
    return FR_OK;
}

static fr_status find_weight_column(const choice *c, fr_error *error) {
    const char *name = c->options->weight_column;
    return name ? find_column(c, "--weight-column", name, &c->columns->weight, error) : FR_OK;
}

/* After the column of weights. */
static fr_status find_label_column(const choice *c, fr_error *error) {
    const char *name = c->options->label_column;
    fr_csv_columns *found = c->columns;
    if (name) FR_TRY(find_column(c, "--label-column", name, &found->label, error));
    if (found->weight < 0 || found->weight != found->label) return FR_OK;
    return fr_fail(error, FR_ERROR_USAGE, "%s: --weight-column %s is the column of the labels", c->path,
                   c->options->weight_column);
}

/* -------------------------------------------------------------------------------------------- by name */

/* Columns that are missing and columns that are unknown, for one message: ` "a", "b" and 3 more`. */
typedef struct listing {
    char text[160];
    int64_t count;
} listing;

static void list(listing *all, const char *name, int64_t column) {
    char shown[FR_SHOWN_SIZE];
    size_t used = strlen(all->text);
    if (all->count++ >= 2) return;
    snprintf(all->text + used, sizeof all->text - used, "%s", all->count > 1 ? ", " : " ");
    used = strlen(all->text);
    if (*name) fr_text_show(shown, name, name + strlen(name));
    else snprintf(shown, sizeof shown, "%" PRId64 " without a name", column + 1);
    snprintf(all->text + used, sizeof all->text - used, "%s", shown);
}

static void end_list(listing *all) {
    size_t used = strlen(all->text);
    if (all->count > 2)
        snprintf(all->text + used, sizeof all->text - used, " and %" PRId64 " more", all->count - 2);
}

static const char *plural(const listing *all) { return all->count > 1 ? "s" : ""; }

static fr_status refuse_columns(const choice *c, listing *missing, listing *unknown, fr_error *error) {
    const fr_read_options *options = c->options;
    bool hint = missing->count == 0 && unknown->count == 1 && !options->label_name && c->columns->label < 0;
    end_list(missing);
    end_list(unknown);
    return fr_fail(error, FR_ERROR_DATA, "%s:%" PRId64 ": %s%s%s%s%s%s%s%s%s", c->path, c->head->number,
                   missing->count ? "missing column" : "", missing->count ? plural(missing) : "", missing->text,
                   missing->count && unknown->count ? "; " : "", unknown->count ? "unknown column" : "",
                   unknown->count ? plural(unknown) : "", unknown->text,
                   unknown->count ? ", expected the model's features and its label only" : " of the model",
                   hint ? " (or --label-column, if it holds the labels)" : "");
}

/* Gives each column its feature; lists what the features lack and which columns are none of them. */
static fr_status match(const choice *c, const int64_t *sorted, bool *taken, listing *unknown, fr_error *error) {
    const fr_read_options *options = c->options;
    const char *const *names = options->names;
    for (int64_t i = 0; i < c->head->columns; i++) {
        const char *name = c->head->names[i];
        int64_t place = fr_names_find(names, options->features, sorted, name), *feature = &c->columns->feature[i];
        bool known = place < options->features;
        *feature = i == c->columns->label    ? FR_CSV_LABEL
                   : i == c->columns->weight ? FR_CSV_WEIGHT
                   : known                   ? sorted[place]
                                             : FR_CSV_PASSED;
        if (known && *feature >= 0 && taken[*feature])
            return fr_fail(error, FR_ERROR_DATA, "%s:%" PRId64 ": two columns are named %s, expected one", c->path,
                           c->head->number, name);
        if (*feature >= 0) taken[*feature] = true;
        if (*feature == FR_CSV_PASSED && !(options->label_name && strcmp(name, options->label_name) == 0))
            list(unknown, name, i);
    }
    return FR_OK;
}

static fr_status choose_by_name(const choice *c, fr_error *error) {
    const fr_read_options *options = c->options;
    const int64_t d = options->features;
    FR_OWNED int64_t *sorted = NULL;
    FR_OWNED bool *taken = NULL;
    listing missing = {0}, unknown = {0};
    FR_TRY(fr_allocate((void **)&sorted, d, sizeof *sorted, "the columns", error));
    FR_TRY(fr_allocate((void **)&taken, d, sizeof *taken, "the columns", error));
    fr_names_sort(options->names, d, sorted);
    for (int64_t i = 0; !options->labels && options->label_name && i < c->head->columns; i++)
        if (strcmp(c->head->names[i], options->label_name) == 0) c->columns->label = i;
    FR_TRY(find_weight_column(c, error));
    FR_TRY(find_label_column(c, error));
    c->columns->keep_label = c->columns->label >= 0 && fr_wants_own_labels(options);
    c->columns->features = d;
    FR_TRY(match(c, sorted, taken, &unknown, error));
    for (int64_t j = 0; j < d; j++)
        if (!taken[j]) list(&missing, options->names[j], j);
    if (missing.count || unknown.count) return refuse_columns(c, &missing, &unknown, error);
    if (c->columns->label >= 0 || !fr_wants_own_labels(options) || c->columns->label_optional) return FR_OK;
    return fr_fail(error, FR_ERROR_DATA, "%s:%" PRId64 ": no column holds labels", c->path, c->head->number);
}

/* ------------------------------------------------------------------------------------------ by number */

/* Whether one of so many columns, that of weights apart, is that of labels; their number tells where the options leave
 * it open. */
static bool has_label_column(const choice *c, int64_t columns) {
    int64_t expected = c->options->features;
    if (c->options->without_labels) return expected > 0 ? columns == expected + 1 : c->options->label_column != NULL;
    if (c->columns->label_optional && expected > 0 && columns == expected) return false;
    return fr_wants_own_labels(c->options);
}

static fr_status choose_by_number(const choice *c, fr_error *error) {
    const int64_t expected = c->options->features, columns = c->head->columns;
    fr_csv_columns *chosen = c->columns;
    FR_TRY(find_weight_column(c, error));
    int64_t others = columns - (chosen->weight >= 0);
    bool inside = has_label_column(c, others);
    chosen->keep_label = inside && fr_wants_own_labels(c->options);
    if (inside) chosen->label = columns - 1 - (chosen->weight == columns - 1);
    if (inside) FR_TRY(find_label_column(c, error));
    chosen->features = others - inside;
    if (chosen->features < 1)
        return fr_fail(error, FR_ERROR_DATA, "%s has %" PRId64 " column%s, expected at least one feature and the label%s",
                       c->path, columns, columns > 1 ? "s" : "", chosen->weight >= 0 ? " beside the weight" : "");
    if (expected > 0 && chosen->features != expected)
        return fr_fail(error, FR_ERROR_DATA,
                       "%s:%" PRId64 ": found %" PRId64 " columns, expected %" PRId64 " features%s", c->path,
                       c->head->number, columns, expected,
                       chosen->label_optional || c->options->without_labels ? " (and at most a label)"
                       : inside                                             ? " and a label"
                                                                            : "");
    int64_t feature = 0;
    for (int64_t i = 0; i < columns; i++)
        chosen->feature[i] = i == chosen->label    ? FR_CSV_LABEL
                             : i == chosen->weight ? FR_CSV_WEIGHT
                                                   : feature++;
    return FR_OK;
}

/* ----------------------------------------------------------------------------------------------- both */

fr_status fr_csv_columns_choose(const char *path, const fr_read_options *options, const fr_csv_head *head,
                                fr_csv_columns *columns, fr_error *error) {
    const choice c = {path, options, head, columns};
    *columns = (fr_csv_columns){.label = -1, .weight = -1, .label_optional = fr_labels_optional(options)};
    FR_TRY(fr_allocate((void **)&columns->feature, head->columns, sizeof *columns->feature, "the columns", error));
    if (options->names && head->names) return choose_by_name(&c, error);
    FR_TRY(choose_by_number(&c, error));
    if (options->names)
        fr_remark(options, "%s names no columns; they are taken in the order of the model's features", path);
    return FR_OK;
}

void fr_csv_columns_free(fr_csv_columns *columns) {
    free(columns->feature);
    columns->feature = NULL;
}

/* The first name that two columns have, or NULL. */
static fr_status find_twice(const fr_csv_head *head, const char **twice, fr_error *error) {
    FR_OWNED int64_t *sorted = NULL;
    const char *const *names = (const char *const *)head->names;
    *twice = NULL;
    FR_TRY(fr_allocate((void **)&sorted, head->columns, sizeof *sorted, "the columns", error));
    fr_names_sort(names, head->columns, sorted);
    for (int64_t i = 1; !*twice && i < head->columns; i++)
        if (strcmp(names[sorted[i - 1]], names[sorted[i]]) == 0) *twice = names[sorted[i]];
    return FR_OK;
}

fr_status fr_csv_columns_name(const fr_read_options *options, const fr_csv_head *head, const fr_csv_columns *columns,
                              fr_dataset *set, fr_error *error) {
    FR_OWNED const char **names = NULL;
    const char *twice;
    if (!head->names) return FR_OK;
    FR_TRY(find_twice(head, &twice, error));
    if (twice && options->features == 0)
        fr_remark(options, "%s: two columns are named %s; the names are not kept", set->source, twice);
    if (twice) return FR_OK;
    FR_TRY(fr_allocate((void **)&names, columns->features, sizeof *names, "the names of columns", error));
    for (int64_t i = 0; i < head->columns; i++)
        if (columns->feature[i] >= 0) names[columns->feature[i]] = head->names[i];
    FR_TRY(fr_names_copy(names, columns->features, &set->names, error));
    if (columns->label < 0) return FR_OK;
    set->label_name = strdup(head->names[columns->label]);
    return set->label_name ? FR_OK : fr_fail(error, FR_ERROR, "%s: out of memory", set->source);
}
