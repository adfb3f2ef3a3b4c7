/*
 * status.h - how the library reports failure.
 *
 * A function that can fail returns fr_status and fills an fr_error that the caller owns (or passes NULL).
 * fr_fail writes the line and returns the status, so that every failure is one statement: return fr_fail(...).
 */
#ifndef FR_STATUS_H
#define FR_STATUS_H

#include <stdlib.h>
#include <string.h>

#include "fitrelu.h"

/* Fills error (if any) with a formatted line; returns status. */
fr_status fr_fail(fr_error *error, fr_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Like fr_fail for a failed system call: appends ": " and the text of errno. */
fr_status fr_fail_errno(fr_error *error, fr_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Like fr_fail for a line that names the rank at fault. */
fr_status fr_fail_on_rank(fr_error *error, fr_status status, int rank, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Puts "rank R: " before the line, or " (step T)" behind it, unless the line names one already (error->rank, ->step).
 * NULL is fine. */
void fr_error_name_rank(fr_error *error, int rank);
void fr_error_name_step(fr_error *error, int64_t step);

/* Adds "; " and a text to the line: what would do instead. NULL is fine. */
void fr_error_advise(fr_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Returns from the calling function if the call fails; what the function holds is FR_OWNED. */
#define FR_TRY(call)                                \
    do {                                            \
        fr_status try_status = (call);              \
        if (try_status != FR_OK) return try_status; \
    } while (0)

/* Allocates count elements of size bytes, aligned to 64 bytes and zeroed, or fails with a line that names what the
 * memory was for, the bytes needed and the bytes there are. An overflowing product fails in the same way.
 * Free with free(). */
fr_status fr_allocate(void **memory, int64_t count, size_t size, const char *what, fr_error *error);

/* The same without zeroes, for what is written whole at once, by all cores. */
fr_status fr_allocate_unset(void **memory, int64_t count, size_t size, const char *what, fr_error *error);

/* Refuses as fr_allocate does what does not fit, and allocates nothing. */
fr_status fr_memory_check(int64_t count, size_t size, const char *what, fr_error *error);

/* Memory that a function owns and that is freed whichever way it returns:
 *     FR_OWNED double *sums = NULL;
 *     FR_TRY(fr_allocate((void **)&sums, d, sizeof *sums, "sums", error)); */
#define FR_OWNED __attribute__((cleanup(fr_free_owned)))
static inline void fr_free_owned(void *pointer) {
    void *memory;
    memcpy(&memory, pointer, sizeof memory);
    free(memory);
}

/* Bytes that this process can still take: physical memory available, cut by the limits of the process and of its
 * control group. */
uint64_t fr_memory_available(void);

#endif
