/*
 * csv_line.c - fields of a line, where speed does not matter; data/csv/csv.c parses numbers on a path of its own.
 */
#include "data/csv_line.h"

const char *fr_csv_closing_quote(const char *at, const char *end) {
    for (at++; at < end; at++) {
        if (*at != '"') continue;
        if (at + 1 == end || at[1] != '"') return at;
        at++;
    }
    return end;
}

const char *fr_csv_cut(char delimiter, const char *at, const char *end, fr_csv_field *cut) {
    at = fr_csv_skip_padding(delimiter, at, end);
    const char *quote = at < end && *at == '"' ? fr_csv_closing_quote(at, end) : end;
    bool quoted = quote < end;
    const char *from = quoted ? at + 1 : at;
    const char *stop = quoted ? quote + 1 : at;
    while (stop < end && !fr_csv_is_delimiter(delimiter, *stop)) stop++;
    const char *to = quoted ? quote : stop;
    while (!quoted && to > from && fr_csv_is_padding(delimiter, to[-1])) to--;
    *cut = (fr_csv_field){from, to};
    if (delimiter == ' ') stop = fr_csv_skip_padding(delimiter, stop, end);
    if (stop == end) return NULL;
    return delimiter == ' ' ? stop : stop + 1;
}

int64_t fr_csv_count(char delimiter, const char *begin, const char *end) {
    int64_t count = 0;
    fr_csv_field cut;
    for (const char *at = begin; at; count++) at = fr_csv_cut(delimiter, at, end, &cut);
    return count;
}

fr_csv_field fr_csv_field_at(char delimiter, const char *begin, const char *end, int64_t column) {
    fr_csv_field cut = {end, end};
    const char *at = begin;
    for (int64_t i = 0; i <= column; i++) {
        if (!at) return (fr_csv_field){end, end};
        at = fr_csv_cut(delimiter, at, end, &cut);
    }
    return cut;
}

bool fr_csv_has(char delimiter, const char *begin, const char *end) {
    while (end > begin && fr_is_blank(end[-1]) && delimiter == ' ') end--;
    for (const char *at = fr_csv_skip_padding(delimiter, begin, end); at < end; at++) {
        if (*at == '"') at = fr_csv_closing_quote(at, end);
        if (at < end && fr_csv_is_delimiter(delimiter, *at)) return true;
    }
    return false;
}
