/*
 * cgroup.h - what the control groups of this process allow it, in a container for instance.
 */
#ifndef FR_CGROUP_H
#define FR_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

/* Calls look for the folder of the process's group and of each ancestor, in the unified hierarchy (version 2) and in
 * that of `controller` (version 1). root stands before /proc and /sys: "" but in tests. In a container the group's own
 * folder is often not visible; then the root of the hierarchy holds the container's limit, which is the last one. */
typedef void fr_cgroup_look(const char *folder, bool unified, void *user);
void fr_cgroup_walk(const char *root, const char *controller, fr_cgroup_look *look, void *user);

/* The whole number after key at the start of a line of folder/name ("" takes the first line). False where the file, the
 * key or the number is missing, as for a limit of "max". */
bool fr_cgroup_number(const char *folder, const char *name, const char *key, uint64_t *number);

/* Processors' worth of time that the groups allow: cpu.max, or cpu.cfs_quota_us over cpu.cfs_period_us, rounded up;
 * the least over a group and its ancestors. INT_MAX where there is no quota. */
int fr_cgroup_processors(const char *root);

#endif
