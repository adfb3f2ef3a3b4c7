/*
 * checkpoint.c - payload: a description of everything that decides the iterates, then step, averages and weights.
 */
#include "fit/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sealed_file.h"
#include "ranks/world.h"

static const fr_seal seal = {"FRCHECKP", 4, "checkpoint", FR_ERROR_CHECKPOINT, 0};

enum { DESCRIPTION_SIZE = 512 };

typedef struct payload_head {
    char description[DESCRIPTION_SIZE]; /* "key=value key=value ..." */
    int64_t step, averaged, features, run;
    double step_factor, seen_loss;
    fr_search search;
} payload_head;

/* Iterations count only where the schedule or the averaging looks at the end of the run. */
static void describe(const fr_fit *fit, char text[DESCRIPTION_SIZE]) {
    const fr_plan *p = fit->plan;
    bool end_matters = p->steps.decays || p->average_start < p->iterations;
    snprintf(text, DESCRIPTION_SIZE,
             "samples=%lld features=%lld batch=%lld full=%d workers=%d iterations=%lld levels=%d scale=%s collective=%s "
             "precision=%s seed=%llu data-seed=%llu noise=%a decay=%d average-from=%lld step-size=%a init=%s",
             (long long)p->samples, (long long)p->features, (long long)p->batch, p->draws == 0, p->workers,
             end_matters ? (long long)p->iterations : -1LL, p->levels, fr_scale_name(p->scale),
             fr_collective_name(p->collective), fr_precision_name(p->precision), (unsigned long long)p->seed,
             (unsigned long long)(fit->set->is_planted ? fit->set->recipe.seed : 0),
             fit->set->is_planted ? fit->set->recipe.noise : 0.0, p->steps.decays,
             end_matters ? (long long)p->average_start : -1LL, p->steps.eta, fr_init_name(fit->options->init));
}

/* Weights, average, and where one is kept the best iterate. */
static size_t vectors_of(const fr_fit *fit) { return fit->state.best ? 3 : 2; }

fr_status fr_checkpoint_write(const fr_fit *fit, const char *path, fr_error *error) {
    int64_t d = fit->plan->features;
    size_t bytes = (size_t)d * sizeof(double), size = sizeof(payload_head) + vectors_of(fit) * bytes;
    char *payload = NULL;
    payload_head head = {.step = fit->state.step, .averaged = fit->state.averaged, .features = d, .run = fit->state.run,
                         .step_factor = fit->state.step_factor, .seen_loss = fit->state.seen_loss,
                         .search = fit->state.search};
    fr_status status = fr_allocate((void **)&payload, (int64_t)size, 1, "a checkpoint", error);
    if (status != FR_OK) return status;
    describe(fit, head.description);
    memcpy(payload, &head, sizeof head);
    memcpy(payload + sizeof head, fit->state.weights, bytes);
    memcpy(payload + sizeof head + bytes, fit->state.average, bytes);
    if (fit->state.best) memcpy(payload + sizeof head + 2 * bytes, fit->state.best, bytes);
    status = fr_sealed_write(path, &seal, payload, size, error);
    free(payload);
    return status;
}

static fr_status refuse(const char *path, const char *found, const char *expected, fr_error *error) {
    int found_length, expected_length;
    fr_first_difference(&found, &found_length, &expected, &expected_length);
    return fr_fail(error, FR_ERROR_CHECKPOINT, "%s: the checkpoint is of another run: it has %.*s, this run %.*s", path,
                   found_length, found, expected_length, expected);
}

fr_status fr_checkpoint_read(fr_fit *fit, const char *path, fr_error *error) {
    int64_t d = fit->plan->features;
    size_t bytes = (size_t)d * sizeof(double), size;
    char *payload = NULL, expected[DESCRIPTION_SIZE];
    payload_head head;
    fr_status status = fr_sealed_read(path, &seal, (void **)&payload, &size, error);
    if (status != FR_OK) return status;
    describe(fit, expected);
    if (size < sizeof head) {
        status = fr_fail(error, FR_ERROR_CHECKPOINT, "%s: damaged checkpoint: %zu bytes of content", path, size);
        goto done;
    }
    memcpy(&head, payload, sizeof head);
    head.description[DESCRIPTION_SIZE - 1] = '\0';
    if (strcmp(head.description, expected) != 0) {
        status = refuse(path, head.description, expected, error);
    } else if (head.features != d || size != sizeof head + vectors_of(fit) * bytes || head.step > fit->plan->iterations) {
        status = fr_fail(error, FR_ERROR_CHECKPOINT,
                         "%s: the checkpoint is at step %lld of a run of %lld steps and %lld features", path,
                         (long long)head.step, (long long)fit->plan->iterations, (long long)d);
    } else {
        fit->state.step = head.step;
        fit->state.averaged = head.averaged;
        fit->state.run = (int)head.run;
        fit->state.step_factor = head.step_factor;
        fit->state.seen_loss = head.seen_loss;
        fit->state.search = head.search;
        memcpy(fit->state.weights, payload + sizeof head, bytes);
        memcpy(fit->state.average, payload + sizeof head + bytes, bytes);
        if (fit->state.best) memcpy(fit->state.best, payload + sizeof head + 2 * bytes, bytes);
    }
done:
    free(payload);
    return status;
}
