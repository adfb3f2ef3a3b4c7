/*
 * json_result.h - the one object that a command prints on stdout with --json: its result, or else how it failed.
 */
#ifndef FITRELU_JSON_RESULT_H
#define FITRELU_JSON_RESULT_H

#include "console/json_writer.h"

/* --json was given, so that a failure is an object too. */
void json_result_want(void);

/* Begins the result on stdout, with its members program and version; the caller ends it. */
json_writer json_result_begin(void);
/* The same elsewhere. */
json_writer json_result_begin_in(FILE *out);
/* A result that was written elsewhere first goes to stdout as it is. */
void json_result_copy(const char *text, size_t size);
/* The member notes: what stderr remarked so far. */
void json_result_notes(json_writer *json);

/* Before a command ends with this code: where it failed, --json was given and no result was begun, prints
 * {"program", "version", "status": "error", "error": {"code", "message", "rank"}}. */
void json_result_failure(int code);

#endif
