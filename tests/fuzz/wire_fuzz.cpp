/* The target for libFuzzer: bytes that break wire_property.h end the program, and libFuzzer keeps them. */
#include <cstdio>
#include <cstdlib>

#include "wire_property.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    const char *wrong = wire_property::broken_by(bytes, size);
    if (!wrong) return 0;
    std::fprintf(stderr, "wire_fuzz: %s\n", wrong);
    std::abort();
}
