/*
 * status.c - failure lines and guarded memory.
 *
 * Linux hands out more memory than it has and kills the process when the pages are touched. A user who mistypes
 * --samples deserves a line instead, so every large allocation of the library goes through fr_allocate, which
 * compares the bytes needed with what the machine, the limits of the process and its control group still give,
 * before a page is touched.
 *
 * Numbers in messages are put together from integers: printf would write them with the locale's decimal comma.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* madvise */
#endif
#include "base/status.h"

#include "base/cgroup.h"
#include "base/threads.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum { ALIGNMENT = 64, UNCHECKED_BYTES = 1 << 20, HUGE_PAGE = 1 << 21 };

/* ------------------------------------------------------------------------------------ failure lines */

static void write_line(fr_error *error, fr_status status, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

static void write_line(fr_error *error, fr_status status, const char *format, va_list arguments) {
    error->status = status;
    error->rank = -1;
    error->device = -1;
    error->step = -1;
    vsnprintf(error->message, sizeof error->message, format, arguments);
    for (char *c = error->message; *c; c++) /* out of a file or its name, for instance; a message is one line */
        if ((unsigned char)*c < 32 || *c == 127) *c = '?';
}

fr_status fr_fail(fr_error *error, fr_status status, const char *format, ...) {
    if (!error) return status;
    va_list arguments;
    va_start(arguments, format);
    write_line(error, status, format, arguments);
    va_end(arguments);
    return status;
}

fr_status fr_fail_errno(fr_error *error, fr_status status, const char *format, ...) {
    const char *reason = strerror(errno); /* before anything else can change errno */
    if (!error) return status;
    va_list arguments;
    va_start(arguments, format);
    write_line(error, status, format, arguments);
    va_end(arguments);
    size_t used = strlen(error->message);
    snprintf(error->message + used, sizeof error->message - used, ": %s", reason);
    return status;
}

fr_status fr_fail_on_rank(fr_error *error, fr_status status, int rank, const char *format, ...) {
    if (!error) return status;
    va_list arguments;
    va_start(arguments, format);
    write_line(error, status, format, arguments);
    va_end(arguments);
    error->rank = rank;
    return status;
}

void fr_error_name_rank(fr_error *error, int rank) {
    if (!error || error->rank >= 0) return;
    const fr_error said = *error;
    snprintf(error->message, sizeof error->message, "rank %d: %.450s", rank, said.message);
    error->rank = rank;
}

void fr_error_advise(fr_error *error, const char *format, ...) {
    char text[sizeof error->message];
    va_list arguments;
    if (!error) return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t length = strlen(error->message);
    snprintf(error->message + length, sizeof error->message - length, "; %s", text);
}

void fr_error_name_step(fr_error *error, int64_t step) {
    if (!error || error->step >= 0) return;
    const fr_error said = *error;
    snprintf(error->message, sizeof error->message, "%.440s (step %" PRId64 ")", said.message, step);
    error->step = step;
}

/* ---------------------------------------------------------------------------------- available memory */

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* What one control group leaves: its limit less its use, of which file pages do not count since they give way. */
static void look_at_group(const char *folder, bool unified, void *room) {
    const char *limit_name = unified ? "memory.max" : "memory.limit_in_bytes";
    const char *used_name = unified ? "memory.current" : "memory.usage_in_bytes";
    const char *pages[2] = {unified ? "inactive_file " : "total_inactive_file ",
                            unified ? "active_file " : "total_active_file "};
    uint64_t limit, used, files;
    if (!fr_cgroup_number(folder, limit_name, "", &limit) || !fr_cgroup_number(folder, used_name, "", &used)) return;
    for (int i = 0; i < 2; i++)
        if (fr_cgroup_number(folder, "memory.stat", pages[i], &files)) used -= least(files, used);
    *(uint64_t *)room = least(*(uint64_t *)room, limit > used ? limit - used : 0);
}

static uint64_t room_in_control_groups(void) {
    uint64_t room = UINT64_MAX;
    fr_cgroup_walk("", "memory", look_at_group, &room);
    return room;
}

/* What RLIMIT_AS leaves beside the address space in use. */
static uint64_t room_in_address_space(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return UINT64_MAX;
    uint64_t pages = 0;
    if (!fr_cgroup_number("/proc/self", "statm", "", &pages)) return limit.rlim_cur;
    uint64_t used = pages * (uint64_t)sysconf(_SC_PAGESIZE);
    return limit.rlim_cur > used ? limit.rlim_cur - used : 0;
}

uint64_t fr_memory_available(void) {
    uint64_t kilobytes;
    uint64_t room = UINT64_MAX;
    if (fr_cgroup_number("/proc", "meminfo", "MemAvailable:", &kilobytes)) room = kilobytes * 1024;
    return least(room, least(room_in_control_groups(), room_in_address_space()));
}

/* --------------------------------------------------------------------------------------- allocation */

/* "20.1 GB": decimal units, one place, cut rather than rounded. */
static void write_bytes(char *text, size_t size, double bytes) {
    const char *units[] = {"bytes", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"};
    int unit = 0;
    while (bytes >= 1000 && unit < 8) {
        bytes /= 1000;
        unit++;
    }
    uint64_t tenths = bytes < 1e9 ? (uint64_t)(bytes * 10) : UINT64_MAX;
    if (unit == 0) snprintf(text, size, "%" PRIu64 " bytes", tenths / 10);
    else snprintf(text, size, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10, tenths % 10, units[unit]);
}

static fr_status refuse(int64_t count, size_t size, const char *what, uint64_t available, fr_error *error) {
    char needed[32], there[32];
    write_bytes(needed, sizeof needed, (double)count * (double)size);
    write_bytes(there, sizeof there, (double)available);
    return fr_fail(error, FR_ERROR, "needs %s for %s (%" PRId64 " times %zu bytes), %s available", needed, what,
                   count, size, there);
}

/* Large memory is cleared by all cores, so that its pages lie near those that will read them. */
static void clear(char *memory, uint64_t bytes) {
    int64_t pages = (int64_t)((bytes + HUGE_PAGE - 1) / HUGE_PAGE);
#pragma omp parallel for schedule(static) num_threads(fr_loop_threads()) if (pages > 32)
    for (int64_t page = 0; page < pages; page++) {
        uint64_t first = (uint64_t)page * HUGE_PAGE, rest = bytes - first;
        memset(memory + first, 0, rest < HUGE_PAGE ? rest : HUGE_PAGE);
    }
}

fr_status fr_memory_check(int64_t count, size_t size, const char *what, fr_error *error) {
    uint64_t bytes;
    if (count < 0) return fr_fail(error, FR_ERROR, "cannot allocate %" PRId64 " elements for %s", count, what);
    if (__builtin_mul_overflow((uint64_t)count, (uint64_t)size, &bytes) || bytes > (uint64_t)PTRDIFF_MAX - ALIGNMENT)
        return refuse(count, size, what, fr_memory_available(), error);
    if (bytes <= UNCHECKED_BYTES) return FR_OK;
    uint64_t available = fr_memory_available();
    return bytes <= available ? FR_OK : refuse(count, size, what, available, error);
}

fr_status fr_allocate_unset(void **memory, int64_t count, size_t size, const char *what, fr_error *error) {
    *memory = NULL;
    FR_TRY(fr_memory_check(count, size, what, error));
    uint64_t bytes = (uint64_t)count * (uint64_t)size;
    bool large = bytes >= 4 * (uint64_t)HUGE_PAGE;
    if (posix_memalign(memory, large ? HUGE_PAGE : ALIGNMENT, bytes ? bytes : ALIGNMENT) != 0) {
        *memory = NULL;
        return refuse(count, size, what, fr_memory_available(), error);
    }
#ifdef MADV_HUGEPAGE
    /* Rows are read in random order: with small pages nearly every row costs a page walk. */
    if (large) madvise(*memory, bytes, MADV_HUGEPAGE);
#endif
    return FR_OK;
}

fr_status fr_allocate(void **memory, int64_t count, size_t size, const char *what, fr_error *error) {
    FR_TRY(fr_allocate_unset(memory, count, size, what, error));
    uint64_t bytes = (uint64_t)count * (uint64_t)size;
    clear(*memory, bytes ? bytes : ALIGNMENT);
    return FR_OK;
}
