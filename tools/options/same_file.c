/*
 * same_file.c - identity of files by what the system says of them, never by how their names are spelt.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/status.h"
#include "base/text_file.h"
#include "console/message.h"
#include "options/same_file.h"

/* What a path leads to: a file, or a name in a folder where there is none yet. */
typedef struct identity {
    bool known, exists;
    struct stat about; /* of the file, else of the folder */
    const char *name;  /* in the folder */
} identity;

static identity identify(const named_file *file) {
    const char *path = file->path;
    bool is_stdin = !file->written && fr_path_is_stdin(path);
    const char *slash = strrchr(path, '/');
    identity found = {.known = true, .exists = true, .name = slash ? slash + 1 : path};
    if ((is_stdin ? fstat(STDIN_FILENO, &found.about) : stat(path, &found.about)) == 0) return found;
    FR_OWNED char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    found.exists = false;
    found.known = folder && stat(folder, &found.about) == 0;
    return found;
}

static bool are_one(const identity *a, const identity *b) {
    if (!a->known || !b->known || a->exists != b->exists) return false;
    if (a->about.st_dev != b->about.st_dev || a->about.st_ino != b->about.st_ino) return false;
    return a->exists ? !S_ISCHR(a->about.st_mode) : strcmp(a->name, b->name) == 0;
}

static int refuse(const named_file *one, const named_file *other) {
    if (strcmp(one->path, other->path) == 0)
        return message_usage("%s and %s name the same file %s", one->option, other->option, one->path);
    return message_usage("%s %s and %s %s name the same file", one->option, one->path, other->option, other->path);
}

int same_file_check(const named_file files[], int count) {
    for (int i = 0; i < count; i++) {
        if (!files[i].path) continue;
        identity other = identify(&files[i]);
        for (int k = 0; k < i; k++) {
            if (!files[k].path || (!files[k].written && !files[i].written)) continue;
            identity one = identify(&files[k]);
            if (are_one(&one, &other)) return refuse(&files[k], &files[i]);
        }
    }
    return 0;
}
