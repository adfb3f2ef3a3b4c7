/*
 * faults.c - preloaded into the program by tests: one call of the system fails, as on a disk that is full or gone.
 *
 * FITRELU_TEST_FAULT=rename:2 fails the second rename; close:1 fails every close of descriptor 1 after closing it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int rename(const char *from, const char *to);
int close(int descriptor);

/* The number behind "CALL:" in the variable, -1 where another call is to fail, or none. */
static int fault_of(const char *call) {
    const char *fault = getenv("FITRELU_TEST_FAULT");
    size_t length = strlen(call);
    return fault && strncmp(fault, call, length) == 0 && fault[length] == ':' ? atoi(fault + length + 1) : -1;
}

int rename(const char *from, const char *to) {
    static int calls;
    int (*next)(const char *, const char *);
    *(void **)&next = dlsym(RTLD_NEXT, "rename");
    if (++calls != fault_of("rename")) return next(from, to);
    errno = EIO;
    return -1;
}

int close(int descriptor) {
    int (*next)(int);
    *(void **)&next = dlsym(RTLD_NEXT, "close");
    int result = next(descriptor);
    if (descriptor != fault_of("close")) return result;
    errno = EDQUOT;
    return -1;
}
