/*
 * faults.c - preloaded into the program by tests: one call of the system fails, as on a disk or in memory that is full or
 * gone.
 *
 * FITRELU_TEST_FAULT=rename:2 fails the second rename since main began; so do alloc, open, read, write, fsync, close, rename
 * and link. descriptor:1 fails every close of descriptor 1 after closing it. The call that fails leaves the file that
 * FITRELU_TEST_HIT names, so that a test knows when it has tried them all.
 */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE /* the names below must be those of the library */
#pragma GCC diagnostic ignored "-Wmissing-prototypes" /* what stands in for the library's own has none */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *kind = "";
static long chosen;
static _Atomic long calls;
static _Atomic bool counting;

/* Whether this is the call that is to fail. */
static bool fails(const char *call, int reason) {
    if (!counting || strcmp(call, kind) != 0 || ++calls != chosen) return false;
    const char *mark = getenv("FITRELU_TEST_HIT");
    if (mark) syscall(SYS_close, syscall(SYS_openat, AT_FDCWD, mark, O_CREAT | O_WRONLY, 0600));
    errno = reason;
    return true;
}

/* ------------------------------------------------------------------------------------------ from main on */

typedef int main_function(int, char **, char **);
static main_function *real_main;

static int counted_main(int argc, char **argv, char **envp) {
    static char word[32];
    const char *fault = getenv("FITRELU_TEST_FAULT"), *colon = fault ? strchr(fault, ':') : NULL;
    if (colon && (size_t)(colon - fault) < sizeof word) {
        memcpy(word, fault, (size_t)(colon - fault));
        kind = word;
        chosen = atol(colon + 1);
        counting = true;
    }
    return real_main(argc, argv, envp);
}

int __libc_start_main(main_function *start, int argc, char **argv, void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end) {
    int (*next)(main_function *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *);
    *(void **)&next = dlsym(RTLD_NEXT, "__libc_start_main");
    real_main = start;
    return next(counted_main, argc, argv, init, fini, rtld_fini, stack_end);
}

/* ---------------------------------------------------------------------------------------------- memory */

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t),
    *__libc_memalign(size_t, size_t);

void *malloc(size_t size) { return fails("alloc", ENOMEM) ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return fails("alloc", ENOMEM) ? NULL : __libc_calloc(count, size); }
void *realloc(void *old, size_t size) { return fails("alloc", ENOMEM) ? NULL : __libc_realloc(old, size); }
int posix_memalign(void **memory, size_t alignment, size_t size) {
    if (fails("alloc", ENOMEM)) return ENOMEM;
    *memory = __libc_memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}

/* ----------------------------------------------------------------------------------------------- files */

#define NEXT(name) (next ? next : (*(void **)&next = dlsym(RTLD_NEXT, name), next))

static mode_t mode_of(int flags, va_list list) {
    return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(list, mode_t) : 0;
}
static int open_now(const char *path, int flags, mode_t mode) {
    return fails("open", EMFILE) ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}
int open(const char *path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    mode_t mode = mode_of(flags, list);
    va_end(list);
    return open_now(path, flags, mode);
}
int open64(const char *path, int flags, ...) __attribute__((alias("open")));
int __open_2(const char *path, int flags) { return open_now(path, flags, 0); }
int __open64_2(const char *path, int flags) { return open_now(path, flags, 0); }

FILE *fopen(const char *path, const char *mode) {
    static FILE *(*next)(const char *, const char *);
    return fails("open", EMFILE) ? NULL : NEXT("fopen")(path, mode);
}
FILE *fopen64(const char *path, const char *mode) __attribute__((alias("fopen")));

ssize_t read(int descriptor, void *to, size_t size) {
    return fails("read", EIO) ? -1 : syscall(SYS_read, descriptor, to, size);
}
ssize_t pread(int descriptor, void *to, size_t size, off_t at) {
    return fails("read", EIO) ? -1 : syscall(SYS_pread64, descriptor, to, size, at);
}
ssize_t pread64(int descriptor, void *to, size_t size, off_t at) __attribute__((alias("pread")));
ssize_t __read_chk(int descriptor, void *to, size_t size, size_t room) { return size > room ? (abort(), -1) : read(descriptor, to, size); }
ssize_t __pread_chk(int descriptor, void *to, size_t size, off_t at, size_t room) {
    return size > room ? (abort(), -1) : pread(descriptor, to, size, at);
}
ssize_t __pread64_chk(int descriptor, void *to, size_t size, off_t at, size_t room) __attribute__((alias("__pread_chk")));

/* Every other one that fails has written a half. */
ssize_t write(int descriptor, const void *from, size_t size) {
    if (!fails("write", ENOSPC)) return syscall(SYS_write, descriptor, from, size);
    if (chosen % 2 == 0 && size > 1) (void)!syscall(SYS_write, descriptor, from, size / 2);
    errno = ENOSPC;
    return -1;
}

int fsync(int descriptor) { return fails("fsync", EIO) ? -1 : (int)syscall(SYS_fsync, descriptor); }

int close(int descriptor) {
    int result = (int)syscall(SYS_close, descriptor);
    if (counting && descriptor == chosen && strcmp(kind, "descriptor") == 0) return errno = EDQUOT, -1;
    return fails("close", EDQUOT) ? -1 : result;
}

int rename(const char *from, const char *to) {
    return fails("rename", EIO) ? -1 : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}
int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    return fails("link", EIO) ? -1 : (int)syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }
