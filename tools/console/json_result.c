/*
 * json_result.c - a result on stdout, at most one.
 *
 * A fit that diverged or missed its tolerance has a result, whose status says so; an object of its own tells only of
 * what left none. The rank of a failure is null where no rank in particular failed.
 */
#include "console/json_result.h"

#include "console/message.h"

static bool wanted, begun;

void json_result_want(void) { wanted = true; }

json_writer json_result_begin_in(FILE *out) {
    json_writer json = json_start(out);
    json_begin(&json, NULL);
    json_string(&json, "program", "fitrelu");
    json_string(&json, "version", fr_version());
    return json;
}

json_writer json_result_begin(void) {
    begun = true;
    return json_result_begin_in(stdout);
}

void json_result_copy(const char *text, size_t size) {
    begun = true;
    fwrite(text, 1, size, stdout);
}

void json_result_notes(json_writer *json) {
    int count;
    const char *const *notes = message_notes(&count);
    json_begin_array(json, "notes");
    for (int i = 0; i < count; i++) json_string(json, NULL, notes[i]);
    json_end_array(json);
}

/* The error line; an interruption is none, but was remarked. */
static const char *reason(void) {
    int count;
    const char *const *notes = message_notes(&count);
    if (message_last_error()->message[0]) return message_last_error()->message;
    return count > 0 ? notes[count - 1] : NULL;
}

void json_result_failure(int code) {
    if (!wanted || begun || code == EXIT_DONE) return;
    json_writer json = json_result_begin();
    int rank = message_last_error()->rank;
    json_string(&json, "status", "error");
    json_begin(&json, "error");
    json_integer(&json, "code", code);
    json_string(&json, "message", reason());
    if (rank < 0) json_null(&json, "rank");
    else json_integer(&json, "rank", rank);
    json_end(&json);
    json_end(&json);
}
