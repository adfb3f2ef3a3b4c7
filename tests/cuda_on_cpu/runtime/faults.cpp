/* faults.cpp - notes and faults: one line each, on stderr. */
#include "faults.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include "settings.h"

namespace cuda_on_cpu {

static thread_local std::string remembered;

std::string format(const char *text, ...) {
    va_list arguments, again;
    va_start(arguments, text);
    va_copy(again, arguments);
    std::string result(size_t(std::vsnprintf(nullptr, 0, text, arguments)), '\0');
    std::vsnprintf(&result[0], result.size() + 1, text, again);
    va_end(again);
    va_end(arguments);
    return result;
}

void note(const std::string &text) {
    remembered = text;
    std::fprintf(stderr, "cuda_on_cpu: %s\n", text.c_str());
}

const char *last_note() { return remembered.c_str(); }

void fault(const std::string &text) {
    note(text);
    if (settings().sticky_faults) return;
    std::fflush(nullptr);
    std::abort();
}

} // namespace cuda_on_cpu
