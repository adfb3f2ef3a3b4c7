/*
 * held_file.h - a file in memory that readers open by its path, and the one line by which they refuse.
 */
#ifndef FR_FUZZ_HELD_FILE_H
#define FR_FUZZ_HELD_FILE_H

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

extern "C" {
#include "base/status.h"
}

class HeldFile {
    int descriptor;
    std::string where;

  public:
    HeldFile(const void *bytes, size_t size) : descriptor(memfd_create("fuzzed", MFD_CLOEXEC)) {
        if (descriptor < 0 || write(descriptor, bytes, size) != (ssize_t)size) abort();
        where = "/proc/self/fd/" + std::to_string(descriptor);
    }
    ~HeldFile() { close(descriptor); }
    HeldFile(const HeldFile &) = delete;
    HeldFile &operator=(const HeldFile &) = delete;
    const char *path() const { return where.c_str(); }
};

/* What does not hold ends the program, and libFuzzer keeps the input. */
inline void must(bool holds, const char *what) {
    if (holds) return;
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
}

/* A failure is one line; success leaves nothing to say. */
inline void must_be_told(fr_status status, const fr_error &error) {
    if (status == FR_OK) return;
    must(error.message[0] != '\0', "refused without a line");
    must(!std::strchr(error.message, '\n'), "refused in several lines");
}

#endif
