/*
 * cgroup.c - walks up the control groups that /proc/self/cgroup names.
 */
#include "base/cgroup.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 1400 };

bool fr_cgroup_number(const char *folder, const char *name, const char *key, uint64_t *number) {
    char path[PATH_BYTES + 64], line[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    if (!file) return false;
    bool found = false;
    size_t length = strlen(key);
    while (!found && fgets(line, sizeof line, file)) {
        if (strncmp(line, key, length) == 0) found = sscanf(line + length, "%" SCNu64, number) == 1;
        if (length == 0) break;
    }
    fclose(file);
    return found;
}

/* From the group's folder up to base. */
static void climb(const char *base, const char *group, bool unified, fr_cgroup_look *look, void *user) {
    char folder[PATH_BYTES];
    int length = snprintf(folder, sizeof folder, "%s%s", base, strcmp(group, "/") == 0 ? "" : group);
    if (length < 0 || (size_t)length >= sizeof folder) return;
    for (;;) {
        look(folder, unified, user);
        char *slash = strrchr(folder + strlen(base), '/');
        if (!slash) return;
        *slash = '\0';
    }
}

/* True where the list "cpu,cpuacct" has the word. */
static bool lists(const char *list, const char *word) {
    size_t length = strlen(word);
    for (const char *at = list; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, word, length) == 0 && (at[length] == ',' || at[length] == '\0')) return true;
    }
    return false;
}

/* Lines of /proc/self/cgroup: "0::/group" (version 2) or "4:cpu,cpuacct:/group" (version 1). */
void fr_cgroup_walk(const char *root, const char *controller, fr_cgroup_look *look, void *user) {
    char path[PATH_BYTES], base[PATH_BYTES], line[1000];
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':');
        char *group = controllers ? strchr(++controllers, ':') : NULL;
        if (!group) continue;
        *group++ = '\0';
        bool unified = *controllers == '\0';
        if (!unified && !lists(controllers, controller)) continue;
        snprintf(base, sizeof base, "%s/sys/fs/cgroup%s%s", root, unified ? "" : "/", unified ? "" : controller);
        climb(base, group, unified, look, user);
    }
    if (file) fclose(file);
}

/* ------------------------------------------------------------------------------------------ processors */

/* The two numbers of cpu.max, "quota period"; false for "max period". */
static bool read_quota(const char *folder, bool unified, double *quota, double *period) {
    char path[PATH_BYTES + 64];
    uint64_t quota_us, period_us;
    if (unified) {
        snprintf(path, sizeof path, "%s/cpu.max", folder);
        FILE *file = fopen(path, "r");
        if (!file) return false;
        bool found = fscanf(file, "%" SCNu64 " %" SCNu64, &quota_us, &period_us) == 2;
        fclose(file);
        if (!found) return false;
    } else {
        if (!fr_cgroup_number(folder, "cpu.cfs_quota_us", "", &quota_us) || (int64_t)quota_us < 0) return false;
        if (!fr_cgroup_number(folder, "cpu.cfs_period_us", "", &period_us)) return false;
    }
    *quota = (double)quota_us;
    *period = (double)period_us;
    return quota_us > 0 && period_us > 0;
}

static void look_at_quota(const char *folder, bool unified, void *user) {
    int *least = user;
    double quota, period;
    if (!read_quota(folder, unified, &quota, &period)) return;
    double processors = quota / period;
    if (!(processors < INT_MAX)) return;
    int whole = (int)processors;
    if ((double)whole < processors) whole++;
    if (whole < *least) *least = whole;
}

int fr_cgroup_processors(const char *root) {
    int least = INT_MAX;
    fr_cgroup_walk(root, "cpu", look_at_quota, &least);
    return least;
}
