/*
 * table2_cluster.c - a fit on a cluster of network namespaces: tools/cluster is run, and the JSON of the fit is read.
 */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "console/interrupt.h"
#include "console/json_scan.h"
#include "base/status.h"
#include "experiment/table2.h"

enum { NOT_HERE = 77, WORDS = 2048 };

const char *experiment_table2_missing(void) {
    if (getenv("FITRELU_NO_CLUSTER")) return "table2 makes no cluster while FITRELU_NO_CLUSTER is set";
    if (geteuid() != 0) return "table2 needs root, to make network namespaces";
    char script[EXPERIMENT_TEXT];
    if (!experiment_find_script("cluster", script)) return "table2 needs tools/cluster, and it was not found";
    if (system("command -v ip tc mpirun > /dev/null 2>&1") != 0)
        return "table2 needs ip and tc (iproute2) and mpirun (Open MPI)";
    return NULL;
}

/* Keys do not repeat in the JSON of a fit. */
static double number_of(const char *text, const char *name) { return json_find_number(text, text + strlen(text), name); }

/* The largest of "name": [ ... ]. */
static double most_of(const char *text, const char *name) {
    double most = NAN;
    const char *at = json_find(text, text + strlen(text), name), *end = at && *at == '[' ? strchr(at, ']') : NULL;
    for (at = end ? at + 1 : NULL; at && at < end;) {
        char *next;
        double value = strtod(at, &next);
        if (next == at) break;
        if (!(value <= most)) most = value;
        at = next + strspn(next, ", \n");
    }
    return most;
}

static fr_status read_fit(const char *text, cluster_fit *found, fr_error *error) {
    /* The paper's times are those of the steps, without what prepares them. */
    *found = (cluster_fit){.total = number_of(text, "compute") + number_of(text, "communicate"),
                           .compute = number_of(text, "processor"),
                           .down = number_of(text, "down"),
                           .relative_error = number_of(text, "relative_error"),
                           .sent = most_of(text, "sent"),
                           .received = most_of(text, "received")};
    if (!isnan(found->total) && !isnan(found->relative_error)) return FR_OK;
    return fr_fail(error, FR_ERROR, "the fit on the cluster printed no result: \"%.80s\"", text);
}

/* A shell that runs a command in a process group of its own, so that a signal reaches all that it started; its stdout is
 * at the end of the pipe that is given back. -1: none. */
static pid_t start_command(const char *command, int *out) {
    int ends[2];
    if (pipe(ends) != 0) return -1;
    pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]), close(ends[1]);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    *out = ends[0];
    if (child < 0) close(ends[0]);
    return child;
}

/* Everything that comes from the pipe until its end, or until this process is told to stop: that is looked at twice a
 * second, and then the command is told too. */
static void read_pipe(int from, pid_t child, FILE *into) {
    char piece[4096];
    bool told = false;
    for (;;) {
        struct pollfd look = {.fd = from, .events = POLLIN};
        int ready = poll(&look, 1, 500);
        if (interrupt_signal() != 0 && !told) told = kill(-child, SIGTERM) == 0 || errno == ESRCH;
        if (ready <= 0) continue;
        ssize_t got = read(from, piece, sizeof piece);
        if (got == 0 || (got < 0 && errno != EINTR)) return;
        if (got > 0) fwrite(piece, 1, (size_t)got, into);
    }
}

/* All of a command's stdout in memory, and its exit code. */
static fr_status read_command(const char *command, char **text, int *code, fr_error *error) {
    size_t size = 0;
    int from, status = 0;
    FILE *memory = open_memstream(text, &size);
    pid_t child = memory ? start_command(command, &from) : -1;
    if (child < 0) {
        if (memory) fclose(memory);
        return fr_fail_errno(error, FR_ERROR, "tools/cluster cannot be started");
    }
    read_pipe(from, child, memory);
    close(from);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    fclose(memory);
    *code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return FR_OK;
}

fr_status cluster_run_fit(int hosts, double megabits, const char *options, cluster_fit *found, fr_error *error) {
    char command[WORDS], script[EXPERIMENT_TEXT], own[512] = "", rate[40] = "none", *text = NULL;
    const char *missing = experiment_table2_missing();
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
    int code = 0;
    if (missing || !experiment_find_script("cluster", script))
        return fr_fail(error, FR_ERROR, "%s", missing ? missing : "tools/cluster was not found");
    if (length <= 0) return fr_fail_errno(error, FR_ERROR, "the program cannot find itself");
    if (megabits > 0) snprintf(rate, sizeof rate, "%.0fkbit", 1000 * megabits);
    snprintf(command, sizeof command, "'%s' --hosts %d --rate %s -- '%s' fit %s --quiet --json 2>/dev/null", script, hosts,
             rate, own, options);
    fr_status status = read_command(command, &text, &code, error);
    if (status == FR_OK && code == NOT_HERE)
        status = fr_fail(error, FR_ERROR, "table2 needs network namespaces, and this machine has none to give");
    else if (status == FR_OK && code != 0 && interrupt_signal() == 0)
        status = fr_fail(error, FR_ERROR, "a fit on the cluster ended with code %d: fitrelu fit %s", code, options);
    if (status == FR_OK && code == 0) status = read_fit(text, found, error);
    free(text);
    return status;
}
