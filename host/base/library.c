/*
 * library.c - dlopen and dlsym, with lines for people.
 */
#include "base/library.h"

#include <dlfcn.h>
#include <stdio.h>

/* What the loader said last. */
static const char *reason(void) {
    const char *text = dlerror();
    return text ? text : "no reason given";
}

/* The first file that opens, or NULL; why (of `size` bytes): what the loader said of the first one. */
static void *open_first(const fr_library *library, const char **file, char *why, size_t size) {
    const char *asked = library->variable ? getenv(library->variable) : NULL;
    const char *const only[2] = {asked, NULL}, *const *files = asked && *asked ? only : library->files;
    int most = files == only ? 1 : (int)(sizeof library->files / sizeof *library->files);
    snprintf(why, size, "no file is known");
    for (int i = 0; i < most && files[i]; i++) {
        void *handle = dlopen(files[i], RTLD_NOW | RTLD_LOCAL);
        *file = files[i];
        if (handle) return handle;
        if (i == 0) snprintf(why, size, "%s", reason());
        else (void)reason();
    }
    return NULL;
}

fr_status fr_library_open(const fr_library *library, const fr_symbol *symbols, int count, char *file, size_t size,
                          fr_error *error) {
    char why[300];
    const char *opened = "";
    void *handle = open_first(library, &opened, why, sizeof why);
    if (!handle) return fr_fail(error, FR_ERROR_DEVICE, "%s is not here: %s", library->name, why);
    snprintf(file, size, "%s", opened);
    for (int i = 0; i < count; i++) {
        void *address = dlsym(handle, symbols[i].name);
        if (!address)
            return fr_fail(error, FR_ERROR_DEVICE, "%s in %s is too old: %s", library->name, opened, reason());
        memcpy(symbols[i].address, &address, sizeof address);
    }
    return FR_OK;
}
