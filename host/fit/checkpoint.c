/*
 * checkpoint.c - payload: a description of everything that decides the iterates, then the state.
 */
#include "fit/checkpoint.h"

#include <math.h>

#include "base/sealed_file.h"

static const fr_seal seal = {"FRCHECKP", 6, "checkpoint", FR_ERROR_CHECKPOINT, 0};

typedef struct payload_head {
    char description[FR_DESCRIPTION_SIZE];
    int64_t step, averaged, features, run, settled;
    double step_factor, seen_loss;
    fr_search search;
} payload_head; /* then the weights, their average and, of data of one's own, the best: features doubles each */

static size_t size_of(const fr_run *run) {
    size_t vectors = run->plan->own_data ? 3 : 2;
    return sizeof(payload_head) + vectors * (size_t)run->plan->features * sizeof(double);
}

fr_status fr_checkpoint_write(const char *path, const fr_run *run, const fr_state *state, fr_error *error) {
    size_t bytes = (size_t)run->plan->features * sizeof(double), size = size_of(run);
    FR_OWNED char *payload = NULL;
    payload_head head = {.step = state->step, .averaged = state->averaged, .features = run->plan->features,
                         .run = state->run, .settled = state->settled, .step_factor = state->step_factor,
                         .seen_loss = state->seen_loss, .search = state->search};
    FR_TRY(fr_allocate((void **)&payload, (int64_t)size, 1, "a checkpoint", error));
    fr_describe_run(run, FR_OF_CHECKPOINT, head.description);
    memcpy(payload, &head, sizeof head);
    memcpy(payload + sizeof head, state->weights, bytes);
    memcpy(payload + sizeof head + bytes, state->average, bytes);
    if (run->plan->own_data) memcpy(payload + sizeof head + 2 * bytes, state->best, bytes);
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

/* Whether a run of this plan can stand where the checkpoint says. */
static bool can_be(const payload_head *head, const fr_plan *plan) {
    int most_runs = plan->own_data ? FR_MOST_RUNS : 1;
    return head->step >= 0 && head->step <= plan->iterations && head->averaged >= 0 && head->averaged <= head->step &&
           head->run >= 0 && head->run < most_runs && head->step_factor > 0 && head->step_factor <= 1 &&
           head->search.steps_before >= 0;
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
    if (head.features != plan->features || size != size_of(run) || !can_be(&head, plan))
        return fr_fail(error, FR_ERROR_CHECKPOINT,
                       "%s: the checkpoint is at step %lld of a run of %lld steps and %lld features", path,
                       (long long)head.step, (long long)plan->iterations, (long long)plan->features);
    state->step = head.step;
    state->averaged = head.averaged;
    state->run = (int)head.run;
    state->settled = head.settled != 0;
    state->step_factor = head.step_factor;
    state->seen_loss = head.seen_loss;
    state->search = head.search;
    memcpy(state->weights, payload + sizeof head, bytes);
    memcpy(state->average, payload + sizeof head + bytes, bytes);
    if (plan->own_data) memcpy(state->best, payload + sizeof head + 2 * bytes, bytes);
    return FR_OK;
}
