/*
 * scripts.c - the scripts beside the program: the pictures of an experiment, the page of all, the cluster of table2.
 *
 * Neither is a result. Where there is no Python, or one without matplotlib, a remark says what is missing, and CSV and
 * JSON stay.
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "experiment/experiment.h"
#include "console/message.h"

extern char **environ;

/* What a script ends with where its Python lacks a part that it needs, and what a shell says of a missing program. */
enum { LACKS_PART = 77, NOT_FOUND = 127 };
enum { WORDS_MOST = 24 };

/* The folder of this program's file, with a "/" at its end. */
static bool own_folder(char folder[EXPERIMENT_TEXT]) {
    ssize_t length = readlink("/proc/self/exe", folder, EXPERIMENT_TEXT - 1);
    if (length <= 0) return false;
    folder[length] = '\0';
    char *name = strrchr(folder, '/');
    if (name) name[1] = '\0';
    return name != NULL;
}

/* Looked for from the program's own place, or where an installation has an absolute folder for them. Never in the folder
 * that the program was built from: root may run this program, and that folder belongs to whoever built it. */
bool experiment_find_script(const char *name, char path[EXPERIMENT_TEXT]) {
    const char *const folders[] = {FITRELU_SHARE, "../share/fitrelu"};
    char own[EXPERIMENT_TEXT];
    for (int i = 0; i < 2; i++) {
        bool absolute = folders[i][0] == '/';
        if (!absolute && !own_folder(own)) continue;
        int length = snprintf(path, EXPERIMENT_TEXT, "%s%s/%s", absolute ? "" : own, folders[i], name);
        if (length < EXPERIMENT_TEXT && access(path, R_OK) == 0) return true;
    }
    return false;
}

/* The exit code of a command, or -1. */
static int run_words(const char *const words[]) {
    pid_t child;
    int status;
    if (posix_spawnp(&child, words[0], NULL, NULL, (char *const *)words, environ) != 0) return -1;
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
    return WEXITSTATUS(status);
}

/* Runs script with the arguments (up to a NULL), by the Python that was asked for or else by those that are usual: the
 * first on PATH may be without matplotlib where the system's own has it. False after saying why there is no `what`. */
static bool run_script(const char *script, const char *const arguments[], const char *what, const char *needs) {
    const char *chosen = getenv("FITRELU_PYTHON");
    const char *const pythons[] = {chosen && *chosen ? chosen : "python3", "/usr/bin/python3"};
    char path[EXPERIMENT_TEXT];
    const char *words[WORDS_MOST + 4] = {NULL, "-B", path};
    for (int i = 0; i < WORDS_MOST && arguments[i]; i++) words[i + 3] = arguments[i];
    if (!experiment_find_script(script, path)) {
        message_note("no %s: %s was not found", what, script);
        return false;
    }
    for (int i = 0; i < (pythons[0] == chosen ? 1 : 2); i++) {
        words[0] = pythons[i];
        int code = run_words(words);
        if (code == EXIT_DONE) return true;
        if (code != -1 && code != LACKS_PART && code != NOT_FOUND) {
            message_note("no %s: %s failed", what, path);
            return false;
        }
    }
    message_note("no %s: it needs %s", what, needs);
    return false;
}

void experiment_draw(const experiment_run *run) {
    char what[64];
    snprintf(what, sizeof what, "picture of %s", run->what->name);
    run_script("experiment_plot.py", (const char *const[]){run->what->name, run->settings.output, NULL}, what,
               "Python 3 with matplotlib");
}

bool experiment_make_page(const experiment_settings *settings, const char *const names[], int count) {
    const char *words[WORDS_MOST] = {NULL};
    int used = 0;
    if (settings->no_pictures) words[used++] = "--no-pictures";
    words[used++] = settings->output;
    for (int i = 0; i < count && used < WORDS_MOST - 1; i++) words[used++] = names[i];
    return run_script("experiment_page.py", words, "page of all", "Python 3");
}
