/*
 * json_scan.c - see json_scan.h.
 */
#include "console/json_scan.h"

#include <math.h>
#include <string.h>

#include "base/parse_number.h"

const char *json_find(const char *text, const char *end, const char *name) {
    size_t length = strlen(name);
    for (; text < end; text++) {
        if (*text != '"' || strncmp(text + 1, name, length) != 0 || text[1 + length] != '"') continue;
        text += length + 2;
        text += strspn(text, " \n");
        if (*text == ':') return text + 1 + strspn(text + 1, " \n");
    }
    return NULL;
}

double json_find_number(const char *text, const char *end, const char *name) {
    double number;
    const char *value = json_find(text, end, name);
    return value && fr_parse_double_prefix(value, end, &number) ? number : NAN;
}
