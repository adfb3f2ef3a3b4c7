/*
 * checkpoint.c - payload: a description of everything that decides the iterates, then step, averages and weights.
 */
#include "fit/checkpoint.h"

#include "base/sealed_file.h"

static const fr_seal seal = {"FRCHECKP", 4, "checkpoint", FR_ERROR_CHECKPOINT};

typedef struct payload_head {
    char description[FR_DESCRIPTION_SIZE];
    int64_t step, averaged, features;
} payload_head; /* then the weights and their average, features doubles each */

fr_status fr_checkpoint_write(const char *path, const fr_run *run, const fr_state *state, fr_error *error) {
    size_t bytes = (size_t)run->plan->features * sizeof(double), size = sizeof(payload_head) + 2 * bytes;
    FR_OWNED char *payload = NULL;
    payload_head head = {.step = state->step, .averaged = state->averaged, .features = run->plan->features};
    FR_TRY(fr_allocate((void **)&payload, (int64_t)size, 1, "a checkpoint", error));
    fr_describe_run(run, FR_OF_CHECKPOINT, head.description);
    memcpy(payload, &head, sizeof head);
    memcpy(payload + sizeof head, state->weights, bytes);
    memcpy(payload + sizeof head + bytes, state->average, bytes);
    return fr_sealed_write(path, &seal, payload, size, error);
}

static fr_status compare(const char *path, const fr_run *run, const char *found, fr_error *error) {
    char text[FR_DESCRIPTION_SIZE];
    const char *expected = text;
    int found_length, expected_length;
    fr_describe_run(run, FR_OF_CHECKPOINT, text);
    if (strcmp(found, expected) == 0) return FR_OK;
    fr_first_difference(&found, &found_length, &expected, &expected_length);
    return fr_fail(error, FR_ERROR_CHECKPOINT, "%s: the checkpoint is of another run: it has %.*s, this run %.*s",
                   path, found_length, found, expected_length, expected);
}

fr_status fr_checkpoint_read(const char *path, const fr_run *run, fr_state *state, fr_error *error) {
    const fr_plan *plan = run->plan;
    size_t bytes = (size_t)plan->features * sizeof(double), size;
    FR_OWNED char *payload = NULL;
    payload_head head;
    FR_TRY(fr_sealed_read(path, &seal, (void **)&payload, &size, error));
    if (size < sizeof head)
        return fr_fail(error, FR_ERROR_CHECKPOINT, "%s: damaged checkpoint: %zu bytes of content", path, size);
    memcpy(&head, payload, sizeof head);
    head.description[FR_DESCRIPTION_SIZE - 1] = '\0';
    FR_TRY(compare(path, run, head.description, error));
    if (head.features != plan->features || size != sizeof head + 2 * bytes || head.step < 0 ||
        head.step > plan->iterations || head.averaged < 0 || head.averaged > head.step)
        return fr_fail(error, FR_ERROR_CHECKPOINT,
                       "%s: the checkpoint is at step %lld of a run of %lld steps and %lld features", path,
                       (long long)head.step, (long long)plan->iterations, (long long)plan->features);
    state->step = head.step;
    state->averaged = head.averaged;
    memcpy(state->weights, payload + sizeof head, bytes);
    memcpy(state->average, payload + sizeof head + bytes, bytes);
    return FR_OK;
}
