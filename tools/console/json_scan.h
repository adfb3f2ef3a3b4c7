/*
 * json_scan.h - single values out of JSON that this program wrote, where a key is looked for and no structure is needed.
 */
#ifndef FITRELU_JSON_SCAN_H
#define FITRELU_JSON_SCAN_H

/* Where the first value of "name" in [text, end) begins, or NULL. */
const char *json_find(const char *text, const char *end, const char *name);
/* The same as a number; NaN where it is none. */
double json_find_number(const char *text, const char *end, const char *name);

#endif
